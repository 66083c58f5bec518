"""The store's mark is set for the database whose objects it has, and for no other one unless an admin says so."""

from __future__ import annotations

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine.host import Access
from dcor_pkg.runtime import store_mark
from dcor_pkg.services import endpoints, external
from dcor_pkg.services.object_store.ownership import TAKE_UP, StoreMark
from dcor_pkg.services.postgresql import cluster
from tests.unit.fake_machine import Machine
from tests.unit.kernel import damages
from tests.unit.kernel.damages import CIRCLE, LOCAL, converged, plan

SERVICES = endpoints.of(settings.parse(LOCAL))
STEP = StoreMark(SERVICES.object_store, SERVICES.database)
BUCKET = f"circle-{CIRCLE}"
OTHER_CIRCLE = "2c0d9a3e-51f6-4f0e-8f0a-000000000002"
PUBLIC = Access(0o644)


@pytest.fixture
def server(machine: Machine) -> Machine:
    """Return a server that has set its mark, with a circle that has objects."""
    steps = plan(machine, LOCAL)
    converged(machine, steps[: next(n for n, it in enumerate(steps) if isinstance(it, StoreMark)) + 1])
    machine.object_store.buckets["local"].add(BUCKET)
    machine.postgresql.databases[cluster.DATABASE].circles = {CIRCLE}
    return machine


def own(machine: Machine) -> str:
    """Return the mark of this server for the database that it has now."""
    oid = machine.postgresql.databases[cluster.DATABASE].oid
    return store_mark.name((instance.known(machine.host) or "").strip(), f"7712491835325598394-{oid}")


def other_database(machine: Machine, *circles: str) -> None:
    """Have another database of the same name, which knows these circles."""
    machine.postgresql.databases[cluster.DATABASE].oid += 1
    machine.postgresql.databases[cluster.DATABASE].circles = set(circles)


def test_a_new_server_marks_its_empty_store(server: Machine) -> None:
    assert server.object_store.buckets["local"] == {own(server), BUCKET}
    assert run([STEP], server.host) == [Outcome(STEP.name, Result.UNCHANGED)]


def test_the_mark_follows_a_database_that_was_restored(server: Machine) -> None:
    former = own(server)
    other_database(server, CIRCLE)
    (outcome,) = run([STEP], server.host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, "does not name the database ckan_default")
    assert server.object_store.buckets["local"] == {own(server), BUCKET}
    assert former != own(server)


@pytest.mark.parametrize("circles", [(), (OTHER_CIRCLE,)])
def test_a_database_that_does_not_know_all_circles_of_the_store_gets_no_mark(
    server: Machine, circles: tuple[str, ...]
) -> None:
    """It may have made some of them in the store that still has the former database's objects."""
    server.object_store.buckets["local"].update(f"circle-{it}" for it in circles)
    before = set(server.object_store.buckets["local"])
    other_database(server, *circles)
    assert run([STEP], server.host) == [Outcome(STEP.name, Result.UNCHANGED)]
    assert server.object_store.buckets["local"] == before
    assert own(server) not in before


def test_another_servers_mark_stays_until_an_administrator_takes_the_store_up(server: Machine) -> None:
    """The other server may have a copy of this database, or this one a copy of the other's."""
    foreign = {BUCKET, store_mark.name("another server", "7712491835325598394-1")}
    server.object_store.buckets["local"] = set(foreign)
    assert run([STEP], server.host) == [Outcome(STEP.name, Result.UNCHANGED)]
    assert server.object_store.buckets["local"] == foreign
    server.host.write(TAKE_UP, "", PUBLIC)
    assert run([STEP], server.host)[0].result is Result.CHANGED
    assert server.object_store.buckets["local"] == {BUCKET, own(server)}
    assert not server.host.exists(TAKE_UP)


def test_a_former_servers_mark_in_a_store_without_circles_is_replaced(server: Machine) -> None:
    server.object_store.buckets["local"] = {store_mark.name("another server", "7712491835325598394-1"), "others"}
    assert run([STEP], server.host)[0].result is Result.CHANGED
    assert server.object_store.buckets["local"] == {own(server), "others"}


def test_a_store_that_does_not_answer_is_named_with_what_it_said(server: Machine) -> None:
    damages.unit("dcor-object-store.service", active="inactive")(server)
    assert (STEP.check(server.host) or "").startswith("cannot be read: ")
    assert "Couldn't connect to server" in (STEP.check(server.host) or "")


def test_a_database_that_does_not_answer_is_named_with_what_it_said(server: Machine) -> None:
    server.postgresql.databases.clear()
    assert STEP.check(server.host) == 'cannot be compared: database "ckan_default" does not exist'


def test_the_consent_to_take_up_an_external_store_is_kept_for_its_mark(server: Machine) -> None:
    answers = settings.parse(damages.EXTERNAL)
    kept = {engine: instance.take_up(engine) for engine in ("database", "redis", "object-store")}
    for path in kept.values():
        server.host.write(path, "", PUBLIC)
    external.forget_consent(server.host, answers)
    assert {engine for engine, path in kept.items() if server.host.exists(path)} == {"object-store"}
