"""What is known of a test instance: when it was made, and for which release."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.test_instance.places import HOME, INI, RECORD

REMOVE = "dcor-server test-instance remove"
ACCESS = Access(0o644)


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
    try:
        return Instance(**json.loads(host.read(RECORD) or "null"))
    except (TypeError, ValueError):
        return None


def write(host: Host, instance: Instance) -> None:
    """Record that the instance is complete."""
    host.write(RECORD, json.dumps(asdict(instance)), ACCESS)


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
