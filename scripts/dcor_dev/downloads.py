"""Fetch what the lock files pin, by the ordinary clients, and believe nothing but the hash.

Each file lies in the cache below its own sha256, so that an entry is right or not there; it is checked again on its
way out, since a cache is a directory that anything may have written to.
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

#: pip as Debian ships it for new virtual environments: the suite's own, with nothing to install first.
PIP = 'for wheel in /usr/share/python-wheels/pip-*.whl; do exec python3 "$wheel/pip" "$@"; done'


def wheels(suite: str, pins: list[Pin], target: Path) -> None:
    """Put the files of a Python lock into `target`."""

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
    """Put the Java archives that `lock` pins into `target`; `project` is the pom.xml that names them."""

    def fetch(_: Mapping[str, str], directory: Path) -> None:
        maven.copy(project, directory)

    rows = (line.split() for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    provide({sha256: path.rsplit("/", 1)[-1] for sha256, path in rows}, target, fetch)


def pip(suite: str, directory: Path, *argv: str) -> str:
    """Run the suite's pip with a network, in a throw-away layer that sees nothing here but `directory`."""
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
    """Put each of `wanted` (names by sha256) into `target`; `fetch(missing, directory)` gets what the cache has not."""
    missing = {sha256: name for sha256, name in wanted.items() if not _stored(sha256, name).exists()}
    if missing:
        _fetch(missing, fetch)
    target.mkdir(parents=True, exist_ok=True)
    for sha256, name in wanted.items():
        verify(_stored(sha256, name), sha256)
        shutil.copyfile(_stored(sha256, name), target / name)


def verify(path: Path, sha256: str) -> None:
    """Refuse a file that is not the pinned one."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise DevError(f"{path} is not the file of the lock: its sha256 is {digest.hexdigest()}, and must be {sha256}")


def _stored(sha256: str, name: str) -> Path:
    return cache.CACHE / "downloads" / sha256 / name


def _fetch(missing: Mapping[str, str], fetch: Callable[[Mapping[str, str], Path], None]) -> None:
    (cache.CACHE / "downloads").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache.CACHE) as name:
        directory = Path(name)
        fetch(missing, directory)
        for sha256, file in missing.items():
            if not (directory / file).exists():
                raise DevError(f"{file} was asked for and did not come")
            verify(directory / file, sha256)
            _stored(sha256, file).parent.mkdir(exist_ok=True)
            (directory / file).replace(_stored(sha256, file))
