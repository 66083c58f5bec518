"""The admin's own options for CKAN, /etc/dcor-server/ckan.d/*.ini: merged into ckan.ini, where they take precedence.

CKAN's own way to chain files (`use = config:FILE`) does not include loggers, and each file would have to name the next.
So the texts are merged: lines that no addition overrides stay as they are, comments included, and each option from an
addition has a comment that names its file.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import admin_files
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CONFIGURATION

DIRECTORY = f"{CONFIGURATION}/ckan.d"
#: the section of options before the first section header
MAIN = "app:main"
DEFAULT = "DEFAULT"
HINT = "CKAN goes on with its former options. Correct the file, then: dcor-server converge"
#: a value with its continuation lines, which begin with white space; there may be empty lines between them
VALUE = r".*\n(?:(?:[ \t]*\n)*[ \t]+\S.*\n)*"


class BadAddition(DcorError):
    """An addition that cannot be used. The message has file and line, but never a value, which may be a secret."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}", HINT)


@dataclass(frozen=True)
class Option:
    """An option of an addition; its value still contains %(NAME)s, which CKAN interpolates."""

    section: str
    name: str
    value: str
    file: str
    line: int

    def __str__(self) -> str:
        return self.name if self.section == MAIN else f"{self.name} in [{self.section}]"

    @property
    def text(self) -> str:
        """The option's lines in the merged file."""
        value = self.value.replace("\n", "\n    ")
        return f"# From {self.file}:\n{self.name} = {value}\n"


class _Reader(configparser.RawConfigParser):
    """Reads an INI file as CKAN does (ckan/cli/__init__.py), but without a special meaning of [DEFAULT]."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__(default_section="")
        #: the number of each option's line, in the order of the file
        self.lines: list[int] = []
        self._line = 0
        self.read_file(self._counted(lines))

    def optionxform(self, optionstr: str) -> str:
        """Keep the case of names. The parser calls this for each option when it has read its line."""
        self.lines.append(self._line)
        return optionstr

    def triples(self) -> list[tuple[str, str, str]]:
        """Return section, name and value of each option, in the order of the file."""
        return [(section, name, value) for section in self.sections() for name, value in self.items(section)]

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        for self._line, line in enumerate(lines, 1):
            yield f"{line}\n"


class _Interpolating(configparser.ConfigParser):
    """Reads the merged file as CKAN does."""

    def optionxform(self, optionstr: str) -> str:
        """Keep the case of names."""
        return optionstr


def read(host: Host) -> list[Option]:
    """Return the options of all additions; where two files set the same one, that of the later file by name.

    Raises BadAddition.
    """
    found: dict[tuple[str, str], Option] = {}
    for name, text in admin_files.texts(host, DIRECTORY, ".ini").items():
        found.update({(option.section, option.name): option for option in parse(f"{DIRECTORY}/{name}", text)})
    return list(found.values())


def parse(file: str, text: str) -> list[Option]:
    """Return the options of one addition. Raises BadAddition."""
    _require_utf8(file, text)
    header = [] if re.match(r"(?:[ \t]*(?:[#;].*)?\n)*\[", text) else [f"[{MAIN}]"]
    try:
        reader = _Reader([*header, *text.split("\n")])
    except configparser.Error as error:
        line, problem = _problem(error)
        raise BadAddition(file, line - len(header), problem) from None
    return [Option(*each, file, line - len(header)) for each, line in zip(reader.triples(), reader.lines)]


def options(text: str) -> dict[tuple[str, str], str]:
    """Return the options of an INI file by (section, name), without interpolation."""
    return {(section, name): value for section, name, value in _Reader(text.split("\n")).triples()}


def value(text: str, path: str, name: str) -> str:
    """Return what CKAN takes as the value of an option, from an INI file's text that is in `path`; "" without one.

    Raises configparser.Error for a text that CKAN cannot read.
    """
    parser = _interpolating(path)
    parser.read_string(text)
    return parser.get(MAIN, name, fallback="")


def merged(text: str, added: Iterable[Option]) -> str:
    """Return an INI file's text with options added, in place of those that they override or at the end of a section."""
    for option in added:
        if re.search(_header(option.section), text, re.MULTILINE) is None:
            text += f"\n[{option.section}]\n"
        start, end = _place(text, option)
        text = text[:start] + option.text + text[end:]
    return text


def validate(own: str, added: list[Option], path: str) -> None:
    """Raise BadAddition for the first option that CKAN could not read from `path`, merged with its own text `own`."""
    names = {(section, name.lower()): name for section, name in options(own)}
    for option in added:
        same = names.setdefault((option.section, option.name.lower()), option.name)
        if same != option.name:
            raise BadAddition(
                option.file, option.line, f"{option.name} differs from {same} only in upper and lower case"
            )
    parser = _interpolating(path)
    parser.read_string(merged(own, added))
    for option in added:
        if option.section in (MAIN, DEFAULT):
            _require_interpolation(parser, option)


def _interpolating(path: str) -> _Interpolating:
    return _Interpolating(defaults={"here": path.rpartition("/")[0], "__file__": path, "CKAN_INI": path})


def _require_interpolation(parser: _Interpolating, option: Option) -> None:
    try:
        parser.get(MAIN, option.name)
    except configparser.InterpolationError:
        problem = f"the value of {option.name} has a % that is neither %% (for a single %) nor %(NAME)s of an option"
        raise BadAddition(option.file, option.line, problem) from None


def _require_utf8(file: str, text: str) -> None:
    """Raise BadAddition for text that is not UTF-8, which CKAN requires: Host.read returns surrogates for it."""
    for number, line in enumerate(text.split("\n"), 1):
        if re.search("[\ud800-\udfff\0]", line):
            raise BadAddition(file, number, "is not valid UTF-8")


def _problem(error: configparser.Error) -> tuple[int, str]:
    """Return the line's number and what is wrong there, without the line's text."""
    if isinstance(error, configparser.DuplicateOptionError):
        return error.lineno or 1, f"{error.option} is set twice"
    if isinstance(error, configparser.DuplicateSectionError):
        return (
            error.lineno or 1,
            f"the section [{error.section}] occurs twice (options before the first one belong to [{MAIN}])",
        )
    if isinstance(error, configparser.MissingSectionHeaderError):
        return error.lineno, "is neither OPTION = VALUE nor [SECTION]"
    if isinstance(error, configparser.ParsingError):
        return error.errors[0][0], "is neither OPTION = VALUE nor [SECTION]"
    raise error


def _header(section: str) -> str:
    return rf"^\[{re.escape(section)}\]\n"


def _place(text: str, option: Option) -> tuple[int, int]:
    """Return begin and end of an option in the text, or twice the end of its section's last option if it is new."""
    (begin,) = (match.start() for match in re.finditer(_header(option.section), text, re.MULTILINE))
    following = re.compile(r"^\[", re.MULTILINE).search(text, begin + 1)
    end = following.start() if following else len(text)
    found = re.compile(rf"^{re.escape(option.name)}[ \t]*[=:]{VALUE}", re.MULTILINE).search(text, begin, end)
    if found:
        return found.span()
    *_, last = re.compile(rf"^[^\s#;]{VALUE}", re.MULTILINE).finditer(text, begin, end)
    return last.end(), last.end()
