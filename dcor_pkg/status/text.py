"""The state of the server as text: a line for each part, on one screen, in the width and the colours of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from dcor_pkg.errors import printable
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.machine.output import Terminal
from dcor_pkg.status.health import Examined
from dcor_pkg.status.part import Part

#: the mark of a part that is well, has a problem, waits for another part, or should be looked at; colours by ECMA-48
WELL, PROBLEM, WAITS, WARNING = " ", "!", "-", "?"
COLOURS = {PROBLEM: "31", WAITS: "33", WARNING: "33"}
#: of the column of names, with the marks before it
NAME, START = 38, 2


def lines(hostname: str, examined: Examined, last: LastConverge, terminal: Terminal | None) -> Iterator[str]:
    """Give the lines: the address, the parts, the last converge where it failed, the notices, and a conclusion."""
    yield f"https://{hostname}/"
    for part in _grouped(examined.parts):
        yield from _lines(part, terminal)
    yield from (text for text in (str(last), *map(str, examined.notices)) if text)
    yield conclusion(examined, last)


def conclusion(examined: Examined, last: LastConverge) -> str:
    """Return in a sentence what is wrong, without what only waits for that."""
    wrong = [part.name for part in examined.parts if part.is_root]
    wrong += ["the last converge"] if last.reason else []
    return f"{'Problems: ' + ', '.join(wrong) if wrong else 'All is well'} ({examined.seconds:.1f} s)."


def _grouped(parts: Sequence[Part]) -> Iterator[Part]:
    """Give the parts, those of a group as one as long as all of them are well."""
    given = set()
    for part in parts:
        group = [it for it in parts if part.group and it.group == part.group]
        if not group or any(it.problem or it.warning for it in group):
            yield part
        elif part.group not in given:
            given.add(part.group)
            yield Part(part.group, None, "; ".join(f"{it.name} {it.detail}".strip() for it in group))


def _lines(part: Part, terminal: Terminal | None) -> Iterator[str]:
    """Give the line of a part. On a terminal what is well is cut to its width, and what is not goes on below."""
    mark, said = _said(part)
    line = printable(f"{mark} {part.name:{NAME}} {said}").replace("\n", " ")
    if terminal is None:
        yield line
        return
    columns = max(terminal.columns, NAME)
    indent = " " * (START + NAME + 1 if columns > 2 * NAME else START)
    shown = textwrap.wrap(line, columns, subsequent_indent=indent, drop_whitespace=False) if mark != WELL else [line]
    for text in shown:
        cut = text if len(text) <= columns else f"{text[: columns - 3]}..."
        yield f"\033[{COLOURS[mark]}m{cut}\033[0m" if terminal.colours and mark in COLOURS else cut


def _said(part: Part) -> tuple[str, str]:
    """Return the mark of a part, and what is said of it."""
    if part.problem is not None:
        return (WAITS, f"waits for {part.cause}: {part.problem}") if part.cause else (PROBLEM, part.problem)
    took = f" ({1000 * part.seconds:.0f} ms)" if part.is_timed else ""
    if part.warning:
        return WARNING, f"{part.warning}{took}"
    return WELL, f"{part.detail or 'ok'}{took}"
