"""Whether apt works is known from its lock, which is tested and never taken."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from dcor_pkg.machine import lock, package_manager
from dcor_pkg.machine.host import Access, Host


@pytest.fixture
def host(host: Host) -> Host:
    """Return a machine on which apt has been used."""
    host.make_directory("/var/lib/dpkg", Access(0o755))
    host.write(package_manager.LOCK, "", Access(0o640))
    return host


def _hold(path: Path, has_it: Event, may_end: Event) -> None:
    """Hold the lock as apt does, with fcntl(2)."""
    with path.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        has_it.set()
        may_end.wait(60)


@contextmanager
def apt_running(host: Host) -> Iterator[None]:
    """Let another process hold the lock."""
    context = multiprocessing.get_context("fork")
    has_it, may_end = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(host.path(package_manager.LOCK), has_it, may_end))
    process.start()
    assert has_it.wait(60)
    yield
    may_end.set()
    process.join(60)
    assert process.exitcode == 0


def test_it_is_busy_while_it_runs(host: Host) -> None:
    assert not package_manager.is_busy(host)
    with apt_running(host):
        assert package_manager.is_busy(host)
    assert not package_manager.is_busy(host)


def test_a_question_takes_no_lock(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is held for a moment would let apt fail in that moment, which does not wait for it."""
    kinds: list[int] = []
    monkeypatch.setattr(os, "lockf", lambda descriptor, kind, length: kinds.append(kind))
    package_manager.is_busy(host)
    assert kinds == [os.F_TEST]


def test_a_machine_without_the_lock_is_idle(host: Host) -> None:
    host.remove(package_manager.LOCK)
    assert not package_manager.is_busy(host)


def test_a_wait_ends_with_apt(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([True, True, False])
    monkeypatch.setattr(package_manager, "is_busy", lambda host: next(states))
    monkeypatch.setattr(package_manager, "POLL_SECONDS", 0.0)
    package_manager.wait_until_idle(host, 60)
    assert list(states) == []


def test_a_wait_for_apt_that_does_not_end_ends_with_its_name_and_what_to_look_for(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_manager, "POLL_SECONDS", 0.0)
    with apt_running(host), pytest.raises(lock.Busy) as refused:
        package_manager.wait_until_idle(host, 0.0)
    assert refused.value.reason == "apt or dpkg is running."
    assert "ps -C apt" in refused.value.hint


def test_the_files_are_those_that_the_package_manager_was_given(tmp_path: Path) -> None:
    """A shell stands for apt, with a program of another name between it and this one."""
    (tmp_path / "apt-get").symlink_to("/bin/sh")
    program = f"import sys; sys.path[:0] = {sys.path!r}; from dcor_pkg.machine import package_manager as it; print(it.given_files())"
    script = 'sh -c "\\"$0\\" -c \\"\\$PROGRAM\\"; :" "$0" other.deb; :'
    argv = [str(tmp_path / "apt-get"), "-c", script, sys.executable, "./a_1.deb", "/media/b_1.deb", "-oDir=x.deb", "c"]
    run = subprocess.run(
        argv, cwd=tmp_path, env={"PROGRAM": program}, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == repr([f"{tmp_path}/a_1.deb", "/media/b_1.deb"])
    assert package_manager.given_files() == []
