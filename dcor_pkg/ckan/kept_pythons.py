"""The step by which apt leaves the Pythons that releases were made with, those of a former Debian included."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import release
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine import python_environment
from dcor_pkg.machine.host import Host

FILE = "/etc/apt/apt.conf.d/03dcor-server"


@dataclass(frozen=True)
class KeptPythons:
    """apt's setting for the Pythons of the releases that are there; others are removed before."""

    name: str = f"file {FILE}"

    def check(self, host: Host) -> str | None:
        return _file(host).check(host)

    def apply(self, host: Host) -> None:
        _file(host).apply(host)


def _file(host: Host) -> ManagedFile:
    found = (python_environment.find(host, release.directory(it)) for it in release.ids(host))
    return ManagedFile(FILE, "ckan/templates/apt.conf", {"pythons": tuple(sorted({it for it in found if it}))})
