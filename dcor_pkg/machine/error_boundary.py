"""The edge of our code: whatever goes wrong below becomes a sentence; a bug's traceback goes to the log."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host

DIRECTORY = "/var/log/dcor-server"
LOG = f"{DIRECTORY}/bugs.log"


def guard(host: Host, work: Callable[[], int], ended: Callable[[str, str], int]) -> int:
    """Return what `work` returns, or what `ended` makes of the reason and the hint when it fails."""
    try:
        return work()
    except Exception as fault:  # noqa: BLE001 (a traceback is no message for an admin; it is kept in the log)
        error = as_dcor_error(host, fault)
        return ended(error.reason, error.hint)


def as_dcor_error(host: Host, fault: Exception) -> DcorError:
    """Return an error that can be told; what is none is a bug."""
    return fault if isinstance(fault, DcorError) else DcorError(_record(host, fault))


def _record(host: Host, bug: Exception) -> str:
    """Write the traceback down and return what to tell."""
    host.make_directory(DIRECTORY, Access(0o750, "root", "adm"))
    text = "".join(traceback.format_exception(type(bug), bug, bug.__traceback__))
    host.append(LOG, f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{text}\n", Access(0o640, "root", "adm"))
    return f"This is a bug in dcor-server ({type(bug).__name__}); what happened is in {LOG}."
