"""The tags of objects follow the database, whatever happens between a change and the store."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.unit.runtime.conftest import BUCKET, CIRCLE, NotFound, RedisError, Runtime, ValidationError

FILE = "0a1b2c3d-0000-0000-0000-000000000000"


def public(runtime: Runtime, **tags: Any) -> Any:
    """Store an object of a public dataset."""
    runtime.database[FILE] = runtime.resources.Access.PUBLIC
    return runtime.store.put(FILE, public="true", **tags)


def change(runtime: Runtime, to: str | None, error: Exception | None = None) -> Any:
    """Run an action that changes the dataset, and return its result."""

    def original(context: object, data: object) -> str:
        if to is None:
            del runtime.database[FILE]
        else:
            runtime.database[FILE] = runtime.resources.Access(to)
        if error:
            raise error
        return f"{context} {data}"

    return runtime.publication.ACTIONS["package_update"](original, "context", {"id": "d"})


@pytest.mark.parametrize(
    ("state", "dataset", "private", "access"),
    [
        ("active", "active", False, "public"),
        ("active", "active", True, "private"),
        ("active", "deleted", False, "private"),
        ("active", "draft", False, "private"),
        ("deleted", "active", False, "private"),
    ],
)
def test_everybody_may_read_what_is_active_and_not_private(
    runtime: Runtime, state: str, dataset: str, private: bool, access: str
) -> None:
    found = runtime.resources.file_of(FILE, state, None, dataset, private, CIRCLE)
    assert (found.access.value, found.buckets) == (access, (BUCKET,))


def test_objects_are_looked_for_where_the_address_leads_as_well(runtime: Runtime) -> None:
    other = BUCKET.replace("1", "9")
    extras = {"s3_url": f"https://dcor.example.org/{other}/resource/x"}
    found = runtime.resources.file_of(FILE, "active", extras, "active", False, CIRCLE)
    assert found.buckets == (BUCKET, other)
    assert (other, "preview/0a1/b2c/3d-0000-0000-0000-000000000000") in found.objects()
    assert len(found.objects()) == 6


@pytest.mark.parametrize("to", ["private", None])
def test_when_the_action_has_ended_nobody_can_read_the_objects(runtime: Runtime, to: str | None) -> None:
    it = public(runtime, mine="1")
    assert change(runtime, to) == "context {'id': 'd'}"
    assert runtime.store.tags[it].pop("mine") == "1"
    assert list(runtime.store.tags[it]) == ([] if to else ["purged"])
    ((function, (files, _)), named), *more = [((args[0], args[1]), named) for args, named in runtime.jobs]
    assert (function, files, more) == (runtime.publication.settle_later, [(FILE, (BUCKET,))], [])
    assert named["queue"] == "default"


def test_what_is_public_again_can_be_read(runtime: Runtime) -> None:
    it = public(runtime)
    change(runtime, "private")
    change(runtime, "public")
    assert runtime.store.tags[it] == {"public": "true"}


def test_an_action_that_changes_nothing_of_this_kind_does_nothing(runtime: Runtime) -> None:
    public(runtime)
    runtime.store.fault = "it was asked"
    change(runtime, "public")
    assert runtime.jobs == []


def test_a_store_that_does_not_answer_is_asked_again_by_the_job(runtime: Runtime) -> None:
    it = public(runtime)
    runtime.store.fault = "ServiceUnavailable"
    assert change(runtime, "private")
    ((function, arguments), _) = runtime.jobs.pop()
    runtime.publication.time.sleep = lambda _: None
    function(*arguments)
    ((function, arguments), _) = runtime.jobs.pop()
    assert runtime.store.tags[it] == {"public": "true"}
    runtime.store.fault = ""
    function(*arguments)
    assert (runtime.store.tags[it], runtime.jobs) == ({}, [])


def test_the_job_gives_up_after_its_time(runtime: Runtime) -> None:
    public(runtime)
    runtime.store.fault = "ServiceUnavailable"
    with pytest.raises(runtime.object_tags.STORE_ERRORS):
        runtime.publication.settle_later([(FILE, (BUCKET,))], time.time() - 1)


def test_without_a_queue_the_request_withdraws_alone(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def enqueue(*_: object, **__: object) -> None:
        raise RedisError

    it = public(runtime)
    monkeypatch.setattr(runtime.publication.jobs, "enqueue", enqueue)
    change(runtime, "private")
    assert runtime.store.tags[it] == {}


def test_a_request_that_has_no_time_left_leaves_the_rest_to_the_job(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = public(runtime)
    monkeypatch.setattr(runtime.publication, "REQUEST_SECONDS", 0.0)
    change(runtime, "private")
    assert (runtime.store.tags[it], len(runtime.jobs)) == ({"public": "true"}, 1)


@pytest.mark.parametrize(("error", "jobs"), [(ValidationError(), 0), (NotFound(), 0), (OSError("Solr is down"), 1)])
def test_an_action_that_fails_after_its_commit_is_followed_by_the_job(
    runtime: Runtime, error: Exception, jobs: int
) -> None:
    public(runtime)
    with pytest.raises(type(error)):
        change(runtime, "private", error)
    assert len(runtime.jobs) == jobs


def test_a_change_while_another_process_tags_the_objects_is_followed(runtime: Runtime) -> None:
    it = public(runtime)

    def withdraw() -> None:
        runtime.database[FILE] = runtime.resources.Access.PRIVATE

    runtime.postgresql.when_locked = withdraw
    runtime.publication.settle_resource(FILE)
    assert runtime.store.tags[it] == {}


def test_no_other_process_tags_the_objects_meanwhile(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    it = public(runtime)
    runtime.store.tags[it] = {}
    put, locks = runtime.store.put_object_tagging, []

    def put_and_look(**named: Any) -> None:
        put(**named)
        locks.extend(runtime.postgresql.locks)

    monkeypatch.setattr(runtime.store, "put_object_tagging", put_and_look)
    runtime.publication.settle_resource(FILE)
    assert locks == [f"dcor-server: tags of {FILE}"]
    assert runtime.postgresql.locks == []


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"id": "d"}, ["d"]),
        ({"name": "n"}, ["n"]),
        ({"datasets": ["a", "b"], "org_id": "o"}, ["a", "b"]),
        ({"datasets": "abc"}, []),
        ({"id": {"$gt": ""}}, []),
        (None, []),
    ],
)
def test_the_datasets_of_an_action(runtime: Runtime, data: object, names: list[str]) -> None:
    assert runtime.publication.datasets_of(data) == names


def test_an_error_of_the_store_is_not_taken_for_a_missing_object(runtime: Runtime) -> None:
    it = public(runtime)
    runtime.store.fault = "AccessDenied"
    with pytest.raises(runtime.object_tags.STORE_ERRORS):
        runtime.object_tags.of(*it)
    runtime.store.fault = "NoSuchBucket"
    assert runtime.object_tags.of(*it) is None
