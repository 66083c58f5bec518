"""Sign the repository with a given release key, or with a test key that is created once.

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
    """Signs with the only private key of a GnuPG home directory."""

    home: Path

    def public_key(self) -> bytes:
        """Return the public key in binary form, as for apt's Signed-By."""
        return self._gpg("--export", "--export-options", "export-minimal")

    def sign(self, release: Path) -> None:
        """Write InRelease and Release.gpg to the directory of a Release file."""
        self._gpg("--clearsign", "--output", str(release.with_name("InRelease")), str(release))
        self._gpg("--armor", "--detach-sign", "--output", str(release.with_name("Release.gpg")), str(release))

    def make_test_key(self) -> None:
        """Create a key for signing only, without a passphrase."""
        self._gpg("--passphrase", "", "--quick-generate-key", TEST_IDENTITY, "ed25519", "sign", "never")

    def import_key(self, key: Path) -> None:
        """Import a release key from a file. Raises DevError when the file has no private key."""
        self._gpg("--import", str(key))
        if b"\nsec:" not in b"\n" + self._gpg("--with-colons", "--list-secret-keys"):
            raise DevError(f"{key} contains no private key")

    def _gpg(self, *argv: str) -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", "--digest-algo", "SHA512", *argv]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise DevError(f"gpg {argv[0]} failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


@contextmanager
def signer(key: Path | None) -> Iterator[Signer]:
    """Provide the signer of a release key, or of the cached test key.

    Each signer has a home directory of its own, which is removed afterwards: stopping gpg-agent would stop it for all
    processes with the same home directory.
    """
    tools.need("gpg", "gpg-agent")
    with tempfile.TemporaryDirectory(prefix="dcor-key-") as name:
        home = Path(name)
        if key is None:
            cached = cache.directory("key", "test", _make_test_home)
            shutil.copytree(cached, home, ignore=shutil.ignore_patterns(SOCKETS), dirs_exist_ok=True)
        with _agent(home):
            found = Signer(home)
            if key is not None:
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
