"""A known issue as text: for a terminal, for the table of docs/known-issues.md, and for the list of the man page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from dcor_pkg.known_issues.entry import Entry, Text
from dcor_pkg.machine.language import LANGUAGES

#: characters of a line on a terminal
WIDTH = 100
#: the parts of an explanation, in order
LABELS = {
    "symptom": Text("Symptom", "Symptom"),
    "cause": Text("Cause", "Ursache"),
    "versions": Text("Versions", "Versionen"),
    "cost": Text("Cost", "Folgen"),
    "found": Text("Found by", "Erkennung"),
    "cure": Text("Cure", "Abhilfe"),
    "place": Text("Cured", "Behoben"),
    "undone": Text("Undone", "Rücknahme"),
    "test": Text("Shown by", "Gezeigt von"),
}
SINCE, UNTIL, OPEN = Text("since", "seit"), Text("fixed in", "behoben in"), Text("not fixed yet", "noch nicht behoben")


def parts(entry: Entry, language: str) -> dict[str, str]:
    """Return the parts of an explanation by the keys of LABELS."""
    place = f"{entry.place.value.in_language(language)} ({entry.where})"
    return {
        "symptom": entry.symptom,
        "cause": entry.cause.in_language(language),
        "versions": _versions(entry, language),
        "cost": entry.cost.in_language(language),
        "found": entry.found.in_language(language),
        "cure": entry.cure.in_language(language),
        "place": place,
        "undone": entry.undone.in_language(language),
        "test": entry.test,
    }


def as_text(entry: Entry, language: str) -> str:
    """Return an explanation for a terminal."""
    lines = [entry.name]
    for key, text in parts(entry, language).items():
        label = f"  {LABELS[key].in_language(language)}: "
        lines += textwrap.wrap(
            text, WIDTH, initial_indent=label, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)


def as_list(entries: Iterable[Entry], language: str) -> str:
    """Return a line for each entry: its name, and what it costs."""
    shown = list(entries)
    width = max(len(entry.name) for entry in shown)
    return "\n".join(f"{entry.name:{width}}  {entry.cost.in_language(language)}" for entry in shown)


def as_data(entry: Entry) -> dict[str, Any]:
    """Return an entry for a program, with the texts of each language."""
    texts = {language: parts(entry, language) for language in LANGUAGES}
    versions = {"package": entry.package, "since": entry.since, "until": entry.until}
    return {"name": entry.name, "symptom": entry.symptom, **versions, "test": entry.test, "texts": texts}


def as_table(entries: Iterable[Entry], language: str) -> str:
    """Return a table in Markdown."""
    heads = [Text("name", "Name"), *(LABELS[key] for key in ("symptom", "cost", "cure", "versions"))]
    lines = [[head.in_language(language) for head in heads], ["---"] * len(heads)]
    for entry in entries:
        found = parts(entry, language)
        cure = f"{found['cure']} {found['place'][0].upper()}{found['place'][1:]}."
        lines.append([f"`{entry.name}`", _code(found["symptom"]), found["cost"], cure, found["versions"]])
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def as_man(entries: Iterable[Entry], language: str) -> str:
    """Return the items of a man page's list."""
    return "".join(f".TP\n.B {_roff(it.name)}\n{_roff(it.cost.in_language(language))}\n" for it in entries)


def _versions(entry: Entry, language: str) -> str:
    end = f"{UNTIL.in_language(language)} {entry.until}" if entry.until else OPEN.in_language(language)
    return f"{entry.package} {SINCE.in_language(language)} {entry.since}, {end}"


def _code(text: str) -> str:
    quote = "``" if "`" in text else "`"
    return f"{quote}{text}{quote}"


def _roff(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
