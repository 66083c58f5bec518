"""The text of the settings' file (INI): parse it, and exchange values in it.

What an admin wrote into it, comments and order included, stays: only values are exchanged, and keys that are new come
at the end. The standard library only: debconf's config reads the file with the same code.
"""

from __future__ import annotations

import configparser
import re
import textwrap
from collections.abc import Mapping

from dcor_pkg.answers.settings import FIELDS, KEYS, QUESTIONS
from dcor_pkg.errors import DcorError

PATH = "/etc/dcor-server/dcor-server.conf"
#: what a purge has put by
KEPT = "/var/backups/dcor-server/kept/dcor-server.conf"
SECTION = "dcor-server"
HEADER = f"""\
# The settings of dcor-server: the one source of truth. Passwords are not in here, but in files below secrets/.
# After a change by hand: dcor-server converge. By a command: dcor-server set KEY=VALUE... By questions:
# dpkg-reconfigure dcor-server. What stands behind a # is a default: take the # away to choose another value.

[{SECTION}]
"""


def answers_in(text: str, path: str = PATH) -> dict[str, str]:
    """Return the answers that a file with this text holds. Raises DcorError naming the line."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(text, source=path)
        strange = [name for name in parser.sections() if name != SECTION]
        if strange:
            raise DcorError(f"{path} has a section [{strange[0]}].", hint=f"There is only [{SECTION}].")
        answers = dict(parser[SECTION])
    except (configparser.Error, KeyError) as error:
        words = " ".join(str(error).split())
        raise DcorError(f"{path} cannot be read: {words}", hint=f"It begins with [{SECTION}].") from None
    unknown = next((name for name in answers if name not in KEYS), None)
    if unknown is not None:
        raise DcorError(
            f"{path}{line_of(text, unknown)}: there is no setting {unknown!r}.", f"There are: {', '.join(KEYS)}."
        )
    return answers


def changed(text: str, answers: Mapping[str, str]) -> str:
    """Return the file's text with these values, and all else in it as it was."""
    before = answers_in(text)
    for name in KEYS:
        if before.get(name) != answers[name]:
            text = _with_value(text, name, answers[name])
    return text


def _with_value(text: str, name: str, value: str) -> str:
    """Put a value where the key stands, else where its default stands as a comment, else at the end."""
    present, default = _find(text, name), re.search(rf"^#{name} =.*\n", text, re.MULTILINE)
    line = f"{name} = {value}".rstrip() + "\n"
    if present is None and not _is_chosen(name, value):
        line = f"#{line}"
    place = present or default
    if place is not None:
        return text[: place.start()] + line + text[place.end() :]
    return text.rstrip("\n") + "\n\n" + _comment(name) + line


def line_of(text: str, name: str) -> str:
    """Tell in which line a key stands: ", line 7"; nothing where it does not stand there."""
    found = _find(text, name)
    return "" if found is None else f", line {text.count(chr(10), 0, found.start()) + 1}"


def _find(text: str, name: str) -> re.Match[str] | None:
    """Find a key with its value, which goes on in lines that begin with white space."""
    return re.search(rf"^{re.escape(name)}[ \t]*=.*(?:\n[ \t]+\S.*)*(?:\n|\Z)", text, re.MULTILINE | re.IGNORECASE)


def _is_chosen(name: str, value: str) -> bool:
    """Tell whether a value has to stand in the file: what was asked does, and a default of ours may change."""
    return name in QUESTIONS or value != FIELDS[name].default


def _comment(name: str) -> str:
    told = FIELDS[name].metadata
    default = f"Default: {FIELDS[name].default or 'empty'}."
    about = textwrap.wrap(f"{told['about']} {default}", 110)
    effect = textwrap.wrap(f"On change: {told['effect']}", 110)
    return "".join(f"# {line}\n" for line in (*about, *effect))
