"""The messages of the code that are translated, as marked there, and their German texts in conf/messages/de.po."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

from dcor_pkg.answers.validators import Validator
from dcor_pkg.verbs import names

TREE = Path(__file__).resolve().parents[2]
CATALOGUE = TREE / "conf/messages/de.po"
#: the functions that mark a text
MARKS = ("_", "marked", "Refused")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.AST) -> str:
    """Return the name of the function or method that is called, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def texts(node: ast.AST) -> Iterator[str]:
    """Give the texts that are arguments of a call."""
    for argument in node.args if isinstance(node, ast.Call) else ():
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
            yield argument.value


def marked() -> set[str]:
    """Return all texts that the code marks, and the reasons why what an administrator names is invalid."""
    nodes = (node for path in (TREE / "dcor_pkg").rglob("*.py") for node in ast.walk(parsed(path)))
    validators = (it for it in vars(names).values() if isinstance(it, Validator))
    reasons = {reason for validator in validators for reason in validator.reasons}
    return reasons | {text for node in nodes if called(node) in MARKS for text in texts(node)}


def german(catalogue: Path = CATALOGUE) -> dict[str, str]:
    """Return the German texts by the English ones. A text of several lines is a string in each."""
    text = catalogue.read_text(encoding="utf-8")
    entries = re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', text, re.MULTILINE)
    found = [(ast.literal_eval(f"({english})"), ast.literal_eval(f"({german})")) for english, german in entries]
    assert len(found) == len(dict(found)) == len(re.findall("^msgid ", text, re.MULTILINE))
    return dict(found)


def placeholders(text: str) -> list[str]:
    """Return the names of what fills a text."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
