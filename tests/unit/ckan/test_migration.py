"""The database of a server that serves is migrated as a copy; whatever fails or cuts it leaves one that serves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import pytest

from dcor_pkg.ckan import migration_state, past_releases, programs, release, supervisor, switch
from dcor_pkg.ckan.migration import Migration
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import disk, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import MIGRATION
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import site as nginx
from dcor_pkg.runtime import store_mark, trial
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from tests.unit.ckan.power import Power, PowerCutError, changes, is_cut
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call
from tests.unit.fake_programs.ckan import REVISION
from tests.unit.kernel.damages import CIRCLE, LOCAL, converged, plan
from tests.unit.shards import SHARDS, shards

OLD, FORMER = "0123456789ab", "ckan_default_before_"


@pytest.fixture
def server(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a server that serves, and for whose database the next release has a migration."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    converged(machine, plan(machine, LOCAL))
    machine.postgresql.databases[cluster.DATABASE].circles = {CIRCLE}
    machine.object_store.buckets["local"].add(f"circle-{CIRCLE}")
    machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    machine.postgresql.databases[cluster.DATABASE].revision = OLD
    machine.ckan.migrated.clear()
    return machine


def converge(machine: Machine) -> Outcome | None:
    """Run the plan, and return the outcome that has failed."""
    return next((it for it in run(plan(machine, LOCAL), machine.host) if it.result is Result.FAILED), None)


def serving(machine: Machine) -> str:
    found = programs.serving(machine.host)
    assert found is not None
    return found.release


def of_release(machine: Machine, version: str) -> list[str]:
    """Return the programs of a release that run."""
    states = supervisor.states(machine.host).items()
    return [name for name, state in states if state == "RUNNING" and f"-{version}-" in name]


def unheld(machine: Machine) -> list[str]:
    """Return the programs that run and may use a database."""
    states = supervisor.states(machine.host).items()
    held = [f"dcor-web-{it}" for it in machine.host.names(programs.CONFIGURATIONS) if is_held(machine, it)]
    return [name for name, state in states if state == "RUNNING" and name not in held]


def is_held(machine: Machine, identity: str) -> bool:
    """Return whether the web server of programs waits before its first connection to the database."""
    return machine.host.exists(f"{programs.CONFIGURATIONS}/{identity}/{trial.HOLD}")


def check_untouched(machine: Machine) -> None:
    """Require that the former release serves with its database as it was, and nobody gets 503."""
    database = machine.postgresql.databases[cluster.DATABASE]
    assert serving(machine).startswith("2.11.6-")
    assert (database.revision, database.oid, database.read_only, database.connectable) == (OLD, 16384, False, True)
    assert list(machine.postgresql.databases) == [cluster.DATABASE]
    assert len(of_release(machine, "2.11.6")) == len(supervisor.states(machine.host)) == 2
    assert not machine.host.exists(nginx.MAINTENANCE)
    assert migration_state.under_way(machine.host) is None


def check_migrated(machine: Machine, version: str = "2.11.7", oid: int = 16384) -> None:
    """Require that the next release serves with the migrated database, and the former one is there."""
    new, former = (machine.postgresql.databases[name] for name in sorted(machine.postgresql.databases))
    assert serving(machine).startswith(f"{version}-")
    assert (new.revision, new.read_only, new.connectable, new.tokens) == (REVISION, False, True, set())
    assert (former.revision, former.oid, former.connectable) == (OLD, oid, False)
    assert (new.works_as, machine.postgresql.comments[f"DATABASE {cluster.DATABASE}"]) == (
        cluster.DATABASE,
        instance.mark(machine.host),
    )
    assert len(of_release(machine, version)) == len(supervisor.states(machine.host)) == 2
    assert not machine.host.exists(nginx.MAINTENANCE)
    assert migration_state.under_way(machine.host) is None
    identity = f"7712491835325598394-{new.oid}"
    marks = store_mark.marks(machine.object_store.buckets["local"])
    assert marks == {store_mark.name((instance.known(machine.host) or "").strip(), identity)}


def test_a_copy_is_migrated_proven_and_exchanged_with_the_database(server: Machine) -> None:
    assert converge(server) is None
    check_migrated(server)
    assert server.ckan.migrated == ["ckan_default_copy"]
    assert [action for action, _ in server.ckan.writes] == ["vocabulary_create", "vocabulary_delete"]
    (aside,) = (name for name in server.postgresql.databases if name.startswith(FORMER))
    new, former = past_releases.read(server.host)
    assert (new.release, former.release, former.database) == (serving(server), former.release, aside)
    assert release.ids(server.host) == sorted([former.release, new.release])
    assert server.host.names(programs.CONFIGURATIONS) == sorted([former.programs.id, new.programs.id])
    assert all(it.result is Result.UNCHANGED for it in run(plan(server, LOCAL), server.host))


def test_without_pending_migrations_nothing_is_copied_and_nobody_gets_503(
    server: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.postgresql.databases[cluster.DATABASE].revision = REVISION
    written: list[str] = []
    write = Host.write

    def recorded(host: Host, path: str, text: str, access: Access) -> None:
        written.append(path)
        write(host, path, text, access)

    monkeypatch.setattr(Host, "write", recorded)
    assert converge(server) is None
    assert serving(server).startswith("2.11.7-")
    assert (list(server.postgresql.databases), server.ckan.migrated) == ([cluster.DATABASE], [])
    assert nginx.MAINTENANCE not in written
    assert [it.release for it in past_releases.read(server.host)] == sorted(release.ids(server.host), reverse=True)


def test_while_the_database_is_copied_or_exchanged_everybody_gets_503_and_nothing_uses_it(server: Machine) -> None:
    seen: list[Any] = []

    def psql(call: Call) -> str:
        if "TEMPLATE ckan_default'" in call.text:
            database = server.postgresql.databases[cluster.DATABASE]
            seen.append((server.host.exists(nginx.MAINTENANCE), unheld(server), database.read_only))
        if call.text.startswith("BEGIN; ALTER DATABASE"):
            seen.append(unheld(server))
        return server.postgresql.psql(call)

    server.programs["psql"] = psql
    assert converge(server) is None
    assert seen == [(True, [], True), []]


def test_programs_are_loaded_while_the_former_ones_serve(server: Machine) -> None:
    """The web servers of trial and release, and the program that migrates, which has waited for its line."""
    seen: list[Any] = []

    def psql(call: Call) -> str:
        if call.text == "CHECKPOINT":
            held = [it for it in server.host.names(programs.CONFIGURATIONS) if is_held(server, it)]
            seen.append((len(held), server.host.exists(nginx.MAINTENANCE), len(of_release(server, "2.11.6"))))
        return server.postgresql.psql(call)

    server.programs["psql"] = psql
    assert converge(server) is None
    assert seen == [(2, False, 2)]
    assert [it.text for it in server.calls if it.argv[-1] == "trial"] == ["now\n"]
    assert not any(is_held(server, it) for it in server.host.names(programs.CONFIGURATIONS))


def refuse_to_stop(machine: Machine) -> Callable[[str, bool], bool]:
    """Return what stands for supervisor's method and does not let the programs that serve be stopped."""
    stop, serving = machine.supervisor.stopProcess, of_release(machine, "2.11.6")

    def stop_others(name: str, wait: bool) -> bool:
        assert name not in serving
        return stop(name, wait)

    return stop_others


