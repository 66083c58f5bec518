"""Recognise the errors that a value in a request causes, so that they are answered as errors of the client."""

from __future__ import annotations

#: PostgreSQL's class of "data exceptions", and its code for an operator that does not exist, as `text = integer`
#: (PostgreSQL's documentation, appendix "PostgreSQL Error Codes")
DATA_EXCEPTION, UNDEFINED_FUNCTION = "22", "42883"
#: what psycopg2 and SQLAlchemy say, with no code, of values that have no form in SQL
NO_FORM_IN_SQL = (
    "A string literal cannot contain NUL",
    "can't adapt type",
    "Incorrect names of values in identifier",
    "Incorrect number of values in identifier",
)


def causes(error: BaseException) -> bool:
    """Return whether the database cannot take a value: text with NUL, half a surrogate pair, a number out of range."""
    original = getattr(error, "orig", None) or error  # sqlalchemy.exc.DBAPIError has psycopg2's
    if isinstance(original, UnicodeEncodeError):
        return True
    code = getattr(original, "pgcode", None) or ""
    return code.startswith((DATA_EXCEPTION, UNDEFINED_FUNCTION)) or str(original).startswith(NO_FORM_IN_SQL)
