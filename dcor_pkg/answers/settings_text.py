"""The text of the settings file (INI): read values from it, and replace values in it.

What an admin has written, comments and order included, is preserved: only values are replaced, and new keys are
appended. Keys of a newer version are preserved as well, and not read: the former version may come back after an upgrade
that failed. Versions only add settings, so the file says how many its writer knew. Standard library only: debconf's
config reads the file with this code.
"""

from __future__ import annotations

import configparser
import re
import textwrap
from collections.abc import Mapping

from dcor_pkg.answers.settings import KEYS, QUESTIONS, ROWS
from dcor_pkg.errors import DcorError

PATH = "/etc/dcor-server/dcor-server.conf"
#: the copy that a purge has preserved
PRESERVED_PATH = "/var/backups/dcor-server/kept/dcor-server.conf"
SECTION = "dcor-server"
WRITTEN = "# Written by a version with {} settings.\n"
WRITER = re.compile(WRITTEN.format(r"(\d+)"), re.MULTILINE)
HEADER = f"""\
# The settings of dcor-server: the one source of truth. Passwords are not in this file, but in files below secrets/.
# After an edit run dcor-server converge. To change settings by a command: dcor-server set KEY=VALUE...
# By questions: dpkg-reconfigure dcor-server. A setting behind # has its default: remove the # to choose another value.

[{SECTION}]
"""


def answers_in(text: str, path: str = PATH) -> dict[str, str]:
    """Return the answers in a file with this text. Raises DcorError naming the line."""
    values = _values(text, path)
    unknown = next((key for key in values if key not in KEYS), None)
    if unknown is not None and not _is_newer(text):
        raise DcorError(
            f"{path}{line_of(text, unknown)}: there is no setting {unknown!r}.", f"The settings are: {', '.join(KEYS)}."
        )
    return {key: value for key, value in values.items() if key in KEYS}


def ignored(text: str) -> list[str]:
    """Return the keys that only a newer version knows. Raises DcorError."""
    return [key for key in _values(text, PATH) if key not in KEYS] if _is_newer(text) else []


def _values(text: str, path: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(text, source=path)
        unknown_sections = [name for name in parser.sections() if name != SECTION]
        if unknown_sections:
            raise DcorError(
                f"{path} has an unknown section [{unknown_sections[0]}].", hint=f"[{SECTION}] is the only section."
            )
        return dict(parser[SECTION])
    except (configparser.Error, KeyError) as error:
        words = " ".join(str(error).split())
        raise DcorError(f"{path} cannot be read: {words}", hint=f"It has to begin with [{SECTION}].") from None


def _is_newer(text: str) -> bool:
    """Return whether a newer version has written the file."""
    found = WRITER.search(text)
    return found is not None and int(found[1]) > len(KEYS)


def changed(text: str, answers: Mapping[str, str]) -> str:
    """Return the file's text with these values, otherwise as it was."""
    before = answers_in(text)
    for key in KEYS:
        if before.get(key) != answers[key]:
            text = _with_value(text, key, answers[key])
    return _with_writer(text)


def _with_writer(text: str) -> str:
    """Say how many settings this version knows, unless a newer one has done so."""
    found, line = WRITER.search(text), WRITTEN.format(len(KEYS))
    if found is None:
        return f"{text.rstrip()}\n\n{line}"
    return text if int(found[1]) >= len(KEYS) else text[: found.start()] + line + text[found.end() :]


def _with_value(text: str, key: str, value: str) -> str:
    """Replace the line of the key, or else that of its default in a comment, or else append one."""
    present, default = _find(text, key), re.search(rf"^#{key} =.*\n", text, re.MULTILINE)
    line = f"{key} = {value}".rstrip() + "\n"
    if present is None and not _is_chosen(key, value):
        line = f"#{line}"
    place = present or default
    if place is not None:
        return text[: place.start()] + line + text[place.end() :]
    return text.rstrip("\n") + "\n\n" + _comment(key) + line


def line_of(text: str, key: str) -> str:
    """Return ", line 7" for a key in line 7; "" for a key that the text does not have."""
    found = _find(text, key)
    return "" if found is None else f", line {text.count(chr(10), 0, found.start()) + 1}"


def _find(text: str, key: str) -> re.Match[str] | None:
    """Find a key with its value, which continues in lines that begin with white space."""
    return re.search(rf"^{re.escape(key)}[ \t]*=.*(?:\n[ \t]+\S.*)*(?:\n|\Z)", text, re.MULTILINE | re.IGNORECASE)


def _is_chosen(key: str, value: str) -> bool:
    """Return whether a value belongs into the file: answers do, while other defaults may change with a new version."""
    return key in QUESTIONS or value != ROWS[key].default


def _comment(key: str) -> str:
    row = ROWS[key]
    description = textwrap.wrap(f"{row.description} Default: {row.default or 'empty'}.", 110)
    on_change = textwrap.wrap(f"On change: {row.on_change}", 110)
    return "".join(f"# {line}\n" for line in (*description, *on_change))
