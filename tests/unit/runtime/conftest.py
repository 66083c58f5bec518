"""The modules that run inside CKAN's Python, with what they need of CKAN, its database and the store in memory."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dcor_pkg.runtime
from dcor_pkg.runtime import store_mark

CIRCLE = "11111111-2222-3333-4444-555555555555"
BUCKET = f"circle-{CIRCLE}"
NOW = datetime.now(timezone.utc)
#: of the database in use, as PostgreSQL says it
IDENTITY = "7712491835325598394-16385"
URL = "postgresql://www-data@/ckan_default"


class StoreError(Exception):
    """ClientError or BotoCoreError, of botocore."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class RedisError(Exception):
    """The same, of redis."""


class DeserializationError(Exception):
    """The same, of RQ."""


class ClickException(Exception):
    """The same, of click."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(Exception):
    """The same, of CKAN."""


class NotAuthorized(Exception):
    """The same, of CKAN."""


class ValidationError(Exception):
    """The same, of CKAN."""


@dataclass
class Store:
    """The client of an object store."""

    #: tags by bucket and key
    tags: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    modified: dict[tuple[str, str], datetime] = field(default_factory=dict)
    fault: str = ""
    meta: Any = None
    #: empty buckets
    buckets: set[str] = field(default_factory=lambda: {store_mark.name("server", IDENTITY)})

    def put(self, identity: str, *, bucket: str = BUCKET, modified: datetime = NOW, **tags: str) -> tuple[str, str]:
        """Store a resource's own object."""
        it = bucket, f"resource/{identity[:3]}/{identity[3:6]}/{identity[6:]}"
        self.tags[it], self.modified[it] = tags, modified
        return it

    def get_object_tagging(self, **it: str) -> Any:
        self._answer(it)
        return {"TagSet": [{"Key": key, "Value": value} for key, value in self.tags[it["Bucket"], it["Key"]].items()]}

    def put_object_tagging(self, **it: Any) -> None:
        self._answer(it)
        self.tags[it["Bucket"], it["Key"]] = {tag["Key"]: tag["Value"] for tag in it["Tagging"]["TagSet"]}

    def delete_object_tagging(self, **it: str) -> None:
        self._answer(it)
        self.tags[it["Bucket"], it["Key"]] = {}

    def delete_object(self, **it: str) -> None:
        del self.tags[it["Bucket"], it["Key"]]

    def list_buckets(self) -> Any:
        return {"Buckets": [{"Name": name} for name in sorted({*self.buckets, *(bucket for bucket, _ in self.tags)})]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Any:
        inside = [it for it in self.tags if it[0] == asked["Bucket"]]
        return [{}, *({"Contents": [{"Key": it[1], "Size": 1, "LastModified": self.modified[it]}]} for it in inside)]

    def _answer(self, it: Any) -> None:
        if self.fault or (it["Bucket"], it["Key"]) not in self.tags:
            raise StoreError(self.fault or "NoSuchKey")


@dataclass
class Redis:
    """The client of a Redis, with the jobs that RQ remembers there by their ids, and the state of each."""

    jobs: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    expiries: dict[str, int] = field(default_factory=dict)

    def incr(self, key: str) -> int:
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key]

    def expire(self, key: str, seconds: int) -> None:
        self.expiries[key] = seconds

    @classmethod
    def exists(cls, identity: str, connection: Redis) -> bool:
        """Stand for Job.exists of RQ."""
        return identity in connection.jobs

    @classmethod
    def fetch(cls, identity: str, connection: Redis) -> Any:
        """Stand for Job.fetch of RQ."""
        state = connection.jobs[identity]
        return SimpleNamespace(get_status=lambda: state, delete=lambda: connection.jobs.pop(identity))


@dataclass
class Maker:
    """RQJob, of dcor_shared: a job that makes an object of each resource."""

    name: str
    ckanext: str

    def enqueue_job(self, resource: dict[str, Any], redis_connect: Redis) -> None:
        identity = f"{resource['package_id']}_{resource['position']}_{self.name}"
        assert identity not in redis_connect.jobs, "upstream does nothing then"
        redis_connect.jobs[identity] = "queued"


@dataclass
class Postgresql:
    """The databases by their addresses, as SQLAlchemy asks them; it is its own engine, connection and result."""

    identities: dict[str, str] = field(default_factory=lambda: {URL: IDENTITY})
    #: the addresses of connections
    connected: list[str] = field(default_factory=list)
    #: the names of the locks that somebody has
    locks: list[str] = field(default_factory=list)
    #: is called when a lock is given
    when_locked: Callable[[], None] = lambda: None

    def create_engine(self, address: str, poolclass: object) -> Postgresql:
        self.connected.append(address)
        return self

    @contextlib.contextmanager
    def connect(self) -> Iterator[Postgresql]:
        yield self

    @contextlib.contextmanager
    def begin(self) -> Iterator[None]:
        yield
        self.locks.clear()

    def execute(self, sql: str, values: dict[str, str] | None = None) -> Postgresql:
        if values is None:
            assert sql == store_mark.IDENTITY
        else:
            assert "pg_advisory_xact_lock" in sql
            self.locks.append(values["name"])
            self.when_locked()
        return self

    def scalar(self) -> str:
        return self.identities[self.connected[-1]]


