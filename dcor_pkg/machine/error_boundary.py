"""Turn whatever goes wrong into a message: expected failures as they are, bugs with their traceback in a log."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.language import _
from dcor_pkg.machine.paths import LOGS

LOG = f"{LOGS}/bugs.log"


def guard(host: Host, work: Callable[[], int], ended: Callable[[str, str], int]) -> int:
    """Return what `work` returns, or, where it fails, what `ended` makes of the reason and the hint."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (no exception may reach an admin as a traceback; it goes to the log)
        failure = as_dcor_error(host, error)
        return ended(failure.reason, failure.hint)


def as_dcor_error(host: Host, error: Exception) -> DcorError:
    """Return a DcorError as it is, and of any other exception, which is a bug, one that names the log."""
    return error if isinstance(error, DcorError) else DcorError(*_recorded(host, error))


def _recorded(host: Host, bug: Exception) -> tuple[str, str]:
    """Write the traceback into the log, and return reason and hint; the traceback is the hint where that fails."""
    kind = type(bug).__name__
    text = "".join(traceback.format_exception(type(bug), bug, bug.__traceback__))
    try:
        host.make_directory(LOGS, Access(0o750, "root", "adm"))
        host.append(LOG, f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{text}\n", Access(0o640, "root", "adm"))
    except DcorError as failure:
        reason = _("This is a bug in dcor-server ({kind}), and it cannot be recorded: {why}.")
        return reason.format(kind=kind, why=failure.reason), text
    return _("This is a bug in dcor-server ({kind}); its traceback is in {file}.").format(kind=kind, file=LOG), ""
