"""The schema that Solr had before: where it cannot load the one of the installed CKAN, that comes back.

The same schema is not tried again within a day, since each try costs a restart of Solr and the searches of that time.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import systemd_service
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE

#: the former text, as long as Solr has not answered with the new one; and what Solr could not load, and when
STATE_FILE = f"{STATE}/solr-schema.json"
FORMER, REJECTED, WHEN = "former", "rejected", "when"
PAUSE_SECONDS = 24 * 3600.0


def keep(host: Host, text: str | None, wanted: str) -> None:
    """Keep a schema that is about to be replaced by another one, unless an older one is kept already."""
    recorded = _read(host)
    if text not in (None, wanted) and FORMER not in recorded:
        state_file.write(host, STATE_FILE, {**recorded, FORMER: text})


def is_rejected(host: Host, wanted: str) -> bool:
    """Return whether Solr could not load this schema within the last day."""
    recorded = _read(host)
    return recorded.get(REJECTED) == _digest(wanted) and 0 <= time.time() - recorded.get(WHEN, 0.0) < PAUSE_SECONDS


def require_loadable(host: Host, wanted: str) -> None:
    """Raise DcorError where Solr could not load this schema within the last day."""
    if is_rejected(host, wanted):
        raise DcorError(
            "Solr cannot load the schema of the installed CKAN, so it has its former one again, and search works.",
            f"journalctl --unit=dcor-solr says why. It is tried again after a day, or once {STATE_FILE} is removed.",
        )


def settle(host: Host, path: str, access: Access, unit: str, problem: str | None) -> None:
    """Forget the former schema where Solr answers, or else put it back and restart Solr. Raises DcorError."""
    former, text = _read(host).get(FORMER), host.read(path)
    if former is None:
        return
    if problem is None or text in (None, former):
        host.remove(STATE_FILE)
        return
    state_file.write(host, STATE_FILE, {REJECTED: _digest(text or ""), WHEN: time.time()})
    host.write(path, former, access)
    systemd_service.restart(host, unit)


def _read(host: Host) -> dict[str, Any]:
    return state_file.read(host, STATE_FILE, {})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
