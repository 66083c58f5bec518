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
from ckan.common import config
from dcor_runtime import copied_ini, store_mark
from dcor_shared import get_ckan_config_option, s3

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


class OfAnotherDatabase(click.ClickException):  # type: ignore[misc]  # of no known type
    """The objects are not known to belong to the database in use. CKAN's command ends with this sentence."""


def guard(session: Any) -> None:
    """Have all clients of a session refuse deletions (boto3, "Extensibility guide").

    A configuration that lacks dcor-server's plugin, which warns at the start, is warned of here.
    """
    copied_ini.warn(config)
    for operation in DELETIONS:
        session.events.register(f"before-parameter-build.s3.{operation}", _refuse)


def require() -> None:
    """Raise OfAnotherDatabase where the mark is not that of the database in use, or there are several.

    Both are those of the configuration from which `get_s3` takes the keys, also where CKAN is not loaded.
    """
    address = get_ckan_config_option("sqlalchemy.url")
    if not _is_own(address, int(time.monotonic() // SECONDS)):
        store, database = (
            get_ckan_config_option("dcor_object_store.endpoint_url"),
            sqlalchemy.engine.make_url(address).database,
        )
        raise OfAnotherDatabase(REFUSAL.format(store=store, database=database))


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
def _is_own(address: str, _: int) -> bool:
    """Compare; the arguments are what an answer is valid for: the address of a database, and a time."""
    with sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool).connect() as connection:
        identity = connection.execute(sqlalchemy.text(store_mark.IDENTITY)).scalar()
    marks = store_mark.marks(bucket["Name"] for bucket in s3.get_s3()[0].list_buckets()["Buckets"])
    return bool(marks) and all(store_mark.is_of(mark, identity) for mark in marks)
