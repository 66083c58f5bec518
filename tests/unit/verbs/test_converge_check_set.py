"""`dcor-server converge`, `check`, `get`, `set` and `make-release`: what they print, change and end with."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from dcor_pkg import converge
from dcor_pkg.answers import settings, settings_text
from dcor_pkg.ckan import migration_state, programs, release
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance, last_converge, managed_file, pending, secrets, settings_file
from dcor_pkg.machine import lock, package_manager
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import cluster
from tests.unit.command_line import ANSWERS, CommandLine

UWSGI = "/etc/dcor-server/uwsgi.ini"


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    return dcor_server.converged()


def damage(server: CommandLine) -> None:
    """Let a service differ from what the settings ask for."""
    server.machine.host.run("systemctl", "stop", "nginx.service")


def test_a_converge_that_changes_nothing_prints_its_summary_only(server: CommandLine) -> None:
    ended = server("converge")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("0 changed, ")
    assert len(ended.lines) == 1


def test_a_converge_prints_what_it_changed_and_logs_it(server: CommandLine) -> None:
    damage(server)
    ended = server("converge")
    assert ended.code == 0
    steps = len(server("check", "--json").json["steps"])
    assert ended.lines == ["* service nginx.service: is inactive", f"1 changed, {steps - 1} unchanged"]
    log = server.machine.host.read(last_converge.LOG) or ""
    assert "* service nginx.service: is inactive\n" in log
    assert server.machine.host.access(last_converge.LOG) == Access(0o640, "root", "adm")


@pytest.mark.parametrize("lose", [Host.remove, lambda host, path: host.write(path, "", instance.ACCESS)])
def test_a_lost_id_of_the_server_is_read_from_its_data(server: CommandLine, lose: Callable[[Host, str], None]) -> None:
    before = server.machine.host.read(instance.INSTANCE)
    lose(server.machine.host, instance.INSTANCE)
    assert server("check").code == 3
    assert (server("converge").code, server.machine.host.read(instance.INSTANCE)) == (0, before)


def test_files_that_the_store_has_lost_are_told_by_each_command_and_are_no_drift(server: CommandLine) -> None:
    """No step can bring them back, or knows whether an administrator is about to copy them into another store."""
    server.machine.postgresql.objects = [f"circle-{'0' * 36}/resource/123/456/789{number}" for number in "ab"]
    server.machine.object_store.lost_objects = 1
    ended = server("check")
    assert (ended.code, "1 of 2 files that were looked at cannot be read" in ended.out) == (3, True)
    server.machine.object_store.lost_objects = 2
    ended = server("converge")
    assert (ended.code, "restore the data directory, or the store, from a backup" in ended.out) == (0, True)
    server.machine.object_store.lost_objects = 2
    assert server("status").code == 3
    assert server("check").code == 0


@pytest.mark.parametrize(("options", "least"), [((), 0.0), (("--wait",), 3600.0)])
def test_a_converge_waits_for_another_command_as_long_as_it_is_told(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], least: float
) -> None:
    waits: list[float] = []
    held = lock.held

    def hold(host: Host, wait: float = lock.WAIT_SECONDS, path: str = lock.PATH) -> AbstractContextManager[None]:
        waits.append(wait)
        return held(host, wait, path)

    monkeypatch.setattr(lock, "held", hold)
    assert server("converge", *options).code == 0
    assert (waits[0] > least, waits[0] > lock.WAIT_SECONDS) == (True, bool(options))


def test_a_converge_that_waits_begins_when_apt_has_ended(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([True, True, False])
    monkeypatch.setattr(package_manager, "is_busy", lambda host: next(states))
    monkeypatch.setattr(package_manager, "POLL_SECONDS", 0.0)
    pending.request(server.machine.host, pending.UPGRADE)
    assert server("converge", "--wait").code == 0
    assert list(states) == []
    assert not pending.is_pending(server.machine.host, pending.UPGRADE)


def cut_migration(server: CommandLine, *, turned: bool = False) -> Act:
    """Leave what a power cut leaves in a migration: its record, 503, and a database that refuses writes."""
    host, serving = server.machine.host, programs.serving(server.machine.host)
    assert serving is not None
    act = Act(serving, serving, "ckan_default_before_20260101t000000_x", "ckan_default_copy", turned=turned)
    act.record(host)
    host.write(nginx.MAINTENANCE, "", Access(0o644))
    server.machine.postgresql.databases[cluster.DATABASE].read_only = not turned
    return act


@pytest.mark.parametrize("turned", [False, True])
def test_a_migration_that_was_cut_off_ends_before_apt_is_waited_for(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    cut_migration(server, turned=turned)
    seen = []

    def is_busy(host: Host) -> bool:
        database = server.machine.postgresql.databases[cluster.DATABASE]
        seen.append((host.exists(nginx.MAINTENANCE), migration_state.under_way(host), database.read_only))
        return len(seen) < 2

    monkeypatch.setattr(package_manager, "is_busy", is_busy)
    monkeypatch.setattr(package_manager, "POLL_SECONDS", 0.0)
    ended = server("converge", "--wait")
    assert (ended.code, seen) == (0, [(False, None, False)] * 2)
    assert "* no migration under way: that to the release " in ended.lines[0]
    assert ended.lines[0] in (server.machine.host.read(last_converge.LOG) or "")


def test_a_migration_of_another_command_is_left_alone(server: CommandLine) -> None:
    act, host = cut_migration(server), server.machine.host
    with lock.held(host):
        converge.recover(host, lambda outcome: None)
    assert (host.exists(nginx.MAINTENANCE), migration_state.under_way(host)) == (True, act)


def test_a_migration_that_cannot_be_ended_yet_keeps_no_converge_from_waiting(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, load = [DcorError("The disk is ill.")], settings_file.load

    def fail_once(host: Host) -> settings.Settings:
        if failures:
            raise failures.pop()
        return load(host)

    cut_migration(server)
    monkeypatch.setattr(settings_file, "load", fail_once)
    assert server("converge", "--wait").code == 0
    log = server.machine.host.read(last_converge.LOG) or ""
    assert "A migration that was cut off could not be ended: The disk is ill." in log
    assert not server.machine.host.exists(nginx.MAINTENANCE)


def test_a_converge_that_waits_is_repeated_once_where_packages_were_upgraded_meanwhile(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit cannot be started again while it runs."""
    host, runs = server.machine.host, 0
    load = settings_file.load

    def upgrade(host: Host) -> settings.Settings:
        nonlocal runs
        runs += 1
        if runs == 1:
            pending.request(host, pending.UPGRADE)
        return load(host)

    monkeypatch.setattr(settings_file, "load", upgrade)
    ended = server("converge", "--wait")
    assert (ended.code, pending.is_pending(host, pending.UPGRADE)) == (0, False)
    log = host.read(last_converge.LOG) or ""
    assert log.count("0 changed, ") == 2


