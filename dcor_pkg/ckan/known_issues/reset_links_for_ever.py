"""A link by which a user chooses a password is valid for ever."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/lib/mailer.py"
ISSUE = Issue(
    name="reset_links_for_ever",
    symptom="200 for GET /user/reset/ID?key=KEY with a link that was made years ago",
    cause="CKAN stores the key of the link without the time at which it was made, and compares it only. The keys of the "
    "cure say when they expire (dcor_runtime.reset_key); others count as expired.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Whoever finds a link that was not used, in a mailbox or a backup of the database, takes the account over.",
    detection="make_key and verify_reset_link in ckan/lib/mailer.py, without dcor_runtime.reset_key",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="    return codecs.encode(os.urandom(16), 'hex').decode()\n",
                fixed="    from dcor_runtime import reset_key\n    return reset_key.make()\n",
            ),
            ReplaceText(
                FILE,
                faulty="""\
    if not key:
        return False
    if not user.reset_key or len(user.reset_key) < 5:
        return False
    return key.strip() == user.reset_key
""",
                fixed="""\
    from dcor_runtime import reset_key
    return reset_key.is_valid(key, user.reset_key)
""",
            ),
        )
    ),
    proof="tests/system/test_issues_reproduced.py: a link says nothing of its time; "
    "tests/unit/ckan/test_cured_accounts.py: a key is valid for three days; tests/system/test_users.py",
)
