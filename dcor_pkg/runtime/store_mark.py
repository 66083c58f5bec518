"""What the mark of an object store is: the name of an empty bucket, which says whose objects the store has.

dcor-server sets it (`services/object_store/ownership.py`), and whatever runs in a release reads it (`own_store.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

#: Tells a database from all others, its copies included: the cluster's number, made by initdb, and the database's in it
#: (PostgreSQL, "System Information Functions": pg_control_system; "OIDs"). Every role may ask for it.
IDENTITY = (
    "SELECT system_identifier || '-' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)
#: of 16 hexadecimal digits each: the server that has set the mark, and the database
MARK = re.compile("dcor-server-([0-9a-f]{16})-([0-9a-f]{16})")


def name(instance: str, identity: str) -> str:
    """Return the mark of a server, by its id, for a database."""
    return f"dcor-server-{_digest(instance)}-{_digest(identity)}"


def marks(buckets: Iterable[str]) -> set[str]:
    """Return those buckets that are marks."""
    return {bucket for bucket in buckets if MARK.fullmatch(bucket)}


def is_of(bucket: str, identity: str) -> bool:
    """Return whether a bucket is a mark for a database, whichever server has set it."""
    return bucket.endswith(f"-{_digest(identity)}") and MARK.fullmatch(bucket) is not None


def is_by(bucket: str, instance: str) -> bool:
    """Return whether a bucket is a mark that a server has set, for whichever database."""
    found = MARK.fullmatch(bucket)
    return found is not None and found[1] == _digest(instance)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
