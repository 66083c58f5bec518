"""Give each package its own version: upstream's, our revision, the suite's suffix.

Only dcor-server follows debian/changelog; all others would be published anew with each of its versions, unchanged.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from dcor_dev.errors import DevError

MAINTAINER = "DCOR server maintainers <dcor-server@users.noreply.github.com>"

_FIRST = re.compile(r"dcor-server \((?P<version>[^)]+)\)")


def section(tree: Path, package: str) -> dict[str, str]:
    """Return what conf/packages.ini says about a package."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(tree / "conf/packages.ini", encoding="utf-8")
    if package not in config:
        raise DevError(f"conf/packages.ini has no section [{package}]")
    return dict(config[package])


def suffix(root: Path) -> str:
    """Return what tells one suite's build from another's: an upgrade to the next Debian must bring its build."""
    text = (root / "usr/lib/os-release").read_text(encoding="utf-8")
    number = re.search(r'^VERSION_ID="?(\d+)', text, re.MULTILINE)
    if not number:
        raise DevError(f"{root}: its os-release names no version")
    return f"~deb{number[1]}u1"


def version(tree: Path, package: str, root: Path) -> str:
    """Return the version of a package as it is built in this root."""
    if package == "dcor-server":
        return _changelog_version(tree)
    values = section(tree, package)
    return f"{values['upstream']}-{values['revision']}{suffix(root)}"


def changelog(tree: Path, package: str, root: Path) -> str:
    """Return the changelog to build a package with, from which dpkg takes its version and the date of all files."""
    if package == "dcor-server":
        return (tree / "debian/changelog").read_text(encoding="utf-8")
    values = section(tree, package)
    head = f"dcor-server ({version(tree, package, root)}) unstable; urgency=medium"
    return f"{head}\n\n  * {package} {values['upstream']}.\n\n -- {MAINTAINER}  {values['date']}\n"


def _changelog_version(tree: Path) -> str:
    match = _FIRST.match((tree / "debian/changelog").read_text(encoding="utf-8"))
    if not match:
        raise DevError("debian/changelog does not begin with a version of dcor-server")
    return match["version"]
