"""The catalogue of known issues: complete, in two languages, true to the code that it names, and found by name."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from dcor_dev import known_issues as generated

from dcor_pkg.answers import settings
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.known_issues import catalogue, explanation
from dcor_pkg.known_issues.entry import Entry, Place, Sign, Text
from dcor_pkg.known_issues.in_releases_german import GERMAN
from tests.unit.test_plan import names

TREE = Path(__file__).resolve().parents[3]
#: the steps of a server with the defaults
STEPS = names()
each = pytest.mark.parametrize("entry", catalogue.ENTRIES, ids=lambda entry: entry.name)
#: what stands for another text in both languages
SAME = re.compile(
    r"[`\"'\w./:,=()\[\]-]+|.*(MPLCONFIGDIR|QUIT|dcor-server set|ckan\.hide_version|reload_supervisord).*|`.*`"
)


def differing(step: str, reason: str, hint: str = "") -> Outcome:
    return Outcome(step, Result.WOULD_CHANGE, reason, hint)


@each
def test_an_entry_is_complete(entry: Entry) -> None:
    empty = [it.name for it in fields(entry) if it.name not in ("until", "signs") and not getattr(entry, it.name)]
    assert empty == []
    assert re.fullmatch(r"[a-z][a-z0-9_]+", entry.name)


@each
def test_an_entry_is_in_both_languages(entry: Entry) -> None:
    for text in (entry.cause, entry.cost, entry.cure, entry.undone):
        assert text.en
        assert text.de
        assert text.en != text.de or SAME.fullmatch(text.en)


@each
def test_the_test_of_an_entry_exists(entry: Entry) -> None:
    file, _, function = entry.test.partition("::")
    tree = ast.parse((TREE / file).read_text(encoding="utf-8"))
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert function in found if function else found


@each
def test_the_place_of_the_cure_exists(entry: Entry) -> None:
    if entry.place is Place.STEP:
        assert entry.where in STEPS
    if entry.place is Place.SETTING:
        assert entry.where in settings.KEYS
    for sign in entry.signs:
        assert [name for name in STEPS if re.fullmatch(sign.step, name)], sign


def test_names_are_unique_and_each_cure_of_releases_has_an_entry() -> None:
    assert len(catalogue.BY_NAME) == len(catalogue.ENTRIES) > 50
    assert set(GERMAN) == {issue.name for issue in registry.ISSUES} <= set(catalogue.BY_NAME)


def test_what_is_made_from_the_catalogue_agrees() -> None:
    """After a change: scripts/known-issues."""
    for path, text in generated.generated(TREE).items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_a_file_without_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/known-issues.md").write_text("# Known issues\n")
    with pytest.raises(ValueError, match="has no marks"):
        generated.generated(tmp_path)


@pytest.mark.parametrize("name", ["float_expiry", "float-expiry", " Float expiry"])
def test_a_name_is_found_however_it_is_written(name: str) -> None:
    assert catalogue.find(name).name == "float_expiry"


def test_an_unknown_name_is_one_sentence_with_the_nearest() -> None:
    with pytest.raises(
        DcorError, match=r"^There is no known issue 'flot_expiri'; the nearest names are float_expiry, "
    ):
        catalogue.find("flot_expiri")
    with pytest.raises(DcorError) as error:
        catalogue.find("ä\x1b" + "x" * 1000)
    assert len(error.value.reason) < 300


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (differing("release", "the release X has the known issue float_expiry"), "float_expiry"),
        (
            differing("release", "the release X has got the file lib/x.py, so it is made anew"),
            "pip_changes_the_release",
        ),
        (differing("options in the database", "the database has ckan.site_title"), "options_in_the_database"),
        (differing("postgresql database", "its encoding is SQL_ASCII, not UTF8"), "sql_ascii_cluster"),
        (differing("directory /data/ckan/storage", "is root:root 0755, not www-data:www-data 0755"), "ckan_as_root"),
        (differing("data directory", "cannot be written", "No space left on device"), "upload_space"),
        (differing("release", "the release X does not exist yet"), None),
        (Outcome("release", Result.UNCHANGED), None),
    ],
)
def test_a_step_shows_its_issue(outcome: Outcome, name: str | None) -> None:
    found = catalogue.shown_by(outcome)
    assert (found.name if found else None) == name


def test_an_explanation_has_each_part_in_either_language() -> None:
    entry = catalogue.find("sql_ascii_cluster")
    for language, words in {"en": "  Cause: Where no locale", "de": "  Ursache: Wo keine Sprache"}.items():
        text = explanation.as_text(entry, language)
        assert words in text
        assert [
            key for key, label in explanation.LABELS.items() if f"  {label.in_language(language)}: " not in text
        ] == []
        assert max(map(len, text.splitlines())) <= explanation.WIDTH


def test_a_table_and_the_man_page_quote_what_has_a_meaning_there() -> None:
    text = Text("a|b -x 'y'", "a")
    entry = Entry("x", "a ` b", "p", "1", "2", text, text, text, text, text, Place.STEP, "s", "t", (Sign("s"),))
    assert "| `x` | ``a ` b`` | a\\|b -x 'y' |" in explanation.as_table([entry], "en")
    assert explanation.as_man([entry], "en") == ".TP\n.B x\na|b \\-x \\(aqy\\(aq\n"
    assert "p since 1, fixed in 2" in explanation.as_text(entry, "en")
