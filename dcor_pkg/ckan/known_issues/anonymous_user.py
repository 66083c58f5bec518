"""Visitors who have not signed in pass the check that is to stop them."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="anonymous_user",
    symptom="Exception: Not logged in user, and 500, for actions without a login: resource_upload_s3_urls, user_invite",
    cause="is_authorized denies an action that is not for anonymous users where `auth_user_obj` is empty. CKAN's API "
    "and pages put the current user there, which for a visitor is an AnonymousUser: an object like any other.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Auth functions that rely on CKAN for this run for strangers, and allow or fail as it comes.",
    detection="`and not context.get('auth_user_obj')` in is_authorized, ckan/authz.py",
    cure=ReplaceText(
        "ckan/authz.py",
        faulty="""\
        if not getattr(auth_function, 'auth_allow_anonymous_access', False) \\
           and not context.get('auth_user_obj'):
""",
        fixed="""\
        user_obj = context.get('auth_user_obj')
        if not getattr(auth_function, 'auth_allow_anonymous_access', False) \\
           and (not user_obj or user_obj.is_anonymous):
""",
    ),
    proof="tests/system/test_known_issues.py: 403 without a login",
)
