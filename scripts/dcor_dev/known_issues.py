"""What is made from the catalogue of known issues: tables in docs, and a list in the man pages, between two marks."""

from __future__ import annotations

from pathlib import Path

from dcor_dev import marked_part
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
    paths = {tree / name: text for name, text in made.items()}
    return {path: marked_part.replaced(path, *MARKS[path.suffix], text) for path, text in paths.items()}
