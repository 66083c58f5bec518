"""Download the files that the lock files pin, with pip and Maven, and verify their hashes.

Each file is cached in a directory that is named by its sha256. It is verified when it is stored and again when it is
copied, since other programs can write to the cache.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from dcor_dev import cache, maven, roots
from dcor_dev.errors import DevError
from dcor_dev.lockfiles import Pin

#: Run the pip that Debian ships for new virtual environments, so that none has to be installed.
PIP = 'for wheel in /usr/share/python-wheels/pip-*.whl; do exec python3 "$wheel/pip" "$@"; done'


def wheels(suite: str, pins: list[Pin], target: Path) -> None:
    """Copy the files of a Python lock file to `target`, and download the missing ones."""

    def fetch(missing: Mapping[str, str], directory: Path) -> None:
        lines = [f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n" for pin in pins if pin.sha256 in missing]
        (directory / "requirements.txt").write_text("".join(lines), encoding="utf-8")
        pip(
            suite,
            directory,
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--dest=.",
            "--requirement=requirements.txt",
        )

    provide({pin.sha256: pin.file for pin in pins}, target, fetch)


def jars(project: Path, lock: Path, target: Path) -> None:
    """Copy the jars of the lock file `lock` to `target`, and download the missing ones by the pom.xml `project`."""

    def fetch(_: Mapping[str, str], directory: Path) -> None:
        maven.copy(project, directory)

    rows = (line.split() for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    provide({sha256: path.rsplit("/", 1)[-1] for sha256, path in rows}, target, fetch)


def pip(suite: str, directory: Path, *argv: str) -> str:
    """Run the suite's pip with a network, in a temporary layer where only `directory` is mounted; return its output."""
    done = roots.chroot_run(
        roots.build_root(suite),
        "sh",
        "-c",
        PIP,
        "pip",
        *argv,
        private_network=False,
        writable={directory: "/here"},
        directory="/here",
    )
    return done.stdout


def provide(wanted: Mapping[str, str], target: Path, fetch: Callable[[Mapping[str, str], Path], None]) -> None:
    """Copy the files `wanted` (names by sha256) to `target`; `fetch(missing, directory)` downloads the missing ones.

    Raises DevError when a file is not downloaded or its hash is wrong.
    """
    # Alone, so that several builds download a file once; Maven does not support concurrent use of its directory.
    with cache.alone("downloads"):
        missing = {sha256: name for sha256, name in wanted.items() if not _stored(sha256, name).exists()}
        if missing:
            _fetch(missing, fetch)
    target.mkdir(parents=True, exist_ok=True)
    for sha256, name in wanted.items():
        verify(_stored(sha256, name), sha256)
        shutil.copyfile(_stored(sha256, name), target / name)


def verify(path: Path, sha256: str) -> None:
    """Raise DevError when the file does not have this sha256."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise DevError(f"{path} is not the pinned file: its sha256 is {digest.hexdigest()} instead of {sha256}")


def _stored(sha256: str, name: str) -> Path:
    return cache.CACHE / "downloads" / sha256 / name


def _fetch(missing: Mapping[str, str], fetch: Callable[[Mapping[str, str], Path], None]) -> None:
    (cache.CACHE / "downloads").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache.CACHE) as name:
        directory = Path(name)
        fetch(missing, directory)
        for sha256, file in missing.items():
            if not (directory / file).exists():
                raise DevError(f"{file} was not downloaded")
            verify(directory / file, sha256)
            _stored(sha256, file).parent.mkdir(exist_ok=True)
            (directory / file).replace(_stored(sha256, file))
