"""Where the files lie that come with this code: in the package beside it, in a checkout in conf/."""

from __future__ import annotations

from pathlib import Path

_ABOVE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """Return the folder `templates` or `files`."""
    installed = _ABOVE / name
    return installed if installed.is_dir() else _ABOVE / "conf" / name


def text(name: str) -> str:
    """Return the text of a file that is used as it is."""
    return (folder("files") / name).read_text(encoding="utf-8")
