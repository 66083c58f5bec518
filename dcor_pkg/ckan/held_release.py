"""The release that this server has gone back from: it does not serve again by itself.

The rule: it is held back until the id of the release that should run is another one (an upgrade brings that), or until
an administrator says `dcor-server converge --retry-release`.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import HELD_RELEASE


@dataclass(frozen=True)
class Held:
    """Which release is held back; its fields are the keys of the state file. facts.py reads the first two."""

    release: str
    #: the one that serves in its place
    instead: str
    reason: str
    #: in seconds since 1970
    when: float


def read(host: Host) -> Held | None:
    """Return what is held back, or None."""
    found: dict[str, Any] = state_file.read(host, HELD_RELEASE, {})
    return Held(**found) if found.keys() == Held.__annotations__.keys() else None


def hold(host: Host, release: str, instead: str, reason: str) -> None:
    """Let another release serve in the place of one."""
    state_file.write(host, HELD_RELEASE, asdict(Held(release, instead, reason, time.time())))


def settle(host: Host, should_run: str, serves: str, reason: str) -> None:
    """Record what a release that was gone back to means for the one that should run."""
    if should_run == serves:
        forget(host)
    else:
        hold(host, should_run, serves, reason)


def forget(host: Host) -> None:
    """Let the release serve that should run."""
    host.remove(HELD_RELEASE)


def notices(host: Host) -> list[Notice]:
    """Return that another release serves than should run, since when and why."""
    held = read(host)
    if held is None:
        return []
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(held.when))
    message = (
        f"says that the release {held.instead} serves in the place of {held.release} since {moment}: {held.reason}"
    )
    hint = "An upgrade that brings another release ends this. To try the same one again: dcor-server converge --retry-release"
    return [Notice(HELD_RELEASE, message, hint)]
