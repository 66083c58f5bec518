"""Judge one answer each: a judge returns why an answer cannot be used, in half a sentence, or None.

The standard library only: debconf asks before anything of ours, or of what we depend on, is unpacked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

Judge = Callable[[str], "str | None"]

LOCAL = "local"
#: folders that services, units or other packages own
SYSTEM = ("", "/etc", "/usr", "/var", "/home", "/root", "/boot", "/tmp", "/run", "/dev", "/proc", "/sys")
NAME = r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*"


def hostname(text: str) -> str | None:
    """Judge a host name (RFC 1123, section 2.1; 64 characters: X.520's limit of a commonName, which dclab reads)."""
    if len(text) > 64:
        return "is longer than the 64 characters that a certificate's commonName may have"
    if not re.fullmatch(NAME, text):
        return "is no host name (small letters, digits and hyphens, with dots between)"
    return "is an address, not a host name" if re.fullmatch(r"[0-9.]+", text) else None


def email(text: str) -> str | None:
    """Judge a mail address, as much of it as a mail server that knows it would not have to judge itself."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", text):
        return "is no mail address"
    return None


def one_of(*choices: str) -> Judge:
    """Return the judge of a choice."""

    def judge(text: str) -> str | None:
        return None if text in choices else f"is not offered; there are {', '.join(choices)}"

    return judge


def path(text: str) -> str | None:
    """Judge the absolute path of something that need not be there yet."""
    if not text.startswith("/"):
        return "is not an absolute path"
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", text) or ".." in text.split("/"):
        return "has characters that a unit file or a configuration cannot hold (letters, digits, . _ - / can)"
    return None


def folder(text: str) -> str | None:
    """Judge the path of a folder that is to be ours."""
    return path(text) or ("is a folder of the system's own" if text.rstrip("/") in SYSTEM else None)


def none_or(judge: Judge) -> Judge:
    """Return a judge that takes no answer, too."""
    return lambda text: judge(text) if text else None


def a_word_or(word: str, judge: Judge) -> Judge:
    """Return a judge that takes one word beside what `judge` takes."""
    return lambda text: None if text == word else judge(text)


def number(least: int, most: int) -> Judge:
    """Return the judge of a whole number."""

    def judge(text: str) -> str | None:
        good = re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most
        return None if good else f"is no whole number from {least} to {most}"

    return judge


def line_of(most: int) -> Judge:
    """Return the judge of a line for people to read."""

    def judge(text: str) -> str | None:
        good = text.isprintable() and text.strip() and len(text) <= most
        return None if good else f"is not between 1 and {most} printable characters"

    return judge


def secret(text: str) -> str | None:
    """Judge a password of a service: programs read it from a line, and what else stands there."""
    return None if text.isprintable() and len(text.split()) == 1 else "is not one word"


def relay(text: str) -> str | None:
    """Judge `host` or `host:port` of a mail server."""
    name, colon, port = text.partition(":")
    if hostname(name) not in (None, "is an address, not a host name"):
        return "is no host name (or host:port)"
    return _port(port) if colon else None


def address(form: str, *schemes: str, user: bool = False, path: str = "") -> Judge:
    """Return the judge of an address of `form`: with one of the schemes, with a user or not, and a path like `path`.

    A password in it is refused: it would stand in a file and in debconf; it has a question of its own.
    """

    def judge(text: str) -> str | None:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            return f"is neither local nor {form}"
        if parts.password is not None:
            return "holds a password; that has a question, and a file, of its own"
        good = (
            parts.scheme in schemes
            and re.fullmatch(r"[A-Za-z0-9._:/@+-]+", text)
            and re.fullmatch(NAME, parts.hostname or "")
            and port != 0
            and bool(parts.username) == user
            and re.fullmatch(path, parts.path)
        )
        return None if good else f"is neither local nor {form}"

    return a_word_or(LOCAL, judge)


def _port(text: str) -> str | None:
    return number(1, 65535)(text) and "has no port from 1 to 65535 behind the colon"
