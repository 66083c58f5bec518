"""`dcor-server move-data`: everything is copied, counted and used, or nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dcor_pkg.ckan import supervisor
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.instance import INSTANCE, marker
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import site
from dcor_pkg.services import external
from dcor_pkg.services.object_store.local import UNIT as STORE
from dcor_pkg.verbs import data_copy
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.call import Call

OLD, NEW = "/data", "/srv/measurements"
PRIVATE = Access(0o600, "www-data", "www-data")
FILE = "ckan/resources/abc/def"


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server with a file of 11 bytes."""
    dcor_server.converged()
    dcor_server.machine.host.write(f"{OLD}/{FILE}", "measurement", PRIVATE)
    return dcor_server


def unchanged(server: CommandLine) -> bool:
    """Return whether the server uses the old directory, with all that writes data running, and answers."""
    host = server.machine.host
    states = supervisor.states(host).values()
    return (
        server("get", "data-directory").out == f"{OLD}\n"
        and host.read(marker(OLD)) == host.read(INSTANCE)
        and server.machine.systemd.units[STORE].active == "active"
        and set(states) == {supervisor.RUNNING}
        and not host.exists(site.MAINTENANCE)
    )


def test_the_data_are_in_the_new_directory_and_the_old_one_keeps_a_copy(server: CommandLine) -> None:
    ended = server("move-data", NEW)
    assert (ended.code, ended.err) == (0, "")
    assert ended.lines[:3] == [
        f"Copying {OLD} to {NEW}. The server keeps running.",
        "Copying what has changed since then. The server answers 503 until this is complete.",
        f"The data (1 files, 11 bytes) are in {NEW}. {OLD} keeps its copy: remove it when you have checked the server.",
    ]
    host = server.machine.host
    assert host.read(f"{NEW}/{FILE}") == host.read(f"{OLD}/{FILE}") == "measurement"
    assert server("get", "data-directory").out == f"{NEW}\n"
    assert host.read(marker(NEW)) == host.read(INSTANCE)
    assert not host.exists(marker(OLD))
    assert host.exists(f"{OLD}/{data_copy.MOVED}")
    assert not host.exists(f"{NEW}/{data_copy.MOVING}")
    assert server("check").code == 0
    assert server("status").code == 0


def test_with_json_the_progress_is_on_standard_error(server: CommandLine) -> None:
    ended = server("move-data", "--json", NEW)
    assert ended.code == 0
    assert "steps" in ended.json
    assert ended.err.startswith(f"Copying {OLD} to {NEW}.")


def test_what_is_written_during_the_first_copy_is_moved_and_writers_stop_before_the_second(server: CommandLine) -> None:
    machine = server.machine
    copies: list[tuple[str | None, str, bool]] = []
    rsync = machine.programs["rsync"]

    def copy(call: Call) -> str:
        done = rsync(call)
        copies.append((call.user, machine.systemd.units[STORE].active, machine.host.exists(site.MAINTENANCE)))
        if len(copies) == 3:
            machine.host.write(f"{OLD}/ckan/late", "late", PRIVATE)
        return done

    machine.programs["rsync"] = copy
    assert server("move-data", NEW).code == 0
    users = (None, "www-data", "dcor-store")
    assert copies == [(user, *state) for state in (("active", False), ("inactive", True)) for user in users]
    assert machine.host.read(f"{NEW}/ckan/late") == "late"
    assert not machine.host.exists(site.MAINTENANCE)


def full(server: CommandLine) -> None:
    server.machine.host.write(f"{NEW}/file", "", PRIVATE)


def file_in_its_place(server: CommandLine) -> None:
    server.machine.host.write(NEW, "", PRIVATE)


def small(server: CommandLine) -> None:
    server.machine.free = disk.GIB


def unmounted(server: CommandLine) -> None:
    server.machine.host.rename(marker(OLD), f"{OLD}/away")


def fresh(server: CommandLine) -> None:
    server.machine.host.remove(INSTANCE)


@pytest.mark.parametrize(
    ("prepare", "new", "words"),
    [
        (full, NEW, "is not empty: it contains file"),
        (file_in_its_place, NEW, "is not a directory"),
        (small, NEW, "has 1024 MiB of free space, but 1024 MiB are needed"),
        (unmounted, NEW, "is not mounted"),
        (fresh, NEW, "There are no data in /data yet"),
        (lambda _: None, OLD, "is /data itself, inside it or above it"),
        (lambda _: None, f"{OLD}/new", "is /data itself, inside it or above it"),
        (lambda _: None, "/", "data-directory"),
    ],
)
def test_a_move_that_is_impossible_ends_before_anything_is_copied(
    server: CommandLine, prepare: Callable[[CommandLine], None], new: str, words: str
) -> None:
    prepare(server)
    ended = server("move-data", new)
    assert (ended.code, ended.out, words in ended.err) == (1, "", True), ended
    assert len(ended.err.splitlines()) == 2, "a reason, and what to do"
    assert server.machine.ran("rsync") == []


def test_an_empty_file_system_counts_as_empty(server: CommandLine) -> None:
    server.machine.host.make_directory(f"{NEW}/lost+found", Access(0o700))
    assert server("move-data", NEW).code == 0


def test_a_copy_that_fails_leaves_the_server_on_the_old_directory_and_can_be_repeated(server: CommandLine) -> None:
    server.machine.fail("rsync", words="rsync: write failed: No space left on device (28)", code=11)
    ended = server("move-data", NEW)
    assert (ended.code, "No space left on device" in ended.err) == (1, True)
    assert unchanged(server)
    server.machine.failures.clear()
    server.machine.host.write(f"{NEW}/partly", "copied", PRIVATE)
    assert server("move-data", NEW).code == 0
    assert not server.machine.host.exists(f"{NEW}/partly")


@pytest.mark.parametrize("store", ["local", "external"])
def test_a_copy_that_is_not_complete_starts_everything_again(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    machine = server.machine
    if store == "external":
        use_external_store(server, monkeypatch)
    rsync = machine.programs["rsync"]

    def lose(call: Call) -> str:
        done = rsync(call)
        machine.host.path(f"{NEW}/{FILE}").unlink(missing_ok=True)
        return done

    machine.programs["rsync"] = lose
    ended = server("move-data", NEW)
    assert (ended.code, "The copy is not complete: /data has 1 files (11 bytes)" in ended.err) == (1, True)
    assert store == "external" or unchanged(server)
    assert set(supervisor.states(machine.host).values()) == {supervisor.RUNNING}


def test_measurements_in_an_external_store_stay_there(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    use_external_store(server, monkeypatch)
    ended = server("move-data", NEW)
    assert ended.code == 0
    assert "The measurements are in https://s3.example.org and stay there." in ended.lines[0]
    assert server.machine.ran("systemctl", "stop", STORE) == []


def use_external_store(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go over to an object store that accepts each login."""
    monkeypatch.setattr(external, "check", lambda *proposal: None)
    host = server.machine.host
    secret = Path(host.root, "secret")
    secret.write_text("hush\n")
    ended = server("set", "object-store=https://AKID@s3.example.org", f"object-store-secret=@{secret}")
    assert ended.code == 0, ended
    assert secrets.read(host, secrets.external("object-store-secret")).reveal() == "hush"
