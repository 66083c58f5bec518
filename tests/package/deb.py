"""What a built package holds, read from the .deb itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Deb:
    """One .deb, and the directory that it was unpacked to."""

    path: Path
    content: Path

    @property
    def name(self) -> str:
        return self.path.name.split("_", 1)[0]

    def field(self, name: str) -> str:
        done = subprocess.run(["dpkg-deb", "-f", str(self.path), name], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    @cached_property
    def files(self) -> list[Path]:
        """Return what is in it, links included, directories not."""
        return [path for path in self.content.rglob("*") if path.is_symlink() or path.is_file()]

    @property
    def names(self) -> set[str]:
        return {f"/{path.relative_to(self.content)}" for path in self.files}


def unpack(path: Path, target: Path) -> Deb:
    """Unpack a package beside the others."""
    deb = Deb(path, target / path.name)
    subprocess.run(["dpkg-deb", "-x", str(path), str(deb.content)], check=True)
    return deb
