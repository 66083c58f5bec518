"""The next version of a wheel of the release set, and the lock file that pins it."""

from __future__ import annotations

import copy
import hashlib
import re
import zipfile
from pathlib import Path

NAME = "dcor_control"
#: appended to its version
NEXT = ".post1"


def next_wheel(directory: Path) -> None:
    """Replace the wheel in a directory by its next version, which differs in that alone, and pin that."""
    (wheel,) = directory.glob(f"{NAME}-*.whl")
    version = wheel.name.split("-")[1]
    target = wheel.with_name(wheel.name.replace(version, version + NEXT))
    with zipfile.ZipFile(wheel) as former, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as following:
        for info in former.infolist():
            renamed = copy.copy(info)
            renamed.filename = _next_text(info.filename, version)
            following.writestr(renamed, _next_content(info.filename, former.read(info), version))
    wheel.unlink()
    lock = directory / "requirements.txt"
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    line = f"{NAME}=={version}{NEXT} --hash=sha256:{digest}  # {target.name}"
    text, count = re.subn(rf"^{NAME}==.*$", line, lock.read_text(), flags=re.MULTILINE)
    assert count == 1
    lock.write_text(text)


def _next_content(name: str, content: bytes, version: str) -> bytes:
    """Return the content of a file: two of them name the version."""
    if name.endswith(".dist-info/METADATA"):
        return content.replace(f"\nVersion: {version}\n".encode(), f"\nVersion: {version}{NEXT}\n".encode(), 1)
    return _next_text(content.decode(), version).encode() if name.endswith(".dist-info/RECORD") else content


def _next_text(text: str, version: str) -> str:
    return text.replace(f"{NAME}-{version}.dist-info", f"{NAME}-{version}{NEXT}.dist-info")
