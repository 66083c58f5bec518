"""Let nobody delete objects for a database that the store is not of, by which programs and commands so ever.

DCOR's commands delete what the database in use does not contain, so that one with another database deletes everything:
a copy of ckan.ini for tests has the keys of the server's store. `dcor_shared.s3.get_s3`, by which all programs of a
release reach the store, calls `guard`.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from typing import Any

import click
import sqlalchemy
from ckan import model
from ckan.common import config
from dcor_runtime import object_tags, store_mark

#: the operations of S3 by which objects, or parts of an upload, cease to be
DELETIONS = (
    *("DeleteObject", "DeleteObjects", "DeleteBucket", "AbortMultipartUpload"),
    *("PutBucketLifecycle", "PutBucketLifecycleConfiguration"),
)
#: after this time the store and the database are asked again
SECONDS = 10
REFUSAL = (
    "Nothing is deleted from the object store {store}, because it does not have the mark of the database {database}: a copy "
    "of a server needs a store of its own; on the server itself, `touch /etc/dcor-server/take-up-object-store` and "
    "`dcor-server converge` set the mark."
)


class OfAnotherDatabase(click.ClickException):
    """The objects are not known to belong to the database in use. CKAN's command ends with this sentence."""


def guard(session: Any) -> None:
    """Have all clients of a session refuse deletions (boto3, "Extensibility guide")."""
    for operation in DELETIONS:
        session.events.register(f"before-parameter-build.s3.{operation}", _refuse)


def require() -> None:
    """Raise OfAnotherDatabase where the mark is not that of the database in use, or there are several."""
    url = model.meta.engine.url
    if not _is_own(str(url), int(time.monotonic() // SECONDS)):
        store = config["dcor_object_store.endpoint_url"]
        raise OfAnotherDatabase(REFUSAL.format(store=store, database=url.database))


@contextlib.contextmanager
def refusal_as_message() -> Iterator[None]:
    """End a program of dcor-server with the sentence alone."""
    try:
        yield
    except OfAnotherDatabase as refusal:
        raise SystemExit(refusal.message) from None


def _refuse(**_: Any) -> None:
    require()


@functools.lru_cache(maxsize=1)
def _is_own(_: str, __: int) -> bool:
    """Compare; the arguments are what a former answer is valid for: the database's address and a time."""
    with model.meta.engine.connect() as connection:
        identity = connection.execute(sqlalchemy.text(store_mark.IDENTITY)).scalar()
    buckets = (bucket["Name"] for bucket in object_tags.client().list_buckets()["Buckets"])
    marks = store_mark.marks(buckets)
    return bool(marks) and all(store_mark.is_of(mark, identity) for mark in marks)
