"""The key that the repository is signed with: a release key that is given, or a test key that is made once.

The private key lives in a home of GnuPG's that only root may open; it is named to no program and written to no log.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcor_dev import cache, tools
from dcor_dev.errors import DevError

#: Says what it is wherever a signature is shown.
TEST_IDENTITY = "Test key of a DCOR server's build, trusted by nobody else"


@dataclass(frozen=True)
class Signer:
    """Signs with the one private key of a GnuPG home."""

    home: Path

    def public_key(self) -> bytes:
        """Return the public key as apt's Signed-By wants it: binary."""
        return self._gpg("--export", "--export-options", "export-minimal")

    def sign(self, release: Path) -> None:
        """Write InRelease and Release.gpg beside a Release file."""
        self._gpg("--clearsign", "--output", str(release.with_name("InRelease")), str(release))
        self._gpg("--armor", "--detach-sign", "--output", str(release.with_name("Release.gpg")), str(release))

    def make_test_key(self) -> None:
        """Make a key without a passphrase, for signing only."""
        self._gpg("--passphrase", "", "--quick-generate-key", TEST_IDENTITY, "ed25519", "sign", "never")

    def take(self, key: Path) -> None:
        """Import a release key from its file, and refuse one that cannot sign."""
        self._gpg("--import", str(key))
        if b"\nsec:" not in b"\n" + self._gpg("--with-colons", "--list-secret-keys"):
            raise DevError(f"{key} holds no private key")

    def _gpg(self, *argv: str) -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", "--digest-algo", "SHA512", *argv]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise DevError(f"gpg {argv[0]} failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


@contextmanager
def signer(key: Path | None) -> Iterator[Signer]:
    """Give the signer of a release key, forgotten afterwards, or of the test key, kept for the next build."""
    tools.need("gpg", "gpg-agent")
    if key is None:
        with _agent(cache.directory("key", "test", _make_test_home)) as home:
            yield Signer(home)
        return
    with tempfile.TemporaryDirectory(prefix="dcor-key-") as name, _agent(Path(name)) as home:
        found = Signer(home)
        found.take(key)
        yield found


def _make_test_home(home: Path) -> None:
    home.chmod(0o700)
    with _agent(home):
        Signer(home).make_test_key()


@contextmanager
def _agent(home: Path) -> Iterator[Path]:
    """End gpg's agent with its work: it would hold the key and its directory."""
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], capture_output=True, check=True)
