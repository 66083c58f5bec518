"""A purge deletes what is proven to be this server's, spares what is not, and goes on where it was cut off."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from power_cut import power_cut
from website import assert_healthy, serves, wait_for_page

from tests.conftest import Boot

YES = "dcor-server dcor-server/purge-data boolean true\n"
NO = "dcor-server dcor-server/purge-data boolean false\n"
PURGE = ("apt-get", "purge", "--yes", "dcor-server")
#: libpq's variables, as an administrator of another machine's PostgreSQL has them in the environment.
ELSEWHERE = {"PGHOST": "db.example.org", "PGPORT": "5999", "PGUSER": "nobody", "PGDATABASE": "other", "PGSERVICE": "x"}
SECRET = "/etc/dcor-server/secrets/ckan-secret-key"
TAKE_UP = "/etc/dcor-server/take-up-database"


@pytest.fixture
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server for one test."""
    with Machine("purge", installed, read_only=package_mounts) as booted:
        wait_for_page(booted)
        yield booted


def purge(
    machine: Machine, *, answers: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Purge unattended; standard output has all output."""
    if answers:
        machine.run("debconf-set-selections", text=answers)
    done = machine.run(*PURGE, env={**layers.NONINTERACTIVE, **(env or {})}, check=False)
    done.stdout += done.stderr
    return done


def as_postgres(machine: Machine, sql: str, database: str = "postgres") -> list[str]:
    asked = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command", sql, database)
    return machine.run(*asked, user="postgres").stdout.split()


def databases(machine: Machine) -> set[str]:
    return set(as_postgres(machine, "SELECT datname FROM pg_database WHERE NOT datistemplate"))


def roles(machine: Machine) -> set[str]:
    return set(as_postgres(machine, "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"))


def make_circle(machine: Machine, name: str) -> None:
    values = f"'{name}', '{name}', 'organization', true, 'active', 'approved'"
    columns = "id, name, type, is_organization, state, approval_status"
    as_postgres(machine, f'INSERT INTO "group" ({columns}) VALUES ({values})', "ckan_default")


def circles(machine: Machine) -> list[str]:
    return as_postgres(machine, """SELECT name FROM "group" WHERE is_organization""", "ckan_default")


@pytest.mark.long
def test_a_yes_without_the_disk_deletes_nothing_and_is_forgotten(machine: Machine, debs: list[Path]) -> None:
    make_circle(machine, "kept-circle")
    machine.shell("mv /data /data.unmounted && mkdir /data")
    refused = purge(machine, answers=YES)
    assert refused.returncode == 100
    assert "/data does not hold the data of this server" in refused.stdout
    assert "nothing was deleted. To purge dcor-server and keep the data, answer no." in refused.stdout
    assert "ckan_default" in databases(machine)
    assert machine.path(SECRET).exists()
    # apt works as before
    machine.run("apt-get", "check")
    machine.run("apt-get", "--yes", "autoremove", "--dry-run")
    machine.shell("rmdir /data && mv /data.unmounted /data")
    layers.install(machine, debs)
    assert serves(machine)
    assert "0 changed" in machine.shell("dcor-server converge")
    # nobody has answered yes since
    unattended = purge(machine)
    assert unattended.returncode == 0
    assert "preserved the measurements in /data" in unattended.stdout
    assert machine.path("/data/.dcor-server").exists()
    # the database of another CKAN, as far as this installation can know
    machine.shell("rm -r /var/backups/dcor-server")
    as_postgres(machine, "COMMENT ON DATABASE ckan_default IS NULL")
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    occupied = machine.run(*layers.INSTALL, *layers.paths_inside(debs), env=layers.NONINTERACTIVE, check=False)
    assert occupied.returncode == 100
    assert "ckan_default is not empty, and not this server's" in occupied.stdout + occupied.stderr
    machine.shell(f"mkdir -p {Path(TAKE_UP).parent} && touch {TAKE_UP}")
    machine.run("dpkg", "--configure", "-a", env=layers.NONINTERACTIVE)
    assert_healthy(machine)
    assert circles(machine) == ["kept-circle"]
    dump = machine.shell("ls /var/backups/dcor-server-taken-up/*").strip()
    assert "kept-circle" in machine.shell(f"pg_restore --data-only --table=group --file=- {dump}", user="postgres")
    assert not machine.path(TAKE_UP).exists()


#: Other disks, as in /etc/fstab: below the volumes of the store, the scratch directory and the logs.
DISKS = """
systemctl stop dcor-store-door@s3.socket dcor-store-door@filer.socket dcor-object-store.service
mkdir -p /srv/disks /srv/scratch
cp -a /data/object-store /srv/disks/store
install -d -m 0755 /srv/disks/scratch /srv/disks/cache
cp -a /var/log/dcor-server /srv/disks/logs
cat >>/etc/fstab <<'END'
/srv/disks/store /data/object-store none bind 0 0
/srv/disks/scratch /srv/scratch none bind 0 0
/srv/disks/logs /var/log/dcor-server none bind 0 0
END
systemctl daemon-reload
for disk in /data/object-store /srv/scratch /var/log/dcor-server; do mount $disk; done
systemctl start dcor-store-door@s3.socket dcor-store-door@filer.socket dcor-object-store.service
dcor-server set scratch-directory=/srv/scratch
echo of-others >/srv/scratch/notes
"""
#: What others have on the machine, and settings as an editor may leave them.
OTHERS = r"""
echo mine >/data/notes
printf '[program:backup]\ncommand = sleep infinity\n' >/etc/supervisor/conf.d/dcor-backup.conf
runuser -u postgres -- createuser other
runuser -u postgres -- createdb --owner=other other
sed -i 's/^data-directory = /Data-Directory\t=\t/; s/^scratch-directory = \(.*\)/Scratch-Directory\t= \1 \r/' \
    /etc/dcor-server/dcor-server.conf
grep --quiet "^Scratch-Directory" /etc/dcor-server/dcor-server.conf
"""


@pytest.mark.long
def test_a_purge_that_is_cut_off_goes_on_unasked_and_spares_disks_and_others(machine: Machine) -> None:
    machine.shell(DISKS, timeout=900)
    machine.shell(OTHERS)
    machine.shell("systemctl stop 'dcor-store-door@*.socket' dcor-object-store.service && umount /data/object-store")
    refused = purge(machine, answers=YES, env=ELSEWHERE)
    assert (refused.returncode, "the disk of /data/object-store is not mounted" in refused.stdout) == (100, True)
    assert machine.path(SECRET).exists()
    machine.shell("mount /data/object-store")
    machine.run("debconf-set-selections", text=YES)
    variables = (f"{name}={value}" for name, value in ELSEWHERE.items())
    power_cut(machine, lambda it: it.path("/var/lib/dcor-server/deletion").exists(), "env", *variables, *PURGE)
    machine.run("dpkg", "--configure", "-a", env=layers.NONINTERACTIVE)
    done = purge(machine, answers=NO, env=ELSEWHERE)
    assert (done.returncode, "All data of this server were deleted" in done.stdout) == (0, True)
    assert databases(machine) == {"postgres", "other"}
    assert roles(machine) == {"postgres", "other"}
    for mounted in ("/data/object-store", "/srv/scratch", "/var/log/dcor-server"):
        machine.run("mountpoint", mounted)
    assert machine.shell("ls -A /data /data/object-store /srv/scratch /var/log/dcor-server").split() == [
        *("/data:", "notes", "object-store", "/data/object-store:"),
        *("/srv/scratch:", "notes", "/var/log/dcor-server:"),
    ]
    for gone in ("/etc/dcor-server", "/var/lib/dcor-server", "/var/backups/dcor-server", "/etc/ckan"):
        assert not machine.path(gone).exists(), gone
    assert machine.path("/etc/supervisor/conf.d/dcor-backup.conf").exists()


#: Another CKAN, set up by its manual, and a directory of a laboratory; and a database for the new server.
OTHER_CKAN = """
runuser -u postgres -- createuser ckan_default
runuser -u postgres -- psql --quiet --command "ALTER ROLE ckan_default PASSWORD 'hush'"
runuser -u postgres -- createdb --owner=ckan_default --encoding=utf-8 --template=template0 ckan_default
runuser -u postgres -- psql --quiet ckan_default --command 'CREATE TABLE package (id text)'
runuser -u postgres -- psql --quiet --command "CREATE ROLE archive LOGIN PASSWORD 'hush'"
runuser -u postgres -- createdb --owner=archive --encoding=utf-8 --template=template0 archive
mkdir -p /etc/ckan/default
printf '[app:main]\\nsqlalchemy.url = postgresql://ckan_default:hush@localhost/ckan_default\\n' >/etc/ckan/default/ckan.ini
useradd anna && groupadd lab
install -d -o anna -g lab -m 2775 /data
echo mine >/data/notes
"""
PASSWORDS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = 'ckan_default'"
EXTERNAL = (
    "dcor-server dcor-server/database string postgresql://archive@localhost/archive\n"
    "dcor-server dcor-server/database-password password hush\n"
)


def configure(machine: Machine, answers: str) -> subprocess.CompletedProcess[str]:
    """Give answers, and continue the installation; standard output has all output."""
    machine.run("debconf-set-selections", text=answers)
    done = machine.run("dpkg", "--configure", "-a", env=layers.NONINTERACTIVE, check=False, timeout=900)
    done.stdout += done.stderr
    return done


@pytest.mark.long
def test_what_belongs_to_another_ckan_is_neither_used_nor_deleted(
    boot: Boot, unconfigured: layers.Stack, package_mounts: dict[Path, str]
) -> None:
    machine = boot("occupied", unconfigured, read_only=package_mounts)
    machine.shell(OTHER_CKAN)
    before = as_postgres(machine, PASSWORDS)
    ini = machine.path("/etc/ckan/default/ckan.ini").read_text()
    refused = configure(machine, layers.ANSWERS)
    assert refused.returncode == 1
    assert "ckan_default is not empty, and not this server's" in refused.stdout
    assert TAKE_UP in refused.stdout
    refused = configure(machine, EXTERNAL)
    assert refused.returncode == 1
    assert "/data is used already: it contains notes" in refused.stdout
    assert "/srv/dcor-server" in refused.stdout
    assert not machine.path("/etc/dcor-server/dcor-server.conf").exists()
    done = configure(machine, "dcor-server dcor-server/data-directory string /srv/dcor-server\n")
    assert done.returncode == 0, done.stdout
    assert "/etc/ckan/default/ckan.ini.before-dcor-server" in done.stdout
    assert_healthy(machine)
    assert "0 changed" in machine.shell("dcor-server converge")
    purged = purge(machine, answers=YES)
    assert (purged.returncode, "All data of this server were deleted" in purged.stdout) == (0, True)
    assert not machine.path("/srv/dcor-server").exists()
    assert databases(machine) == {"postgres", "ckan_default", "archive"}
    assert as_postgres(machine, PASSWORDS) == before
    assert as_postgres(machine, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "ckan_default") == [
        "package"
    ]
    assert machine.path("/etc/ckan/default/ckan.ini.before-dcor-server").read_text() == ini
    assert machine.shell("stat --format='%U:%G %a' /data; cat /data/notes").split() == ["anna:lab", "2775", "mine"]
