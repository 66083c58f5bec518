"""List the objects of all circles in the store, and compare them with the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from dcor_runtime import object_tags, resources
from dcor_runtime.resources import Access

#: the keys that DCOR gives to its objects; others are not looked at
KEY = re.compile(f"(?:{'|'.join(resources.ARTIFACTS)})/([0-9a-f]{{3}})/([0-9a-f]{{3}})/([0-9a-f-]{{30}})")
#: more unknown objects than both of these are suspicious: the database may be another one, or older than the store
SUSPICIOUS_NUMBER, SUSPICIOUS_SHARE = 10, 0.05


@dataclass(frozen=True)
class Object:
    """An object in the bucket of a circle; `resource` is the id of CKAN's resource that it is stored for."""

    bucket: str
    key: str
    resource: str
    bytes: int
    modified: datetime

    @property
    def kind(self) -> str:
        """Return which of ARTIFACTS it is."""
        return self.key.partition("/")[0]

    def older_than(self, days: float) -> bool:
        """Return whether it was written more than so many days ago."""
        return is_past(self.modified, days)


def is_past(moment: datetime, days: float) -> bool:
    """Return whether a moment is more than so many days ago."""
    return moment < datetime.now(timezone.utc) - timedelta(days=days)


def objects() -> Iterator[Object]:
    """Give each object with a key of DCOR in the bucket of a circle. Raises one of STORE_ERRORS."""
    pattern = resources.bucket_pattern()
    for bucket in object_tags.client().list_buckets()["Buckets"]:
        if pattern.fullmatch(bucket["Name"]):
            yield from _in_bucket(bucket["Name"])


def _in_bucket(bucket: str) -> Iterator[Object]:
    for page in object_tags.client().get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for it in page.get("Contents", ()):
            found = KEY.fullmatch(it["Key"])
            if found:
                yield Object(bucket, it["Key"], "".join(found.groups()), it["Size"], it["LastModified"])


@dataclass(frozen=True)
class Comparison:
    """The objects, by what the database says of their resources."""

    known: list[Object]
    #: purged by CKAN, by the time of that
    purged: dict[Object, datetime]
    #: those that the database does not contain for another reason: an upload that nobody completed, a database that is
    #: older than the store, a purge by another program; without those that are so young that they may be an upload
    unknown: list[Object]

    @property
    def suspicious(self) -> bool:
        """Return whether so many are unknown that the database is rather to blame than the objects."""
        number = len(self.unknown)
        total = len(self.known) + len(self.purged) + number
        return number > SUSPICIOUS_NUMBER and number > SUSPICIOUS_SHARE * total


def compare(days: float) -> Comparison:
    """Compare all objects with the database; an unknown one counts when it is so many days old."""
    listed = list(objects())
    # Asked after the listing: the database knows of each upload that was completed before.
    accesses = resources.accesses({it.resource for it in listed})
    known = [it for it in listed if it.resource in accesses]
    gone = {it: object_tags.of(it.bucket, it.key) for it in listed if it.resource not in accesses}
    purged = {it: datetime.fromisoformat(tags[object_tags.PURGED]) for it, tags in gone.items() if _purged(tags)}
    unknown = [it for it, tags in gone.items() if tags is not None and it not in purged and it.older_than(days)]
    return Comparison(known, purged, unknown)


def _purged(tags: dict[str, str] | None) -> bool:
    return object_tags.PURGED in (tags or {})


def remove(it: Object) -> bool:
    """Remove an object, unless the database contains its resource; return whether it was removed."""
    if resources.access(it.resource) is not Access.GONE:
        return False
    object_tags.client().delete_object(Bucket=it.bucket, Key=it.key)
    return True
