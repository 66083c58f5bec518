"""What a file system refuses is known before the first change, and a trial leaves nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from dcor_pkg.machine import atomic
from dcor_pkg.machine import host as host_module
from dcor_pkg.machine.directory_trial import refuses_owner, refuses_programs
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.trusted_path import Place


def test_an_ordinary_disk_refuses_nothing(host: Host) -> None:
    before = sorted(host.root.rglob("*"))
    assert refuses_programs(host, "/var/lib/not/yet") is None
    assert refuses_owner(host, "/data", "www-data") is None
    assert sorted(host.root.rglob("*")) == before


@pytest.mark.parametrize("path", ["/srv", "/srv/not/yet"])
def test_a_disk_without_programs_is_named(host: Host, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    host.make_directory("/srv", Access(0o755))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC | os.ST_NOSUID))
    assert refuses_programs(host, path) == f"no program can run from {path}: /srv is on a disk that is mounted noexec"


def test_the_kernel_says_how_a_disk_is_mounted() -> None:
    mounts = [line.split()[1:4:2] for line in Path("/proc/self/mounts").read_text().splitlines()]
    (options,) = (options for place, options in mounts if place == "/proc")
    assert (refuses_programs(Host(), "/proc") is not None) == ("noexec" in options.split(","))


@pytest.mark.parametrize("path", ["/srv", "/srv/not/yet"])
def test_who_may_not_give_files_away_is_told_so_and_nothing_stays(
    host: Host, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """As fchown(2) fails on NFS with root_squash."""
    host.make_directory("/srv", Access(0o755))

    def refuse(_: int, __: Access) -> NoReturn:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(host_module, "_grant", refuse)
    found = refuses_owner(host, path, "www-data")
    assert found == "root cannot make a file of www-data in /srv: cannot be written: Operation not permitted"
    assert host.names("/srv") == []


def test_a_file_system_that_forgets_owners_is_noticed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.make_directory("/srv", Access(0o755))
    monkeypatch.setattr(host_module, "_owners", lambda _: ("root", "root"))
    found = refuses_owner(host, "/srv", "www-data")
    assert found == "root cannot make a file of www-data in /srv: is root:root 0600, not www-data:www-data 0600"
    assert host.names("/srv") == []


def test_a_directory_that_cannot_be_written_is_a_sentence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Place) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(atomic, "new_file", refuse)
    found = refuses_owner(host, "/data", "www-data")
    assert found == "root cannot make a file of www-data in /: cannot be written: Read-only file system"
