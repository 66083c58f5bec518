"""What an entry of the catalogue is: one known issue, as an administrator wants to have it explained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Text:
    """A text in both languages."""

    en: str
    de: str

    def in_language(self, language: str) -> str:
        """Return the text in one of the languages of messages."""
        return self.de if language == "de" else self.en


class Place(Enum):
    """Where an issue is cured, in words that the name of the place follows."""

    RELEASE = Text("in each release, when it is made", "in jedem Release, wenn es gebaut wird")
    STEP = Text("by a step of each converge", "von einem Schritt jedes Laufs von converge")
    SETTING = Text("by a setting", "durch eine Einstellung")
    NGINX = Text("by nginx's site", "von der Konfiguration von nginx")
    UNIT = Text("by a systemd unit", "von einer systemd-Unit")
    PACKAGE = Text("by the packages", "von den Paketen")
    VERB = Text("by a command", "von einem Befehl")
    OPEN = Text("not cured: what leads to it is refused", "nicht behoben: Was dazu führt, wird abgelehnt")


@dataclass(frozen=True)
class Sign:
    """By which a step that differs shows an issue: the step's name, and words of its reason or hint."""

    step: str
    words: str = ""

    def is_in(self, step: str, text: str) -> bool:
        """Return whether a step with this name and text shows the issue."""
        return re.fullmatch(self.step, step) is not None and self.words in text


@dataclass(frozen=True)
class Entry:
    """One known issue. Names and symptoms have no language: they are what somebody searches for."""

    name: str
    #: as it stands in the log, or in the answer of a program
    symptom: str
    #: the upstream package that has it, the oldest version that was seen with it, the first one without ("": none)
    package: str
    since: str
    until: str
    cause: Text
    cost: Text
    found: Text
    cure: Text
    undone: Text
    place: Place
    #: the step, setting, file or command
    where: str
    #: the test that reproduces it, or shows the cure: FILE::FUNCTION
    test: str
    signs: tuple[Sign, ...] = ()


#: how an issue is undone whose cure is in what a release or the machine is made of
WITH_UPSTREAM = Text(
    "By itself: a release of newer packages is made without the cure, once upstream has no such fault any more.",
    "Von selbst: Ein Release aus neueren Paketen entsteht ohne die Änderung, sobald der Fehler dort nicht mehr ist.",
)
WITH_PACKAGE = Text(
    "With the package: `apt purge dcor-server` removes it.", "Mit dem Paket: `apt purge dcor-server` entfernt es."
)
