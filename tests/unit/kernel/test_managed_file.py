"""A managed file is written, or kept where an admin has changed it; files that a program rejects are restored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg.kernel import managed_file, pending
from dcor_pkg.kernel.managed_file import ManagedFile, ValidatedFiles, changed_by_admin, new_version
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine.host import Access, Host

FILE = ManagedFile(
    "/etc/app.conf", "ckan/templates/uwsgi.ini", {"workers": 4, "worker_limit": 1024}, then=("reload app.service",)
)
ACCEPTED = ValidatedFiles("app", (FILE,), ("/bin/true",))
REFUSED = ValidatedFiles(
    "app",
    (replace(FILE, values={"workers": 8, "worker_limit": 1024}),),
    ("/bin/sh", "-c", "echo line 7 is wrong; exit 1"),
)


def test_files_that_a_program_rejects_are_restored_with_its_output_as_the_hint(host: Host) -> None:
    run([ACCEPTED], host)
    before = host.read(FILE.path)
    (outcome,) = run([REFUSED], host)
    assert outcome.result is Result.FAILED
    assert "line 7 is wrong" in outcome.hint
    assert host.read(FILE.path) == before
    assert changed_by_admin(host) == []
    assert [outcome.result for outcome in run([ACCEPTED], host)] == [Result.UNCHANGED]


def test_a_rejected_file_that_was_new_is_removed(host: Host) -> None:
    run([REFUSED], host)
    assert not host.exists(FILE.path)


def test_a_change_makes_its_action_pending_once(host: Host) -> None:
    run([ACCEPTED], host)
    assert pending.is_pending(host, "reload app.service")
    pending.clear(host, "reload app.service")
    run([ACCEPTED], host)
    assert not pending.is_pending(host, "reload app.service")


def test_a_power_cut_between_record_and_write_is_not_taken_for_an_edit(host: Host) -> None:
    run([FILE], host)
    old = host.read(FILE.path)
    newer = replace(FILE, values={"workers": 8, "worker_limit": 1024})
    run([newer], host)
    host.write(FILE.path, str(old), FILE.access)  # as if the new text had not reached the disk
    assert changed_by_admin(host) == []
    assert [outcome.result for outcome in run([newer], host)] == [Result.CHANGED]
    assert "processes = 8" in str(host.read(FILE.path))


FOREIGN = "[app:main]\nof = another\n"
ASIDE = f"{FILE.path}.before-dcor-server"


def test_a_file_that_was_there_before_is_put_aside_and_named(host: Host) -> None:
    host.write(FILE.path, FOREIGN, Access(0o640, "root", "www-data"))
    (outcome,) = run([FILE], host)
    assert outcome.reason == f"is another program's, so it is moved to {ASIDE}"
    assert (host.read(ASIDE), host.access(ASIDE)) == (FOREIGN, Access(0o640, "root", "www-data"))
    assert host.read(FILE.path) == FILE.text(host)
    assert changed_by_admin(host) == []
    assert run([FILE], host) == [Outcome(FILE.name, Result.UNCHANGED)]
    host.write(FILE.path, FOREIGN, FILE.access)
    run([FILE], host)
    assert (host.read(FILE.path), changed_by_admin(host)) == (FOREIGN, [FILE.path])


def test_one_that_was_put_aside_earlier_is_not_overwritten(host: Host) -> None:
    host.write(ASIDE, "first\n", FILE.access)
    host.write(FILE.path, FOREIGN, FILE.access)
    run([FILE], host)
    assert (host.read(ASIDE), host.read(f"{ASIDE}.2")) == ("first\n", FOREIGN)


def test_a_power_cut_while_it_is_put_aside_does_not_make_it_an_edit(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.write(FILE.path, FOREIGN, FILE.access)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(managed_file, "record", cut)
        with pytest.raises(KeyboardInterrupt):
            FILE.apply(host)
    run([FILE], host)
    assert (host.read(ASIDE), host.read(FILE.path)) == (FOREIGN, FILE.text(host))


def test_a_file_with_our_first_line_is_an_edit_also_when_the_records_are_lost(host: Host) -> None:
    host.write(FILE.path, f"{FILE.text(host)}mine = 1\n", FILE.access)
    run([FILE], host)
    assert changed_by_admin(host) == [FILE.path]
    assert not host.exists(ASIDE)


RELOAD = "reload app.service"


def _edit(host: Host) -> None:
    """Change the file as an admin does, and run the step."""
    run([FILE], host)
    host.write(FILE.path, "mine\n", FILE.access)
    run([FILE], host)
    pending.clear(host, RELOAD)


def test_an_edit_is_kept_and_restarts_nothing(host: Host) -> None:
    _edit(host)
    assert (host.read(FILE.path), host.read(new_version(FILE.path))) == ("mine\n", FILE.text(host))
    assert changed_by_admin(host) == [FILE.path]
    assert run([FILE], host) == [Outcome(FILE.name, Result.UNCHANGED)]
    assert not pending.is_pending(host, RELOAD)


@pytest.mark.parametrize("way", ["mv", "rm"])
def test_a_file_that_the_admin_gives_back_is_managed_again_and_its_service_reloaded(host: Host, way: str) -> None:
    _edit(host)
    if way == "mv":
        host.rename(new_version(FILE.path), FILE.path)
    else:
        host.remove(FILE.path)
    (outcome,) = run([FILE], host)
    assert (outcome.result, host.read(FILE.path)) == (Result.CHANGED, FILE.text(host))
    assert pending.is_pending(host, RELOAD)
    assert changed_by_admin(host) == []
    assert not host.exists(new_version(FILE.path))
    newer = replace(FILE, values={"workers": 8, "worker_limit": 1024})
    run([newer], host)
    assert host.read(FILE.path) == newer.text(host)


def test_a_newer_version_replaces_the_one_that_was_not_taken(host: Host) -> None:
    _edit(host)
    newer = replace(FILE, values={"workers": 8, "worker_limit": 1024})
    run([newer], host)
    assert (host.read(FILE.path), host.read(new_version(FILE.path))) == ("mine\n", newer.text(host))


@pytest.mark.parametrize("path", ["/etc/logrotate.d/dcor-server", "/etc/apt/apt.conf.d/01dcor-server"])
def test_in_a_directory_that_is_read_as_a_whole_there_is_no_new_version(path: str) -> None:
    assert new_version(path) == f"/etc/dcor-server/{path.rpartition('/')[2]}.dcor-new"


@pytest.mark.parametrize(("text", "why"), [("\n", "is empty"), ("processes = 4\n\0\0", "has bytes that are zero")])
def test_what_nobody_can_have_written_is_damage_and_no_edit(host: Host, text: str, why: str) -> None:
    _edit(host)
    host.write(FILE.path, text, Access(0o640))
    (outcome,) = run([FILE], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{why}, so it is written anew")
    assert (host.read(FILE.path), host.access(FILE.path)) == (FILE.text(host), FILE.access)
    assert (host.read("/var/lib/dcor-server/damaged/app.conf"), changed_by_admin(host)) == (text, [])
    assert pending.is_pending(host, RELOAD)
    assert run([FILE], host) == [Outcome(FILE.name, Result.UNCHANGED)]
