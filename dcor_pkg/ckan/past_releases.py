"""Which releases have served, with which configuration, and which database they have left: the way back.

The newest comes first. The active one and the two before it are kept on the disk, each with its copies of the
configuration; where a new one needs the room, only one before it (release_room.py).
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from dcor_pkg.ckan.programs import Programs
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE

STATE_FILE = f"{STATE}/releases.json"
KEPT = 3


@dataclass(frozen=True)
class Served:
    """A release that serves, or has served; its fields are the keys of the state file."""

    release: str
    configuration: str
    #: in seconds since 1970; 0 where it served before there was this file
    since: float
    #: the name of the database that it has left, where the next release migrated it
    database: str = ""

    @property
    def programs(self) -> Programs:
        """Its programs, as they were."""
        return Programs(self.release, self.configuration)


def read(host: Host) -> list[Served]:
    """Return the kept releases, the active one first."""
    found: list[dict[str, str]] = state_file.read(host, STATE_FILE, [])
    return [Served(**it) for it in found if isinstance(it, dict) and it.keys() == Served.__annotations__.keys()]  # type: ignore[arg-type]


def record(host: Host, programs: Programs, former: Programs | None, database: str = "") -> None:
    """Record that programs serve from now on, and the name of the database that the former ones have left."""
    past = [it for it in read(host) if it.release != programs.release]
    if former is not None and former.release != programs.release:
        since = next((it.since for it in past if it.release == former.release), 0.0)
        others = [it for it in past if it.release != former.release]
        past = [Served(former.release, former.configuration, since, database), *others]
    known = next((it for it in read(host) if it.release == programs.release and former == it.programs), None)
    since = time.time() if known is None else known.since
    served = [Served(programs.release, programs.configuration, since), *past]
    state_file.write(host, STATE_FILE, [asdict(it) for it in served[:KEPT]])


def take_back(host: Host, programs: Programs, other: Programs, database: str) -> None:
    """Record that programs go on, where others were recorded; `database`: the one that those still have, or nothing."""
    served = read(host)
    if not served or served[0].release != other.release or other.release == programs.release:
        return
    since = next((it.since for it in served if it.release == programs.release), 0.0)
    back = [Served(other.release, other.configuration, served[0].since, database)] if database else []
    rest = [it for it in served if it.release not in (programs.release, other.release)]
    found = [Served(programs.release, programs.configuration, since), *back, *rest]
    state_file.write(host, STATE_FILE, [asdict(it) for it in found[:KEPT]])


def forget(host: Host, release: str) -> None:
    """Record that there is no way back to a release."""
    state_file.write(host, STATE_FILE, [asdict(it) for it in read(host) if it.release != release])
