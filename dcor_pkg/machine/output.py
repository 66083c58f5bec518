"""Standard output, in whatever character set the administrator's locale has."""

from __future__ import annotations

import io
import sys


def replace_missing_characters() -> None:
    """Write "?" for each character that the locale lacks, as standard error has its own way to do (sys.stderr)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
