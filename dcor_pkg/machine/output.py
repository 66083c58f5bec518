"""Standard output: its character set, which is that of the administrator's locale, and the terminal that shows it."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass


def replace_missing_characters() -> None:
    """Write "?" for each character that the locale lacks, as standard error has its own way to do (sys.stderr)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def is_seen() -> bool:
    """Tell whether a person sees standard output, which is then a terminal and neither a file nor a log."""
    return sys.stdout is not None and sys.stdout.isatty()


@dataclass(frozen=True)
class Terminal:
    """What a person sees standard output on."""

    columns: int
    colours: bool


def terminal() -> Terminal | None:
    """Return the terminal that standard output is, or None where it goes to a program or a file.

    Without colours where the environment says so (no-color.org; TERM=dumb).
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return Terminal(shutil.get_terminal_size().columns, colours)
