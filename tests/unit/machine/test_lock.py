"""Locks between commands: who waits is told for whom, and a record that is wrong misleads nobody."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import time

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import lock
from dcor_pkg.machine.host import Access, Host


@pytest.fixture
def host(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a machine with a directory for locks, on which `dcor-server converge --json` runs."""
    host.make_directory("/run", Access(0o755))
    monkeypatch.setattr(sys, "argv", ["/usr/sbin/dcor-server", "converge", "--json"])
    return host


def busy(host: Host) -> str:
    """Return the message to a command that does not get the lock."""
    with pytest.raises(lock.Busy) as refused, lock.held(host, 0):
        pass
    assert refused.value.hint == "Nothing was changed. Try again when it has ended."
    return refused.value.reason


def test_the_holder_is_named_with_command_process_and_time(host: Host) -> None:
    with lock.held(host):
        message = busy(host)
    expected = (
        rf"Another dcor-server command is running: `dcor-server converge --json` \(process {os.getpid()}, since .*\)\."
    )
    assert re.fullmatch(expected, message)
    assert re.search(r"since \d\d:\d\d\)", message)


def test_one_that_began_on_another_day_is_named_with_the_date(host: Host) -> None:
    with lock.held(host):
        _record(host, since=1_700_000_000.0)
        assert re.search(r"since 2023-11-1\d \d\d:\d\d\)", busy(host))


def _record(host: Host, **changed: object) -> None:
    """Change the record in the lock file."""
    path = host.path(lock.PATH)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


@pytest.mark.parametrize(
    "text", ["", "\0\0", "{", "[]", "123", '{"process": 1}', '{"process": "x", "command": "y", "since": 0}']
)
def test_a_record_that_cannot_be_read_is_left_out(host: Host, text: str) -> None:
    with lock.held(host):
        host.path(lock.PATH).write_text(text)
        assert busy(host) == "Another dcor-server command is running."


def test_a_record_of_a_process_that_has_ended_is_left_out(host: Host) -> None:
    ended = multiprocessing.get_context("fork").Process(target=lambda: None)
    ended.start()
    ended.join()
    with lock.held(host):
        _record(host, process=ended.pid)
        assert busy(host) == "Another dcor-server command is running."


def test_what_a_holder_that_was_killed_has_left_is_overwritten(host: Host) -> None:
    host.path(lock.PATH).write_text("x" * 1000)
    with lock.held(host):
        assert json.loads(host.path(lock.PATH).read_text())["process"] == os.getpid()
    assert host.path(lock.PATH).read_text() == ""


def test_only_root_can_read_and_write_it(host: Host) -> None:
    with lock.held(host):
        assert host.path(lock.PATH).stat().st_mode & 0o777 == 0o600


def test_one_that_others_can_read_is_closed_to_them(host: Host) -> None:
    """Whoever can read it could lock it, and let root wait for ever."""
    for path in (lock.PATH, lock.RELEASE):
        host.write(path, "", Access(0o644))
        with lock.held(host, path=path):
            assert host.path(path).stat().st_mode & 0o777 == 0o600


def test_a_fifo_in_its_place_is_named(host: Host) -> None:
    os.mkfifo(host.path(lock.PATH))
    for use in (lambda: lock.is_held(host, lock.PATH), lambda: lock.held(host, 0).__enter__()):
        with pytest.raises(DcorError, match=f"^{lock.PATH} cannot be locked: it is a FIFO, not a regular file$"):
            use()


def test_a_command_waits_for_another_one(host: Host) -> None:
    def hold() -> None:
        with lock.held(host):
            time.sleep(0.5)

    other = multiprocessing.get_context("fork").Process(target=hold)
    other.start()
    while not lock.is_held(host, lock.PATH):
        assert other.is_alive()
        time.sleep(0.01)
    with lock.held(host, 20):
        other.join(5)
    assert other.exitcode == 0


def test_a_look_at_a_lock_neither_makes_nor_changes_nor_takes_it(host: Host) -> None:
    assert not lock.is_held(host, lock.RELEASE)
    assert host.names("/run") == []
    with lock.held(host, path=lock.RELEASE):
        before = host.path(lock.RELEASE).stat()
        assert lock.is_held(host, lock.RELEASE)
        assert host.path(lock.RELEASE).stat() == before
    assert not lock.is_held(host, lock.RELEASE)


def test_a_lock_file_that_cannot_be_opened_is_a_sentence(host: Host) -> None:
    host.remove_tree("/run")
    with pytest.raises(DcorError, match=f"^{lock.PATH} cannot be opened: No such file or directory$"), lock.held(host):
        pass


def test_a_link_in_its_place_is_not_followed(host: Host) -> None:
    host.write("/etc/shadow", "precious\n", Access(0o600))
    host.link(lock.PATH, str(host.path("/etc/shadow")))
    with pytest.raises(DcorError, match="cannot be opened"), lock.held(host):
        pass
    assert host.read("/etc/shadow") == "precious\n"
