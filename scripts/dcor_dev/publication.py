"""Make the publications of a suite: whole directories, of which the link `dists/SUITE` names one.

    pool/main/PACKAGE/*.deb
    publications/SUITE/TIME/            what apt asks for: InRelease, Release, Release.gpg, main/binary-amd64/...
    dists/SUITE -> ../publications/SUITE/TIME

The link is exchanged by one rename, so that a client meets one publication or the other, whole. A client that has
read InRelease of a former one asks for its indices by their hash, and finds these in the later ones, too.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dcor_dev import apt_index, durable
from dcor_dev.apt_index import Entry
from dcor_dev.errors import DevError
from dcor_dev.signing import Signer

ARCHITECTURE = "amd64"
INDEX = Path(apt_index.COMPONENT) / f"binary-{ARCHITECTURE}"

#: The compressions of an index; without a time in them, so that an unchanged index has an unchanged hash.
PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
}

#: What apt knows the repository by, and asks about if it changes: these words are fixed for ever.
ORIGIN = LABEL = "DCOR"

#: The name of a publication: when it was made (UTC).
NAME = "%Y%m%dT%H%M%S.%fZ"
#: The name of one that was made before there were names, or by another tool.
UNNAMED = "00010101T000000.000000Z"


@dataclass(frozen=True)
class Suite:
    """A suite of a repository."""

    top: Path
    name: str

    @property
    def link(self) -> Path:
        """Return the place where clients find the suite."""
        return self.top / "dists" / self.name

    @property
    def directory(self) -> Path:
        """Return the directory of the publications."""
        return self.top / "publications" / self.name

    def current(self) -> Path | None:
        """Return the publication that clients get, or None before the first."""
        return self.link.resolve() if self.link.exists() else None

    def publications(self) -> list[Path]:
        """Return all complete publications, the oldest first."""
        found = self.directory.iterdir() if self.directory.exists() else ()
        return sorted(path for path in found if not path.name.startswith(durable.TEMPORARY))

    def entries(self) -> list[Entry]:
        """Return the index that clients get; empty before the first publication."""
        current = self.current()
        return read_index(current) if current else []

    def valid_until(self) -> str:
        """Return when apt begins to reject what clients get, as the Release file says it; "never" if it does not."""
        text = (self.link / "Release").read_text(encoding="utf-8")
        found = re.search(r"^Valid-Until: (.*)$", text, re.MULTILINE)
        return found[1] if found else "never"

    def tidy(self) -> None:
        """Remove what no client ever got, left by a process that was killed.

        A plain directory becomes a publication; a link that was lost leads to the last publication again.
        """
        if self.link.is_dir() and not self.link.is_symlink():
            durable.make_directory(self.directory)
            self.link.rename(self.directory / UNNAMED)
        found = self.publications()
        if found and not self.current():
            self.show(found[-1])
        current = self.current()
        self.remove_all_but(path for path in found if current and path.name <= current.name)

    def show(self, publication: Path) -> None:
        """Let clients get this publication."""
        durable.link_to(f"../publications/{self.name}/{publication.name}", self.link)

    def place(self, publication: Path) -> None:
        """Let clients get this publication as a plain directory and the only one; for a moment there is none.

        A medium may have a file system without links (FAT).
        """
        durable.make_directory(self.link.parent)
        former = self.link.with_name(f"{durable.TEMPORARY}{self.name}")
        durable.remove(former)
        if self.link.is_symlink() or self.link.exists():
            self.link.rename(former)
        publication.rename(self.link)
        durable.remove(former)
        durable.remove(self.top / "publications")

    def young(self, now: datetime, age: timedelta) -> list[Path]:
        """Return the publications that a client may have read within the last `age`, when another follows now."""
        found = self.publications()
        ends = [*(_time(path) for path in found[1:]), now]
        return [path for path, end in zip(found, ends) if end > now - age]

    def remove_all_but(self, publications: Iterable[Path]) -> None:
        """Remove the other publications, and incomplete ones."""
        stay = {path.name for path in publications}
        for path in list(self.directory.iterdir()) if self.directory.exists() else ():
            if path.name not in stay:
                durable.remove(path)


def suites(top: Path) -> list[Suite]:
    """Return all suites of a repository."""
    return [Suite(top, path.name) for path in sorted((top / "dists").glob("[!.]*"))]


def read_index(publication: Path) -> list[Entry]:
    """Return the entries of a publication's index."""
    return apt_index.parse((publication / INDEX / "Packages").read_text(encoding="utf-8"))


def make(suite: Suite, index: str, former: Iterable[Path], signer: Signer, valid: timedelta | None) -> Path:
    """Make a publication and return it; clients do not get it yet. It has the indices of former ones by their hash.

    Raises DevError if the clock shows a time before the last publication.
    """
    now = datetime.now(timezone.utc)
    place = suite.directory / now.strftime(NAME)
    if any(other.name >= place.name for other in suite.publications()):
        raise DevError(f"The clock shows {now:%Y-%m-%d %H:%M} UTC, before the last publication in {suite.directory}.")
    new = durable.temporary_directory(place)
    _write_index(new, index)
    _release(new, suite.name, valid)
    signer.sign(new / "Release")
    for publication in (new, *former):
        _link_by_hash(publication, new)
    durable.sync_tree(new)
    new.rename(place)
    durable.sync(suite.directory)
    return place


def _write_index(publication: Path, text: str) -> None:
    (publication / INDEX).mkdir(parents=True)
    for suffix, pack in PACKED.items():
        (publication / INDEX / f"Packages{suffix}").write_bytes(pack(text.encode()))


def _release(publication: Path, suite: str, valid: timedelta | None) -> None:
    fields = {
        "Origin": ORIGIN,
        "Label": LABEL,
        "Suite": suite,
        "Codename": suite,
        "Components": apt_index.COMPONENT,
        "Architectures": ARCHITECTURE,
        "Acquire-By-Hash": "yes",
        "Description": "DCOR server and what it needs",
    }
    if valid:
        fields["ValidTime"] = str(int(valid.total_seconds()))  # becomes Valid-Until
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    text = apt_index.ftparchive(publication, *options, "release", ".")
    (publication / "Release").write_text(text, encoding="utf-8")


def _link_by_hash(publication: Path, new: Path) -> None:
    """Give the new publication the indices of a publication, by their hash."""
    by_hash = new / INDEX / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True, exist_ok=True)
    for suffix in PACKED:
        file = publication / INDEX / f"Packages{suffix}"
        place = by_hash / hashlib.sha256(file.read_bytes()).hexdigest()
        if not place.exists():
            os.link(file, place)


def _time(publication: Path) -> datetime:
    return datetime.strptime(publication.name, NAME).replace(tzinfo=timezone.utc)