def test_a_release_that_cannot_be_loaded_costs_no_503(server: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    server.ckan.fault[trial.HELD] = "Traceback (most recent call last):\n  File\nImportError: no module\n"
    monkeypatch.setattr(server.supervisor, "stopProcess", refuse_to_stop(server))
    failure = converge(server)
    assert failure is not None
    assert "A copy of the database cannot be migrated: ImportError: no module" in failure.reason
    check_untouched(server)


def test_a_web_server_that_ends_while_it_is_loaded_costs_no_503(
    server: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.supervisor, "_say_that_it_is_held", lambda _: None)
    monkeypatch.setattr(server.supervisor, "stopProcess", refuse_to_stop(server))
    failure = converge(server)
    assert failure is not None
    assert "does not answer with this configuration: it is not loaded" in failure.reason
    check_untouched(server)
    assert state_file.read(server.host, migration_state.FAILED, {})


def fail_migration(machine: Machine) -> None:
    machine.ckan.fault["trial"] = "Traceback (most recent call last):\n  File\nDuplicateColumn: column exists\n"


def answer_500(machine: Machine) -> None:
    machine.ckan.answers["/about"] = Answer(500, "")


def refuse_write(machine: Machine) -> None:
    machine.ckan.answers["/api/3/action/vocabulary_create"] = Answer(500, '{"success": false}')


FAULTS: dict[str, tuple[Callable[[Machine], None], str]] = {
    "migration": (fail_migration, "A copy of the database cannot be migrated: DuplicateColumn: column exists"),
    "pages": (answer_500, "answers /about with status 500"),
    "write": (refuse_write, 'answers vocabulary_create with status 500 ({"success": false})'),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_fails_before_the_turn_leaves_the_former_release_with_an_untouched_database(
    server: Machine, name: str
) -> None:
    fault, words = FAULTS[name]
    fault(server)
    failure = converge(server)
    assert failure is not None
    assert (failure.step, words in failure.reason) == ("active release", True), failure
    check_untouched(server)


def test_a_program_that_connects_again_delays_the_copy(server: Machine) -> None:
    refusals = iter(["being accessed by other users"] * 3)

    def psql(call: Call) -> str:
        if "TEMPLATE ckan_default'" in call.text and (words := next(refusals, None)):
            raise call.failure(3, f'ERROR:  source database "ckan_default" is {words}\n')
        return server.postgresql.psql(call)

    server.programs["psql"] = psql
    assert converge(server) is None
    check_migrated(server)
    assert len([call for call in server.calls if "pg_terminate_backend" in call.text]) == 6


def test_the_same_release_is_not_tried_again_within_a_day(server: Machine) -> None:
    fail_migration(server)
    converge(server)
    server.ckan.fault.clear()
    failure = converge(server)
    assert failure is not None
    assert "column exists" in failure.reason
    assert "--retry-release" in failure.hint
    check_untouched(server)
    failed: dict[str, Any] = state_file.read(server.host, migration_state.FAILED, {})
    state_file.write(server.host, migration_state.FAILED, {**failed, "when": time.time() - 25 * 3600})
    assert converge(server) is None
    check_migrated(server)


def test_without_room_for_a_copy_nothing_begins(server: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda host, path: disk.GIB if "postgresql" in path else 100 * disk.GIB)
    failure = converge(server)
    assert failure is not None
    assert "/var/lib/postgresql/15/main has 1024 MiB of free space, and 1040 MiB are needed" in failure.reason
    assert server.ckan.migrated == []
    check_untouched(server)


def add_former(machine: Machine, *names: str) -> None:
    """Add former databases of this server."""
    for name in names:
        machine.postgresql.databases[name] = replace(machine.postgresql.databases[cluster.DATABASE], oid=9)
        machine.postgresql.comments[f"DATABASE {name}"] = instance.mark(machine.host) or ""


@pytest.mark.parametrize(("free", "left"), [(1000, 2), (1025, 0), (1032, 1)])
def test_former_databases_go_only_where_that_makes_enough_room(
    server: Machine, monkeypatch: pytest.MonkeyPatch, free: int, left: int
) -> None:
    """A copy of 8 MiB needs 1040 MiB; each former database has 8 MiB as well."""
    add_former(server, f"{FORMER}20200101t000000_2_11_4_x", f"{FORMER}20200101t000000_2_11_5_x")

    def found(_: Host, path: str) -> int:
        dropped = 3 - len(server.postgresql.databases)
        return disk.MIB * (free + 8 * dropped if "postgresql" in path else 100_000)

    monkeypatch.setattr(disk, "free", found)
    fail_migration(server)
    assert converge(server) is not None
    assert len([it for it in server.postgresql.databases if it.startswith(FORMER)]) == left


def test_a_database_of_others_with_the_name_of_the_copy_is_never_dropped(server: Machine) -> None:
    """An administrator may have copied the database by hand, under this very name."""
    server.postgresql.databases["ckan_default_copy"] = replace(server.postgresql.databases[cluster.DATABASE], oid=9)
    failure = converge(server)
    assert failure is not None
    assert failure.reason.startswith("The database ckan_default_copy is needed as a name")
    assert not server.host.exists(nginx.MAINTENANCE)
    assert server.postgresql.databases.pop("ckan_default_copy").oid == 9
    check_untouched(server)
    assert converge(server) is None
    check_migrated(server)


def test_former_databases_go_after_a_week(server: Machine) -> None:
    names = ("ckan_default_before_20200101t000000_2_11_5_x", f"{FORMER}{time.strftime('%Y%m%d')}t000000_2_11_4_x")
    add_former(server, *names)
    server.postgresql.databases["ckan_default_before_others"] = server.postgresql.databases[names[0]]
    assert converge(server) is None
    assert names[0] not in server.postgresql.databases
    assert {names[1], "ckan_default_before_others"} < set(server.postgresql.databases)


def test_a_command_of_the_machine_that_fails_is_no_failure_of_the_release(
    server: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that shuts down refuses to reload nginx; after the boot the release is tried at once."""

    def turn(host: Host, it: Any) -> NoReturn:
        raise CommandFailed(("systemctl", "reload", "nginx.service"), 1, "Transaction is destructive.")

    with monkeypatch.context() as context:
        context.setattr(switch, "turn", turn)
        failure = converge(server)
    assert failure is not None
    assert "`systemctl reload nginx.service` failed" in failure.reason
    assert converge(server) is None
    check_migrated(server)


def steps_of(machine: Machine) -> list[Step]:
    """Return the steps that heal, migrate and set the mark, after all before them were run."""
    steps = plan(machine, LOCAL)
    places = {it.name: number for number, it in enumerate(steps)}
    converged(machine, steps[: places["active release"]])
    names = ("no migration under way", "active release", "mark of the object store")
    return [steps[places[name]] for name in names]


def test_a_store_that_does_not_answer_after_the_turn_leaves_the_new_release_with_its_job_workers(
    server: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DcorError("The store does not answer.")

    with monkeypatch.context() as context:
        context.setattr(StoreMark, "apply", refuse)
        failure = converge(server)
    assert failure is not None
    assert (failure.step, failure.reason) == ("active release", "The store does not answer.")
    assert (serving(server)[:7], len(of_release(server, "2.11.7"))) == ("2.11.7-", 2)
    assert not server.host.exists(nginx.MAINTENANCE)
    assert converge(server) is None
    check_migrated(server)


def test_an_interrupted_command_goes_back_and_may_be_repeated(server: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(switch, "prove_write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            converge(server)
    check_untouched(server)
    assert converge(server) is None
    check_migrated(server)


def cut(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the power fail after the copy was made, while everybody gets 503 and the database refuses writes."""
    with monkeypatch.context() as context:
        context.setattr(Migration, "_migrate", lambda *_: power_cut())
        context.setattr(Migration, "_go_back", lambda *_: None)
        with pytest.raises(PowerCutError):
            converge(machine)
    machine.supervisor.restart()
    machine.nginx.reload()
    assert machine.host.exists(nginx.MAINTENANCE)
    assert machine.postgresql.databases[cluster.DATABASE].read_only


def power_cut() -> NoReturn:
    raise PowerCutError


def test_what_was_cut_off_ends_before_anything_that_fails(server: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that cannot be renewed, or a full disk, is no reason for 503."""
    cut(server, monkeypatch)
    for step in (ReleaseMade, SelfSignedCertificate):
        with monkeypatch.context() as context:
            context.setattr(step, "check", lambda *_: "differs")
            context.setattr(step, "apply", lambda *_: require("no room"))
            assert converge(server) is not None
        check_untouched(server)


def require(reason: str) -> NoReturn:
    raise DcorError(reason)


@pytest.mark.parametrize("text", [None, "", '{"wanted": {"rel', '{"other": 1}\n'])
def test_a_record_that_is_lost_or_damaged_leaves_neither_503_nor_a_database_without_writes(
    server: Machine, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    """Also where the migration is not repeated, since the administrator has installed the former version."""
    cut(server, monkeypatch)
    server.host.remove(MIGRATION)
    if text is not None:
        server.host.write(MIGRATION, text, Access(0o600))
    server.packages.versions["python-ckan"] = "2.11.6-1~deb12u1"
    database = server.postgresql.databases[cluster.DATABASE]
    database.revision = REVISION
    assert converge(server) is None
    assert (serving(server)[:7], database.read_only) == ("2.11.6-", False)
    assert not server.host.exists(nginx.MAINTENANCE)


@pytest.mark.parametrize("shard", shards())
def test_the_power_fails_before_each_change_and_the_next_converge_heals_it(
    server: Machine, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    """Two releases migrate the database in turn, each time with a power cut before the next change."""
    power = Power()
    changes(server, monkeypatch, power)
    for number, version in zip(itertools.count(shard + 1, SHARDS), itertools.cycle(("2.11.7", "2.11.6"))):
        server.packages.versions["python-ckan"] = f"{version}-1~deb12u1"
        database = server.postgresql.databases[cluster.DATABASE]
        database.revision = OLD
        steps = steps_of(server)
        power.fail_at(number)
        was_cut = is_cut(server, power, partial(run, steps, server.host))
        assert [it.revision for it in server.postgresql.databases.values() if it.oid == database.oid] == [OLD], number
        assert [it for it in run(steps, server.host) if it.result is Result.FAILED] == [], number
        check_migrated(server, version, database.oid)
        for name in [it for it in server.postgresql.databases if it.startswith(FORMER)]:
            del server.postgresql.databases[name]
        if not was_cut:
            break
    assert number > 50
