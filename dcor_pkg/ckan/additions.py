"""The admin's own options for CKAN, `/etc/dcor-server/ckan.d/*.ini`: merged into the one file that CKAN reads; they win.

CKAN's own way to chain files (`use = config:FILE`) leaves loggers out, and each file would have to name the next. So we
merge texts: what is not named in an addition stays as it stands, comments included, and what comes from one says so.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import admin_files
from dcor_pkg.machine.host import Host

DIRECTORY = "/etc/dcor-server/ckan.d"
#: what options belong to that stand before the first section
MAIN = "app:main"
DEFAULT = "DEFAULT"
HINT = "What runs goes on with the options of before. Mend the file, then: dcor-server converge"
#: A value with the lines in which it goes on: those begin with white space, and empty ones may be among them.
VALUE = r".*\n(?:(?:[ \t]*\n)*[ \t]+\S.*\n)*"


class BadAddition(DcorError):
    """An addition that cannot be used; it names the file and the line, and never a value, which may be a secret."""

    def __init__(self, file: str, line: int, fault: str) -> None:
        super().__init__(f"{file}, line {line}: {fault}", HINT)


@dataclass(frozen=True)
class Option:
    """An option of an addition, with its value before anything is put in for %(NAME)s."""

    section: str
    name: str
    value: str
    file: str
    line: int

    def __str__(self) -> str:
        return self.name if self.section == MAIN else f"{self.name} in [{self.section}]"

    @property
    def text(self) -> str:
        """The lines that stand for it in the merged file."""
        value = self.value.replace("\n", "\n    ")
        return f"# From {self.file}:\n{self.name} = {value}\n"


class _Reader(configparser.RawConfigParser):
    """Reads an INI file as CKAN does (ckan/cli/__init__.py); to it, [DEFAULT] is a section like any other."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__(default_section="")
        #: the line of each option, in the order of the file
        self.lines: list[int] = []
        self._line = 0
        self.read_file(self._counted(lines))

    def optionxform(self, optionstr: str) -> str:
        """Leave capitals alone. The parser calls this when it has come to an option."""
        self.lines.append(self._line)
        return optionstr

    def found(self) -> list[tuple[str, str, str]]:
        """Return section, name and value of each option, in the order of the file."""
        return [(section, name, value) for section in self.sections() for name, value in self.items(section)]

    def _counted(self, lines: Iterable[str]) -> Iterator[str]:
        for self._line, line in enumerate(lines, 1):
            yield f"{line}\n"


class _Interpolating(configparser.ConfigParser):
    """Reads the merged file as CKAN does."""

    def optionxform(self, optionstr: str) -> str:
        """Leave capitals alone."""
        return optionstr


def read(host: Host) -> list[Option]:
    """Return the options of all additions; of two that set the same the later, by the files' names. Raises BadAddition."""
    found: dict[tuple[str, str], Option] = {}
    for name, text in admin_files.texts(host, DIRECTORY, ".ini").items():
        found.update({(option.section, option.name): option for option in parse(f"{DIRECTORY}/{name}", text)})
    return list(found.values())


def parse(file: str, text: str) -> list[Option]:
    """Return the options of one addition. Raises BadAddition."""
    _text_only(file, text)
    before = [] if re.match(r"(?:[ \t]*(?:[#;].*)?\n)*\[", text) else [f"[{MAIN}]"]
    try:
        reader = _Reader([*before, *text.split("\n")])
    except configparser.Error as error:
        line, fault = _fault(error)
        raise BadAddition(file, line - len(before), fault) from None
    return [Option(*each, file, line - len(before)) for each, line in zip(reader.found(), reader.lines)]


def options(text: str) -> dict[tuple[str, str], str]:
    """Return what an INI file holds, as (section, name) and the value as it stands there."""
    return {(section, name): value for section, name, value in _Reader(text.split("\n")).found()}


def merged(text: str, added: Iterable[Option]) -> str:
    """Return the text of CKAN's file with options in the places of those that they overrule, or behind their sections."""
    for option in added:
        if re.search(_header(option.section), text, re.MULTILINE) is None:
            text += f"\n[{option.section}]\n"
        start, end = _place(text, option)
        text = text[:start] + option.text + text[end:]
    return text


def validate(ours: str, added: list[Option], place: str) -> None:
    """Raise BadAddition for the first option that CKAN could not read from the file at `place`, merged with `ours`."""
    names = {(section, name.lower()): name for section, name in options(ours)}
    for option in added:
        same = names.setdefault((option.section, option.name.lower()), option.name)
        if same != option.name:
            raise BadAddition(option.file, option.line, f"{option.name} differs from {same} in its case only")
    directory = place.rpartition("/")[0]
    parser = _Interpolating(defaults={"here": directory, "__file__": place, "CKAN_INI": place})
    parser.read_string(merged(ours, added))
    for option in added:
        try:
            if option.section in (MAIN, DEFAULT):
                parser.get(MAIN, option.name)
        except configparser.InterpolationError:
            fault = (
                f"the value of {option.name} has a % that is neither %%, which stands for %, nor an option's %(NAME)s"
            )
            raise BadAddition(option.file, option.line, fault) from None


def _text_only(file: str, text: str) -> None:
    """CKAN reads UTF-8; what is none was read as surrogates."""
    for number, line in enumerate(text.split("\n"), 1):
        if re.search("[\ud800-\udfff\0]", line):
            raise BadAddition(file, number, "is no text in UTF-8")


def _fault(error: configparser.Error) -> tuple[int, str]:
    """Return the line, and what is wrong there, without the line's text."""
    if isinstance(error, configparser.DuplicateOptionError):
        return error.lineno or 1, f"{error.option} is there twice"
    if isinstance(error, configparser.DuplicateSectionError):
        return error.lineno or 1, f"[{error.section}] is there twice (options before the first section are [{MAIN}]'s)"
    if isinstance(error, configparser.ParsingError):
        return error.errors[0][0], "is neither OPTION = VALUE nor [SECTION]"
    raise error


def _header(section: str) -> str:
    return rf"^\[{re.escape(section)}\]\n"


def _place(text: str, option: Option) -> tuple[int, int]:
    """Return where an option begins and ends in our text, or twice where it goes: behind the last of its section."""
    (begin,) = (match.start() for match in re.finditer(_header(option.section), text, re.MULTILINE))
    following = re.compile(r"^\[", re.MULTILINE).search(text, begin + 1)
    end = following.start() if following else len(text)
    found = re.compile(rf"^{re.escape(option.name)}[ \t]*[=:]{VALUE}", re.MULTILINE).search(text, begin, end)
    if found:
        return found.span()
    *_, last = re.compile(rf"^[^\s#;]{VALUE}", re.MULTILINE).finditer(text, begin, end)
    return last.end(), last.end()
