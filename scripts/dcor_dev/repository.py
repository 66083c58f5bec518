"""Make a signed apt repository of a folder of packages, and leave it alone when nothing in it has changed."""

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

#: Only what apt of all our suites verifies; hashing is what takes the time here.
HASHES = ("MD5", "SHA1", "SHA512")


def publish(debs: list[Path], target: Path, suite: str, signer: Signer) -> bool:
    """Make `target` the repository of exactly these packages; tell whether anything was to be done."""
    tools.need("apt-ftparchive")
    beside = target.with_name(f".{target.name}.new")
    if beside.exists():
        shutil.rmtree(beside)
    (beside / "pool").mkdir(parents=True)
    _pool(debs, beside)
    packages = _ftparchive(beside, "packages", "pool")
    key = signer.public_key()
    if _same(target, suite, packages, key):
        shutil.rmtree(beside)
        return False
    _index(beside, suite, packages)
    (beside / "dcor-archive-keyring.gpg").write_bytes(key)
    _release(beside, suite, signer)
    if target.exists():
        shutil.rmtree(target)
    beside.rename(target)
    return True


def _pool(debs: list[Path], top: Path) -> None:
    for deb in debs:
        package = deb.name.split("_", 1)[0]
        place = top / "pool" / COMPONENT / package
        place.mkdir(parents=True)
        os.link(deb, place / deb.name)


def _same(target: Path, suite: str, packages: str, key: bytes) -> bool:
    index = _binary(target, suite) / "Packages"
    kept = target / "dcor-archive-keyring.gpg"
    return index.exists() and index.read_text(encoding="utf-8") == packages and kept.read_bytes() == key


def _binary(top: Path, suite: str) -> Path:
    return top / "dists" / suite / COMPONENT / f"binary-{ARCHITECTURE}"


def _index(top: Path, suite: str, packages: str) -> None:
    """Write the index in all its forms, and each by its hash, so that no cache on the way can mix two publications."""
    folder = _binary(top, suite)
    by_hash = folder / "by-hash" / "SHA256"
    by_hash.mkdir(parents=True)
    data = packages.encode()
    for name, text in (("", data), (".gz", gzip.compress(data, mtime=0)), (".xz", lzma.compress(data))):
        (folder / f"Packages{name}").write_bytes(text)
        (by_hash / hashlib.sha256(text).hexdigest()).write_bytes(text)


def _release(top: Path, suite: str, signer: Signer) -> None:
    fields = {"Origin": "DCOR", "Label": "DCOR", "Suite": suite, "Codename": suite, "Components": COMPONENT}
    fields |= {"Architectures": ARCHITECTURE, "Acquire-By-Hash": "yes", "Description": "DCOR server and what it needs"}
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    folder = top / "dists" / suite
    text = _ftparchive(folder, *options, "release", ".")
    # by-hash is another way to the files above, not more of them
    kept = [line for line in text.splitlines() if "/by-hash/" not in line]
    (folder / "Release").write_text("\n".join(kept) + "\n", encoding="utf-8")
    signer.sign(folder / "Release")


def _ftparchive(folder: Path, *argv: str) -> str:
    options = [f"-oAPT::FTPArchive::{name}=false" for name in HASHES]
    return tools.run(f"apt-ftparchive {argv[-2]} failed", "apt-ftparchive", *options, *argv, folder=folder)