@dataclass
class Runtime:
    """The modules by their names, and what they work with."""

    store: Store
    #: the background jobs that were added
    jobs: list[Any]
    #: who may read a resource, by its id: the database
    database: dict[str, Any]
    redis: Redis = field(default_factory=Redis)
    postgresql: Postgresql = field(default_factory=Postgresql)
    #: the queues of RQ
    queues: list[Any] = field(default_factory=list)
    #: options of CKAN
    config: dict[str, str] = field(default_factory=dict)
    #: what CKAN's model has of resources, by their ids
    resource_rows: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return importlib.import_module(f"dcor_runtime.{name}")


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(content)
    return made


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """Return the modules; the database is a dictionary."""
    made = Runtime(Store(), [], {})
    made.config.update(
        {
            "dcor_object_store.bucket_name": "circle-{organization_id}",
            "dcor_object_store.endpoint_url": "https://s3",
            "sqlalchemy.url": URL,
        }
    )
    jobs = SimpleNamespace(
        enqueue=lambda *arguments, **named: made.jobs.append((arguments, named)),
        get_all_queues=lambda: made.queues,
        remove_queue_name_prefix=lambda name: name.removeprefix("ckan:default:"),
    )
    toolkit = SimpleNamespace(chained_action=lambda function: function, asbool=bool)
    errors = {"NotFound": NotFound, "NotAuthorized": NotAuthorized, "ValidationError": ValidationError}
    model = SimpleNamespace(
        Resource=SimpleNamespace(get=made.resource_rows.get), meta=SimpleNamespace(engine=made.postgresql)
    )
    makers = [Maker("condense", "dc_serve"), Maker("draw", "dc_view"), Maker("other", "dcor_schemas")]
    modules = (
        module("ckan", model=model, logic=SimpleNamespace(**errors)),
        module("ckan.common", config=made.config),
        module("ckan.cli", CKANConfigLoader=None),
        module("ckan.lib", jobs=jobs),
        module("ckan.lib.redis", connect_to_redis=lambda: made.redis),
        module("ckan.plugins", toolkit=toolkit),
        module("click", ClickException=ClickException),
        module(
            "sqlalchemy",
            text=str,
            create_engine=made.postgresql.create_engine,
            engine=SimpleNamespace(make_url=lambda address: SimpleNamespace(database=address.rpartition("/")[2])),
            pool=SimpleNamespace(NullPool=None),
        ),
        module("botocore"),
        module("botocore.config", Config=dict),
        module("botocore.exceptions", BotoCoreError=StoreError, ClientError=StoreError),
        module("redis"),
        module("redis.exceptions", RedisError=RedisError),
        module("rq", Queue=None, Worker=None),
        module("rq.job", Job=Redis),
        module("rq.exceptions", DeserializationError=DeserializationError),
        module(
            "dcor_shared",
            s3=SimpleNamespace(get_s3=lambda: (made.store,)),
            get_ckan_config_option=made.config.get,
            DC_MIME_TYPES={"RT-DC": ".rtdc"},
            RQJob=SimpleNamespace(_instances=makers),
        ),
        module("dcor_runtime.application"),
    )
    for it in modules:
        monkeypatch.setitem(sys.modules, it.__name__, it)
    package = module("dcor_runtime", __path__=dcor_pkg.runtime.__path__)
    monkeypatch.setitem(sys.modules, "dcor_runtime", package)
    monkeypatch.setitem(package.__dict__, "application", sys.modules["dcor_runtime.application"])
    monkeypatch.setattr(made.object_tags, "client", lambda: made.store)
    with_database(made, monkeypatch)
    yield made
    for name in [name for name in sys.modules if name.startswith("dcor_runtime.")]:
        del sys.modules[name]


def with_database(made: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dictionary answer what PostgreSQL does."""
    resources = made.resources

    def of_resource(identity: str) -> Any:
        found = made.database.get(identity)
        return resources.File(identity, (BUCKET,), found) if found else resources.File(identity, ())

    monkeypatch.setattr(resources, "of_resource", of_resource)
    monkeypatch.setattr(resources, "of_datasets", lambda names: list(map(of_resource, names and made.database)))
    monkeypatch.setattr(resources, "accesses", lambda ids: {it: made.database[it] for it in ids if it in made.database})
