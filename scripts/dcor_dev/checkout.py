"""The files of a checkout, as git knows them: without what was built or cached in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def files(tree: Path) -> list[str]:
    """Return the files that belong to the checkout or may become part of it, without those that are deleted."""
    argv = ["git", "-c", f"safe.directory={tree}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (tree / name).is_file())


def copy(tree: Path, target: Path) -> None:
    """Make of an empty or missing folder another checkout with the same files, as a fresh clone would be."""
    for name in files(tree):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, target / name, follow_symlinks=False)
