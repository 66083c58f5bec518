"""The cluster is upgraded to the newest PostgreSQL as a whole; what fails or cuts it leaves the old one in use."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import programs, supervisor, switch, upgrade_backup, watch_state
from dcor_pkg.ckan.watch_state import Watch
from dcor_pkg.kernel import pending, settings_file
from dcor_pkg.machine import disk, state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import MIGRATION
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import cluster, cluster_upgrade, former_cluster
from dcor_pkg.services.postgresql import local as postgresql
from dcor_pkg.verbs.upgrade_database_cluster import upgrade
from tests.unit.ckan.power import Power, changes, counted_program, is_cut
from tests.unit.command_line import ANSWERS, CommandLine, Ended
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call
from tests.unit.fake_programs.postgresql import Database, OtherCluster, start_of, unit_of
from tests.unit.fake_programs.systemd import Unit

VERB = "upgrade-database-cluster"
PROGRAM = Access(0o755)
#: after each of so many power cuts a whole converge runs, and else only what it begins with
WHOLE = 9
#: where Debian puts the data of the new cluster
DATA = "/var/lib/postgresql/17/main"
#: the commands of Debian that change a cluster
CHANGING = ("pg_upgradecluster", "pg_dropcluster", "pg_conftool", "pg_ctlcluster")


def upgrade_debian(machine: Machine) -> None:
    """Install PostgreSQL 17 beside 15, as an upgrade of Debian does, with the empty cluster that its package makes."""
    for version in ("15", "17"):
        machine.host.write(f"/usr/lib/postgresql/{version}/bin/postgres", "", PROGRAM)
    machine.packages.versions |= {"postgresql-15": "15.14-0+deb12u1", "postgresql-17": "17.6-0+deb13u1"}
    machine.packages.offered.add("postgresql-17")
    machine.postgresql.others["17"] = OtherCluster(5433)
    machine.systemd.units[unit_of("17")] = Unit("active")


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return the command on a server whose Debian was upgraded."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    upgrade_debian(dcor_server.converged().machine)
    return dcor_server


def serves(machine: Machine) -> bool:
    """Tell whether all programs run, nobody gets 503, and the database takes writes."""
    serving = programs.serving(machine.host)
    assert serving is not None
    states = supervisor.states(machine.host)
    database = machine.postgresql.databases[cluster.DATABASE]
    return (
        states == {serving.web: supervisor.RUNNING, serving.jobs: supervisor.RUNNING}
        and not machine.host.exists(nginx.MAINTENANCE)
        and not database.read_only
        and machine.systemd.is_active(machine.postgresql.unit)
    )


def check_old_serves(machine: Machine) -> None:
    assert (machine.postgresql.version, serves(machine)) == ("15", True)
    assert (machine.host.read(start_of("15")) or "").splitlines()[-1] == "auto"
    assert cluster_upgrade.under_way(machine.host) is None
    assert former_cluster.read(machine.host) is None
    assert machine.postgresql.rows == {"public.package": 3}


def check_upgraded(machine: Machine) -> None:
    assert (machine.postgresql.version, serves(machine)) == ("17", True)
    assert (machine.host.read(start_of("15")) or "").splitlines()[-1] == "manual"
    assert (machine.systemd.is_active(unit_of("15")), machine.postgresql.others["15"].port) == (False, 5433)
    assert cluster_upgrade.under_way(machine.host) is None
    assert former_cluster.read(machine.host) is not None


def test_the_cluster_is_upgraded_and_the_old_one_is_kept_stopped(server: CommandLine) -> None:
    ended = server(VERB)
    assert (ended.code, ended.err) == (0, "")
    machine = server.machine
    check_upgraded(machine)
    assert ended.lines[0].startswith(f"The backup is in {upgrade_backup.DIRECTORY}/")
    assert ended.lines[1].startswith("Upgrading PostgreSQL 15/main to 17. Jobs end first, then everybody gets 503")
    assert ended.lines[2].startswith("PostgreSQL 17/main has the database, after 0 s. PostgreSQL 15/main is kept")
    (backup,) = upgrade_backup.ids(machine.host)
    assert backup.endswith("-postgresql-17")
    drop_in = f"/etc/systemd/system/{unit_of('17')}.d/dcor-server.conf"
    assert machine.host.exists(drop_in)
    assert not machine.host.exists(drop_in.replace("17", "15"))
    assert "0 changed" in server("converge").out


def test_while_it_is_upgraded_nobody_writes_and_everybody_gets_503(server: CommandLine) -> None:
    machine, seen = server.machine, []

    def watched_upgrade(call: Call) -> str:
        states = set(supervisor.states(machine.host).values())
        read_only = machine.postgresql.databases[cluster.DATABASE].read_only
        if "--check" not in call.options:
            seen.append((machine.host.exists(nginx.MAINTENANCE), read_only, states))
        return machine.postgresql.upgrade(call)

    machine.programs["pg_upgradecluster"] = watched_upgrade
    assert server(VERB).code == 0
    assert seen == [(True, True, {"STOPPED"})]


def refused(server: CommandLine, *words: str) -> None:
    """Require that the command says why, and has changed nothing."""
    before = server.machine.state()
    ended = server(VERB)
    assert (ended.code, ended.out) == (1, "")
    assert all(word in ended.err for word in words), ended.err
    assert server.machine.state() == before
    assert not any(call.argv[0] in CHANGING for call in server.machine.calls)
    check_old_serves(server.machine)


def only_one(machine: Machine) -> None:
    machine.host.remove("/usr/lib/postgresql/17/bin/postgres")


def no_room(machine: Machine) -> None:
    machine.free = disk.GIB


def used_by_somebody(machine: Machine) -> None:
    machine.postgresql.others["17"] = OtherCluster(5433, {"wiki"}, {"wiki"}, tables=1)


def target_is_down(machine: Machine) -> None:
    machine.systemd.units[unit_of("17")].active = "inactive"


def data_without_cluster(machine: Machine) -> None:
    del machine.postgresql.others["17"]
    machine.host.make_directory(DATA, Access(0o700))


def databases_of_others(machine: Machine) -> None:
    machine.postgresql.databases["wiki"] = Database("wiki")


def watched(machine: Machine) -> None:
    state_file.write(machine.host, watch_state.STATE_FILE, vars(Watch("2.11.6-abc", time.time() + 300, 0.0)))


def upgraded_packages(machine: Machine) -> None:
    pending.request(machine.host, pending.UPGRADE)


@pytest.mark.parametrize(
    ("hindrance", "words"),
    [
        (only_one, ("is of the newest PostgreSQL that is installed", "package postgresql")),
        (no_room, ("/var/lib/postgresql has 1024 MiB of free space, and 1072 MiB are needed.",)),
        (used_by_somebody, ("in use: it has the database wiki, the role wiki, the tables in the", "pg_renamecluster")),
        (data_without_cluster, (f"{DATA} exists, and there is no cluster PostgreSQL 17/main", f"rm -r {DATA}")),
        (target_is_down, ("PostgreSQL 17/main exists and is down", "pg_renamecluster 17 main NEW-NAME")),
        (databases_of_others, ("has databases of others", "wiki", f"dcor-server {VERB} --yes")),
        (watched, ("The release 2.11.6-abc is watched until",)),
        (upgraded_packages, ("Packages were upgraded, and do not serve yet.", "dcor-server converge --wait")),
    ],
)
def test_what_makes_it_useless_to_begin_is_said_before_anything_changes(
    server: CommandLine, hindrance: Callable[[Machine], None], words: tuple[str, ...]
) -> None:
    hindrance(server.machine)
    refused(server, *words)


def test_an_interrupted_migration_comes_first(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcor_pkg.ckan.migration_state.under_way", lambda _: object())
    refused(server, "A migration of the database was interrupted.", "dcor-server converge")
    assert not server.machine.host.exists(MIGRATION)


def test_while_apt_works_it_does_not_begin(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcor_pkg.machine.package_manager.is_busy", lambda _: True)
    refused(server, "apt or dpkg is running.")


def test_an_external_database_is_upgraded_elsewhere(server: CommandLine) -> None:
    external = {**ANSWERS, "database": "postgresql://ckan@db.example.org/ckan"}
    settings_file.save(server.machine.host, settings.parse(external))
    ended = server(VERB)
    assert (ended.code, "The database is external (postgresql://db.example.org" in ended.err) == (1, True), ended.err


def test_databases_of_others_come_along_when_the_administrator_says_so(server: CommandLine) -> None:
    databases_of_others(server.machine)
    assert server(VERB, "--yes").code == 0
    check_upgraded(server.machine)


def test_our_own_former_databases_are_nobody_elses(server: CommandLine) -> None:
    database = Database("ckan_default", connectable=False)
    server.machine.postgresql.databases["ckan_default_before_20261120t120000_2_11_5"] = database
    assert server(VERB).code == 0


def fail_restore(machine: Machine) -> None:
    machine.postgresql.upgrade_fails = "Error during cluster dumping, removing new cluster\n"


def lose_a_row(machine: Machine) -> None:
    machine.postgresql.upgrade_loses = True


def answer_500(machine: Machine) -> None:
    machine.ckan.answers["/about"] = Answer(500, "")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (fail_restore, "Error during cluster dumping"),
        (lose_a_row, "PostgreSQL 17/main is not a copy of PostgreSQL 15/main: the table public.package is another"),
        (answer_500, "answers /about with status 500"),
    ],
)
def test_what_fails_leaves_the_old_cluster_in_service(
    server: CommandLine, fault: Callable[[Machine], None], words: str
) -> None:
    fault(server.machine)
    ended = server(VERB)
    assert (ended.code, words in ended.err) == (1, True), ended.err
    check_old_serves(server.machine)
    assert "17" not in server.machine.postgresql.others


def test_what_cannot_be_undone_yet_keeps_503_and_the_next_converge_undoes_it(server: CommandLine) -> None:
    machine = server.machine
    lose_a_row(machine)
    drop, refuses = machine.postgresql.drop_cluster, [True]

    def drop_cluster(call: Call) -> str:
        if machine.postgresql.version == "17" and refuses:
            raise call.failure(1, "Error: could not stop server, aborting\n")
        return drop(call)

    machine.programs["pg_dropcluster"] = drop_cluster
    ended = server(VERB)
    assert (ended.code, "could not stop server" in ended.err) == (1, True), ended.err
    assert "is not a copy" in ended.err, "what has failed first"
    assert machine.host.exists(nginx.MAINTENANCE)
    assert pending.is_pending(machine.host, pending.CONVERGE)
    refuses.clear()
    assert server("converge").code == 0
    check_old_serves(machine)


def test_a_cluster_that_lets_nobody_in_is_started_again_by_its_unit(server: CommandLine) -> None:
    """As pg_upgradecluster leaves it when it is killed."""
    machine = server.machine

    def killed(call: Call) -> str:
        if "--check" in call.options:
            return ""
        machine.postgresql.others["17"] = OtherCluster(5433)
        machine.systemd.units[unit_of("15")].active = "inactive"
        raise call.failure(-9, "")

    machine.programs["pg_upgradecluster"] = killed
    assert server(VERB).code == 1
    check_old_serves(machine)


@pytest.mark.parametrize("is_listed", [False, True])
def test_what_a_power_cut_leaves_of_a_half_cluster_is_removed(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, *, is_listed: bool
) -> None:
    """pg_createcluster makes the data first; the next upgrade would take them for a whole cluster's."""
    machine = server.machine
    removed: list[tuple[str | None, tuple[str, ...]]] = []

    def remove(call: Call) -> str:
        removed.append((call.user, call.words))
        machine.host.remove_tree(DATA)
        return ""

    machine.programs["rm"] = remove
    machine.postgresql.others = {"17": OtherCluster(0)} if is_listed else {}
    machine.host.make_directory(DATA, Access(0o700))
    cluster_upgrade.ClusterUpgrade("15", "main", "17").record(machine.host)
    assert server("converge").code == 0
    assert removed == [("postgres", (DATA,))]
    assert machine.postgresql.others == {}
    check_old_serves(machine)


