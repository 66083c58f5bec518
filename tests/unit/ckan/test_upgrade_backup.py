"""Before an upgrade a server is backed up, whole, for root alone; without that nothing is upgraded."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from dcor_pkg.ckan import programs, upgrade_backup
from dcor_pkg.ckan.upgrade_backup import DIRECTORY, UpgradeBackup
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.postgresql import cluster
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call
from tests.unit.fake_programs.ckan import REVISION
from tests.unit.kernel.damages import EXTERNAL, LOCAL, become_external, converged, plan

STEP = "backup before the upgrade"


@pytest.fixture
def server(machine: Machine) -> Machine:
    """Return a server that serves, with a newer version of python-ckan."""
    converged(machine, plan(machine, LOCAL))
    upgrade(machine, "2.11.7")
    return machine


def upgrade(machine: Machine, version: str) -> None:
    machine.packages.versions["python-ckan"] = f"{version}-1~deb12u1"


def outcomes(machine: Machine) -> dict[str, Outcome]:
    return {it.step: it for it in run(plan(machine, LOCAL), machine.host)}


def serving(machine: Machine) -> str:
    found = programs.serving(machine.host)
    assert found is not None
    return found.release


def test_a_backup_has_the_database_and_what_is_needed_to_read_it(server: Machine) -> None:
    before = serving(server)
    found = outcomes(server)[STEP]
    assert (found.result, found.reason) == (
        Result.CHANGED,
        f"the release {serving(server)} is about to replace {before}, and there is no backup from right before",
    )
    (made,) = upgrade_backup.ids(server.host)
    home = f"{DIRECTORY}/{made}"
    assert server.host.read(f"{home}/database.dump") == f"PGDMP {REVISION}"
    names = {"database.dump", "dcor-server.conf", "tls", "ckan.d", "secrets", "ckan.ini", "instance"}
    assert names <= {*server.host.names(home), "dcor-server.conf"}
    assert server.host.access(f"{home}/database.dump") == Access(0o600)
    assert {server.host.access(path) for path in (DIRECTORY, home)} == {Access(0o700)}
    assert server.host.access("/var/backups/dcor-server") == Access(0o700)
    assert server.host.read(f"{home}/secrets/ckan-secret-key")
    assert made.endswith(f"-{serving(server)}")


def test_without_an_upgrade_there_is_no_backup(machine: Machine) -> None:
    converged(machine, plan(machine, LOCAL))
    converged(machine, plan(machine, {**LOCAL, "site-title": "Mine"}))
    assert upgrade_backup.ids(machine.host) == []


def test_a_migration_for_the_same_release_is_backed_up_as_well(server: Machine) -> None:
    upgrade(server, "2.11.6")
    server.postgresql.databases[cluster.DATABASE].revision = "0123456789ab"
    reason = outcomes(server)[STEP].reason
    assert reason.endswith(", so it is about to be migrated, and there is no backup from right before")
    (made,) = upgrade_backup.ids(server.host)
    assert server.host.read(f"{DIRECTORY}/{made}/database.dump") == "PGDMP 0123456789ab"


@pytest.mark.parametrize("program", ["pg_dump", "cp", "sync"])
def test_where_the_backup_fails_nothing_is_upgraded_and_nothing_of_it_remains(server: Machine, program: str) -> None:
    before = serving(server)

    def fail(call: object) -> str:
        raise server.calls[-1].failure(1, "no")

    known = server.programs[program]
    server.programs[program] = lambda call: (
        fail(call) if "upgrades" in " ".join(call.argv) or program == "pg_dump" else known(call)
    )
    found = outcomes(server)
    assert found[STEP].result is Result.FAILED
    assert found[STEP].reason.startswith(f"The backup in {DIRECTORY} failed: `{program} ")
    assert found[STEP].hint.endswith("Nothing is changed without a backup.")
    assert (serving(server), server.host.names(DIRECTORY)) == (before, [])


def test_room_is_required_first(server: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda host, path: disk.MIB if "backups" in path else 100 * disk.GIB)
    found = outcomes(server)[STEP]
    assert f"{DIRECTORY} has 1 MiB of free space, and 264 MiB are needed" in found.reason
    assert server.ran("pg_dump") == []


@pytest.mark.parametrize(("hours", "minutes", "backups"), [(3, 0, 1), (0, 20, 2)])
def test_a_backup_is_fresh_from_its_end_on_whenever_it_has_begun(
    server: Machine, monkeypatch: pytest.MonkeyPatch, hours: int, minutes: int, backups: int
) -> None:
    """A dump of three hours was never fresh, so the step failed each time, and no upgrade came through."""
    step = next(it for it in plan(server, LOCAL) if isinstance(it, UpgradeBackup))
    converged(server, plan(server, LOCAL)[: plan(server, LOCAL).index(step)])
    begin = time.gmtime(time.time() - hours * 3600)
    strftime = time.strftime
    with monkeypatch.context() as context:
        context.setattr(time, "strftime", lambda text, moment: strftime(text, begin))
        assert [it.result for it in run([step], server.host)] == [Result.CHANGED]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + minutes * 60)
    run([step], server.host)
    assert len(server.ran("pg_dump")) == backups


def test_the_last_three_upgrades_have_one_each(server: Machine) -> None:
    """What a way back has left is none of them."""
    left = f"20190101T000000-2.11.6{upgrade_backup.LEFT}"
    server.host.make_directory(f"{DIRECTORY}/{left}", Access(0o700))
    for day, version in enumerate(("2.11.7", "2.11.8", "2.11.9", "2.11.10"), 1):
        upgrade(server, version)
        converged(server, plan(server, LOCAL))
        made = upgrade_backup.ids(server.host)[-1]
        server.host.rename(f"{DIRECTORY}/{made}", f"{DIRECTORY}/2020010{day}T{made.partition('T')[2]}")
    first, *others = upgrade_backup.ids(server.host)
    assert first == left
    kept = [name.partition("-")[2] for name in others]
    assert [name.partition("-")[0] for name in kept] == ["2.11.8", "2.11.9", "2.11.10"]


def test_what_ways_back_have_left_goes_after_90_days(machine: Machine) -> None:
    day = 24 * 3600.0
    ages = {"old": 91 * day, "young": 89 * day, "younger": day, "of another clock": -91 * day}
    names = {age: f"{time.strftime(upgrade_backup.TIME, time.gmtime(time.time() - ages[age]))}-2.11.6" for age in ages}
    for name in names.values():
        for label in (upgrade_backup.LEFT, ""):
            machine.host.make_directory(f"{DIRECTORY}/{name}{label}", Access(0o700))
    upgrade_backup.forget_left(machine.host)
    gone = f"{names['old']}{upgrade_backup.LEFT}"
    everything = {f"{name}{label}" for name in names.values() for label in (upgrade_backup.LEFT, "")}
    assert set(upgrade_backup.ids(machine.host)) == everything - {gone}


def test_another_try_of_the_same_upgrade_takes_the_place_of_an_old_backup(server: Machine, host: Host) -> None:
    (step,) = (it for it in plan(server, LOCAL) if it.name == STEP)
    names = [f"20200101T000000-{step.release}", "20200101T000000-2.11.5-x", ".20200101T000000-2.11.4-x"]  # type: ignore[attr-defined]
    for name in names:
        host.make_directory(f"{DIRECTORY}/{name}", Access(0o700))
    converged(server, plan(server, LOCAL))
    old, made = upgrade_backup.ids(host)
    assert (old, made.endswith(f"-{serving(server)}")) == (names[1], True)
    assert host.names(DIRECTORY) == [old, made]


def test_an_external_database_is_dumped_with_the_password_file(machine: Machine) -> None:
    become_external(machine)
    machine.postgresql.databases["dcor"] = replace(machine.postgresql.databases["dcor"], revision="0123456789ab")
    upgrade(machine, "2.11.7")
    steps = [it for it in plan(machine, EXTERNAL) if it.name in ("database login", STEP)]
    converged(machine, tuple(steps))
    (made,) = upgrade_backup.ids(machine.host)
    assert machine.host.read(f"{DIRECTORY}/{made}/database.dump") == "PGDMP 0123456789ab"
    (call,) = machine.ran("pg_dump")
    assert "secret" not in " ".join(call).replace("/secrets/", "")
    assert "--host=db.example.org" in call


def test_an_external_server_that_is_newer_than_pg_dump_is_said_with_the_way_out(machine: Machine) -> None:
    """What PostgreSQL 15's pg_dump says of a server of version 17."""
    become_external(machine)
    upgrade(machine, "2.11.7")
    message = "pg_dump: error: aborting because of server version mismatch\npg_dump: detail: server version: 17.2; pg_dump version: 15.14\n"

    def refuse(call: Call) -> str:
        raise call.failure(1, message)

    machine.programs["pg_dump"] = refuse
    found = {it.step: it for it in run(plan(machine, EXTERNAL), machine.host)}[STEP]
    assert "failed: pg_dump is older than the PostgreSQL at db.example.org." in found.reason
    assert "apt install postgresql-client-VERSION" in found.hint
    assert "server version: 17.2" in found.hint
