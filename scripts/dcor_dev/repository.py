"""Publish packages as a signed apt repository, and leave it unchanged when the packages are unchanged."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import shutil
from pathlib import Path

from dcor_dev import tools
from dcor_dev.signing import Signer

ARCHITECTURE = "amd64"
COMPONENT = "main"

#: The hashes to leave out, since hashing takes most of the time; apt of all suites verifies SHA256, which remains.
OMITTED_HASHES = ("MD5", "SHA1", "SHA512")


def publish(debs: list[Path], target: Path, suite: str, signer: Signer) -> bool:
    """Make `target` a repository of exactly these packages; return whether it has changed."""
    tools.need("apt-ftparchive")
    new = target.with_name(f".{target.name}.new")
    if new.exists():
        shutil.rmtree(new)
    (new / "pool").mkdir(parents=True)
    _pool(debs, new)
    packages = _ftparchive(new, "packages", "pool")
    key = signer.public_key()
    if _same(target, suite, packages, key):
        shutil.rmtree(new)
        return False
    _index(new, suite, packages)
    (new / "dcor-archive-keyring.gpg").write_bytes(key)
    _release(new, suite, signer)
    if target.exists():
        shutil.rmtree(target)
    new.rename(target)
    return True


def _pool(debs: list[Path], top: Path) -> None:
    for deb in debs:
        package = deb.name.split("_", 1)[0]
        place = top / "pool" / COMPONENT / package
        place.mkdir(parents=True)
        os.link(deb, place / deb.name)


def _same(target: Path, suite: str, packages: str, key: bytes) -> bool:
    index = _binary(target, suite) / "Packages"
    published_key = target / "dcor-archive-keyring.gpg"
    return index.exists() and index.read_text(encoding="utf-8") == packages and published_key.read_bytes() == key


def _binary(top: Path, suite: str) -> Path:
    return top / "dists" / suite / COMPONENT / f"binary-{ARCHITECTURE}"


def _index(top: Path, suite: str, packages: str) -> None:
    """Write the index in each compression, also under its hash, so that HTTP caches cannot mix two publications."""
    directory = _binary(top, suite)
    by_hash = directory / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True)
    data = packages.encode()
    for name, text in (("", data), (".gz", gzip.compress(data, mtime=0)), (".xz", lzma.compress(data))):
        (directory / f"Packages{name}").write_bytes(text)
        (by_hash / hashlib.sha256(text).hexdigest()).write_bytes(text)


def _release(top: Path, suite: str, signer: Signer) -> None:
    fields = {"Origin": "DCOR", "Label": "DCOR", "Suite": suite, "Codename": suite, "Components": COMPONENT}
    fields |= {"Architectures": ARCHITECTURE, "Acquire-By-Hash": "yes", "Description": "DCOR server and what it needs"}
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    directory = top / "dists" / suite
    text = _ftparchive(directory, *options, "release", ".")
    # The files in by-hash are the same as above.
    lines = [line for line in text.splitlines() if "/by-hash/" not in line]
    (directory / "Release").write_text("\n".join(lines) + "\n", encoding="utf-8")
    signer.sign(directory / "Release")


def _ftparchive(directory: Path, *argv: str) -> str:
    options = [f"-oAPT::FTPArchive::{name}=false" for name in OMITTED_HASHES]
    return tools.run(f"apt-ftparchive {argv[-2]} failed", "apt-ftparchive", *options, *argv, directory=directory)
