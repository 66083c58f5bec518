"""What is under way when a database is migrated, recorded for the run after a power cut; and what has failed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import MIGRATION, STATE

#: the last release whose migration has failed
FAILED = f"{STATE}/failed-migration.json"
#: each attempt costs seconds of 503
PAUSE_HOURS = 24
RETRY = "To try again at once: dcor-server converge --retry-release"


@dataclass(frozen=True)
class Act:
    """One migration: from the programs of a release to those of another, or of the same."""

    wanted: Programs
    former: Programs
    #: the name that the former database gets
    aside: str
    #: the name that the database which takes its place has had before
    incoming: str
    #: whether nginx passes requests to the new programs
    turned: bool = False
    #: of a way back: the release that should run, and why it does not; both empty in a migration
    should_run: str = ""
    reason: str = ""

    def record(self, host: Host) -> None:
        """Record that it is under way, and how far."""
        state_file.write(host, MIGRATION, asdict(self))


def under_way(host: Host) -> Act | None:
    """Return the act that has begun and not ended, or None."""
    found: dict[str, Any] = state_file.read(host, MIGRATION, {})
    if found.keys() != Act.__annotations__.keys():
        return None
    pair = {name: Programs(**found[name]) for name in ("wanted", "former")}
    return Act(**{**found, **pair})


def forget(host: Host) -> None:
    """Record that nothing is under way."""
    host.remove(MIGRATION)


def record_failure(host: Host, release: str, reason: str) -> None:
    """Record that a release could not take over the database."""
    state_file.write(host, FAILED, {"release": release, "reason": reason, "when": time.time()})


def forget_failure(host: Host) -> None:
    """Let the next converge try again."""
    host.remove(FAILED)


def paused(host: Host, release: str) -> str | None:
    """Return when and why the migration to a release has failed, if that was within the last day."""
    found: dict[str, Any] = state_file.read(host, FAILED, {})
    if found.keys() != {"release", "reason", "when"} or found["release"] != release:
        return None
    if not 0 <= time.time() - found["when"] < PAUSE_HOURS * 3600:
        return None
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(found["when"]))
    return f"({moment}): {found['reason']}"


def require_not_paused(host: Host, release: str) -> None:
    """Raise DcorError where the migration to a release has failed within the last day."""
    failure = paused(host, release)
    if failure is not None:
        raise DcorError(
            f"The release {release} does not serve, because the migration of the database to it failed {failure}",
            f"The former release serves, with the database as it was. It is tried again after {PAUSE_HOURS} hours. {RETRY}",
        )
