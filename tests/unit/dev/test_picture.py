"""scripts/picture draws what a terminal showed: each character in its place, with its colour, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from dcor_dev import picture
from dcor_dev.errors import DevError

from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.machine.output import Terminal
from dcor_pkg.status import text
from dcor_pkg.status.health import Examined
from dcor_pkg.status.part import Part

TREE = Path(__file__).resolve().parents[3]
#: a line of the picture: column, row, colour and text
Shown = tuple[int, int, str, str]


def shown(svg: str) -> list[Shown]:
    """Return what a picture shows of the terminal, without its title."""
    root = ET.fromstring(svg)
    found = []
    for it in root.iter("{http://www.w3.org/2000/svg}text"):
        if it.get("text-anchor") is None:
            column = round((float(it.attrib["x"]) - picture.MARGIN) / picture.WIDTH)
            row = (int(it.attrib["y"]) - picture.BAR_HEIGHT - picture.MARGIN - picture.SIZE) // picture.HEIGHT
            found.append((column, row, it.get("fill", ""), (it.text or "").replace("\xa0", " ")))
    return found


def test_each_text_is_in_its_place_with_its_colour() -> None:
    drawn = picture.svg("a  b\n\n\033[31m! c\033[0m d <&\033[1;33m\n  e\033[m f\n\n", "title")
    red, yellow = picture.COLOURS[31], picture.COLOURS[33]
    assert shown(drawn) == [
        (0, 0, "", "a  b"),
        (0, 2, red, "! c"),
        (4, 2, "", "d <&"),
        (2, 3, yellow, "e"),
        (4, 3, "", "f"),
    ]
    assert re.findall('font-weight="bold">(.)<', drawn) == ["e"]


def test_what_a_terminal_does_not_show_is_not_in_the_picture() -> None:
    output = "\033]0;title\a\033[?2004h\033[H\033[2Ja\r\n\033]8;;x\033\\b\033[K\r\n^D\b\b"
    assert [it[3] for it in shown(picture.svg(output, "title"))] == ["a", "b"]


@pytest.mark.parametrize("output", ["", "\n \n", "\033[7mreverse", "a\tb", "\u4e2d", "a\bb"])
def test_what_it_cannot_show_truly_is_refused(output: str) -> None:
    with pytest.raises(DevError):
        picture.svg(output, "title")


def test_a_status_is_drawn_whole() -> None:
    parts = [
        Part("database", None, "writes and reads"),
        Part("page", "timed out"),
        Part("clock", None, warning="is late"),
    ]
    lines = list(text.lines("dcor.example.org", Examined(parts, [], 0.5), LastConverge(), Terminal(100, colours=True)))
    drawn = shown(picture.svg("\n".join(lines), "dcor-server status"))
    plain = [re.sub("\033[^m]*m", "", line) for line in lines]
    assert [" " * column + line for column, _, _, line in drawn] == plain
    colours = [colour for _, _, colour, _ in drawn]
    assert colours == ["", "", picture.COLOURS[31], picture.COLOURS[33], ""]


def test_the_script_writes_the_file(tmp_path: Path) -> None:
    def draw(output: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(TREE / "scripts/picture"), "--title", "a & b", str(tmp_path / "pictures/a.svg")]
        return subprocess.run(argv, input=output, capture_output=True, text=True, check=False)

    refused = draw("")
    assert (refused.returncode, refused.stderr) == (1, "There is nothing to show: the output is empty.\n")
    assert not (tmp_path / "pictures").exists()
    assert draw("All is well.\n").returncode == 0
    written = (tmp_path / "pictures/a.svg").read_text(encoding="utf-8")
    assert "<title>a &amp; b</title>" in written
    assert [it[3] for it in shown(written)] == ["All is well."]
