"""Whether the packages of a release are those that dcor-server was tested with.

apt keeps them together. But a run of it that was cut off, or that has filled the disk, leaves some of them unpacked
beside others of before, and a timer may converge before somebody ends it.
"""

from __future__ import annotations

import re

from dcor_pkg.ckan.release_build import SOURCE_PACKAGES
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import packages
from dcor_pkg.machine.host import Host

#: a relation to a version (Debian Policy, section 7.1)
RELATION = re.compile(rf"\b({'|'.join(SOURCE_PACKAGES)}) \((>=|<<) ([^)]+)\)")
CUT = "An upgrade was cut off, so the former release goes on. To end the upgrade:"


def require(host: Host) -> None:
    """Raise DcorError for a package that the unpacked version of dcor-server does not go with."""
    depends = host.run("dpkg-query", "--show", "--showformat=${Depends}", "dcor-server")
    for package, relation, version in RELATION.findall(depends):
        found = host.run("dpkg-query", "--show", "--showformat=${Version}", package)
        if not host.succeeds("dpkg", "--compare-versions", found, relation, version):
            needed = f"{relation} {version}"
            raise DcorError(
                f"{package} has the version {found}, and dcor-server was tested with {needed}.",
                f"{CUT} {packages.way_on(packages.known(host))}",
            )
