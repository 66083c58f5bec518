"""Determine the version of each package: upstream's version, our revision and the suite's suffix.

Only dcor-server has the version of debian/changelog; otherwise all packages would be published again with each version
of dcor-server, although unchanged.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from dcor_dev.errors import DevError

MAINTAINER = "DCOR server maintainers <dcor-server@users.noreply.github.com>"

_FIRST = re.compile(r"dcor-server \((?P<version>[^)]+)\)")


def section(tree: Path, package: str) -> dict[str, str]:
    """Return the section of a package in conf/packages.ini. Raises DevError when there is none."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(tree / "conf/packages.ini", encoding="utf-8")
    if package not in config:
        raise DevError(f"conf/packages.ini has no section [{package}]")
    return dict(config[package])


def suffix(root: Path) -> str:
    """Return the suffix of a suite's builds; it increases with Debian's version, so upgrades replace them."""
    text = (root / "usr/lib/os-release").read_text(encoding="utf-8")
    number = re.search(r'^VERSION_ID="?(\d+)', text, re.MULTILINE)
    if not number:
        raise DevError(f"{root}/usr/lib/os-release has no VERSION_ID")
    return f"~deb{number[1]}u1"


def version(tree: Path, package: str, root: Path) -> str:
    """Return the version of a package when it is built in this root."""
    if package == "dcor-server":
        return _changelog_version(tree)
    values = section(tree, package)
    return f"{values['upstream']}-{values['revision']}{suffix(root)}"


def changelog(tree: Path, package: str, root: Path) -> str:
    """Return the changelog for building a package: dpkg takes the version and the date of all files from it."""
    if package == "dcor-server":
        return (tree / "debian/changelog").read_text(encoding="utf-8")
    values = section(tree, package)
    head = f"dcor-server ({version(tree, package, root)}) unstable; urgency=medium"
    return f"{head}\n\n  * {package} {values['upstream']}.\n\n -- {MAINTAINER}  {values['date']}\n"


def _changelog_version(tree: Path) -> str:
    match = _FIRST.match((tree / "debian/changelog").read_text(encoding="utf-8"))
    if not match:
        raise DevError("debian/changelog does not start with an entry of dcor-server")
    return match["version"]
