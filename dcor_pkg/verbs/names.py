"""Validate what an administrator names on the command line, before CKAN is loaded for it."""

from __future__ import annotations

import re

from dcor_pkg.answers import validators
from dcor_pkg.answers.validators import Validator
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.language import _

#: words in the addresses of CKAN's pages, such as /user/login and /organization/new
PAGES = ("_logout", "edit", "logged_out_redirect", "login", "me", "new", "register", "reset", "search", "sysadmin")
name = Validator(
    (
        "is not a name (2 to 100 lowercase letters a-z, digits, hyphens and underscores)",
        lambda text: not re.fullmatch(r"[a-z0-9_-]{2,100}", text),
    ),
    ("is the name of a page", lambda text: text in PAGES),
)
#: what exists may have been named by an older CKAN
existing = Validator(("is not a name", lambda text: not re.fullmatch(r"[\x21-\x7e]{1,255}", text)))
#: with the longest address that mail servers accept (RFC 5321, section 4.5.3.1.3)
email = Validator(*validators.email.faults, ("is longer than 254 characters", lambda text: len(text) > 254))
full_name = validators.empty_or(validators.line_of(100))


def require(validator: Validator, text: str, what: str) -> None:
    """Raise DcorError if a text is invalid; `what` it is begins the message."""
    if (problem := validator.problem(text)) is not None:
        raise DcorError(f"{what} {text!r} {_(problem)}.")
