"""Secrets: made once and never changed, each in a file of its own (0600), none in the settings."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

DIRECTORY = f"{paths.CONFIGURATION}/secrets"
DIRECTORY_ACCESS = Access(0o700)
ACCESS = Access(0o600)
ALPHABET = string.ascii_letters + string.digits
LENGTH = 40


def path(name: str) -> str:
    """Return the path of the file that holds a secret."""
    return f"{DIRECTORY}/{name}"


def external(key: str) -> str:
    """Return the name of the secret for an external service that answers the question `key`."""
    return f"external-{key}"


def new() -> Secret:
    """Return a random secret."""
    return Secret("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def save(host: Host, name: str, secret: Secret) -> None:
    """Write a secret. Raises DcorError."""
    host.make_directory(DIRECTORY, DIRECTORY_ACCESS)
    host.write(path(name), f"{secret.reveal()}\n", ACCESS)


def read(host: Host, name: str) -> Secret:
    """Return a secret. Raises DcorError where it is missing."""
    text = host.read(path(name))
    if not text:
        raise DcorError(f"The secret {name} is missing.", hint="dcor-server converge makes it.")
    return Secret(text.strip())


@dataclass(frozen=True)
class RandomSecret:
    """A random secret: 40 letters and digits (238 bits), which need no quoting in a URL, in SQL or in an INI file."""

    secret: str

    @property
    def name(self) -> str:
        return f"secret {self.secret}"

    def check(self, host: Host) -> str | None:
        if not host.read(path(self.secret)):
            return "is missing"
        return host.access_drift(path(self.secret), ACCESS)

    def apply(self, host: Host) -> None:
        """Make the secret; where only its access differs, it stays the same."""
        existing = (host.read(path(self.secret)) or "").strip()
        save(host, self.secret, Secret(existing) if existing else new())