def test_after_a_power_cut_at_any_moment_the_next_converge_completes_or_undoes_it(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, power = server.machine, Power()
    changes(machine, monkeypatch, power)
    for name in CHANGING:
        machine.programs[name] = _counted(power, machine.programs[name])
    host, moments = machine.host, []
    for number in itertools.count(1):
        _reset(machine)
        power.fail_at(number)
        if not is_cut(machine, power, lambda: upgrade(host, lambda _: None, accepts_others=False)):
            break
        machine.systemd.units[machine.postgresql.unit].active = "active"
        if number % WHOLE:
            cluster_upgrade.settle(host, postgresql.endpoint(settings.Settings()))
            host.remove(nginx.MAINTENANCE)
        else:
            assert server("converge").code == 0
        moments.append(former_cluster.read(host) is not None)
        (check_upgraded if moments[-1] else check_old_serves)(machine)
    assert moments == sorted(moments)
    assert set(moments) == {False, True}
    assert len(moments) > WHOLE


def _counted(power: Power, program: Any) -> Callable[[Call], str]:
    return lambda call: counted_program(power, program, call)


def _reset(machine: Machine) -> None:
    """Bring the machine back to where an upgrade is possible."""
    if machine.postgresql.version == "17":
        machine.systemd.units.pop(unit_of("17"))
        machine.postgresql.version = "15"
    machine.postgresql.others = {"17": OtherCluster(5433)}
    machine.systemd.units |= {unit_of("15"): Unit("active"), unit_of("17"): Unit("active")}
    machine.host.write(start_of("15"), "auto\n", Access(0o644, "postgres", "postgres"))
    machine.host.remove(former_cluster.STATE_FILE)
    machine.host.remove_tree(upgrade_backup.DIRECTORY)


def test_the_old_cluster_is_removed_when_the_administrator_says_so(server: CommandLine) -> None:
    server(VERB)
    assert "PostgreSQL 15/main is kept as it was on" in server("status").out
    ended = server(VERB, "--remove-old")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(
        "PostgreSQL 15/main was removed. To remove its programs as well: apt purge postgresql-15"
    )
    assert server.machine.postgresql.others == {}
    assert "is kept" not in server("status").out
    assert server(VERB, "--remove-old", "--json").code == 1


def test_an_old_cluster_that_runs_is_not_removed(server: CommandLine) -> None:
    server(VERB)
    server.machine.systemd.units[unit_of("15")].active = "active"
    ended = server(VERB, "--remove-old")
    assert (ended.code, f"systemctl stop {unit_of('15')}" in ended.err) == (1, True)
    assert "15" in server.machine.postgresql.others


def test_an_old_cluster_that_somebody_has_removed_is_forgotten(server: CommandLine) -> None:
    server(VERB)
    del server.machine.postgresql.others["15"]
    ended: Ended = server(VERB, "--remove-old", "--json")
    assert (ended.code, ended.json["message"].startswith("PostgreSQL 15/main had been removed already.")) == (0, True)
    assert former_cluster.read(server.machine.host) is None


def test_status_names_a_version_that_debian_does_not_update_and_the_command(server: CommandLine) -> None:
    assert (
        "PostgreSQL 15/main has the database, and this Debian has no updates of PostgreSQL 15" in server("status").out
    )
    assert f"To upgrade it to 17, in minutes of 503: dcor-server {VERB}" in server("status").out
    server.machine.packages.offered.add("postgresql-15")
    assert "has no updates of PostgreSQL" not in server("status").out


def test_without_the_old_cluster_nothing_is_dropped(server: CommandLine) -> None:
    machine = server.machine
    cluster_upgrade.ClusterUpgrade("13", "main", "17").record(machine.host)
    ended = server("converge")
    assert (ended.code, "PostgreSQL 13/main is gone, though its upgrade has not ended." in ended.err) == (1, True)
    assert f"rm {cluster_upgrade.STATE_FILE}" in ended.err
    assert "17" in machine.postgresql.others
    assert not machine.ran("pg_dropcluster")
