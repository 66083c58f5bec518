"""The German man page follows the English one: the same blocks, and in each the same marked words and numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DEBIAN = Path(__file__).parents[2] / "debian"
NAMES = ("dcor-server.8", "dcor-server.de.8")
ENGLISH, GERMAN = ((DEBIAN / name).read_text(encoding="utf-8") for name in NAMES)
#: what `scripts/known-issues` writes, in both languages
MADE = re.compile(r'^\.\\" made by .*?^\.\\" end of [^\n]*\n', re.MULTILINE | re.DOTALL)
#: requests that begin a block (man(7))
BLOCKS = (".TH", ".SH", ".TP", ".PP", ".IP", ".RS", ".RE")
#: a request that sets its arguments in turn in these fonts, or all in one
FONTS = re.compile(r"\.(BR|RB|IR|RI|BI|IB|B|I)$")
ARGUMENT = re.compile(r'"([^"]*)"|(\S+)')
SWITCH = re.compile(r"\\f([BIR])")
#: what a word may begin and end with that is not its own
SIGNS = " .,;:()[]|"


@dataclass
class Block:
    """A heading, a paragraph or an item: its request, and what must be the same in each language."""

    request: str
    line: int
    #: bold and italic words: options, names, files, placeholders
    marked: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.request} of line {self.line}"


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, without those that are made from the catalogue of known issues."""
    found: list[Block] = []
    page = MADE.sub(lambda made: "\n" * made[0].count("\n"), page)
    for number, line in enumerate(page.splitlines(), 1):
        request = line.partition(" ")[0]
        if request in BLOCKS:
            found.append(Block(request, number))
        if not line or request in (".TH", ".SH"):
            continue
        for font, escaped in spans(line):
            text = escaped.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "")
            if font != "R":
                words = (word.strip(SIGNS) for word in text.split())
                found[-1].marked.update(f"{font} {word}" for word in words if word)
            elif request not in BLOCKS:
                found[-1].numbers.update(re.findall(r"\d+", text))
    return found


def spans(line: str) -> Iterator[tuple[str, str]]:
    """Give the parts of a line with their fonts."""
    request, _, rest = line.partition(" ")
    fonts = FONTS.match(request)
    if fonts is None:
        yield from switched("R", line)
        return
    arguments = [quoted or plain for quoted, plain in ARGUMENT.findall(rest)]
    if len(fonts[1]) == 1:
        yield from switched(fonts[1], " ".join(arguments))
        return
    for index, text in enumerate(arguments):
        yield from switched(fonts[1][index % 2], text)


def switched(font: str, text: str) -> Iterator[tuple[str, str]]:
    """Give the parts of a text that switches fonts."""
    first, *others = SWITCH.split(text)
    yield font, first
    yield from zip(others[::2], others[1::2])


def differences(english: str, german: str) -> list[str]:
    """Return how the German page differs, by blocks; what follows one that is missing is not compared."""
    ours, theirs = blocks(english), blocks(german)
    found: list[str] = []
    for one, other in zip(ours, theirs):
        if one.request != other.request:
            return [*found, f"English {one}, German {other}"]
        for mine, its in ((one.marked, other.marked), (one.numbers, other.numbers)):
            missing, extra = sorted((mine - its).elements()), sorted((its - mine).elements())
            if missing or extra:
                found.append(f"English {one}, German {other}: {missing} became {extra}")
    return found if len(ours) == len(theirs) else [*found, f"{len(ours)} blocks became {len(theirs)}"]


def test_the_german_page_follows_the_english_one() -> None:
    assert len(blocks(ENGLISH)) > 80
    assert differences(ENGLISH, GERMAN) == []


@pytest.mark.parametrize(
    ("former", "changed"),
    [
        (".B \\-\\-retry\\-release\n", ".B \\-\\-retry\n"),
        (".I /var/log/dcor-server/bugs.log\n", ".I /var/log/dcor-server/bug.log\n"),
        ("4 GiB", "8 GiB"),
        (".SH FILES\n", ""),
        (".TP\n.B make", ".TP\n.B new\n.TP\n.B make"),
        (".B retry \\fIID", ".B redo \\fIID"),
    ],
)
def test_a_change_of_one_page_alone_is_found(former: str, changed: str) -> None:
    assert former in ENGLISH
    assert differences(ENGLISH.replace(former, changed), GERMAN)


def test_the_german_page_is_german() -> None:
    def text(page: str) -> set[str]:
        return {line for line in MADE.sub("", page).splitlines() if len(line) > 30 and line[0] not in ".\\"}

    assert text(ENGLISH) & text(GERMAN) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_installed(name: str) -> None:
    assert f"debian/{name}" in (DEBIAN / "dcor-server.manpages").read_text(encoding="utf-8").splitlines()
