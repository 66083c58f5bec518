"""The templates of the questions follow from the settings' rows, and each text is translated."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from dcor_dev import questions

from dcor_pkg.answers.settings import ROWS
from tests.unit.answers.frontend import TEMPLATES, paragraphs, templates

GERMAN = Path(__file__).resolve().parents[3] / "debian/po/de.po"
ASKED = [key for key, row in ROWS.items() if row.question]
#: texts that are the same in German
SAME = ("${QUESTION} ${ANSWER}",)


def translations() -> dict[str, str]:
    """Return the German texts by the English ones. A text of several lines is a string in each."""
    entries = re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', GERMAN.read_text(encoding="utf-8"), re.MULTILINE)
    return {ast.literal_eval(f"({english})"): ast.literal_eval(f"({german})") for english, german in entries}


def test_the_templates_are_what_the_rows_give() -> None:
    """Run scripts/templates after a change of a row, or of a reason or hint."""
    text = TEMPLATES.read_text(encoding="utf-8")
    assert questions.generated(text) == text


def test_a_new_row_gets_a_template_with_a_draft_of_its_description_and_a_removed_one_loses_its() -> None:
    text = TEMPLATES.read_text(encoding="utf-8")
    with_other = text.replace("Template: dcor-server/site-title\n", "Template: dcor-server/colour\n")
    found = questions.generated(with_other)
    assert "dcor-server/colour" not in found
    draft = "Template: dcor-server/site-title\nType: string\nDefault: DCOR\n_Description: site-title:\n The title on each page.\n"
    assert draft in found


@pytest.mark.parametrize("key", ASKED)
def test_each_question_has_a_template_that_fits_its_row(key: str) -> None:
    row, fields = ROWS[key], templates()[key]
    assert (fields["Type"] == "password") == bool(row.secret_of)
    assert fields.get("Choices", "") == ", ".join(row.validator.choices)
    proposes = row.question is not None and row.question.proposal
    assert fields.get("Default", "") == ("" if proposes else row.default)
    title, _, description = fields["Description"].partition("\0")
    assert title.endswith(":")
    assert len(description) >= 60


def test_each_template_belongs_to_a_row_or_to_the_package() -> None:
    assert set(templates()) == {*ASKED, *questions.OTHERS, questions.MESSAGES}
    assert [templates()[name]["Type"] for name in questions.OTHERS] == ["boolean", "error"]


def test_the_messages_are_all_reasons_and_hints_of_the_questions() -> None:
    shown = paragraphs(templates()["messages"]["Description"].partition("\0")[2]).split("\n\n")
    for key in ASKED:
        row = ROWS[key]
        assert {*row.validator.reasons, *filter(None, [row.hint])} <= set(shown), key
    assert shown == questions.messages()


def test_each_text_has_a_german_translation() -> None:
    german = translations()
    for fields in templates().values():
        title, _, description = fields["Description"].partition("\0")
        texts = [title, *paragraphs(description).split("\n\n"), *fields.get("Choices", "").split(", ")]
        for text in filter(None, texts):
            assert german.get(text), text
            assert (german[text] == text) == (text in SAME), text
    assert "#, fuzzy" not in GERMAN.read_text(encoding="utf-8")
