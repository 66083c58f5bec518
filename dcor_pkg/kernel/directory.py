"""Directories that services write in."""

from __future__ import annotations

import stat
from dataclasses import dataclass

from dcor_pkg.machine.host import Access, Host


@dataclass(frozen=True)
class Directory:
    """A directory with its access; what is in it is neither listed nor changed.

    With a million files a walk takes minutes, and `chown -R` on a network share takes hours.
    """

    path: str
    access: Access

    @property
    def name(self) -> str:
        return f"directory {self.path}"

    def check(self, host: Host) -> str | None:
        return host.access_drift(self.path, self.access, stat.S_IFDIR)

    def apply(self, host: Host) -> None:
        host.make_directory(self.path, self.access)
