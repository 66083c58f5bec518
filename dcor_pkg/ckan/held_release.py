"""The release that should run and is held back: this server has gone back from it, or it has failed for the same cause.

The rule: it is held back until the id of the release that should run is another one (an upgrade brings that), or until
an administrator says `dcor-server converge --retry-release`; one that has failed is tried again after a day. Meanwhile
each converge does all else, for the release that serves: a new certificate, for one, comes into use.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import HELD_RELEASE

PAUSE_SECONDS = 24 * 3600.0
MOMENT = "%Y-%m-%d %H:%M"
RETRY = "dcor-server converge --retry-release"


@dataclass(frozen=True)
class Held:
    """Which release is held back; its fields are the keys of the state file. facts.py reads three of them."""

    release: str
    #: the one that serves in its place
    instead: str
    reason: str
    #: in seconds since 1970
    when: float
    #: until when; 0 for no end
    until: float


def read(host: Host) -> Held | None:
    """Return what is held back, or None."""
    found: dict[str, Any] = state_file.read(host, HELD_RELEASE, {})
    return Held(**found) if found.keys() == Held.__annotations__.keys() else None


def hold(host: Host, release: str, instead: str, reason: str, seconds: float = 0.0) -> None:
    """Let another release serve in the place of one, for a time or without an end."""
    now = time.time()
    state_file.write(host, HELD_RELEASE, asdict(Held(release, instead, reason, now, now + seconds if seconds else 0.0)))


def hold_failing(host: Host, release: str, instead: str, reason: str, before: str) -> None:
    """Hold a release back for a day that has failed for the same cause as before, or a day ago.

    Another cause, for example a service that was down, is tried again each hour.
    """
    held = read(host)
    known = [before, held.reason] if held is not None and held.release == release else [before]
    if _cause(reason) in map(_cause, known):
        hold(host, release, instead, reason, PAUSE_SECONDS)


def _cause(reason: str) -> str:
    """Return a reason without what differs each time: addresses in memory and times of day."""
    return re.sub(r"0x[0-9a-f]+|\d\d:\d\d(?::\d\d)?", "", reason)


def settle(host: Host, should_run: str, serves: str, reason: str) -> None:
    """Record what a release that was gone back to means for the one that should run."""
    if should_run == serves:
        forget(host)
    else:
        hold(host, should_run, serves, reason)


def forget(host: Host) -> None:
    """Let the release serve that should run."""
    host.remove(HELD_RELEASE)


def end(host: Host, should_run: str) -> None:
    """Forget what was held back where the release in its place should run by now, as after a downgrade."""
    held = read(host)
    if held is not None and held.instead == should_run:
        forget(host)


def notices(host: Host) -> list[Notice]:
    """Return that another release serves than should run, since when and why."""
    held = read(host)
    if held is None:
        return []
    moment = time.strftime(MOMENT, time.localtime(held.when))
    message = (
        f"says that the release {held.instead} serves in the place of {held.release} since {moment}: {held.reason}"
    )
    again = (
        f" The same one is tried again after {time.strftime(MOMENT, time.localtime(held.until))}." if held.until else ""
    )
    hint = f"An upgrade that brings another release ends this.{again} To try it at once: {RETRY}"
    return [Notice(HELD_RELEASE, message, hint)]
