"""Validate single answers: a validator returns what is wrong with an answer, as a predicate ("is not ..."), or None.

A validator knows all its reasons beforehand, because the template dcor-server/messages holds each of them in the
admin's language. Standard library only: debconf asks before this package or its dependencies are unpacked.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

#: a reason why an answer is invalid, and the test that shows it
Fault = tuple[str, Callable[[str], object]]

LOCAL = "local"
#: directories that belong to the system or to other packages
SYSTEM = ("", "/etc", "/usr", "/var", "/home", "/root", "/boot", "/tmp", "/run", "/dev", "/proc", "/sys")  # noqa: S108 (it is not used)
NAME = r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*"
MAIL = r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+"


class Validator:
    """A list of faults, of which the first one found is reported. The answers in `accepted` are never faulty.

    `choices`: all valid answers, where there are only a few. `normal`: returns an answer in the form that is validated
    and stored, where others mean the same.
    """

    def __init__(
        self,
        *faults: Fault,
        accepted: tuple[str, ...] = (),
        choices: tuple[str, ...] = (),
        normal: Callable[[str], str] = str,
    ) -> None:
        self.faults, self.accepted, self.choices, self.normal = faults, accepted, choices, normal

    def problem(self, text: str) -> str | None:
        """Return why an answer is invalid, or None."""
        if text in self.accepted:
            return None
        return next((reason for reason, is_faulty in self.faults if is_faulty(text)), None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """All that `problem` may return."""
        return tuple(reason for reason, _ in self.faults)


def word_or(word: str, validator: Validator) -> Validator:
    """Return a validator that accepts one word, and whatever `validator` accepts."""
    return Validator(*validator.faults, accepted=(*validator.accepted, word), normal=validator.normal)


def empty_or(validator: Validator) -> Validator:
    """Return a validator that accepts an empty answer, and whatever `validator` accepts."""
    return word_or("", validator)


def one_of(*choices: str) -> Validator:
    """Return the validator of a choice."""
    return Validator(
        (f"is not one of the choices ({', '.join(choices)})", lambda text: text not in choices), choices=choices
    )


def number(least: int, most: int) -> Validator:
    """Return the validator of a whole number."""
    return Validator(
        (
            f"is not a whole number from {least} to {most}",
            lambda text: not (re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most),
        )
    )


#: a time of day, as shutdown(8) takes it
time_of_day = Validator(
    (
        "is not a time of day from 00:00 to 23:59",
        lambda text: not re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", text),
    )
)


def line_of(most: int) -> Validator:
    """Return the validator of a line of text with at most so many characters."""
    return Validator(
        (
            f"is not a line of 1 to {most} printable characters",
            lambda text: not (text.isprintable() and text.strip() and len(text) <= most),
        )
    )


def lower_host(text: str) -> str:
    """Return a host name, or an address with one, as CKAN and certificates have it: in lower case, without a final dot.

    All forms mean the same (RFC 1034, section 3.1), but programs compare them letter by letter.
    """
    beginning = r"^((?:[a-z]+://)?(?:[^@/]*@)?)([^:/?#]*)"
    return re.sub(beginning, lambda found: found[1] + found[2].lower().removesuffix("."), text)


#: a host name or IP address by RFC 1123, section 2.1, within the limit of a commonName (X.520), which dclab reads
host = Validator(
    ("is longer than 64 characters, the limit of the common name in a certificate", lambda text: len(text) > 64),
    (
        "is not a host name (lowercase letters, digits and hyphens, separated by dots)",
        lambda text: not re.fullmatch(NAME, text),
    ),
)

hostname = Validator(
    *host.faults,
    ("is an IP address, not a host name", lambda text: re.fullmatch(r"[0-9.]+", text)),
    normal=lower_host,
)

#: the form of an email address; whether it exists only its mail server knows
email = Validator(("is not an email address", lambda text: not re.fullmatch(MAIL, text)))

#: an absolute path, which need not exist yet
path = Validator(
    ("is not an absolute path", lambda text: not text.startswith("/")),
    (
        "contains characters other than A-Z, a-z, 0-9, . _ - and /",
        lambda text: not re.fullmatch(r"[A-Za-z0-9._/-]+", text),
    ),
    ('contains ".." (the parent directory)', lambda text: ".." in text.split("/")),
)


def _each(fault: Fault) -> Fault:
    reason, is_faulty = fault
    return f"contains a word that {reason}", lambda text: any(map(is_faulty, text.split()))


def _normal_paths(text: str) -> str:
    return " ".join(str(PurePosixPath(re.sub("/+", "/", word))) for word in text.split())


#: absolute paths, separated by spaces
paths = Validator(
    *map(_each, path.faults),
    ("names a path twice", lambda text: len(set(_normal_paths(text).split())) < len(text.split())),
    normal=_normal_paths,
)

#: the path of a directory that this package may own
directory = Validator(*path.faults, ("is a directory of the system", lambda text: text.rstrip("/") in SYSTEM))

#: a password of a service; programs read it as one word of a line
secret = Validator(
    (
        "contains spaces or characters that cannot be printed",
        lambda text: not text.isprintable() or len(text.split()) != 1,
    )
)


def _has_bad_port(text: str) -> bool:
    _, colon, port = text.partition(":")
    return bool(colon) and number(1, 65535).problem(port) is not None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


#: networks of clients, as nginx takes them in its directive "allow"
networks = Validator(
    (
        "is not a list of networks like 10.0.0.0/8 or fd00::/8, separated by commas",
        lambda text: not all(map(_is_network, text.split(","))),
    ),
    normal=lambda text: ",".join(text.replace(",", " ").split()),
)

#: a mail server, `host` or `host:port`
relay = Validator(
    ("is not HOST or HOST:PORT", lambda text: host.problem(text.partition(":")[0])),
    ("has no port from 1 to 65535 after the colon", _has_bad_port),
    normal=lower_host,
)


def address(form: str, *schemes: str, user: bool = False, path: str = "") -> Validator:
    """Return the validator of `local` or an address like `form`: one of the schemes, a user or none, a matching path.

    A password in the address is invalid, because the address is stored in debconf and in a readable file.
    """

    def has_other_form(text: str) -> bool:
        parts = _parts(text)
        return parts is None or not (
            parts.scheme in schemes
            and re.fullmatch(r"[A-Za-z0-9._:/@+-]+", text)
            and re.fullmatch(NAME, parts.hostname or "")
            and bool(parts.username) == user
            and re.fullmatch(path, parts.path)
        )

    return Validator(
        ("contains a password, which has a question of its own", _has_password),
        (f"is neither local nor {form}", has_other_form),
        accepted=(LOCAL,),
        normal=lower_host,
    )


def _is_https(text: str) -> bool:
    parts = _parts(text)
    return parts is not None and bool(
        parts.scheme == "https"
        and re.fullmatch(r"[A-Za-z0-9._:/-]+", text)
        and re.fullmatch(NAME, parts.hostname or "")
    )


#: an address that only its own server can answer
https_address = Validator(
    ("is not an address https://HOST[:PORT][/PATH]", lambda text: not _is_https(text)), normal=lower_host
)


def _has_password(text: str) -> bool:
    parts = _parts(text)
    return parts is not None and parts.password is not None


def _parts(text: str) -> SplitResult | None:
    """Return the parts of an address, or None if it is not an address or has an impossible port."""
    try:
        parts = urlsplit(text)
        return None if parts.port == 0 else parts
    except ValueError:
        return None
