"""A request waits for the mail server, without a limit."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/lib/mailer.py"
ISSUE = Issue(
    name="mail_in_request",
    symptom="504 for POST /user/reset, and then for every page; AttributeError: 'NoneType' object has no attribute "
    "'encode', and 500, where the server has no mail relay",
    cause="CKAN talks to the mail server within the request, and smtplib has no time limit unless one is given. Without "
    "a relay there is no sender (smtp.mail_from), which the mailer does not expect. The cure sends the link in a "
    "background job: the answer to a request for a link then does not depend on the mail server, in time neither.",
    versions=Versions("ckan", since="2.11.6"),
    cost="A mail server that accepts a connection and says nothing occupies all workers, one with each request.",
    detection="`smtplib.SMTP(host, port)` without a timeout, and mail_user in send_reset_link, in ckan/lib/mailer.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="        smtp_connection = smtplib.SMTP(host, port)\n",
                fixed="        smtp_connection = smtplib.SMTP(host, port, timeout=10)\n",
            ),
            ReplaceText(
                FILE,
                faulty="    mail_from = config.get('smtp.mail_from')\n\n    reply_to",
                fixed="""\
    mail_from = config.get('smtp.mail_from')
    if not mail_from:
        raise MailerException('This server sends no mail: '
                              'smtp.mail_from is not configured')

    reply_to""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
    # Make sure we only use the first line
    subject = subject.split('\\n')[0]

    mail_user(user, subject, body)


def send_invite(
""",
                fixed="""\
    # Make sure we only use the first line
    subject = subject.split('\\n')[0]

    if not user.email:
        raise MailerException(_("No recipient email address available!"))
    # The job has a description of its own because RQ logs it: by default
    # it contains the arguments, and so the link.
    from ckan.lib import jobs
    title = 'mail a reset link'
    jobs.enqueue(mail_recipient, [user.display_name, user.email, subject, body],
                 title=title,
                 rq_kwargs={'description': title, 'failure_ttl': 3600})


def send_invite(
""",
            ),
        )
    ),
    proof="tests/system/test_known_issues.py: the log of the jobs says why a link was not sent",
)
