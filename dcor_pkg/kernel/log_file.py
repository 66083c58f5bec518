"""Logs that CKAN's programs write themselves."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.machine.host import Access, Host

#: what `dcor inspect` wants of all that lies in CKAN's log directory
ACCESS = Access(0o644, "www-data", "adm")


@dataclass(frozen=True)
class LogFile:
    """A log that group adm may read, as Debian's logs; made before its program would make it otherwise."""

    path: str

    @property
    def name(self) -> str:
        return f"log {self.path}"

    def check(self, host: Host) -> str | None:
        return host.access_drift(self.path, ACCESS)

    def apply(self, host: Host) -> None:
        host.append(self.path, "", ACCESS)
