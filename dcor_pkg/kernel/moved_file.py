"""Managed files that an earlier version kept in a directory of another user, who could have exchanged them."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Access, Host


@dataclass(frozen=True)
class MovedFile:
    """A managed file that has left `former`, in a directory of `owner`. What an admin has written in it goes along."""

    former: str
    path: str
    access: Access
    owner: str

    @property
    def name(self) -> str:
        return f"move of {self.former}"

    def check(self, host: Host) -> str | None:
        # Only once: later, whoever owns the directory might write there what is then taken for the admin's text.
        return f"has to move to {self.path}" if managed_file.is_recorded(host, self.former) else None

    def apply(self, host: Host) -> None:
        """Write a changed text to the new place, and remove the file. Raises DcorError for what is not a file."""
        text = host.read(self.former)
        if text is not None and not managed_file.is_ours(host, self.former, text):
            managed_file.adopt(host, self.path, text, self.access)
        host.remove(managed_file.new_version(self.former), self.owner)
        managed_file.remove(host, self.former, self.owner)
