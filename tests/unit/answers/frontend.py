"""A fake of debconf's frontend, after its ConfModule.pm (1.5.82): it shows and skips questions, and goes back.

The templates are the package's. Its language is upper case, so that untranslated texts are noticed. The person at the
keyboard is a function of a question's key and proposal that returns what is typed, or None to go back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import debconf

TEMPLATES = Path(__file__).resolve().parents[3] / "debian/dcor-server.templates"
PRIORITIES = ("low", "medium", "high", "critical")
INVISIBLE = GO_BACK = 30
BAD_PARAMETERS = 10

Keyboard = Callable[[str, str], "str | None"]


def templates() -> dict[str, dict[str, str]]:
    """Return the fields of each template by its key; the names of translated fields lose their underscores."""
    found = {}
    for paragraph in TEMPLATES.read_text().strip().split("\n\n"):
        lines = paragraph.replace("\n ", "\0").splitlines()
        fields = dict(line.lstrip("_").split(": ", 1) for line in lines)
        found[fields["Template"].removeprefix("dcor-server/")] = fields
    return found


def paragraphs(extended: str) -> str:
    """Return a long description as debconf returns it: lines joined, and an empty line between paragraphs."""
    return extended.replace("\0.\0", "\n\n").replace("\0", " ")


class Frontend:
    """A frontend with a database of answers. `interactive`: False for noninteractive; `reshow`: True to reconfigure."""

    def __init__(
        self,
        keyboard: Keyboard = lambda key, proposed: proposed,
        preseed: Mapping[str, str] | None = None,
        priority: str = "high",
        interactive: bool = True,
        reshow: bool = False,
    ) -> None:
        self.templates = templates()
        self.values = {key: fields.get("Default", "") for key, fields in self.templates.items()}
        self.values.update(preseed or {})
        self.flags = {key: key in (preseed or {}) for key in self.templates}
        self.shown: dict[str, str] = {}
        self.asked: list[str] = []
        self._keyboard, self._priority, self._interactive, self._reshow = keyboard, priority, interactive, reshow
        self._elements: list[tuple[str, bool]] = []
        self._seen: list[str] = []
        self._backed_up = False
        self._escapes = False

    def finish(self) -> None:
        """End the script: only now the questions that it has shown are seen."""
        self.flags.update(dict.fromkeys(self._seen, True))
        self._seen = []

    def capb(self, *capabilities: str) -> str:
        self._escapes = "escape" in " ".join(capabilities)
        return "multiselect escape backup"

    def get(self, question: str) -> str:
        return self.values[self._key(question)]

    def set(self, question: str, value: str) -> str:
        self.values[self._key(question)] = " ".join(value.split())
        return "value set"

    def reset(self, question: str) -> str:
        key = self._key(question)
        self.values[key], self.flags[key] = self.templates[key].get("Default", ""), False
        return ""

    def metaget(self, question: str, field: str) -> str:
        short, _, extended = self.templates[self._key(question)]["Description"].partition("\0")
        name, _, language = field.partition("-")
        text = {"description": short, "extended_description": paragraphs(extended)}[name]
        assert self._escapes or "\n" not in text, "a line would end the answer"
        return text if language == "c" else text.upper()

    def subst(self, question: str, name: str, value: str) -> str:
        assert self._key(question) == "invalid-answer"
        self.shown[name] = value
        return ""

    def fget(self, question: str, flag: str) -> str:
        assert flag == "seen"
        return "true" if self.flags[self._key(question)] else "false"

    def fset(self, question: str, flag: str, value: str) -> str:
        assert flag == "seen"
        key = self._key(question)
        self._seen = [seen for seen in self._seen if seen != key]
        self.flags[key] = value == "true"
        return value

    def input(self, priority: str, question: str) -> str:
        key = self._key(question)
        visible = True
        if self.templates[key]["Type"] != "error":
            enough = PRIORITIES.index(priority) >= PRIORITIES.index(self._priority)
            visible = enough and (self._reshow or not self.flags[key])
        visible = visible and self._interactive
        self._elements.append((key, visible))
        if not visible:
            raise debconf.DebconfError(INVISIBLE, "question skipped")
        return "question will be asked"

    def go(self) -> str:
        elements, self._elements = self._elements, []
        typed = {}
        for key, visible in elements:
            typed[key] = self._typed(key) if visible else self._unseen(key)
        if None in typed.values() or (self._backed_up and not any(visible for _, visible in elements)):
            self._backed_up = True
            raise debconf.DebconfError(GO_BACK, "backup")
        self._backed_up = False
        self.values.update({key: text for key, text in typed.items() if text is not None})
        self._seen += [key for key, visible in elements if visible]
        return "ok"

    def _typed(self, key: str) -> str | None:
        self.asked.append(key)
        return "" if key == "invalid-answer" else self._keyboard(key, self.values[key])

    def _unseen(self, key: str) -> str:
        """Replace an invalid choice by the first one, as the noninteractive frontend does."""
        choices = self.templates[key].get("Choices", "").split(", ")
        return self.values[key] if choices == [""] or self.values[key] in choices else choices[0]

    def _key(self, question: str) -> str:
        key = question.removeprefix("dcor-server/")
        if key == question or key not in self.templates:
            raise debconf.DebconfError(BAD_PARAMETERS, f'"{question}" doesn\'t exist')
        return key
