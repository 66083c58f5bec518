"""What is made from the catalogue of known issues: tables in docs, and a list in the man pages, between two marks."""

from __future__ import annotations

from pathlib import Path

from dcor_pkg.known_issues import explanation
from dcor_pkg.known_issues.catalogue import ENTRIES

#: comments of Markdown and of roff, between which the text is made
MARKS = {
    ".md": ("<!-- made by scripts/known-issues -->\n", "<!-- end -->\n"),
    ".8": ('.\\" made by scripts/known-issues\n', '.\\" end of known issues\n'),
}


def generated(tree: Path) -> dict[Path, str]:
    """Return the text of each file that has a part made from the catalogue. Raises ValueError for a missing mark."""
    made = {
        "docs/known-issues.md": f"\n{explanation.as_table(ENTRIES, 'en')}\n",
        "docs/known-issues.de.md": f"\n{explanation.as_table(ENTRIES, 'de')}\n",
        "debian/dcor-server.8": explanation.as_man(ENTRIES, "en"),
        "debian/dcor-server.de.8": explanation.as_man(ENTRIES, "de"),
    }
    return {tree / name: _replaced(tree / name, text) for name, text in made.items()}


def _replaced(path: Path, text: str) -> str:
    begin, end = MARKS[path.suffix]
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no marks for what is made from the catalogue")
    return f"{before}{begin}{text}{end}{after}"
