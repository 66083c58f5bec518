"""A client of a repository: the real apt with directories of its own, and packages that a test makes for it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from dcor_dev import keyring

SUITE = "bookworm"

#: Nothing of this computer's apt is used, and nothing of it is changed.
CONFIGURATION = """
Dir "{top}";
Dir::Bin::methods "/usr/lib/apt/methods";
Dir::State::status "{top}/status";
Dir::Etc::sourcelist "{top}/sources.list";
APT::Architecture "amd64";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Proxy "DIRECT";
"""


@dataclass(frozen=True)
class Client:
    """A machine that knows a repository and some of its keys."""

    top: Path

    def apt(self, program: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run one of apt's programs; its files are downloaded into the client's directory."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "APT_CONFIG": str(self.top / "apt.conf")}
        return subprocess.run(
            [program, *argv], cwd=self.top, env=environment, capture_output=True, text=True, check=False
        )

    def update(self) -> str:
        """Update the lists; return what apt says if it fails, else nothing."""
        done = self.apt("apt-get", "update")
        return done.stdout + done.stderr if done.returncode else ""

    def versions(self, package: str) -> list[str]:
        """Return the versions that the client sees, the newest first."""
        lines = self.apt("apt-cache", "madison", package).stdout.splitlines()
        return [line.split("|")[1].strip() for line in lines]

    def download(self, package: str) -> str:
        """Download a package (NAME or NAME=VERSION); return what apt says if it fails, else nothing."""
        done = self.apt("apt-get", "download", package)
        return done.stdout + done.stderr if done.returncode else ""


def client(top: Path, address: str, keys: bytes) -> Client:
    """Return a client that trusts these keys, and that has not updated yet."""
    for name in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "etc/apt"):
        (top / name).mkdir(parents=True)
    (top / "status").touch()
    (top / "keys.gpg").write_bytes(keys)
    (top / "sources.list").write_text(f"deb [signed-by={top}/keys.gpg] {address} {SUITE} main\n")
    (top / "apt.conf").write_text(CONFIGURATION.format(top=top))
    return Client(top)


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing about requests, and always sends the whole file: tests publish several times in one second."""

    def send_head(self) -> BinaryIO | None:
        del self.headers["If-Modified-Since"]
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is Python's)
        pass


@contextmanager
def web_server(directory: Path) -> Iterator[str]:
    """Offer a directory by http, and provide its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def package(directory: Path, name: str, version: str, content: bytes = b"") -> Path:
    """Build a package, the same file at any time; one of the keyring has `content` as its keys."""
    tree = directory / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n"
    (tree / "DEBIAN/control").write_text(fields)
    (tree / keyring.KEYRING).parent.mkdir(parents=True)
    (tree / keyring.KEYRING).write_bytes(content)
    place = directory / f"{name}_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(place)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return place


def secret_key(home: Path) -> Path:
    """Make a key for signing in this directory, and return the file of its private part."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    try:
        subprocess.run([*gpg, "--quick-generate-key", home.name, "ed25519", "sign", "never"], check=True)
        subprocess.run([*gpg, "--output", str(home / "secret"), "--export-secret-keys"], check=True)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    return home / "secret"
