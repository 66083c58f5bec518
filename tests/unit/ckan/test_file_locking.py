"""HDF5 locks no files where that does not work, and only there."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcor_pkg.ckan import file_locking, release_build
from dcor_pkg.ckan.file_locking import FileLocking
from dcor_pkg.ckan.files import try_locks
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import HDF5_WITHOUT_LOCKS
from tests.unit.fake_machine import Machine

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw shared:2 master:1 - nfs4 server:/export rw
31 30 8:2 / /srv/local rw - xfs /dev/sdb rw
32 22 0:41 / /mnt/my\\040disk rw - fuse.sshfs user@host: rw
33 22 0:42 / /twice rw - cifs //server/share rw
34 22 8:3 / /twice rw - ext4 /dev/sdc rw
"""
STEP = FileLocking(("/data/ckan", "/scratch"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/data/ckan", "nfs4"),
        ("/srv/local/ckan", "xfs"),
        ("/srvother", "ext4"),
        ("/mnt/my disk/ckan", "fuse.sshfs"),
        ("/twice", "ext4"),
    ],
)
def test_the_type_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert try_locks.kind_of(path, MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "fuse", "fuse.glusterfs"])
def test_file_systems_of_other_machines_speak_against_locks(tmp_path: Path, kind: str) -> None:
    mounts = f"1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path} rw - {kind} x rw\n"
    assert try_locks.problem(str(tmp_path), mounts) == f"it is on a file system of the type {kind}"


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuseblk"])
def test_where_a_lock_works_nothing_speaks_against_it(tmp_path: Path, kind: str) -> None:
    assert try_locks.problem(str(tmp_path), f"1 0 0:1 / / rw - {kind} x rw\n") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    assert try_locks.problem(str(tmp_path), "") == "a file in it cannot be locked: No locks available"


def test_a_lock_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", try_locks.late)
    assert try_locks.problem(str(tmp_path), "") == "a file in it cannot be locked: no answer within 5 s"


def test_the_program_prints_json(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", file_locking.PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert list(json.loads(done.stdout)) == [str(tmp_path)]


def test_only_directories_that_exist_are_tried(machine: Machine) -> None:
    machine.files.without_locks["/scratch"] = "it is on a file system of the type ceph"
    assert STEP.check(machine.host) is None
    machine.host.make_directory("/scratch", Access(0o755))
    assert STEP.check(machine.host) == (
        "are used; /scratch speaks against that: it is on a file system of the type ceph"
    )
    assert machine.calls[-1].argv == ("/usr/bin/python3", "-I", file_locking.PROGRAM, "/scratch")
    STEP.apply(machine.host)
    assert STEP.check(machine.host) is None
    machine.files.without_locks.clear()
    assert STEP.check(machine.host) == "are not used, and work in all directories"


def test_a_trial_that_fails_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*argv: str, **_: object) -> str:
        raise CommandFailed(argv, 1, "PermissionError")

    host.make_directory("/scratch", Access(0o755))
    monkeypatch.setattr(Host, "run", lambda _, *argv, **__: fail(*argv))
    with pytest.raises(CommandFailed):
        STEP.check(host)
    monkeypatch.setattr(Host, "run", lambda *_, **__: "{}")
    with pytest.raises(DcorError, match="says nothing of /scratch"):
        STEP.check(host)


def test_each_python_of_a_release_and_the_shell_look_for_the_same_file(tmp_path: Path) -> None:
    startup = (templates.PACKAGE / "runtime/startup.py").read_text(encoding="utf-8")
    assert f'os.path.exists("{HDF5_WITHOUT_LOCKS}")' in startup
    there = tmp_path / "there"
    text = release_build.ACTIVATED.replace(HDF5_WITHOUT_LOCKS, str(there))
    script = f'set -eu\n{text}\necho "${{HDF5_USE_FILE_LOCKING:-none}}"'
    environment = {key: value for key, value in os.environ.items() if key != "HDF5_USE_FILE_LOCKING"}

    def shell(**more: str) -> str:
        argv = ["/bin/sh", "-c", script]
        return subprocess.run(argv, env={**environment, **more}, check=True, capture_output=True, text=True).stdout

    assert shell() == "none\n"
    there.touch()
    assert shell() == "FALSE\n"
    assert shell(HDF5_USE_FILE_LOCKING="TRUE") == "TRUE\n"
