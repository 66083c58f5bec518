"""Hold CKAN before its first connection to the database: by then it is imported, which takes most of its start.

A migration loads its programs so far while the former release still serves
(docs/decisions/database-released-like-code.md).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dcor_runtime.trial import HELD, HOLD
from sqlalchemy import event
from sqlalchemy.engine import Engine

PAUSE_SECONDS = 0.02


def install(wait: Callable[[], None]) -> None:
    """Let CKAN call a function before its first connection (SQLAlchemy, `DialectEvents.do_connect`)."""
    event.listen(Engine, "do_connect", lambda *_: wait(), once=True)


def until_removed() -> None:
    """Wait as long as there is a file HOLD beside the configuration. It names a file, which is there meanwhile."""
    file = Path(os.environ["CKAN_INI"]).with_name(HOLD)
    try:
        sign = Path(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    sign.touch()
    while file.exists():
        time.sleep(PAUSE_SECONDS)
    sign.unlink(missing_ok=True)


def until_told() -> None:
    """Print HELD, and wait for a line on the standard input. Raises SystemExit where none comes."""
    print(HELD, flush=True)
    if not sys.stdin.readline():
        sys.exit("Nothing was said on the standard input.")
