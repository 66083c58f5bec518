"""Read and write lock files: the name, version and sha256 of each file that goes into a package.

The format is that of pip's requirement files, so pip itself rejects other files. The file name follows as a comment, so
that the cache and the list of licences need no pip.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dcor_dev.errors import DevError

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})  # (?P<file>\S+)"
)


@dataclass(frozen=True, order=True)
class Pin:
    """A pinned file of a release set."""

    name: str
    version: str
    sha256: str
    file: str

    @property
    def key(self) -> str:
        """Return the normalized name (PEP 503): requirements and wheels may spell it differently."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def is_wheel(self) -> bool:
        """Return whether the file is a wheel, so that its installation needs no compiler."""
        return self.file.endswith(".whl")

    def __str__(self) -> str:
        """Return the line of the lock file."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}  # {self.file}"


def read(path: Path) -> list[Pin]:
    """Return the pins of a lock file. Raises DevError for a line without a version, a hash or a file name."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [_parse(path, line) for line in lines if line and not line.startswith("#")]


def write(path: Path, pins: list[Pin], about: str) -> None:
    """Write a lock file, sorted by name, so that two of them can be compared."""
    ordered = sorted(pins, key=lambda pin: pin.key)
    text = "".join(
        f"{line}\n" for line in (f"# {about}", "# Made by scripts/lock; not to be edited by hand.", *ordered)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def from_report(report: str, known: list[Pin]) -> list[Pin]:
    """Return the pins of pip's installation report, without the packages in `known`."""
    names = {pin.key for pin in known}
    chosen = [_pin(entry) for entry in json.loads(report)["install"]]
    return [pin for pin in chosen if pin.key not in names]


def _pin(entry: dict[str, Any]) -> Pin:
    download = entry["download_info"]
    hashes = download["archive_info"].get("hashes") or dict([download["archive_info"]["hash"].split("=", 1)])
    file = unquote(urlsplit(download["url"]).path.rsplit("/", 1)[1])
    return Pin(entry["metadata"]["name"], entry["metadata"]["version"], hashes["sha256"], file)


def _parse(path: Path, line: str) -> Pin:
    match = _LINE.fullmatch(line)
    if not match:
        raise DevError(f"{path}: not NAME==VERSION --hash=sha256:HASH  # FILE: {line}")
    return Pin(match["name"], match["version"], match["sha256"], match["file"])
