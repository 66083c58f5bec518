"""The answers to a request for a new password differ between names that exist and names that do not."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/views/user.py"
ISSUE = Issue(
    name="password_reset_answers",
    symptom="'Error sending the email' for POST /user/reset with the name of an account, 'A reset link has been emailed "
    "to you' with another name; ckan.logic.NotAuthorized: Users may only view their own details, and 500, for GET "
    "/user/reset/x?key=y",
    cause="RequestResetView shows an error of the mailer, which is called for existing accounts only. "
    "PerformResetView expects NotFound of user_show for an unknown name, but ckanext-dcor_schemas raises NotAuthorized.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Strangers find out who has an account.",
    detection="flash_error in the handler of MailerException, and `except logic.NotFound` in PerformResetView._prepare, "
    "both in ckan/views/user.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="""\
                # SMTP is not configured correctly or the server is
                # temporarily unavailable
                h.flash_error(_(u'Error sending the email. Try again later '
                                'or contact an administrator for help'))
                log.exception(e)
                return h.redirect_to(config.get(
                    u'ckan.user_reset_landing_page'))
""",
                fixed="""\
                # SMTP is not configured correctly or the server is
                # temporarily unavailable. Only the log says so: the answer
                # is the same as for an account that does not exist.
                log.exception(e)
""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
            user_dict = logic.get_action(u'user_show')(context, {u'id': id})
        except logic.NotFound:
            base.abort(404, _(u'User not found'))
        user_obj = context[u'user_obj']
        g.reset_key = request.args.get(u'key')
""",
                fixed="""\
            user_dict = logic.get_action(u'user_show')(context, {u'id': id})
        except (logic.NotFound, logic.NotAuthorized):
            # the same answer as for an account with another key
            msg = _(u'Invalid reset key. Please try again.')
            h.flash_error(msg)
            base.abort(403, msg)
        user_obj = context[u'user_obj']
        g.reset_key = request.args.get(u'key')
""",
            ),
        )
    ),
    proof="tests/system/test_known_issues.py: the same answers for an account and for a name that nobody has",
)
