"""Parse KEY=VALUE on a command line. Passwords are read from files, because every user can read a command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import KEYS, PASSWORDS, ROWS
from dcor_pkg.errors import DcorError

HELP = "an empty VALUE means the default; a password is read from a file (KEY=@FILE) or standard input (KEY=@-)"


def parse(assignments: Iterable[str]) -> tuple[dict[str, str], dict[str, Secret]]:
    """Return the settings and the passwords. Raises DcorError for a malformed or repeated assignment."""
    answers: dict[str, str] = {}
    passwords: dict[str, Secret] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise DcorError(f"{text!r} is not KEY=VALUE.", hint="For example: dcor-server set site-title=DCOR")
        if key in answers or key in passwords:
            raise DcorError(f"{key} is given twice.", hint="Give one value for each setting.")
        if key in PASSWORDS:
            passwords[key] = _password(key, value)
        elif key in KEYS:
            answers[key] = value
        else:
            raise DcorError(f"There is no setting {key!r}.", hint=f"The settings are: {', '.join(ROWS)}.")
    return answers, passwords


def _password(key: str, value: str) -> Secret:
    if not value.startswith("@"):
        raise DcorError(
            f"{key} is a secret, and every user of this machine can read a command line.",
            hint=f"{key}=@FILE reads it from a file, {key}=@- from standard input.",
        )
    try:
        text = sys.stdin.readline() if value == "@-" else Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DcorError(f"{key}: {value[1:]} cannot be read: {error}") from None
    if len(text.split()) != 1:
        raise DcorError(f"{key}: {value[1:]} does not contain a password.", hint="It has to be one word on one line.")
    return Secret(text.strip())
