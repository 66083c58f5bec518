"""List and copy the files of a checkout that git does not ignore."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def files(tree: Path) -> list[str]:
    """Return the tracked files and the untracked ones that git does not ignore, without deleted files."""
    argv = ["git", "-c", f"safe.directory={tree}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (tree / name).is_file())


def copy(tree: Path, target: Path) -> None:
    """Copy these files to an empty or missing directory, which is then like a fresh clone."""
    for name in files(tree):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, target / name, follow_symlinks=False)
