"""The step that removes options from the database which ckan.ini sets.

The page /ckan-admin/config, and the API, save options into the table system_info, and CKAN prefers these to ckan.ini. A
release does not offer what ckan.ini sets there (`dcor_pkg/runtime/pages.py`). What was saved before, as in a database
from another server, is removed; an option that a later ckan.ini lacks would otherwise come back.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI, STATE
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: the last value of each option that was removed
REMOVED = f"{STATE}/removed-options.json"
SELECT = "SELECT coalesce(json_object_agg(key, coalesce(value, '')), '{}') FROM system_info"
#: characters of a value that a report shows
VALUE_LENGTH = 60


@dataclass(frozen=True)
class OptionsInDatabase:
    """No option in the database contradicts ckan.ini, the admin's additions included."""

    database: Endpoint
    name: str = "options in the database"

    def check(self, host: Host) -> str | None:
        try:
            found = self._overriding(host)
        except CommandFailed as error:
            return f"cannot be read: {psql.message(error.hint)}"
        shown = (f"{key} = {textwrap.shorten(value, VALUE_LENGTH)!r}" for key, value in found.items())
        return f"contradict {CKAN_INI}, which applies: {', '.join(shown)}" if found else None

    def apply(self, host: Host) -> None:
        """Record the values, remove them, and let running programs read all options again."""
        found = self._overriding(host)
        state_file.write(host, REMOVED, {**state_file.read(host, REMOVED, {}), **found})
        keys = ", ".join(map(_quoted, found))
        psql.query(
            host,
            self.database,
            f"BEGIN; DELETE FROM system_info WHERE key IN ({keys}); "  # noqa: S608
            "UPDATE system_info SET value = extract(epoch FROM now()) WHERE key = 'ckan.config_update'; COMMIT;",
        )

    def _overriding(self, host: Host) -> dict[str, str]:
        """Return the options in the database that ckan.ini sets as well."""
        stored: dict[str, str] = json.loads(psql.query(host, self.database, SELECT))
        text = host.read(CKAN_INI) or ""
        return {key: value for key, value in sorted(stored.items()) if _sets(text, key)}


def _sets(ini: str, key: str) -> bool:
    """Tell whether an INI file sets an option. Its lines are searched, because an admin's file may be damaged."""
    return re.search(rf"^{re.escape(key)}[ \t]*[=:]", ini, re.MULTILINE) is not None


def _quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
