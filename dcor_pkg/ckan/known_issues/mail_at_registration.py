"""The registration of a user waits for the mail server."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckanext/dcor_schemas/signals.py"
ISSUE = Issue(
    name="mail_at_registration",
    symptom="MailerException: SMTP server could not be connected to, and 500, for POST /user/register, "
    "and no user is created",
    cause="ckanext-dcor_schemas mails the maintainer within the request that creates a user.",
    versions=Versions("ckanext-dcor_schemas", since="1.1.2"),
    cost="While the mail server does not answer, nobody can register, and each attempt occupies a worker.",
    detection="mailer.mail_recipient called directly in ckanext/dcor_schemas/signals.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="from ckan.lib import mailer\n",
                fixed="from ckan.lib import jobs, mailer\n",
            ),
            ReplaceText(
                FILE,
                faulty="""\
            mailer.mail_recipient(
                recipient_name=f"{site} Maintainer",
                recipient_email=recipient_email,
                subject=f"New user '{user.name}' at {site} ({url})",
                body=f\"""",
                fixed="""\
            jobs.enqueue(mailer.mail_recipient, title="mail a new user", kwargs=dict(
                recipient_name=f"{site} Maintainer",
                recipient_email=recipient_email,
                subject=f"New user '{user.name}' at {site} ({url})",
                body=f\"""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
About: {(user.about or '')[:20]}...
\""",
            )
""",
                fixed="""\
About: {(user.about or '')[:20]}...
\""",
            ))
""",
            ),
        )
    ),
    proof="tests/system/test_issues_reproduced.py: a user registers while no relay answers; "
    "tests/unit/ckan/test_cured_accounts.py: a job is added, and no mail server is asked",
)
