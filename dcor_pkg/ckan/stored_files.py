"""The step that reads files which the database names: a store that answers may have lost what it stored.

It cannot bring anything back, so it says what an administrator can do.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.client import connect
from dcor_pkg.services.postgresql import psql

#: how many of the oldest files are looked at, and how many of the newest
SAMPLE = 3
#: the objects of the oldest or newest files (dcor_shared, s3cc.py, get_s3_bucket_object_for_artifact)
#: The bucket is that of the file's address: the dataset may have got another circle since.
OBJECTS = """\
(SELECT coalesce(substring(r.extras from '"s3_url": "[^"]*/(circle-[0-9a-f-]{{36}})/'), 'circle-' || p.owner_org)
|| '/resource/' || left(r.id, 3) || '/' || substr(r.id, 4, 3) || '/' || substr(r.id, 7)
FROM resource r JOIN package p ON p.id = r.package_id
WHERE r.state = 'active' AND p.state = 'active' AND r.extras LIKE '%"s3_available": true%'
ORDER BY r.created {order} LIMIT {sample})"""
QUERY = " UNION ".join(OBJECTS.format(order=order, sample=SAMPLE) for order in ("ASC", "DESC"))
HINT = (
    "Is the disk of the data directory complete, and are the address and key of the store those that it was filled with? "
    "If the files are lost, restore the data directory, or the store, from a backup."
)


@dataclass(frozen=True)
class StoredFiles:
    """Some files that the database names, and that can be read from the store."""

    database: Endpoint
    store: Endpoint
    name: str = "stored files"

    def check(self, host: Host) -> str | None:
        """Return the drift where none can be read: what one user claims to have uploaded is no reason to fail."""
        asked, lost = sample(host, self.database, self.store)
        return _text(asked, lost) if lost and len(lost) == len(asked) else None

    def apply(self, host: Host) -> None:
        """Raise DcorError, unless they can be read now."""
        if (problem := self.check(host)) is not None:
            raise DcorError(f"{problem[0].upper()}{problem[1:]}.", HINT)


def problem(host: Host, database: Endpoint, store: Endpoint) -> str | None:
    """Return that some file cannot be read, or None. Raises DcorError."""
    asked, lost = sample(host, database, store)
    return _text(asked, lost) if lost else None


def sample(host: Host, database: Endpoint, store: Endpoint) -> tuple[list[str], list[str]]:
    """Return the objects that were asked for, as BUCKET/NAME, and those of them that cannot be read."""
    try:
        asked = psql.query(host, database, QUERY).split()
    except CommandFailed as error:
        raise DcorError(f"The database cannot be asked for its files: {psql.message(error.hint)}.") from None
    client = connect(host, store)
    return asked, [path for path in asked if not client.has(f"/{path}")]


def _text(asked: list[str], lost: list[str]) -> str:
    return f"{len(lost)} of {len(asked)} files that were looked at cannot be read from the store, for example {lost[0]}"
