"""Read the content of a built package from its .deb."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Deb:
    """A .deb, and the directory with its unpacked content."""

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
        """Return the files and links of the package."""
        return [path for path in self.content.rglob("*") if path.is_symlink() or path.is_file()]

    @property
    def names(self) -> set[str]:
        return {f"/{path.relative_to(self.content)}" for path in self.files}


def unpack(path: Path, target: Path) -> Deb:
    """Unpack a package into a directory below `target`."""
    deb = Deb(path, target / path.name)
    subprocess.run(["dpkg-deb", "-x", str(path), str(deb.content)], check=True)
    return deb
