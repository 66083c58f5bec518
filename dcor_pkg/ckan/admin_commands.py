"""The manual's commands lead to the active release: `source /usr/lib/ckan/default/bin/activate`, `ckan`, `dcor`.

The two files that python-ckan ships there are diverted (dpkg-divert(1)), so its upgrades leave our links alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import release
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import PACKAGED_CKAN

DIVERTED = ("activate", "ckan")
LINKS = (*DIVERTED, "dcor")


@dataclass(frozen=True)
class AdminCommands:
    """Links in python-ckan's environment to the active release."""

    name: str = "admin's commands"

    def check(self, host: Host) -> str | None:
        wrong = [link for link in LINKS if host.target(f"{PACKAGED_CKAN}/bin/{link}") != _target(link)]
        return f"{PACKAGED_CKAN}/bin/{wrong[0]} does not lead to the active release" if wrong else None

    def apply(self, host: Host) -> None:
        for name in DIVERTED:
            path = f"{PACKAGED_CKAN}/bin/{name}"
            host.run(
                *("dpkg-divert", "--quiet", "--package", "dcor-server", "--rename"),
                *("--divert", f"{path}{release.DIVERTED}", "--add", path),
            )
        for link in LINKS:
            host.link(f"{PACKAGED_CKAN}/bin/{link}", _target(link))


def _target(link: str) -> str:
    return f"{release.CURRENT}/bin/{link}"
