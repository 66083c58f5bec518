"""Directories that services write in."""

from __future__ import annotations

import stat
from dataclasses import dataclass

from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Access, Host


@dataclass(frozen=True)
class Directory:
    """A directory with its access; what is in it is neither listed nor changed.

    With a million files a walk takes minutes, and `chown -R` on a network share takes hours.
    """

    path: str
    access: Access
    #: whether others may use it too, so that an existing one of root's keeps its access if everybody may pass
    shared: bool = False
    #: the actions ("restart UNIT") that are pending when it was missing: a confined unit writes in the directory that
    #: was there at its start, and sees a new one as read-only (systemd.exec(5), "ReadWritePaths=")
    then: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"directory {self.path}"

    def check(self, host: Host) -> str | None:
        drift = host.access_drift(self.path, self.access, stat.S_IFDIR)
        found = host.access(self.path)
        is_directory = host.path(self.path).is_dir() and host.target(self.path) is None
        return None if self.shared and is_directory and found is not None and found.lets_pass else drift

    def apply(self, host: Host) -> None:
        for action in () if host.exists(self.path) else self.then:
            pending.request(host, action)
        host.make_directory(self.path, self.access)
