"""The .pth files of a release, tried as CKAN's user: those that fail for that user need not fail for root."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER

#: why a line fails, by the kinds of dcor_runtime.pth_files
REASONS = {
    "unreadable": "{about} cannot be read by " + CKAN_USER,
    "other python": "it is of another Python ({about})",
    "left over": "{about} is not there: it is left of a package that was uninstalled",
    "fails": "{about}",
}


@dataclass(frozen=True)
class Fault:
    """A line of a .pth file that fails."""

    file: str
    line: int
    kind: str
    about: str

    def __str__(self) -> str:
        return f"line {self.line} of {self.file} fails: {REASONS[self.kind].format(about=self.about)}"


def faults(host: Host, name: str) -> list[Fault]:
    """Return the lines that fail in the release with this name. Raises DcorError."""
    output = release.run(host, name, "python", "-m", "dcor_runtime.pth_files")
    return [Fault(**found) for found in json.loads(output.strip().splitlines()[-1])]


def remove_failing(host: Host, name: str, needed: str) -> None:
    """Remove the .pth files that fail from a release that is being made: they may be left of others' installations.

    Raises DcorError where the `needed` one fails.
    """
    site = release.site_packages(host, release.directory(name))
    failing = {fault.file: fault for fault in faults(host, name)}
    if needed in failing:
        raise DcorError(
            f"The release cannot start: {failing[needed]}.",
            "Reinstall it: apt install --reinstall python-ckan dcor-wheels, then: dcor-server converge",
        )
    for file in failing:
        host.remove(f"{site}/{file}")