def test_a_failed_converge_that_waits_is_left_to_the_timer(server: CommandLine) -> None:
    pending.request(server.machine.host, pending.UPGRADE)
    server.machine.systemd.broken["nginx.service"] = "no\n"
    damage(server)
    assert server("converge", "--wait").code == 1
    assert pending.is_pending(server.machine.host, pending.CONVERGE)
    assert not pending.is_pending(server.machine.host, pending.UPGRADE)


def test_a_dry_run_shows_the_drift_with_exit_code_3_and_changes_nothing(server: CommandLine) -> None:
    damage(server)
    before = (server.machine.state(), server.machine.host.read(last_converge.STATE))
    ended = server("converge", "--dry-run")
    assert (ended.code, ended.lines[0]) == (3, "~ service nginx.service: is inactive")
    assert (server.machine.state(), server.machine.host.read(last_converge.STATE)) == before
    assert server("converge", "--dry-run", "--json").code == 3


def test_a_dry_run_without_drift_ends_with_0(server: CommandLine) -> None:
    assert server("converge", "--dry-run").code == 0


def test_a_failing_step_ends_with_1_and_is_in_state_log_and_pending(server: CommandLine) -> None:
    damage(server)
    server.machine.systemd.broken["nginx.service"] = "nginx: [emerg] bind() to 0.0.0.0:80 failed\n"
    ended = server("converge")
    host = server.machine.host
    assert ended.code == 1
    assert "! service nginx.service: " in ended.out
    assert "bind() to 0.0.0.0:80 failed" in ended.out
    assert "service nginx.service: " in last_converge.read(host).reason
    assert "bind() to 0.0.0.0:80 failed" in last_converge.read(host).hint
    assert "bind() to 0.0.0.0:80 failed" in (host.read(last_converge.LOG) or "")
    assert last_converge.read(host).worked
    assert pending.is_pending(host, pending.CONVERGE)
    del server.machine.systemd.broken["nginx.service"]
    assert server("converge").code == 0
    assert (last_converge.read(host).reason, pending.is_pending(host, pending.CONVERGE)) == ("", False)


def test_preflight_ends_a_converge_before_the_first_change(server: CommandLine) -> None:
    damage(server)
    server.machine.postgresql.stop_for_good()
    ended = server("converge")
    assert (ended.code, ended.out) == (1, "")
    assert "PostgreSQL does not accept connections" in ended.err
    assert server.machine.systemd.units["nginx.service"].active == "inactive"
    log = server.machine.host.read(last_converge.LOG) or ""
    assert "The converge did not complete: PostgreSQL does not accept connections" in log


