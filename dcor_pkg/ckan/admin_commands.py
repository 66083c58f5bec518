"""The commands of DCOR's manual run in the active release: `source /usr/lib/ckan/default/bin/activate`, `ckan`, `dcor`.

So does `pip`, which shows what is installed there and changes nothing. They are links in python-ckan's environment.
All but `dcor` replace files of that package, which are diverted (dpkg-divert(1)), so that its upgrades leave the links
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CURRENT, DIVERTED_SUFFIX, PACKAGED_CKAN

DIVERTED = ("activate", "ckan", "pip", "pip3")
LINKS = (*DIVERTED, "dcor")


@dataclass(frozen=True)
class AdminCommands:
    """Links in python-ckan's environment to the active release."""

    name: str = "admin's commands"

    def check(self, host: Host) -> str | None:
        wrong = [link for link in LINKS if host.target(f"{PACKAGED_CKAN}/bin/{link}") != _target(link)]
        return f"{PACKAGED_CKAN}/bin/{wrong[0]} is not a link to the active release" if wrong else None

    def apply(self, host: Host) -> None:
        for name in DIVERTED:
            path = f"{PACKAGED_CKAN}/bin/{name}"
            host.run(
                *("dpkg-divert", "--quiet", "--package", "dcor-server", "--rename"),
                *("--divert", f"{path}{DIVERTED_SUFFIX}", "--add", path),
            )
        for link in LINKS:
            host.link(f"{PACKAGED_CKAN}/bin/{link}", _target(link))


def _target(link: str) -> str:
    return f"{CURRENT}/bin/{link}"
