"""Our own engines: which of them are needed, by the settings that say where each service is.

PostgreSQL is not among them: Debian runs it, and others may live on it.
"""

from __future__ import annotations

from dcor_pkg.services.endpoint import Services
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.redis import local as redis
from dcor_pkg.services.solr import local as solr

#: the unit of each, by the setting
UNITS = {"redis": redis.UNIT, "solr": solr.UNIT, "object-store": object_store.UNIT}


def needed(used: Services) -> tuple[str, ...]:
    """Return the units of those whose work is done here."""
    return tuple(UNITS[it.key] for it in used if it.local and it.key in UNITS)


def not_needed(used: Services) -> tuple[str, ...]:
    """Return the units of those whose work is done elsewhere."""
    return tuple(UNITS[it.key] for it in used.external if it.key in UNITS)
