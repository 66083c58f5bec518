"""What a known issue is, and the ways to cure one: exchange one or more texts in a file, or replace it by a link.

A cure looks at the release first, and finds one of three states. A release that has the fault is cured; where upstream
has fixed it, nothing is changed; and where neither is found, upstream has changed the code in a way that nobody has
looked at yet. That last state is reported, but it stops no release: a server has to remain upgradable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dcor_pkg.machine.host import Access, Host

PUBLIC = Access(0o644)


class State(Enum):
    """How a release stands to a known issue."""

    #: it has the fault
    FAULTY = "faulty"
    #: it does not have the fault (any more): it was cured, or upstream has fixed it
    GONE = "gone"
    #: the file is missing, or holds neither the faulty text nor a fixed one that is known
    UNEXPECTED = "not as expected"


class Cure(Protocol):
    """Finds one fault in a release, and removes it."""

    @property
    def file(self) -> str:
        """The file that has the fault, below site-packages."""

    @property
    def change(self) -> tuple[str, ...]:
        """All that decides what the cure makes of a release: a release with another change is another release."""

    def state(self, host: Host, site: str) -> State:
        """Return the state of the release whose site-packages directory is `site`."""

    def apply(self, host: Host, site: str) -> None:
        """Cure that release, whose state is FAULTY."""


@dataclass(frozen=True)
class ReplaceText:
    """Exchange each `faulty` text in a file for the `fixed` one.

    `accepted` holds the texts of upstream's own fixes, as far as they are known: with one of these the issue is gone.
    """

    file: str
    faulty: str
    fixed: str
    accepted: tuple[str, ...] = ()

    @property
    def change(self) -> tuple[str, ...]:
        return ("text", self.file, self.faulty, self.fixed)

    def state(self, host: Host, site: str) -> State:
        text = host.read(f"{site}/{self.file}") or ""
        if self.faulty in text:
            return State.FAULTY
        return State.GONE if any(fixed in text for fixed in (self.fixed, *self.accepted)) else State.UNEXPECTED

    def apply(self, host: Host, site: str) -> None:
        path = f"{site}/{self.file}"
        host.write(path, (host.read(path) or "").replace(self.faulty, self.fixed), PUBLIC)


@dataclass(frozen=True)
class ReplaceTexts:
    """Exchange several texts in one file, each `faulty` text for its `fixed` one: for faults that need all of them."""

    texts: tuple[ReplaceText, ...]

    @property
    def file(self) -> str:
        return self.texts[0].file

    @property
    def change(self) -> tuple[str, ...]:
        return tuple(part for text in self.texts for part in text.change)

    def state(self, host: Host, site: str) -> State:
        states = {text.state(host, site) for text in self.texts}
        if State.UNEXPECTED in states:
            return State.UNEXPECTED
        return State.FAULTY if State.FAULTY in states else State.GONE

    def apply(self, host: Host, site: str) -> None:
        for text in self.texts:
            text.apply(host, site)


@dataclass(frozen=True)
class ReplaceByLink:
    """Replace a file, whatever it holds, by a symbolic link to `target`."""

    file: str
    target: str

    @property
    def change(self) -> tuple[str, ...]:
        return ("link", self.file, self.target)

    def state(self, host: Host, site: str) -> State:
        path = f"{site}/{self.file}"
        if host.target(path) == self.target:
            return State.GONE
        return State.FAULTY if host.exists(path) else State.UNEXPECTED

    def apply(self, host: Host, site: str) -> None:
        host.link(f"{site}/{self.file}", self.target)


@dataclass(frozen=True)
class Versions:
    """The versions of an upstream package that have an issue."""

    package: str
    #: the oldest version in which it was seen
    since: str
    #: the first version that is fixed; "" while there is none
    until: str = ""


@dataclass(frozen=True)
class Issue:
    """A fault of upstream's code, with all that an engineer needs who meets it."""

    name: str
    #: as it is in the log, or in the answer of a program
    symptom: str
    cause: str
    versions: Versions
    #: what a server without the cure cannot do
    cost: str
    #: how a release is examined for it
    detection: str
    cure: Cure
    #: what shows that the cure works
    proof: str
