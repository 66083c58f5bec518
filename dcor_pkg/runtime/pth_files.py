"""Try what the .pth files of this Python do when it starts, as this user: `python -m dcor_runtime.pth_files`.

Python reports a line that fails on standard error at each start, and goes on without what the line should have set up
(the module `site` in Python's documentation). A package whose directory is closed does not even fail: it seems to be
empty. Prints as JSON which lines fail, and why.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SITE = Path(__file__).resolve().parent.parent
#: absolute paths in a line, and the parts of a path below site-packages, as setuptools writes them
PATHS = re.compile(r"['\"](/[^'\"]+)['\"]")
PARTS = re.compile(r"\*\(\s*((?:'\w+',?\s*)+)\)")
IMPORTED = re.compile(r"^import\s+([A-Za-z_]\w*)")
PYTHON = re.compile(r"python(\d\.\d+)")
#: the kinds of reasons
UNREADABLE, OTHER_PYTHON, LEFT_OVER, FAILS = "unreadable", "other python", "left over", "fails"


def faults(site: Path) -> list[dict[str, Any]]:
    """Return file, line, kind of reason and what it is about, of each line that fails."""
    return [fault for file in sorted(site.glob("*.pth")) for fault in _faults_of(site, file)]


def _faults_of(site: Path, file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        yield {"file": file.name, "line": 1, "kind": UNREADABLE, "about": str(file)}
        return
    for number, line in enumerate(lines, 1):
        found = _import_fault(line, str(site)) if line.startswith(("import ", "import\t")) else _path_fault(line, site)
        if found is not None:
            kind, about = found
            yield {"file": file.name, "line": number, "kind": kind, "about": about}


def _path_fault(line: str, site: Path) -> tuple[str, str] | None:
    """Return a fault for a directory that exists and cannot be read; one that does not exist is no fault to Python."""
    path = line.strip()
    if not path or path.startswith("#"):
        return None
    return (UNREADABLE, path) if _is_unreadable(os.path.join(site, path)) else None  # noqa: PTH118 (may be absolute)


def _import_fault(line: str, sitedir: str) -> tuple[str, str] | None:
    """Carry out a line as `site` does: lines of setuptools look for the variable `sitedir` of their caller."""
    try:
        exec(line)  # noqa: S102 (Python has done so when it started)
    except Exception as error:  # noqa: BLE001 (it may be of any kind)
        return _reason(line, sitedir, error)
    return next(((UNREADABLE, path) for path in _paths(line, sitedir) if _is_unreadable(path)), None)


def _reason(line: str, sitedir: str, error: Exception) -> tuple[str, str]:
    """Return the kind of reason for which a line fails, and the path, version or error that it is about."""
    paths = list(_paths(line, sitedir))
    if isinstance(error, PermissionError) and error.filename:
        return UNREADABLE, str(error.filename)
    for path in paths:
        if _is_unreadable(path):
            return UNREADABLE, path
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = [version for path in paths for version in PYTHON.findall(path.replace(sitedir, "")) if version != own]
    if others:
        return OTHER_PYTHON, f"python{others[0]}"
    if isinstance(error, SyntaxError):
        return OTHER_PYTHON, f"no line for Python {own}"
    if isinstance(error, ModuleNotFoundError):
        return LEFT_OVER, str(error.name)
    missing = [path for path in paths if not os.path.lexists(path)]
    return (LEFT_OVER, missing[0]) if missing else (FAILS, f"{type(error).__name__}: {error}")


def _paths(line: str, sitedir: str) -> Iterator[str]:
    """Give the paths that a line is about."""
    yield from PATHS.findall(line)
    for parts in PARTS.findall(line):
        yield str(Path(sitedir, *re.findall(r"\w+", parts)))
    if (imported := IMPORTED.match(line)) is not None and imported[1] not in sys.stdlib_module_names:
        yield from (
            path for path in (f"{sitedir}/{imported[1]}", f"{sitedir}/{imported[1]}.py") if os.path.lexists(path)
        )


def _is_unreadable(path: str) -> bool:
    """Return whether a file or directory is there, or behind a directory that is closed, and cannot be read."""
    try:
        is_directory = Path(path).is_dir()
        Path(path).stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(path, os.R_OK | (os.X_OK if is_directory else 0))


if __name__ == "__main__":
    print(json.dumps(faults(SITE)))
