"""The way back to a release and its database, cut off by the power wherever: one of the two serves with its own."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import (
    held_release,
    migration_state,
    past_releases,
    programs,
    release,
    release_id,
    steps,
    switch,
    upgrade_backup,
)
from dcor_pkg.ckan.going_back import GoingBack
from dcor_pkg.ckan.migration_end import NoHalfMigration
from dcor_pkg.machine import facts
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import cluster
from tests.unit.ckan.power import Power, changes, is_cut
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.ckan import REVISION
from tests.unit.kernel.damages import LOCAL, converged, plan
from tests.unit.shards import SHARDS, shards

OLD = "0123456789ab"


@pytest.fixture
def server(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a server on which the release of 2.11.7 has migrated the database of 2.11.6."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    converged(machine, plan(machine, LOCAL))
    schema = machine.host.path(f"{release.directory(serving(machine))}/{release.SCHEMA}")
    schema.write_text(schema.read_text().replace(REVISION, OLD))
    machine.postgresql.databases[cluster.DATABASE].revision = OLD
    machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    converged(machine, plan(machine, LOCAL))
    return machine


def serving(machine: Machine) -> str:
    found = programs.serving(machine.host)
    assert found is not None
    return found.release


def way_back(machine: Machine) -> GoingBack:
    """Return the way to the release that does not serve."""
    active, other = past_releases.read(machine.host)
    assert active.release == serving(machine)
    found, wanted = facts.read(machine.host), settings.parse(LOCAL)
    return GoingBack(other, steps.active_release(wanted, found), release_id.of(found), "a test")


def check(machine: Machine, number: int) -> None:
    """Require that a release serves with its own database, and the other one is there."""
    release_of = {OLD: "2.11.6-", REVISION: "2.11.7-"}
    database = machine.postgresql.databases[cluster.DATABASE]
    assert serving(machine).startswith(release_of[database.revision or ""]), number
    assert (database.connectable, database.read_only) == (True, False), number
    assert {it.revision for it in machine.postgresql.databases.values()} == {OLD, REVISION}, number
    assert not machine.host.exists(nginx.MAINTENANCE), number
    assert migration_state.under_way(machine.host) is None, number
    held = held_release.read(machine.host)
    assert (held is not None) == (database.revision == OLD), number


@pytest.mark.parametrize("shard", shards())
def test_after_a_power_cut_one_release_serves_with_its_own_database(
    server: Machine, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    power = Power()
    changes(server, monkeypatch, power)
    heal = next(it for it in plan(server, LOCAL) if isinstance(it, NoHalfMigration))
    for number in itertools.count(shard + 1, SHARDS):
        server.host.remove_tree(upgrade_backup.DIRECTORY)  # names are of one second
        back = way_back(server)
        power.fail_at(number)
        was_cut = is_cut(server, power, partial(back.run, server.host, with_database=True))
        wanted = release_id.wanted(facts.read(server.host))
        if heal.check(server.host) is not None:
            heal.apply(server.host)
        check(server, number)
        assert serving(server) == wanted, number
        if not was_cut:
            break
        if serving(server) != back.target.release:
            server.host.remove_tree(upgrade_backup.DIRECTORY)
            way_back(server).run(server.host, with_database=True)
        assert serving(server) == back.target.release
        check(server, number)
    assert number > 30
