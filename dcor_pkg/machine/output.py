"""Standard output, in whatever character set the administrator's locale has."""

from __future__ import annotations

import io
import sys


def replace_missing_characters() -> None:
    """Write "?" for each character that the locale lacks, as standard error has its own way to do (sys.stderr)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def is_seen() -> bool:
    """Tell whether a person sees standard output, which is then a terminal and neither a file nor a log."""
    return sys.stdout.isatty()
