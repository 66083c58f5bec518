"""Validator one answer each: a validator returns why an answer cannot be used, in half a sentence, or None.

A validator knows its reasons beforehand, for the template dcor-server/refusals has each in the admin's language.
The standard library only: debconf asks before anything of ours, or of what we depend on, is unpacked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

#: a reason against an answer, and what tells whether it holds
Fault = tuple[str, Callable[[str], object]]

LOCAL = "local"
#: directories that services, units or other packages own
SYSTEM = ("", "/etc", "/usr", "/var", "/home", "/root", "/boot", "/tmp", "/run", "/dev", "/proc", "/sys")
NAME = r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*"
MAIL = r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+"


class Validator:
    """What may be wrong with an answer, of which the first that is counts; and answers that are taken whatever they are."""

    def __init__(self, *faults: Fault, taken: tuple[str, ...] = ()) -> None:
        self.faults, self.taken = faults, taken

    def __call__(self, text: str) -> str | None:
        """Return why an answer cannot be used, or None."""
        if text in self.taken:
            return None
        return next((reason for reason, holds in self.faults if holds(text)), None)


def a_word_or(word: str, validator: Validator) -> Validator:
    """Return a validator that takes one word beside what `validator` takes."""
    return Validator(*validator.faults, taken=(*validator.taken, word))


def none_or(validator: Validator) -> Validator:
    """Return a validator that takes no answer, too."""
    return a_word_or("", validator)


def one_of(*choices: str) -> Validator:
    """Return the validator of a choice."""
    return Validator((f"is not offered; there are {', '.join(choices)}", lambda text: text not in choices))


def number(least: int, most: int) -> Validator:
    """Return the validator of a whole number."""
    return Validator(
        (
            f"is no whole number from {least} to {most}",
            lambda text: not (re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most),
        )
    )


def line_of(most: int) -> Validator:
    """Return the validator of a line for people to read."""
    return Validator(
        (
            f"is not between 1 and {most} printable characters",
            lambda text: not (text.isprintable() and text.strip() and len(text) <= most),
        )
    )


#: a host by RFC 1123, section 2.1; 64 characters are X.520's limit of a commonName, which dclab reads
host = Validator(
    ("is longer than the 64 characters that a certificate's commonName may have", lambda text: len(text) > 64),
    (
        "is no host name (small letters, digits and hyphens, with dots between)",
        lambda text: not re.fullmatch(NAME, text),
    ),
)

#: a host by its name
hostname = Validator(*host.faults, ("is an address, not a host name", lambda text: re.fullmatch(r"[0-9.]+", text)))

#: as much of a mail address as a mail server that knows it would not have to validator itself
email = Validator(("is no mail address", lambda text: not re.fullmatch(MAIL, text)))

#: the absolute path of something that need not be there yet
path = Validator(
    ("is not an absolute path", lambda text: not text.startswith("/")),
    (
        "has characters that a unit file or a configuration cannot hold (letters, digits, . _ - / can)",
        lambda text: not re.fullmatch(r"[A-Za-z0-9._/-]+", text) or ".." in text.split("/"),
    ),
)

#: the path of a directory that is to be ours
directory = Validator(*path.faults, ("is a directory of the system's own", lambda text: text.rstrip("/") in SYSTEM))

#: a password of a service: programs read it from a line, and what else stands there
secret = Validator(("is not one word", lambda text: not text.isprintable() or len(text.split()) != 1))


def _has_no_port(text: str) -> bool:
    _, colon, port = text.partition(":")
    return bool(colon and number(1, 65535)(port))


#: a mail server, `host` or `host:port`
relay = Validator(
    ("is no host name (or host:port)", lambda text: host(text.partition(":")[0])),
    ("has no port from 1 to 65535 behind the colon", _has_no_port),
)


def address(form: str, *schemes: str, user: bool = False, path: str = "") -> Validator:
    """Return the validator of an address of `form`: with one of the schemes, with a user or not, and a path like `path`.

    A password in it is refused: it would stand in a file and in debconf; it has a question of its own.
    """

    def is_other(text: str) -> bool:
        parts = _parts(text)
        return parts is None or not (
            parts.scheme in schemes
            and re.fullmatch(r"[A-Za-z0-9._:/@+-]+", text)
            and re.fullmatch(NAME, parts.hostname or "")
            and bool(parts.username) == user
            and re.fullmatch(path, parts.path)
        )

    return Validator(
        ("holds a password; that has a question, and a file, of its own", _holds_password),
        (f"is neither local nor {form}", is_other),
        taken=(LOCAL,),
    )


def _holds_password(text: str) -> bool:
    parts = _parts(text)
    return parts is not None and parts.password is not None


def _parts(text: str) -> SplitResult | None:
    """Return the parts of an address; None where it is none, or has a port that cannot be."""
    try:
        parts = urlsplit(text)
        return None if parts.port == 0 else parts
    except ValueError:
        return None
