"""Ask the database who may read the files of CKAN's resources, and in which buckets their objects are."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

import sqlalchemy
from ckan import model
from ckan.common import config

#: the kinds of objects that DCOR stores for a resource (dcor_shared.s3cc.get_s3_bucket_object_for_artifact)
ARTIFACTS = ("condensed", "preview", "resource")
#: Waits until nobody else has this lock, and has it until the transaction ends (PostgreSQL, "Advisory Locks").
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"
#: ids in one query
CHUNK = 1000


class Access(Enum):
    """Who may read a resource's objects, as the database says."""

    #: everybody: the dataset is active and not private
    PUBLIC = "public"
    #: some or none: the dataset is private, a draft or deleted, or the resource is deleted
    PRIVATE = "private"
    #: the database does not contain the resource
    GONE = "gone"


@dataclass(frozen=True)
class File:
    """A resource, with the buckets that may hold its objects."""

    id: str
    buckets: tuple[str, ...]
    access: Access = Access.GONE

    def objects(self) -> list[tuple[str, str]]:
        """Return bucket and key of each object that there may be."""
        keys = (f"{kind}/{self.id[:3]}/{self.id[3:6]}/{self.id[6:]}" for kind in ARTIFACTS)
        return [(bucket, key) for key in keys for bucket in self.buckets]


def of_datasets(names: Iterable[str]) -> list[File]:
    """Return the resources, in any state, of the datasets with these ids or names."""
    wanted = list(names)
    return _files(model.Package.id.in_(wanted) | model.Package.name.in_(wanted)) if wanted else []


def of_resource(identity: str) -> File:
    """Return a resource; with no bucket if the database does not contain it."""
    return next(iter(_files(model.Resource.id == identity)), File(identity, ()))


def accesses(ids: Iterable[str]) -> dict[str, Access]:
    """Return who may read each of these resources, without those that the database does not contain."""
    rest, found = iter(ids), {}
    while chunk := list(islice(rest, CHUNK)):
        found.update({file.id: file.access for file in _files(model.Resource.id.in_(chunk))})
    return found


def access(identity: str) -> Access:
    """Return who may read a resource at this moment."""
    return of_resource(identity).access


@contextlib.contextmanager
def locked(identity: str) -> Iterator[None]:
    """Keep other processes from tagging the objects of a resource; on a connection that commits nothing else."""
    with model.meta.engine.connect() as connection, connection.begin():
        connection.execute(sqlalchemy.text(LOCK), {"name": f"dcor-server: tags of {identity}"})
        yield


def bucket_pattern() -> re.Pattern[str]:
    """Return what the name of a circle's bucket looks like; the circle's id is its last group."""
    start, _, end = str(config["dcor_object_store.bucket_name"]).partition("{organization_id}")
    return re.compile(f"{re.escape(start)}([0-9a-f-]{{36}}){re.escape(end)}")


def _files(condition: Any) -> list[File]:
    """Query columns, not objects: objects would come from the session, as they were before."""
    of_resource = (model.Resource.id, model.Resource.state, model.Resource.extras)
    of_dataset = (model.Package.state, model.Package.private, model.Package.owner_org)
    rows = model.Session.query(*of_resource, *of_dataset).join(
        model.Package, model.Package.id == model.Resource.package_id
    )
    return [file_of(*row) for row in rows.filter(condition)]


def file_of(identity: str, state: str, extras: Any, dataset: str, private: bool, circle: str | None) -> File:
    """Return the resource of a row of the query."""
    public = state == dataset == "active" and not private
    buckets = tuple(dict.fromkeys(_buckets(circle, (extras or {}).get("s3_url"))))
    return File(identity, buckets, Access.PUBLIC if public else Access.PRIVATE)


def _buckets(circle: str | None, address: object) -> Iterator[str]:
    """Give the circle's bucket, and that of the address: they differ if the dataset got another circle."""
    if circle:
        yield str(config["dcor_object_store.bucket_name"]).format(organization_id=circle)
    found = re.search(f"/({bucket_pattern().pattern})/", str(address or ""))
    if found:
        yield found[1]
