"""Generate the templates of debconf's questions from the settings' rows, but for the descriptions."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from dcor_pkg.answers.setting import Setting
from dcor_pkg.answers.settings import ROWS

PREFIX = "dcor-server/"
#: the template that holds all reasons and hints
MESSAGES = "messages"
#: templates that no setting has: how an invalid answer is shown, and what a purge asks
OTHERS = ("purge-data", "invalid-answer")


def generated(text: str) -> str:
    """Return the file of templates: the descriptions are those in `text`, and all else is from the rows.

    A question without a description gets that of its setting as a draft.
    """
    old = {paragraph.partition("\n")[0].rpartition("/")[2]: paragraph for paragraph in text.strip().split("\n\n")}
    questions = [_question(key, row, old.get(key, "")) for key, row in ROWS.items() if row.question]
    return "\n\n".join([*questions, *(old[name].rstrip() for name in OTHERS), _messages()]) + "\n"


def messages() -> list[str]:
    """Return all reasons why an answer to a question is invalid, then all hints, each once."""
    asked = [row for row in ROWS.values() if row.question]
    reasons = [reason for row in asked for reason in row.reasons]
    return list(dict.fromkeys([*reasons, *(row.hint for row in asked if row.hint)]))


def _question(key: str, row: Setting, old: str) -> str:
    description = re.search(r"^_Description:.*\Z", old, re.MULTILINE | re.DOTALL)
    text = description[0].rstrip() if description else f"_Description: {key}:\n{_wrapped(row.description)}"
    return "\n".join([*_fields(key, row), text])


def _fields(key: str, row: Setting) -> Iterator[str]:
    yield f"Template: {PREFIX}{key}"
    yield f"Type: {row.debconf_type}"
    if row.validator.choices:
        yield f"__Choices: {', '.join(row.validator.choices)}"
    if row.debconf_default:
        yield f"Default: {row.debconf_default}"


def _messages() -> str:
    head = f"Template: {PREFIX}{MESSAGES}\nType: text\n_Description: Reasons and hints for invalid answers:\n"
    return head + "\n .\n".join(map(_wrapped, messages()))


def _wrapped(text: str) -> str:
    """Return a paragraph of a description, whose lines begin with a blank."""
    return textwrap.indent(textwrap.fill(text, 78, break_on_hyphens=False, break_long_words=False), " ")