def test_json_holds_steps_notices_changed_files_and_the_last_converge(server: CommandLine) -> None:
    damage(server)
    server.machine.host.write(UWSGI, "[uwsgi]\n", managed_file.PUBLIC)
    ended = server("converge", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert sorted(ended.json) == ["changed_here", "converge", "notices", "steps"]
    changed = {step["step"]: step for step in ended.json["steps"] if step["result"] == "changed"}
    assert changed["service nginx.service"]["reason"] == "is inactive"
    assert ended.json["changed_here"] == [UWSGI]
    assert [notice["file"] for notice in ended.json["notices"]] == [UWSGI]
    assert ended.json["converge"]["worked"] is True


def test_check_shows_each_step_and_ends_with_0_or_3(server: CommandLine) -> None:
    ended = server("check")
    steps = len(ended.lines) - 1
    assert (ended.code, ended.lines[-1]) == (0, f"0 changed, {steps} unchanged")
    assert "  service nginx.service" in ended.lines
    damage(server)
    ended = server("check")
    assert (ended.code, "~ service nginx.service: is inactive" in ended.lines) == (3, True)
    ended = server("check", "--json")
    assert (ended.code, len(ended.json["steps"])) == (3, steps)


def test_get_shows_all_settings_or_the_value_of_one(server: CommandLine) -> None:
    assert server("get").lines[0] == "hostname = dcor.example.org"
    assert len(server("get").lines) == len(settings.KEYS)
    assert server("get", "email").out == "admin@example.org\n"
    assert server("get", "--json", "email").json == {"email": "admin@example.org"}
    assert list(server("get", "--json").json) == list(settings.KEYS)


def test_set_saves_the_settings_and_converges(server: CommandLine) -> None:
    ended = server("set", "site-title=Cells & Beads", "workers=7")
    assert ended.code == 0, ended
    assert "* file /etc/dcor-server/uwsgi.ini: " in ended.out
    assert server("get", "site-title").out == "Cells & Beads\n"
    assert "7" in (server.machine.host.read(UWSGI) or "")
    assert server("set", "--json", "workers=").json["converge"]["reason"] == ""


def test_a_host_name_in_capitals_is_set_as_certificates_have_it(server: CommandLine) -> None:
    assert server("set", "hostname=New.Example.ORG.").code == 0
    assert server("get", "hostname").out == "new.example.org\n"


def test_while_another_command_runs_no_setting_is_saved(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    before, minutes = server.machine.host.read(settings_text.PATH), iter(range(0, 60 * 60, 60))
    with lock.held(server.machine.host):
        monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        ended = server("set", "workers=7")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("dcor-server: Another dcor-server command is running")
    assert "Nothing was changed." in ended.err
    assert server.machine.host.read(settings_text.PATH) == before


def test_what_another_command_has_saved_meanwhile_is_not_overwritten(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = server.machine.host
    other = lock.held(host)
    other.__enter__()

    def save_and_end(seconds: float) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        settings_file.save(host, settings.parse({**ANSWERS, "site-title": "Cells"}))
        other.__exit__(None, None, None)

    monkeypatch.setattr(time, "sleep", save_and_end)
    assert server("set", "workers=7").code == 0
    assert (settings_file.load(host).site_title, settings_file.load(host).workers) == ("Cells", "7")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("workers=many", "workers"),
        ("wokers=7", "wokers"),
        ("workers", "KEY=VALUE"),
        ("hostname=10.0.0.1", "address"),
        ("redis-password=hush", "redis-password"),
    ],
)
def test_invalid_settings_are_rejected_before_anything_is_changed(
    server: CommandLine, assignment: str, words: str
) -> None:
    before = server.machine.host.read(settings_text.PATH)
    calls = len(server.machine.calls)
    ended = server("set", "site-title=New", assignment)
    assert (ended.code, ended.out, words in ended.err) == (1, "", True)
    assert "hush" not in ended.err
    assert server.machine.host.read(settings_text.PATH) == before
    assert len(server.machine.calls) == calls


def test_a_password_comes_from_standard_input(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hush\n"))
    assert server("set", "redis-password=@-").code == 0
    assert secrets.read(server.machine.host, secrets.external("redis-password")).reveal() == "hush"


def test_make_release_makes_it_and_does_not_switch_to_it(server: CommandLine) -> None:
    host = server.machine.host
    active = release.active(host)
    server.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    ended = server("make-release")
    assert ended.code == 0, ended
    assert ended.lines[0].startswith("* release: ")
    assert release.active(host) == active
    assert len(release.ids(host)) == 2
    assert server("make-release", "--json").json["steps"][0]["result"] == "unchanged"


def test_a_first_installation_makes_the_release_before_there_are_settings(server: CommandLine) -> None:
    server.machine.host.remove(settings_text.PATH)
    server.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    assert server("make-release").code == 0
    assert len(release.ids(server.machine.host)) == 2


def test_make_release_that_fails_ends_with_1(server: CommandLine) -> None:
    server.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    server.machine.fail("tar", words="tar: broken archive")
    ended = server("make-release")
    assert ended.code == 1
    assert "tar: broken archive" in ended.out


def test_the_first_converge_sets_up_a_server_from_its_settings(dcor_server: CommandLine) -> None:
    settings_file.save(dcor_server.machine.host, settings.parse(ANSWERS))
    assert dcor_server("check").code == 3
    assert last_converge.read(dcor_server.machine.host) == last_converge.LastConverge()
    assert str(last_converge.LastConverge()) == ""
    ended = dcor_server("converge")
    assert (ended.code, ended.err) == (0, "")
    assert dcor_server("check").code == 0
