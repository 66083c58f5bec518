"""The steps that let CKAN's user, and nobody else, read the checkouts that are developed, and no former ones.

What that user lacks, it gets by entries in access control lists: to go through each directory on the way, to read what
is in the checkout, and what will be made there. Programs do that as the owner of each directory, since they act by name
(docs/decisions/development.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from dcor_pkg.ckan import checkouts
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CHECKOUTS, CKAN_USER, STATE

PROGRAM = str(templates.PACKAGE / "ckan/files/checkout_access.py")
TIMEOUT_SECONDS = 120.0
#: state file: what was given, as lists of [owner, path, "" or "tree"], by what wanted it
GIVEN = f"{STATE}/checkouts-given.json"
ACCESS = Access(0o644)
Given = dict[str, Any]


@dataclass(frozen=True)
class ReadableCheckouts:
    """CKAN's user can read these checkouts; their present code is what its programs load."""

    checkouts: tuple[str, ...]
    name: str = "checkouts"

    def check(self, host: Host) -> str | None:
        codes = ""
        for path in self.checkouts:
            checkouts.owner(host, path)
            found = _examined(host, path)
            if found["closed"]:
                return f"{CKAN_USER} cannot read {found['closed']}"
            codes += _line(path, found)
        if codes != (host.read(CHECKOUTS) or ""):
            return "the code has changed since programs have loaded it" if codes else "none is developed any more"
        return None

    def apply(self, host: Host) -> None:
        codes = "".join(_line(path, opened(host, path, path)) for path in self.checkouts)
        # CKAN's programs read this file at start: others, which are proven first, take their place when it changes.
        if codes:
            host.write(CHECKOUTS, codes, ACCESS)
        else:
            host.remove(CHECKOUTS)


@dataclass(frozen=True)
class NoFormerCheckouts:
    """CKAN's user has lost what it was given for other checkouts than these: no program that serves needs them."""

    checkouts: tuple[str, ...]
    name: str = "former checkouts"

    def check(self, host: Host) -> str | None:
        former = self._former(host)
        return f"{CKAN_USER} may still read {former[0]}, which is not developed here any more" if former else None

    def apply(self, host: Host) -> None:
        for path in self._former(host):
            take(host, path)

    def _former(self, host: Host) -> list[str]:
        return [path for path in given(host) if path.startswith("/") and path not in self.checkouts]


def given(host: Host) -> Given:
    """Return what was given: for checkouts that are developed by their paths, and for others by what wanted it."""
    return state_file.read(host, GIVEN, {})


def _line(path: str, found: dict[str, str]) -> str:
    return f"{path} {found['digest']}\n"


def _examined(host: Host, path: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(_run(host, CKAN_USER, "examine", path))
    return found


def _run(host: Host, user: str, *arguments: str) -> str:
    return host.run("/usr/bin/python3", "-I", PROGRAM, *arguments, user=user, timeout=TIMEOUT_SECONDS)


def opened(host: Host, path: str, wanted_by: str) -> dict[str, str]:
    """Let CKAN's user read a checkout, and return what that user then finds. Raises DcorError.

    What is given is recorded before, by what wants it, so that it can be undone after a power cut, too.

    What that user's process says only chooses among the directories on the way and the checkout.
    """
    developer, before = checkouts.owner(host, path), ""
    parents = [str(parent) for parent in PurePosixPath(path).parents]
    while (closed := (found := _examined(host, path))["closed"]) and closed != before:
        access = host.access(closed) if closed in parents else None
        verb, owner, place = ("give", developer, path) if access is None else ("pass", access.owner, closed)
        record, entry = given(host), [owner, place, "tree" if verb == "give" else ""]
        if entry not in record.setdefault(wanted_by, []):
            record[wanted_by].append(entry)
            state_file.write(host, GIVEN, record)
        _change(host, owner, verb, CKAN_USER, place)
        before = closed
    return found


def _change(host: Host, owner: str, *arguments: str) -> None:
    try:
        _run(host, owner, *arguments)
    except CommandFailed as error:
        raise DcorError(
            f"{CKAN_USER} cannot be given {arguments[2]}: {error.hint or error.reason}",
            f"Let the group of {CKAN_USER} read it, or choose another place: dcor-server set develop=PATH",
        ) from None


def take(host: Host, wanted_by: str) -> None:
    """Undo what was given for something, but for what others still need or what is gone. Raises DcorError."""
    record = given(host)
    entries = record.pop(wanted_by, None)
    if entries is None:
        return
    needed = [entry for others in record.values() for entry in others]
    for owner, place, kind in reversed(entries):
        access = host.access(place)
        if [owner, place, kind] not in needed and access is not None and access.owner == owner:
            host.require_trusted(f"{place}/x", owner)
            _run(host, owner, "take", CKAN_USER, place, *([kind] if kind else []))
    if record:
        state_file.write(host, GIVEN, record)
    else:
        host.remove(GIVEN)
