"""The passwords and keys of a test instance, made with it: it has none of production's."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dcor_pkg.answers.secret import Secret
from dcor_pkg.kernel import secrets


@dataclass(frozen=True)
class Credentials:
    """Each is a secret of what its name says."""

    database: Secret
    solr: Secret
    store_key: Secret
    store: Secret
    filer: Secret
    filer_read: Secret
    session: Secret
    csrf: Secret

    def revealed(self) -> dict[str, str]:
        """Return their texts, for files that only those can read who need them."""
        return {field.name: getattr(self, field.name).reveal() for field in fields(self)}


def new() -> Credentials:
    """Return new ones."""
    return Credentials(*(secrets.new() for _ in fields(Credentials)))
