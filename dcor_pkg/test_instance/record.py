"""What is known of a test instance: when it was made, and for which release."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.test_instance.places import HOME, INI, RECORD

REMOVE = "dcor-server test-instance remove"


@dataclass(frozen=True)
class Instance:
    """A complete test instance; its fields are the keys of the file."""

    release: str
    #: seconds since 1970
    since: float

    @property
    def moment(self) -> str:
        """When it was made, as a text."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))


def read(host: Host) -> Instance | None:
    """Return the complete test instance, or None."""
    found: dict[str, Any] = state_file.read(host, RECORD, {})
    return Instance(**found) if found.keys() == Instance.__annotations__.keys() else None


def write(host: Host, instance: Instance) -> None:
    """Record that the instance is complete."""
    state_file.write(host, RECORD, asdict(instance))


def required(host: Host, release: str | None) -> Instance:
    """Return the test instance. Raises DcorError where there is none for the release that serves."""
    found = read(host)
    if found is None:
        raise DcorError("There is no test instance.", "dcor-server test-instance create")
    if found.release != release:
        reason = f"The test instance was made for the release {found.release}, and {release} serves now."
        raise DcorError(reason, f"{REMOVE}, and create another one.")
    return found


def notices(host: Host) -> list[Notice]:
    """Return that there is a test instance, or what is left of one."""
    if (found := read(host)) is not None:
        return [Notice(INI, f"is of a test instance, which was made on {found.moment} and uses memory", REMOVE)]
    return [Notice(HOME, "is left of a test instance that is not complete", REMOVE)] if host.exists(HOME) else []
