"""The documentation leads somewhere: links, anchors of the glossary, and paths of the code that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
DOCS = TREE / "docs"
#: what a decision's page consists of
SECTIONS = ["Context", "Decision", "Consequences", "How we know"]
#: made by a build
BUILT = "dist"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
CODE_PATH = re.compile(r"`((?:dcor_pkg|scripts|tests)/[^`\s:]*)`")
#: stands for a name in a recipe, as in `dcor_pkg/verbs/NAME.py`
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+")


def pages(tree: Path) -> list[Path]:
    """Return all Markdown files of a checkout."""
    found = (path.relative_to(tree) for path in sorted(tree.rglob("*.md")))
    return [tree / path for path in found if not any(part == BUILT or part[0] == "." for part in path.parts)]


def prose(page: Path) -> str:
    """Return the text of a page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def headings(page: Path) -> list[tuple[int, str]]:
    """Return level and text of each heading."""
    return [(len(signs), text) for signs, text in HEADING.findall(prose(page))]


def anchor(heading: str) -> str:
    """Return the fragment of an address that leads to a heading, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the fragment of each link that stays in the repository."""
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target) is None:
            path, _, fragment = target.partition("#")
            yield (page.parent / path).resolve() if path else page, fragment


def broken_links(tree: Path) -> list[str]:
    """Return each link that leads to no file, or to no heading of a page."""
    broken = []
    for page in pages(tree):
        for file, fragment in links(page):
            where = f"{page.relative_to(tree)}: {file.name}#{fragment}"
            if not file.exists() or (fragment and fragment not in {anchor(text) for _, text in headings(file)}):
                broken.append(where)
    return broken


def code_paths(tree: Path) -> list[tuple[str, str]]:
    """Return each path of the code that the documentation names, and the page that does."""
    named = [*(tree / "docs").rglob("*.md"), *(tree / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md"))]
    there = [page for page in sorted(named) if page.exists()]
    return [(path, str(page.relative_to(tree))) for page in there for path in CODE_PATH.findall(prose(page))]


def missing_code(tree: Path) -> list[tuple[str, str]]:
    """Return the named paths that do not exist; a word in capitals stands for any name."""
    return [named for named in code_paths(tree) if not list(tree.glob(PLACEHOLDER.sub("*", named[0]).rstrip("/")))]


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert len([link for page in pages(TREE) for link in links(page)]) > 50
    assert broken_links(TREE) == []


def test_every_path_of_the_code_exists() -> None:
    assert code_paths(TREE)
    assert missing_code(TREE) == []


def test_the_index_lists_every_page() -> None:
    listed = [file for file, _ in links(DOCS / "README.md")]
    assert {*DOCS.rglob("*.md")} - {DOCS / "README.md"} == {file for file in listed if DOCS in file.parents}


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").iterdir()), ids=lambda page: str(page.stem))
def test_a_decision_has_its_four_sections(page: Path) -> None:
    assert [text for level, text in headings(page) if level == 2] == SECTIONS


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = [text for level, text in headings(DOCS / "glossary.md") if level == 3]
    assert len(terms) > 40
    assert terms == sorted(set(terms), key=str.lower)


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "dcor_pkg/kernel").mkdir(parents=True)
    (tmp_path / "dcor_pkg/kernel/step.py").touch()
    (tmp_path / "docs/glossary.md").write_text("### Release set\n")
    (tmp_path / "docs/page.md").write_text(
        "[a](glossary.md#release-set) [b](glossary.md#gone) [c](gone.md) [d](https://example.org/gone) [e](#here)\n"
        "`dcor_pkg/kernel/step.py` `dcor_pkg/kernel/` `dcor_pkg/kernel/NAME.py` `dcor_pkg/gone.py` `tests/X_Y/a.md`\n"
        "```\n[f](gone.md) `dcor_pkg/gone.py`\n```\n"
    )
    assert broken_links(tmp_path) == [
        "docs/page.md: glossary.md#gone",
        "docs/page.md: gone.md#",
        "docs/page.md: page.md#here",
    ]
    assert [path for path, _ in missing_code(tmp_path)] == ["dcor_pkg/gone.py", "tests/X_Y/a.md"]
