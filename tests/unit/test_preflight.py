"""Preflight refuses before the first change, with the reason, and lets a good machine pass."""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dcor_pkg import preflight
from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import data_directory, secrets
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.instance import INSTANCE, marker
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine import directory_trial, disk, ports
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import trial
from dcor_pkg.services.postgresql import access, cluster, ownership
from dcor_pkg.services.postgresql.cluster import Cluster

WANTED = settings.parse({"hostname": "dcor.example.org", "data-directory": "/data"})
PUBLIC = Access(0o644)
CLUSTER = Cluster("15", "main", is_online=False)


@pytest.fixture
def machine(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a machine on which PostgreSQL answers, the ports are free and the disks are large."""
    host.write("/proc/meminfo", "MemTotal: 4194304 kB\n", PUBLIC)
    for name in ("ckan-secret-key", "ckan-csrf-key", "database-password", "solr-password"):
        host.write(secrets.path(name), "x\n", secrets.ACCESS)
    monkeypatch.setattr(Host, "succeeds", lambda *_, **__: True)
    monkeypatch.setattr(cluster, "local", lambda _: CLUSTER)
    monkeypatch.setattr(access, "require", lambda *_: None)
    monkeypatch.setattr(ownership, "require", lambda *_: None)
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    monkeypatch.setattr(preflight, "CHANGE", tuple(one for one in preflight.CHANGE if one is not trial.check))
    monkeypatch.setattr(disk, "free", lambda *_: 100 * disk.GIB)
    return host


def change(host: Host, wanted: Settings, before: Settings | None = None) -> None:
    preflight.check_change(host, Proposal(before, wanted, {}))


def test_a_good_machine_passes_and_nothing_is_changed(machine: Host) -> None:
    before = sorted(machine.root.rglob("*"))
    preflight.check(machine, WANTED)
    change(machine, WANTED)
    assert sorted(machine.root.rglob("*")) == before


def test_a_file_in_the_path_of_the_data_is_named(machine: Host) -> None:
    machine.write("/srv/file", "", PUBLIC)
    with pytest.raises(DcorError, match="/srv/file is not a directory"):
        preflight.check(machine, replace(WANTED, data_directory="/srv/file/data"))


def test_only_the_first_release_needs_space_before_it_is_made(machine: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda *_: 0)
    with pytest.raises(DcorError, match=release.DIRECTORY):
        preflight.check(machine, WANTED)
    machine.write(f"{release.directory('1.0-a')}/{release.SCHEMA}", "x", PUBLIC)
    preflight.check(machine, WANTED)


@pytest.mark.parametrize("port", [80, 443, 8983])
def test_a_port_that_another_program_uses_is_named(machine: Host, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    def require_free(wanted: dict[int, tuple[str, ...]]) -> None:
        if port in wanted:
            raise DcorError(f"Port {port} is held")

    monkeypatch.setattr(ports, "require_free", require_free)
    with pytest.raises(DcorError, match=f"Port {port} is held"):
        preflight.check(machine, WANTED)


@pytest.mark.parametrize("text", ["manual\n", "# a comment\n disabled # another\n"])
def test_a_postgresql_that_is_down_is_named_with_its_unit_where_an_administrator_does_not_let_it_start(
    machine: Host, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(Host, "succeeds", lambda _, *argv, **__: argv[0].startswith("system"))
    machine.write(CLUSTER.start, text, PUBLIC)
    with pytest.raises(DcorError, match="PostgreSQL does not accept connections") as raised:
        preflight.check(machine, WANTED)
    assert f"systemctl start {CLUSTER.unit}" in raised.value.hint


@pytest.mark.parametrize("text", ["auto\n", "# a comment\n", f"{cluster.STOPPED}manual\n"])
def test_a_postgresql_that_is_down_is_no_reason_to_refuse_where_we_may_start_it(
    machine: Host, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(Host, "succeeds", lambda _, *argv, **__: argv[0].startswith("system"))
    machine.write(CLUSTER.start, text, PUBLIC)
    preflight.check(machine, WANTED)


def test_an_addition_that_ckan_cannot_read_is_named(machine: Host) -> None:
    machine.write("/etc/dcor-server/ckan.d/mine.ini", "nonsense\n", PUBLIC)
    with pytest.raises(DcorError, match=r"mine\.ini, line 1"):
        preflight.check(machine, WANTED)


def test_data_of_an_unknown_owner_are_not_adopted(machine: Host) -> None:
    machine.write("/data/object-store/x", "", PUBLIC)
    with pytest.raises(DcorError, match="its owner is unknown"):
        change(machine, WANTED)


LAB = Access(0o2775, "anna", "lab")


@pytest.mark.parametrize(
    ("access", "instead"), [(LAB, "/srv/dcor-server"), (Access(0o755), "/data/dcor-server"), (Access(0o700), "/data/")]
)
def test_a_directory_that_others_use_is_refused_with_another_name_and_stays_as_it_is(
    machine: Host, access: Access, instead: str
) -> None:
    machine.make_directory("/data", access)
    machine.path("/data/notes").touch()
    with pytest.raises(InvalidAnswer, match="/data is used already: it contains notes") as refused:
        change(machine, WANTED)
    assert f"for example {instead}" in refused.value.hint
    assert machine.access("/data") == access


@pytest.mark.parametrize("access", [LAB, Access(0o777), Access(0o700), Access(0o711, "anna", "anna")])
def test_an_empty_directory_of_somebody_is_refused_and_stays_as_it_is(machine: Host, access: Access) -> None:
    machine.make_directory("/data", access)
    with pytest.raises(InvalidAnswer, match=r"/data is .*: root has to own it") as refused:
        change(machine, WANTED)
    assert "chmod 0711 /data" in refused.value.hint
    (outcome,) = run([DataDirectory("/data")], machine)
    assert outcome.result is Result.FAILED
    assert (machine.access("/data"), machine.names("/data")) == (access, [])


@pytest.mark.parametrize("access", [Access(0o755), Access(0o711, "root", "staff")])
def test_an_empty_disk_is_used_and_keeps_its_access(machine: Host, access: Access) -> None:
    machine.make_directory("/data", access)
    machine.make_directory("/data/lost+found", Access(0o700))
    change(machine, WANTED)
    run([DataDirectory("/data")], machine)
    assert machine.exists(marker("/data"))
    assert machine.access("/data") == access


@pytest.mark.parametrize("key", ["data_directory", "scratch_directory"])
def test_a_link_is_refused_before_anything_is_saved(machine: Host, key: str) -> None:
    machine.link("/srv/link", "/srv/disk")
    with pytest.raises(InvalidAnswer, match="/srv/link is a symbolic link") as refused:
        change(machine, replace(WANTED, **{key: "/srv/link"}))
    assert "/srv/disk" in refused.value.hint


@pytest.mark.parametrize("access", [LAB, Access(0o1777), Access(0o700)])
def test_a_scratch_directory_of_somebody_is_refused_and_stays_as_it_is(machine: Host, access: Access) -> None:
    machine.make_directory("/srv/scratch", access)
    for before in (None, WANTED):
        with pytest.raises(InvalidAnswer, match=r"/srv/scratch is .*: root has to own it"):
            change(machine, replace(WANTED, scratch_directory="/srv/scratch"), before=before)
    assert machine.access("/srv/scratch") == access


@pytest.mark.parametrize(("key", "path"), [("data_directory", "/srv/data"), ("scratch_directory", "/srv/scratch")])
def test_a_disk_on_which_root_cannot_give_files_away_is_refused(
    machine: Host, monkeypatch: pytest.MonkeyPatch, key: str, path: str
) -> None:
    refused = "root cannot make a file of www-data in /srv"
    trial = directory_trial.refuses_owner
    monkeypatch.setattr(
        directory_trial, "refuses_owner", lambda *it: refused if it[1].startswith("/srv/") else trial(*it)
    )
    with pytest.raises(InvalidAnswer, match=refused) as raised:
        change(machine, replace(WANTED, **{key: path}))
    assert "disk of this machine" in raised.value.hint
    (outcome,) = run([DataDirectory("/srv/data")], machine)
    assert (outcome.result, machine.exists("/srv/data")) == (Result.FAILED, False)


def test_a_machine_with_too_little_memory_is_refused_unless_it_has_a_server(machine: Host) -> None:
    """A release alone is none: a unit makes it before the first converge."""
    machine.write("/proc/meminfo", "MemTotal: 1021440 kB\n", PUBLIC)
    machine.write(f"{release.directory('2.11.6-1')}/{release.SCHEMA}", "", PUBLIC)
    with pytest.raises(
        DcorError, match="This machine has 997 MiB of memory, and a DCOR server needs 1536 MiB"
    ) as raised:
        preflight.check(machine, WANTED)
    assert "With 2 GiB" in raised.value.hint
    for path in (INSTANCE, marker("/data")):
        machine.write(path, "id\n", PUBLIC)
    preflight.check(machine, WANTED)


def test_a_disk_without_programs_is_refused(machine: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC))
    with pytest.raises(DcorError, match="No program can run from /var/lib/dcor-server/releases") as raised:
        preflight.check(machine, WANTED)
    assert "remount,exec" in raised.value.hint


@pytest.mark.parametrize("path", ["/var/cache/dcor-server/ckanext-dc_serve", "/var/lib/ckan/webassets"])
def test_a_directory_of_another_ckan_that_a_purge_would_delete_is_refused(machine: Host, path: str) -> None:
    machine.write(f"{path}/file", "", PUBLIC)
    with pytest.raises(DcorError, match=f"{path} is another CKAN's"):
        change(machine, WANTED)
    change(machine, WANTED, before=WANTED)
    machine.remove(f"{path}/file")
    change(machine, WANTED)


def test_data_do_not_move_by_a_setting(machine: Host) -> None:
    for path in (INSTANCE, marker("/data")):
        machine.write(path, "id\n", PUBLIC)
    elsewhere = replace(WANTED, data_directory="/mnt")
    with pytest.raises(DcorError, match="the data of this server are in /data, not in /mnt") as refused:
        change(machine, elsewhere, before=WANTED)
    assert "dcor-server move-data /mnt" in refused.value.hint
    machine.write(marker("/mnt"), "id\n", PUBLIC)
    change(machine, elsewhere, before=WANTED)


@pytest.mark.parametrize("key", ["data_directory", "scratch_directory"])
def test_a_directory_that_a_user_could_exchange_is_refused_by_each_converge(machine: Host, key: str) -> None:
    machine.make_directory("/home/curator", Access(0o755, "curator", "curator"))
    question = f"dcor-server/{key.replace('_', '-')}"
    for check in (change, preflight.check):
        with pytest.raises(InvalidAnswer, match=f"^{question} = .*: /home/curator belongs to curator, so") as refused:
            check(machine, replace(WANTED, **{key: "/home/curator/lab"}))
        assert "use another place" in refused.value.hint


def test_the_first_data_need_space(machine: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda _, path: data_directory.REQUIRED_BYTES - 1 if path == "/data" else 2**40)
    with pytest.raises(DcorError, match="/data"):
        change(machine, WANTED)


def test_an_own_certificate_is_validated_in_a_change_only(machine: Host) -> None:
    own = replace(WANTED, certificate="own", certificate_file="/srv/c.pem", certificate_key="/srv/k.pem")
    preflight.check(machine, own)
    with pytest.raises(DcorError, match="certificate-file"):
        change(machine, own)


def test_a_file_that_a_setting_names_has_to_be_readable(machine: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "run", lambda *_, **__: "")
    with pytest.raises(DcorError, match="dcor-server/about"):
        change(machine, replace(WANTED, about="/srv/about.md"))


def test_an_external_service_without_its_password_is_named(machine: Host) -> None:
    with pytest.raises(DcorError, match="redis-password"):
        preflight.check(machine, replace(WANTED, redis="redis://redis.example.org"))
