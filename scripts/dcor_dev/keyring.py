"""Refuse to sign with keys that the servers do not have: they would reject the repository, and the way out of that."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from dcor_dev.errors import DevError
from dcor_dev.signing import Signer

PACKAGE = "dcor-archive-keyring"

#: The file of the keys in the package.
KEYRING = "usr/share/keyrings/dcor-archive-keyring.gpg"


def require_known(signer: Signer, deb: Path | None, whose: str) -> None:
    """Raise DevError unless a package of the keyring has at least one of the signer's keys; None has all."""
    if deb is None:
        return
    known = signer.fingerprints_of(keys(deb))
    if not known & signer.fingerprints():
        raise DevError(
            f"{deb.name}, which {whose}, has none of the keys to sign with, so servers would reject the repository: "
            f"sign with one of {', '.join(sorted(known))}, too (--key may be given twice)."
        )


def keys(deb: Path) -> bytes:
    """Return the public keys in a package of the keyring."""
    packed = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile(f"./{KEYRING}")
        if file is None:
            raise DevError(f"{deb} has no file {KEYRING}")
        return file.read()
