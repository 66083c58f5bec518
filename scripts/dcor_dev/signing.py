"""Sign the repository with given release keys, or with a test key that is created once.

Two keys sign while one follows the other: apt accepts a repository if it knows one of them.

The private key is in a home directory of GnuPG that only root can read; it is never an argument or in a log.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcor_dev import cache, tools
from dcor_dev.errors import DevError

#: The user id of the test key, which is displayed with its signatures.
TEST_IDENTITY = "Test key of a DCOR server's build, trusted by nobody else"

#: The sockets that a killed gpg-agent leaves in its home directory.
SOCKETS = "S.*"


@dataclass(frozen=True)
class Signer:
    """Signs with all private keys of a GnuPG home directory."""

    home: Path

    def public_key(self) -> bytes:
        """Return the public keys in binary form, as for apt's Signed-By."""
        return self._gpg("--export-options", "export-minimal", "--export", *sorted(self.fingerprints()))

    def fingerprints(self) -> set[str]:
        """Return the fingerprints of the keys that sign."""
        return _fingerprints(self._gpg("--with-colons", "--list-secret-keys"), "sec")

    def fingerprints_of(self, keys: bytes) -> set[str]:
        """Return the fingerprints of public keys."""
        return _fingerprints(self._gpg("--with-colons", "--show-keys", given=keys), "pub")

    def sign(self, release: Path) -> None:
        """Write InRelease and Release.gpg, with a signature of each key, to the directory of a Release file."""
        users = [f"--local-user={fingerprint}" for fingerprint in sorted(self.fingerprints())]
        self._gpg(*users, "--output", str(release.with_name("InRelease")), "--clearsign", str(release))
        self._gpg(*users, "--armor", "--output", str(release.with_name("Release.gpg")), "--detach-sign", str(release))

    def make_test_key(self) -> None:
        """Create a key for signing only, without a passphrase."""
        self._gpg("--passphrase", "", "--quick-generate-key", TEST_IDENTITY, "ed25519", "sign", "never")

    def import_key(self, key: Path) -> None:
        """Import a release key from a file. Raises DevError when the file has no private key."""
        if not _fingerprints(self._gpg("--with-colons", "--show-keys", str(key)), "sec"):
            raise DevError(f"{key} contains no private key")
        self._gpg("--import", str(key))

    def _gpg(self, *argv: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", "--digest-algo", "SHA512", *argv]
        done = subprocess.run(command, capture_output=True, input=given, check=False)
        if done.returncode:
            raise DevError(f"gpg {' '.join(argv)} failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _fingerprints(listing: bytes, kind: str) -> set[str]:
    """Return those of the primary keys in a listing of GnuPG (doc/DETAILS, "Format of the colon listings")."""
    found: set[str] = set()
    wanted = False
    for line in listing.decode(errors="replace").splitlines():
        fields = line.split(":")
        if fields[0] == "fpr" and wanted:
            found.add(fields[9])
        wanted = fields[0] == kind
    return found


@contextmanager
def signer(*keys: Path) -> Iterator[Signer]:
    """Provide the signer of release keys, or of the cached test key if there are none.

    Each signer has a home directory of its own, which is removed afterwards: stopping gpg-agent would stop it for all
    processes with the same home directory.
    """
    tools.need("gpg", "gpg-agent")
    with tempfile.TemporaryDirectory(prefix="dcor-key-") as name:
        home = Path(name)
        if not keys:
            cached = cache.directory("key", "test", _make_test_home)
            shutil.copytree(cached, home, ignore=shutil.ignore_patterns(SOCKETS), dirs_exist_ok=True)
        with _agent(home):
            found = Signer(home)
            for key in keys:
                found.import_key(key)
            yield found


def _make_test_home(home: Path) -> None:
    home.chmod(0o700)
    with _agent(home):
        Signer(home).make_test_key()


@contextmanager
def _agent(home: Path) -> Iterator[Path]:
    """Stop gpg-agent afterwards: it would keep the key in memory and its directory in use."""
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], capture_output=True, check=True)
