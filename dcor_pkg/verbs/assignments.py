"""What is written as KEY=VALUE on a command line; secrets are not, for everybody could read them there."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import KEYS, PASSWORDS
from dcor_pkg.errors import DcorError

HELP = "an empty VALUE is the default; a password's is @FILE that holds it, or @- for the standard input"


def parse(assignments: Iterable[str]) -> tuple[dict[str, str], dict[str, Secret]]:
    """Return the settings and the secrets. Raises DcorError for what is none, or twice."""
    answers: dict[str, str] = {}
    given: dict[str, Secret] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise DcorError(f"{text!r} is not KEY=VALUE.", hint="For example: dcor-server set site-title=DCOR")
        if key in answers or key in given:
            raise DcorError(f"{key} is there twice.", hint="One value for each.")
        if key in PASSWORDS:
            given[key] = _secret(key, value)
        elif key in KEYS:
            answers[key] = value
        else:
            raise DcorError(f"There is no setting {key!r}.", hint=f"There are: {', '.join((*KEYS, *PASSWORDS))}.")
    return answers, given


def _secret(key: str, value: str) -> Secret:
    if not value.startswith("@"):
        raise DcorError(
            f"{key} is a secret, and everybody can read a command line.",
            hint=f"{key}=@FILE reads it from a file, {key}=@- from the standard input.",
        )
    try:
        text = sys.stdin.readline() if value == "@-" else Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DcorError(f"{key}: {value[1:]} cannot be read: {error}") from None
    if not text.strip() or len(text.split()) != 1:
        raise DcorError(f"{key}: {value[1:]} holds no secret.", hint="It is one word on one line.")
    return Secret(text.strip())
