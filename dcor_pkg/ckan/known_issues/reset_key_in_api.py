"""The key of a link by which a user chooses a password also changes the account by the API, again and again."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="reset_key_in_api",
    symptom="200 for POST /api/3/action/user_update by a visitor, with `reset_key` among its values",
    cause="The auth function of user_update compares the key itself. Only the page of the link, which sets "
    "`reset_password` in the context, makes the key void afterwards.",
    versions=Versions("ckan", since="2.11.6"),
    cost="A link that was used, or that has expired, still sets a password and a mail address.",
    detection="`user_obj.reset_key == data_dict['reset_key']` in ckan/logic/auth/update.py",
    cure=ReplaceText(
        "ckan/logic/auth/update.py",
        faulty="""\
    if user_obj.reset_key and 'reset_key' in data_dict:
        if user_obj.reset_key == data_dict['reset_key']:
            return {'success': True}
""",
        fixed="""\
    # Only at the page of the link: it makes the key void afterwards.
    if context.get('reset_password'):
        from ckan.lib import mailer
        if mailer.verify_reset_link(user_obj, data_dict.get('reset_key')):
            return {'success': True}
""",
    ),
    proof="tests/system/test_issues_reproduced.py: a visitor has a user's key; "
    "tests/unit/ckan/test_cured_accounts.py: a key counts at the page of the link only; tests/system/test_users.py",
)
