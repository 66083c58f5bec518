"""Read the index of an apt repository, make the entries of new packages, and choose which versions stay in it.

The entries are made by apt-ftparchive and never changed. Read: deb822(5), and "Packages Indices" in
https://wiki.debian.org/DebianRepository/Format.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from pathlib import Path

from dcor_dev import tools
from dcor_dev.errors import DevError

COMPONENT = "main"

#: The hashes to leave out, since hashing takes most of the time; apt of all suites verifies SHA256, which remains.
OMITTED_HASHES = ("MD5", "SHA1", "SHA512")


@dataclass(frozen=True)
class Entry:
    """A paragraph of the index: one version of a package."""

    text: str

    @property
    def package(self) -> str:
        """Return the name of the package."""
        return self._field("Package")

    @property
    def version(self) -> str:
        """Return the version of the package."""
        return self._field("Version")

    @property
    def filename(self) -> str:
        """Return the place of the .deb, relative to the repository."""
        return self._field("Filename")

    @property
    def sha256(self) -> str:
        """Return the hash of the .deb."""
        return self._field("SHA256")

    @property
    def size(self) -> int:
        """Return the size of the .deb in bytes."""
        return int(self._field("Size"))

    def _field(self, name: str) -> str:
        found = re.search(rf"^{name}: (.*)$", self.text, re.MULTILINE)
        if not found:
            raise DevError(f"An entry of the index has no field {name}:\n{self.text}")
        return found[1]


def parse(text: str) -> list[Entry]:
    """Return the entries of an index."""
    return [Entry(paragraph) for paragraph in text.strip().split("\n\n") if paragraph]


def render(entries: Iterable[Entry]) -> str:
    """Return the text of an index."""
    return "".join(f"{entry.text}\n\n" for entry in entries)


def scan(debs: Iterable[Path]) -> dict[Entry, Path]:
    """Return the entries of packages as they are in the pool, with their files."""
    return {_entry(deb): deb for deb in debs}


def _entry(deb: Path) -> Entry:
    text = ftparchive(deb.parent, "packages", deb.name).strip()
    place = Path("pool") / COMPONENT / deb.name.split("_", 1)[0] / deb.name
    return Entry(re.sub(r"^Filename: .*$", f"Filename: {place}", text, flags=re.MULTILINE))


def ftparchive(directory: Path, *argv: str) -> str:
    """Run apt-ftparchive in a directory, and return its output; of the hashes it makes only SHA256."""
    tools.need("apt-ftparchive")
    options = [f"-oAPT::FTPArchive::{name}=false" for name in OMITTED_HASHES]
    return tools.run(f"apt-ftparchive {argv[-2]} failed", "apt-ftparchive", *options, *argv, directory=directory)


def merged(published: Sequence[Entry], new: Sequence[Entry], versions: int) -> list[Entry]:
    """Return the index with new packages, and the newest `versions` of each.

    Raises DevError for a version that is published with other content, and for one that no machine would install.
    """
    for entry in new:
        refuse_other_content(entry, published)
    added = [entry for entry in new if entry not in published]
    everything = [*published, *added]
    for entry in added:
        _refuse_older(entry, newest(everything, entry.package))
    return [
        entry
        for name in sorted({each.package for each in everything})
        for entry in _sorted(everything, name)[:versions]
    ]


def newest(entries: Iterable[Entry], package: str) -> Entry | None:
    """Return the newest version of a package, or None if the index has none."""
    return next(iter(_sorted(entries, package)), None)


def refuse_other_content(entry: Entry, published: Iterable[Entry]) -> None:
    """Raise DevError if this version is published with other content."""
    for other in published:
        if (other.package, other.version) == (entry.package, entry.version) and other.sha256 != entry.sha256:
            raise DevError(
                f"{entry.package} {entry.version} is published with other content; machines that have it would not "
                f"get this one: raise its version (debian/changelog for dcor-server, else conf/packages.ini)."
            )


def _refuse_older(entry: Entry, latest: Entry | None) -> None:
    if latest and latest != entry:
        raise DevError(
            f"{entry.package} {entry.version} is older than {latest.version}, which is published; no machine would "
            f"install it."
        )


def _sorted(entries: Iterable[Entry], package: str) -> list[Entry]:
    """Return the versions of a package, the newest first."""
    own = [entry for entry in entries if entry.package == package]
    return sorted(own, key=cmp_to_key(_compared), reverse=True)


def _compared(one: Entry, other: Entry) -> int:
    return _is(one, "gt", other) - _is(one, "lt", other)


def _is(one: Entry, relation: str, other: Entry) -> bool:
    argv = ["dpkg", "--compare-versions", one.version, relation, other.version]
    return subprocess.run(argv, check=False).returncode == 0
