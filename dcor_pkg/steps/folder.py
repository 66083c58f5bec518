"""Folders that services write in."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.host import Access, Host


@dataclass(frozen=True)
class Folder:
    """A folder with its access; what lies in it is never listed, let alone changed.

    With a million files a walk takes minutes, and `chown -R` on a network share takes hours.
    """

    path: str
    access: Access

    @property
    def name(self) -> str:
        return f"folder {self.path}"

    def check(self, host: Host) -> str | None:
        found = host.access(self.path)
        if found is None:
            return "is missing"
        return None if found == self.access else f"is {found}, not {self.access}"

    def apply(self, host: Host) -> None:
        host.make_folder(self.path, self.access)
