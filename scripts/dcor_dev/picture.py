"""Draw what a program has written to a terminal, with its colours, as a picture (SVG) of that terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from dcor_dev.errors import DevError

#: "Select graphic rendition", and all other control sequences and strings (ECMA-48, 5.4, 5.6 and 8.3.117)
RENDITION = re.compile(r"\033\[([0-9;]*)m")
OTHERS = re.compile(r"\033\[[0-?]*[ -/]*[@-ln-~]|\033[\]PX^_].*?(?:\a|\033\\)|\033[@-Z\\^_=>]", re.DOTALL)
#: what script(1) writes at the end of its own input
END_OF_INPUT = "^D\b\b"
#: parameters of a rendition, with the colours of a dark terminal
COLOURS = {
    31: "#ff6b68",
    32: "#7ec699",
    33: "#e5c07b",
    34: "#61afef",
    35: "#c678dd",
    36: "#56b6c2",
    37: "#d7dae0",
    39: "",
}
NORMAL, BOLD = 0, 1
TEXT, BACKGROUND, BAR = "#d7dae0", "#1e2127", "#2c313a"
#: what is no letter or sign of one column's width
STRANGE = re.compile(r"[^\x20-\x7e\xa0-\u02ff\u2010-\u25ff]")
#: of a character, in pixels, and around the text
WIDTH, HEIGHT, SIZE, MARGIN = 8.4, 19, 14, 14
BAR_HEIGHT = 30
#: a picture is not narrower
LEAST_COLUMNS = 80


@dataclass(frozen=True)
class Run:
    """Characters of a line that look alike."""

    column: int
    text: str
    colour: str = ""
    bold: bool = False


def svg(output: str, title: str) -> str:
    """Return the picture. Raises DevError for an output that it cannot show truly."""
    lines = list(_lines(output))
    if not any(lines):
        raise DevError("There is nothing to show: the output is empty.")
    columns = max(LEAST_COLUMNS, *(runs[-1].column + len(runs[-1].text) for runs in lines if runs))
    width, height = round(columns * WIDTH + 2 * MARGIN), len(lines) * HEIGHT + 2 * MARGIN + BAR_HEIGHT
    look = f'font-family="\'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="{SIZE}" fill="{TEXT}"'
    size = f'width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" {look}>',
            f"<title>{escape(title)}</title>",
            f'<rect {size} rx="8" fill="{BACKGROUND}"/>',
            f'<path d="M0 {BAR_HEIGHT}V8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v{BAR_HEIGHT - 8}z" fill="{BAR}"/>',
            f'<text x="{width / 2:g}" y="20" text-anchor="middle">{escape(title)}</text>',
            *(_text(run, row) for row, runs in enumerate(lines) for run in runs),
            "</svg>\n",
        ]
    )


def _lines(output: str) -> Iterator[list[Run]]:
    """Give the runs of each line. A rendition goes on over the end of a line."""
    text = OTHERS.sub("", output.replace(END_OF_INPUT, "").replace("\r", ""))
    look = ("", False)
    for line in text.strip("\n").split("\n"):
        runs: list[Run] = []
        column = 0
        for index, piece in enumerate(RENDITION.split(line)):
            if index % 2:
                look = _changed(look, piece)
                continue
            if strange := STRANGE.search(piece):
                raise DevError(f"The picture cannot show the character {strange[0]!r} of: {line!r}")
            if piece.strip():
                indent = len(piece) - len(piece.lstrip())
                runs.append(Run(column + indent, piece.strip(), *look))
            column += len(piece)
        yield runs


def _changed(look: tuple[str, bool], parameters: str) -> tuple[str, bool]:
    """Return colour and boldness after a rendition."""
    for parameter in (int(it or NORMAL) for it in parameters.split(";")):
        if parameter == NORMAL:
            look = ("", False)
        elif parameter == BOLD:
            look = (look[0], True)
        elif parameter in COLOURS:
            look = (COLOURS[parameter], look[1])
        else:
            raise DevError(f"The picture cannot show the rendition {parameter}.")
    return look


def _text(run: Run, row: int) -> str:
    """Return a run in its place. Its length is given, so that columns agree in any font."""
    x, y = MARGIN + run.column * WIDTH, BAR_HEIGHT + MARGIN + row * HEIGHT + SIZE
    look = (f' fill="{run.colour}"' if run.colour else "") + (' font-weight="bold"' if run.bold else "")
    # Spaces in a row would become one.
    shown = escape(run.text).replace(" ", "\N{NO-BREAK SPACE}")
    return f'<text x="{x:.1f}" y="{y}" textLength="{len(run.text) * WIDTH:.1f}"{look}>{shown}</text>'
