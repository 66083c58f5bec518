"""Whose objects a store has: its mark, an empty bucket whose name says which server and which database they belong to.

DCOR's commands delete what their database does not contain, and the store's keys are in each copy of ckan.ini. So
nothing in a release deletes anything without this mark (`runtime/own_store.py`). A mark is set only for the database of
the settings, and only where the objects are this database's: a new, empty one gets none from a store that has objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import instance
from dcor_pkg.machine.host import Host
from dcor_pkg.runtime import store_mark
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.client import CIRCLE, connect
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.reach import UnusableService

#: exists as long as an administrator wants the database of the settings to have what is in the store
TAKE_UP = instance.take_up("object-store")
OF_CIRCLE = re.compile(f"{CIRCLE}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})")
COUNT_OF_KNOWN_CIRCLES = 'SELECT count(*) FROM "group" WHERE is_organization AND id IN ({ids})'


@dataclass(frozen=True)
class StoreMark:
    """The mark of the database, in the store. Where the objects are another database's there is nothing to do."""

    store: Endpoint
    database: Endpoint
    name: str = "mark of the object store"

    def check(self, host: Host) -> str | None:
        try:
            buckets = connect(host, self.store).buckets()
            if store_mark.marks(buckets) == {self._wanted(host)} and not host.exists(TAKE_UP):
                return None
            is_own = self._is_own(host, buckets)
        except UnusableService as unusable:
            return f"cannot be read: {unusable.reason}"
        except CommandFailed as error:
            return f"cannot be compared: {psql.message(error.hint)}"
        return f"does not name the database {self.database.name}" if is_own else None

    def apply(self, host: Host) -> None:
        """Set the mark, then remove the others: as long as there are several nothing is deleted."""
        client, wanted = connect(host, self.store), self._wanted(host)
        found = store_mark.marks(client.buckets())
        if wanted not in found:
            client.require("PUT", f"/{wanted}", "create buckets")
        for other in sorted(found - {wanted}):
            client.require("DELETE", f"/{other}", "delete buckets")
        host.remove(TAKE_UP)

    def _wanted(self, host: Host) -> str:
        return store_mark.name(_instance(host), psql.query(host, self.database, store_mark.IDENTITY))

    def _is_own(self, host: Host, buckets: Iterable[str]) -> bool:
        """Return whether the objects are this database's: it has all circles that have buckets, if any.

        One circle is not enough: a new database gets its first one while the store still has the former database's.
        Another server may have a copy of this database, so the mark of another one is only replaced on request.
        """
        circles = {found[1] for found in map(OF_CIRCLE.fullmatch, buckets) if found}
        if host.exists(TAKE_UP) or not circles:
            return True
        foreign = [it for it in store_mark.marks(buckets) if not store_mark.is_by(it, _instance(host))]
        ids = ", ".join(f"'{circle}'" for circle in sorted(circles))
        known = COUNT_OF_KNOWN_CIRCLES.format(ids=ids)
        return not foreign and psql.query(host, self.database, known) == str(len(circles))


def _instance(host: Host) -> str:
    return (instance.known(host) or "").strip()
