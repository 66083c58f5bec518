"""Log files that CKAN's programs write themselves."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER

#: what `dcor inspect` (dcor_control) expects of each file in CKAN's log directory
ACCESS = Access(0o644, CKAN_USER, "adm")


@dataclass(frozen=True)
class LogFile:
    """A log that the group adm may read, as Debian's logs; made before its program makes it with another access."""

    path: str

    @property
    def name(self) -> str:
        return f"log {self.path}"

    def check(self, host: Host) -> str | None:
        return host.access_drift(self.path, ACCESS)

    def apply(self, host: Host) -> None:
        host.append(self.path, "", ACCESS)
