"""A value that the database cannot take is called an internal error on pages."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="unusable_values_in_pages",
    symptom="ValueError: A string literal cannot contain NUL (0x00) characters; (psycopg2.errors.NumericValueOutOfRange) "
    "bigint out of range; each with 500",
    cause="CKAN's pages pass a request's values to the database unchecked, and its error handler answers 500 to every "
    "exception that is not one of HTTP.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Strangers fill the log with tracebacks, in which an admin does not find a real fault.",
    detection="error_handler in ckan/config/middleware/flask_app.py begins with isinstance(e, HTTPException)",
    cure=ReplaceText(
        "ckan/config/middleware/flask_app.py",
        faulty="""\
        debug = config.get('debug')
        if isinstance(e, HTTPException):
""",
        fixed="""\
        debug = config.get('debug')
        from dcor_runtime import unusable
        if unusable.causes(e):
            log.info('Unusable value in a request: %s', e)
            e = default_exceptions[400]('A value in the request cannot be used.')
        if isinstance(e, HTTPException):
""",
    ),
    proof="tests/system/test_known_issues.py: 400 for each of them",
)
