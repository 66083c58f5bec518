"""Somebody who publishes packages with two names, for the tests of clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from apt_client import SUITE, package
from dcor_dev import apt_index, keyring, publication, repository, signing
from dcor_dev.publication import Suite
from dcor_dev.repository import PUBLIC, Policy

NAMES = ("dcor-server", "python-ckan")


@dataclass
class Publisher:
    """Somebody who publishes versions of two packages, with some of their keys."""

    directory: Path
    keys: list[Path] = field(default_factory=list)
    policy: Policy = PUBLIC

    @property
    def apt(self) -> Path:
        return self.directory / "apt"

    def add(self, version: int, *others: Path, suite: str = SUITE, content: bytes = b"") -> bool:
        """Publish this version of each package."""
        place = self.directory / f"{version}-{len(list(self.directory.iterdir()))}"
        debs = [package(place, name, f"{version}.0", content) for name in NAMES]
        return self.publish(*debs, *others, suite=suite)

    def publish(self, *debs: Path, suite: str = SUITE) -> bool:
        with signing.signer(*self.keys) as signer, repository.locked(self.apt, signer, self.policy) as apt:
            return apt.add(suite, debs)

    def refresh(self) -> None:
        with signing.signer(*self.keys) as signer, repository.locked(self.apt, signer, self.policy) as apt:
            apt.refresh(SUITE)

    def public(self) -> bytes:
        with signing.signer(*self.keys) as signer:
            return signer.public_key()

    def keyring(self, version: str) -> Path:
        """Return a package of the keyring with the present keys."""
        return package(self.directory / f"keyring-{version}", keyring.PACKAGE, version, self.public())


def fields(publisher: Publisher) -> dict[str, str]:
    text = (Suite(publisher.apt, SUITE).link / "Release").read_text()
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def pool(publisher: Publisher) -> set[str]:
    return {path.name for path in publisher.apt.glob("pool/**/*.deb")}


def missing(publisher: Publisher) -> str:
    """Return what a client that reads InRelease now does not find, or nothing."""
    link = Suite(publisher.apt, SUITE).link
    try:
        text = (link / "InRelease").read_text()
        hashes = [line.split()[0] for line in text.splitlines() if line.endswith(("Packages", ".gz", ".xz"))]
        indices = [(link / publication.INDEX / "by-hash/SHA256" / name).read_bytes() for name in hashes]
        lost = [
            entry.filename
            for entry in apt_index.parse(indices[0].decode())
            if not (publisher.apt / entry.filename).exists()
        ]
        return ", ".join(lost) if len(hashes) == 3 else text
    except OSError as error:
        return str(error)


def state(top: Path) -> dict[str, bytes | str]:
    files = {str(path): path.read_bytes() for path in top.rglob("*") if path.is_file() and not path.is_symlink()}
    return {**files, **{str(path): str(path.readlink()) for path in top.rglob("*") if path.is_symlink()}}
