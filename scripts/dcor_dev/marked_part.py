"""Replace the part of a file that a script makes: what is between two marks, which are comments."""

from __future__ import annotations

from pathlib import Path


def replaced(path: Path, begin: str, end: str, text: str) -> str:
    """Return the text of a file with another one between its marks. Raises ValueError for a missing mark."""
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path} has no marks {begin.strip()} and {end.strip()}")
    return f"{before}{begin}{text}{end}{after}"
