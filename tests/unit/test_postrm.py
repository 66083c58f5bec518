"""The postrm: what a purge deletes, what it leaves, and that it goes on where it was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcor_pkg.kernel import instance
from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import former_cluster
from tests.unit.purge import FILES, ID, Purge
from tests.unit.shards import SHARDS, shards

DATA = ("/data/object-store", "/data/ckan", "/databases/ckan_default", "/roles/ckan_default", "/roles/www-data")
ENGINES = ("/var/lib/redis/dcor.rdb", "/var/lib/redis/dcor-appendonly", "/var/lib/dcor-object-store")
OF_OTHERS = ("/databases/other", "/roles/postgres", "/var/lib/redis/dump.rdb")
CONFIGURATION = ("/etc/dcor-server", "/var/lib/dcor-server", "/etc/ckan", "/var/log/ckan", "/var/log/dcor-server")
TEMPORARY = ("/var/cache/dcor-server", "/var/lib/ckan", "/etc/nginx/sites-enabled/dcor")
KEPT = "/var/backups/dcor-server/kept"
EXTERNAL = "postgresql://ckan@db.example.org/ckan"


@pytest.fixture
def machine(tmp_path: Path) -> Purge:
    """Return a machine with a server on it."""
    return Purge(tmp_path)


def answered_yes(machine: Purge) -> Purge:
    machine.answer(yes=True)
    return machine


def assert_nothing_was_deleted(machine: Purge, reason: str) -> None:
    """Purge with the answer yes, which has to fail with this reason, change nothing, and be forgotten."""
    before = answered_yes(machine).state()
    done = machine.run()
    assert done.returncode == 1
    assert reason in done.stdout
    assert "nothing was deleted. To purge dcor-server and keep the data, answer no." in done.stdout
    assert machine.state() == before
    assert machine.path("/answer").read_text() == "false\n"


def test_yes_deletes_what_is_this_servers_and_nothing_else(machine: Purge) -> None:
    machine.write(f"{KEPT}/instance", f"{ID}\n")
    machine.write(f"{KEPT}.new/secrets/key", "secret")
    machine.path("/var/lib/redis/dcor.rdb").unlink()
    done = answered_yes(machine).run()
    assert done.returncode == 0
    assert done.stdout.startswith("dcor-server: All data of this server were deleted")
    gone = (*DATA, *ENGINES, *CONFIGURATION, *TEMPORARY, "/data", "/var/backups/dcor-server")
    assert not any(machine.exists(*gone, "/etc/apt/apt.conf.d/01dcor-server"))
    assert all(machine.exists(*OF_OTHERS))


def test_copies_of_the_database_and_backups_from_before_upgrades_go_too(machine: Purge) -> None:
    upgrades = "/var/backups/dcor-server/upgrades"
    copies = ("/databases/ckan_default_before_20260101t000000_2_11_5", "/databases/ckan_default_copy")
    of_others = ("/databases/ckan_default_test", f"{upgrades}/20260102T000000-2.11.5/database.dump")
    for path in copies:
        machine.write(path, machine.path("/databases/ckan_default").read_text())
    machine.write(of_others[0], "")
    machine.write(of_others[1], "PGDMP")
    for name in ("20260101T000000-2.11.5", ".20260103T000000-2.11.6"):
        machine.write(f"{upgrades}/{name}/instance", f"{ID}\n")
    machine.write("/databases/not_ckan_default_x", machine.path("/databases/ckan_default").read_text())
    assert answered_yes(machine).run().returncode == 0
    assert not any(
        machine.exists(*copies, *DATA, f"{upgrades}/20260101T000000-2.11.5", f"{upgrades}/.20260103T000000-2.11.6")
    )
    assert all(machine.exists(*of_others, "/databases/not_ckan_default_x"))


def leave_former_cluster(machine: Purge) -> Path:
    """Let an upgrade of PostgreSQL have left a cluster, and return its directory."""
    former_cluster.record(Host(root=machine.root), "13", "main", "15")
    machine.write("/etc/postgresql/13/main/postgresql.conf", "port = 5434\n")
    return machine.path("/etc/postgresql/13/main")


def test_the_cluster_that_an_upgrade_has_left_goes_with_the_data(machine: Purge) -> None:
    former = leave_former_cluster(machine)
    assert answered_yes(machine).run().returncode == 0
    assert not former.exists()
    assert machine.path("/etc/postgresql/15/main").exists()


def test_the_cluster_that_an_upgrade_has_left_stays_with_preserved_data(machine: Purge) -> None:
    former = leave_former_cluster(machine)
    assert machine.run().returncode == 0
    assert former.exists()


def test_a_former_cluster_that_cannot_be_dropped_ends_the_purge_which_may_be_repeated(machine: Purge) -> None:
    former = leave_former_cluster(machine)
    machine.write("/pg_dropcluster-fails", "")
    done = answered_yes(machine).run()
    assert (done.returncode, "not all data of this server were deleted" in done.stdout) == (1, True)
    machine.path("/pg_dropcluster-fails").unlink()
    assert (machine.run().returncode, former.exists()) == (0, False)


def test_no_preserves_the_data_and_what_is_needed_to_read_them(machine: Purge) -> None:
    done = machine.run()
    assert (done.returncode, "preserved the measurements in /data, the database ckan_default" in done.stdout) == (
        0,
        True,
    )
    assert all(machine.exists(*DATA, *ENGINES, *OF_OTHERS, "/data/.dcor-server", "/etc/apt/apt.conf.d/01dcor-server"))
    assert not any(machine.exists(*CONFIGURATION, *TEMPORARY))
    for name in ("secrets/key", "dcor-server.conf"):
        assert machine.path(f"{KEPT}/{name}").read_text() == FILES[f"/etc/dcor-server/{name}"]
    assert machine.path(f"{KEPT}/instance").read_text() == f"{ID}\n"
    assert "postgres" not in machine.path("/calls").read_text()


def test_no_leaves_the_backups_from_before_upgrades_and_says_where(machine: Purge) -> None:
    left = [f"/var/backups/dcor-server/upgrades/2026010{day}T000000-2.11.{day}-left/database.dump" for day in (1, 2)]
    for path in left:
        machine.write(path, "PGDMP")
    done = machine.run()
    assert (done.returncode, all(machine.exists(*left, f"{KEPT}/instance"))) == (0, True)
    said = "left the backups from before upgrades in /var/backups/dcor-server/upgrades."
    assert done.stdout.count(said) == 1


def test_nothing_of_the_callers_environment_reaches_postgresql(machine: Purge) -> None:
    names = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGOPTIONS", "PGPASSFILE", "PGCLUSTER", "HOME")
    machine.path("/run/systemd/system").mkdir(parents=True)
    assert answered_yes(machine).run(dict.fromkeys(names, "elsewhere")).returncode == 0
    calls = machine.path("/calls").read_text().splitlines()
    at = f"--host={machine.root}/var/run/postgresql --port=5432"
    assert len([call for call in calls if call.startswith(f"psql {at} ")]) >= 3
    assert [call for call in calls if call.startswith("dropdb")] == [
        f"dropdb {at} --no-password --if-exists --force ckan_default"
    ]
    for program in ("psql", "dropdb", "pg_lsclusters", "runuser", "systemctl", "findmnt"):
        assert machine.environment(program) == {"PATH", "LANG"}


@pytest.mark.parametrize("marker", [None, "another\n"])
def test_data_without_the_marker_are_not_deleted_and_neither_is_what_reads_them(
    machine: Purge, marker: str | None
) -> None:
    machine.path("/data/.dcor-server").unlink()
    if marker:
        machine.write("/data/.dcor-server", marker)
    assert_nothing_was_deleted(machine, "/data does not hold the data of this server")


def test_after_that_the_purge_of_an_unattended_upgrade_preserves_all(machine: Purge) -> None:
    machine.path("/data/.dcor-server").unlink()
    assert answered_yes(machine).run().returncode == 1
    machine.write("/data/.dcor-server", f"{ID}\n")
    assert machine.run().returncode == 0
    assert all(machine.exists(*DATA, f"{KEPT}/secrets/key"))


def test_a_database_without_the_mark_is_left_and_named(machine: Purge) -> None:
    machine.write("/databases/ckan_default", "")
    machine.write("/roles/www-data", "")
    done = answered_yes(machine).run()
    assert done.returncode == 0
    assert "left the database ckan_default, because it does not have the mark of this server" in done.stdout
    assert machine.exists(*DATA) == [False, False, True, False, True]


def test_a_server_whose_database_was_always_external_does_not_touch_the_local_postgresql(machine: Purge) -> None:
    machine.plan({"database": EXTERNAL})
    assert answered_yes(machine).run().returncode == 0
    assert all(machine.exists("/databases/ckan_default", "/roles/ckan_default"))
    assert not {"psql", "dropdb", "pg_lsclusters"} & {
        line.split()[0] for line in machine.path("/calls").read_text().splitlines()
    }
    assert "postgresql" not in machine.path("/calls").read_text()


def test_a_database_from_before_an_external_one_goes_too(machine: Purge) -> None:
    machine.write("/var/lib/dcor-server/addresses-by-database.json", '{"postgresql://127.0.0.1/ckan_default": {}}')
    machine.plan({"database": EXTERNAL})
    machine.write("/etc/postgresql/15/main/start.conf", "# dcor-server has stopped this cluster, for ...\nmanual\n")
    assert answered_yes(machine).run().returncode == 0
    assert not any(machine.exists(*DATA))
    assert machine.path("/etc/postgresql/15/main/start.conf").read_text() == "auto\n"


def test_services_are_stopped_before_their_data_go(machine: Purge) -> None:
    machine.path("/run/systemd/system").mkdir(parents=True)
    assert answered_yes(machine).run().returncode == 0
    calls = [(*line.split(), "", "")[:3] for line in machine.path("/calls").read_text().splitlines()]
    stopped = [words[2] for words in calls if words[:2] == ("systemctl", "stop")]
    assert {"dcor-ckan.service", "redis-server@dcor.service", "dcor-object-store.service"} <= set(stopped)
    assert ("systemctl", "start", "postgresql@15-main.service") in calls
    assert max(n for n, words in enumerate(calls) if words[1] == "stop") < calls.index(
        next(words for words in calls if words[0] == "dropdb")
    )


def test_a_postgresql_that_is_down_keeps_everything(machine: Purge) -> None:
    machine.write("/postgresql-is-down", "")
    assert_nothing_was_deleted(
        machine, "PostgreSQL on this machine, which has the database ckan_default, cannot be asked"
    )


def test_a_postgresql_that_is_gone_keeps_nothing(machine: Purge) -> None:
    machine.path("/etc/postgresql/15/main/postgresql.conf").unlink()
    machine.write("/postgresql-is-down", "")
    assert answered_yes(machine).run().returncode == 0
    assert not any(machine.exists("/data", "/etc/dcor-server"))


def test_disks_that_are_mounted_are_emptied_and_stay_mounted(machine: Purge) -> None:
    mounted = (
        *("/data", "/data/object-store", "/var/cache/dcor-server", "/var/cache/dcor-server/ckanext-dc_serve"),
        *("/var/log/dcor-server", "/var/lib/ckan/webassets"),
    )
    machine.write("/data/object-store/lost+found/x", "")
    machine.mount(*mounted)
    done = answered_yes(machine).run()
    assert (done.returncode, "All data of this server were deleted" in done.stdout) == (0, True)
    assert all(machine.exists(*mounted))
    assert not any(machine.exists("/data/object-store/1.dat", "/data/ckan", "/data/.dcor-server", "/etc/dcor-server"))
    assert not any(machine.exists("/var/cache/dcor-server/ckanext-dc_serve/x", "/var/log/dcor-server/converge.log"))
    assert machine.exists("/data/object-store/lost+found/x") == [True]


def test_a_scratch_disk_keeps_what_is_not_ckans(machine: Purge) -> None:
    machine.plan({"scratch-directory": "/srv/scratch"})
    for path in ("/srv/scratch/of-others", "/srv/scratch/ckanext-dc_serve/x"):
        machine.write(path, "")
    machine.mount("/srv/scratch")
    assert machine.run().returncode == 0
    assert machine.exists("/srv/scratch/of-others", "/srv/scratch/ckanext-dc_serve") == [True, False]


def test_a_disk_that_is_mounted_inside_of_the_data_may_be_anybodys(machine: Purge) -> None:
    machine.mount("/data/object-store/elsewhere")
    assert_nothing_was_deleted(machine, "another disk is mounted in it, at /data/object-store/elsewhere")


@pytest.mark.parametrize("known_by", ["fstab", "systemd"])
def test_a_disk_of_the_volumes_that_is_not_mounted_keeps_their_credentials(machine: Purge, known_by: str) -> None:
    if known_by == "fstab":
        machine.write("/etc/fstab", f"{machine.path('/data/object-store')}\n")
    else:
        machine.path("/run/systemd/system").mkdir(parents=True)
        machine.write("/load-state", "loaded\n")
    assert_nothing_was_deleted(machine, "the disk of /data/object-store is not mounted")


def test_an_existing_directory_stays_when_it_was_the_data_directory(machine: Purge) -> None:
    machine.path("/var/lib/dcor-server/data-directories.json").unlink()
    machine.plan(made=False)
    assert answered_yes(machine).run().returncode == 0
    assert machine.exists("/data", "/data/.dcor-server", "/data/ckan") == [True, False, False]


def test_what_others_have_in_the_data_directory_stays(machine: Purge) -> None:
    machine.write("/data/notes", "mine")
    assert answered_yes(machine).run().returncode == 0
    assert machine.exists("/data/notes", "/data/object-store") == [True, False]


def test_files_of_others_at_our_paths_stay_and_are_named(machine: Purge) -> None:
    machine.write("/etc/ckan/default/ckan.ini", "[app:main]\nsqlalchemy.url = of another\n")
    machine.write("/etc/supervisor/conf.d/dcor-backup.conf", "[program:backup]\n")
    machine.write("/etc/supervisor/conf.d/dcor-1.0.conf", "; Managed by dcor-server: the web server\n")
    machine.write("/etc/nginx/sites-available/dcor", "server {}\n")
    done = machine.run()
    assert done.returncode == 0
    assert "left /etc/ckan/default/ckan.ini, which is not dcor-server's" in done.stdout
    kept = ("/etc/ckan/default/ckan.ini", "/etc/supervisor/conf.d/dcor-backup.conf", "/etc/nginx/sites-available/dcor")
    assert all(machine.exists(*kept, "/etc/nginx/sites-enabled/dcor"))
    assert machine.exists("/etc/supervisor/conf.d/dcor-1.0.conf") == [False]


def test_without_a_plan_everything_is_preserved_whatever_the_answer(machine: Purge) -> None:
    machine.path("/var/lib/dcor-server/removal-plan").unlink()
    done = answered_yes(machine).run()
    assert (done.returncode, "no data can be deleted" in done.stdout) == (0, True)
    assert all(machine.exists(*DATA, f"{KEPT}/secrets/key"))
    assert machine.path("/answer").read_text() == "false\n"


def test_without_a_server_there_is_nothing_to_decide(machine: Purge) -> None:
    machine.path(instance.INSTANCE).unlink()
    assert answered_yes(machine).run().returncode == 0
    assert all(machine.exists(*DATA))
    assert not any(machine.exists(*CONFIGURATION, KEPT))


def test_a_deletion_that_fails_says_so_and_is_completed_by_the_next_purge(machine: Purge) -> None:
    machine.write("/dropdb-fails", "")
    done = answered_yes(machine).run()
    assert (done.returncode, "not all data of this server were deleted" in done.stdout) == (1, True)
    assert all(machine.exists("/data/object-store/1.dat", "/etc/dcor-server/secrets/key", instance.INSTANCE))
    assert machine.exists(instance.DELETION) == [True]
    machine.path("/dropdb-fails").unlink()
    assert machine.run().returncode == 0
    assert not any(machine.exists(*DATA, "/etc/dcor-server/secrets/key", instance.INSTANCE))


def test_what_cannot_be_preserved_is_not_removed(machine: Purge) -> None:
    machine.write("/var/backups/dcor-server", "a file")
    done = machine.run()
    assert (done.returncode, "nothing was removed" in done.stdout) == (1, True)
    assert all(machine.exists("/etc/dcor-server/secrets/key", instance.INSTANCE, *DATA))


def test_secrets_of_another_server_that_were_preserved_stay(machine: Purge) -> None:
    machine.write(f"{KEPT}/instance", "another\n")
    assert answered_yes(machine).run().returncode == 0
    assert machine.exists(f"{KEPT}/instance") == [True]


@pytest.mark.parametrize("shard", shards())
@pytest.mark.parametrize("yes", [True, False])
def test_a_purge_that_is_cut_off_anywhere_ends_as_one_that_was_not(tmp_path: Path, yes: bool, shard: int) -> None:
    """The repeated one is unattended: nobody answers yes again, once the deletion has begun."""
    complete = Purge(tmp_path / "complete")
    complete.answer(yes=yes)
    assert complete.run().returncode == 0
    for cut in range(1 + shard, 1000, SHARDS):
        machine = Purge(tmp_path / str(cut))
        machine.answer(yes=yes)
        was_cut = machine.run(cut=cut).returncode < 0
        done = machine.run()
        assert (done.returncode, machine.state()) == (0, complete.state()), (cut, done.stdout)
        if not was_cut:
            break
    assert (cut > 40, was_cut) == (True, False)


@pytest.mark.parametrize("argument", ["remove", "upgrade", "abort-install"])
def test_only_a_purge_removes_anything(machine: Purge, argument: str) -> None:
    before = answered_yes(machine).state()
    assert machine.run(action=argument).returncode == 0
    assert machine.state() == before
