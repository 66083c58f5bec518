"""The way to the machine: whatever is in the place of a file, an admin gets a sentence and no traceback."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import host as host_module
from dcor_pkg.machine.file_errors import regular_file
from dcor_pkg.machine.host import Access, Host

ACCESS = Access(0o640)
LONG = f"/srv/{'a' * 300}"
#: each method that looks at a path or changes it
METHODS: dict[str, Callable[[Host, str], object]] = {
    "read": lambda host, path: host.read(path),
    "exists": lambda host, path: host.exists(path),
    "names": lambda host, path: host.names(path),
    "target": lambda host, path: host.target(path),
    "access": lambda host, path: host.access(path),
    "access_drift": lambda host, path: host.access_drift(path, ACCESS),
    "write": lambda host, path: host.write(path, "new\n", ACCESS),
    "append": lambda host, path: host.append(path, "more\n", ACCESS),
    "link": lambda host, path: host.link(path, "/target"),
    "remove": lambda host, path: host.remove(path),
    "remove_tree": lambda host, path: host.remove_tree(path),
    "rename": lambda host, path: host.rename(path, "/srv/other"),
    "make_directory": lambda host, path: host.make_directory(path, Access(0o750)),
    "require_trusted": lambda host, path: host.require_trusted(path),
}
LOOKS = {"read", "exists", "names", "target", "access", "access_drift"}
ALL = set(METHODS)
#: what is at each path, and the methods that cannot do their work there; all others return
TREES = {
    "/srv/missing": {"rename"},
    "/srv/file": {"names", "remove_tree", "make_directory"},
    "/srv/file/below": {"names", "write", "append", "link", "rename", "make_directory"},
    "/srv/directory": {"read", "write", "append", "link", "remove"},
    "/srv/dangling": {"append", "remove_tree", "make_directory"},
    "/srv/link-to-directory": {"read", "append", "remove_tree", "make_directory"},
    "/srv/loop": {"read", "names", "append", "remove_tree", "make_directory"},
    "/srv/loop/below": ALL,
    "/srv/fifo": {"read", "names", "append", "remove_tree", "make_directory"},
    "/srv/socket": {"read", "names", "append", "remove_tree", "make_directory"},
    LONG: ALL - {"require_trusted"},
}
PAIRS = [(path, method) for path in TREES for method in METHODS]


@pytest.fixture
def odd(host: Host) -> Iterator[Host]:
    """Return a machine with all these; a test that waits for ever fails."""
    host.write("/srv/file", "text\n", ACCESS)
    host.write("/srv/directory/file", "text\n", ACCESS)
    host.link("/srv/dangling", "nowhere")
    host.link("/srv/link-to-directory", "directory")
    host.link("/srv/loop", "loop")
    os.mkfifo(host.path("/srv/fifo"))
    with socket.socket(socket.AF_UNIX) as listener:
        _bind(listener, host.path("/srv/socket"))
        signal.signal(signal.SIGALRM, _fail)
        signal.alarm(20)
        yield host
        signal.alarm(0)


def _bind(listener: socket.socket, path: Path) -> None:
    """Make a socket by a relative path: the whole one may be longer than the 107 bytes that a socket's may have."""
    before = Path.cwd()
    os.chdir(path.parent)
    listener.bind(path.name)
    os.chdir(before)


def _fail(number: int, frame: object) -> None:
    raise AssertionError("It waits for ever.")


def test_each_method_is_tried() -> None:
    public = {name for name, it in vars(Host).items() if callable(it) and not name.startswith("_")}
    assert public - {"path", "private_file", "run", "started", "succeeds"} == ALL


@pytest.mark.parametrize(("path", "method"), PAIRS, ids=[f"{path[:30]}-{method}" for path, method in PAIRS])
def test_what_cannot_be_done_is_a_sentence_that_names_the_path(odd: Host, path: str, method: str) -> None:
    if method not in TREES[path]:
        METHODS[method](odd, path)
        return
    with pytest.raises(DcorError) as failed:
        METHODS[method](odd, path)
    assert path in failed.value.reason
    assert failed.value.hint
    assert "Errno" not in failed.value.reason


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_permission_is_a_sentence(odd: Host, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        for name in ("open", "lstat", "listdir", "readlink", "unlink", "mkdir", "rename", "replace", "symlink"):
            patch.setattr(os, name, refuse)
        patch.setattr(tempfile, "mkstemp", refuse)
        with pytest.raises(DcorError, match=r"^/srv/file cannot be .*: Permission denied$") as failed:
            METHODS[method](odd, "/srv/file")
    assert "ls -ld /srv/file" in failed.value.hint


def test_a_file_of_a_process_that_ends_while_it_is_read_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:

        def ended(path: str, attempt: str, descriptor: int) -> IO[str]:
            sleeper.kill()
            sleeper.wait()
            return regular_file(path, attempt, descriptor)

        monkeypatch.setattr(host_module, "regular_file", ended)
        assert Host().read(f"/proc/{sleeper.pid}/cmdline") is None


def test_a_file_that_is_not_one_is_said_so(odd: Host) -> None:
    with pytest.raises(DcorError, match=r"^/srv/directory cannot be read: it is a directory, not a regular file$"):
        odd.read("/srv/directory")
    with pytest.raises(DcorError, match=r"^/srv/fifo cannot be read: it is a FIFO, not a regular file$"):
        odd.read("/srv/fifo")


@pytest.mark.parametrize("method", ["write", "append", "link", "make_directory"])
def test_the_file_in_the_place_of_a_directory_is_named(odd: Host, method: str) -> None:
    with pytest.raises(DcorError) as failed:
        METHODS[method](odd, "/srv/file/below")
    assert failed.value.hint == "/srv/file is not a directory, and one belongs there: move it away."


def test_a_link_in_the_place_of_a_directory_is_not_followed(odd: Host) -> None:
    before = odd.access("/srv/directory")
    with pytest.raises(DcorError, match="is a symbolic link") as failed:
        odd.make_directory("/srv/link-to-directory", Access(0o777))
    assert "Name the directory" in failed.value.hint
    assert odd.access("/srv/directory") == before


def test_what_is_missing_is_none_or_nothing(host: Host) -> None:
    found = (host.read("/a"), host.target("/a"), host.access("/a"), host.names("/a"), host.exists("/a"))
    assert found == (None, None, None, [], False)
    assert host.access_drift("/a", ACCESS) == "is missing"
    host.remove("/a")
    host.remove_tree("/a")


def test_a_link_is_replaced_and_its_target_is_not_written(odd: Host) -> None:
    odd.link("/srv/dangling", "file")
    odd.write("/srv/dangling", "new\n", ACCESS)
    assert (odd.target("/srv/dangling"), odd.read("/srv/dangling"), odd.read("/srv/file")) == (None, "new\n", "text\n")


def test_a_target_is_returned_as_it_was_given(host: Host) -> None:
    host.link("/srv/link", "./releases//1/")
    assert host.target("/srv/link") == "./releases//1/"


def test_bytes_that_are_not_utf8_survive(host: Host) -> None:
    host.path("/latin").write_bytes(b"caf\xe9\n")
    host.write("/copy", host.read("/latin") or "", ACCESS)
    assert host.path("/copy").read_bytes() == b"caf\xe9\n"


def test_a_file_is_on_the_disk_before_it_has_its_name(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []

    def fsync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), host.exists("/etc/file")))

    monkeypatch.setattr(os, "fsync", fsync)
    host.write("/etc/file", "text\n", ACCESS)
    assert synced == [(False, False), (True, True)]


def test_nothing_is_left_of_a_file_that_cannot_be_written(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    host.write("/etc/file", "old\n", ACCESS)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DcorError, match=r"^/etc/file cannot be written: No space left on device$") as failed:
        host.write("/etc/file", "new\n", ACCESS)
    assert "df -h" in failed.value.hint
    assert (host.names("/etc"), host.read("/etc/file")) == (["file"], "old\n")


def test_a_private_file_is_roots_alone_and_gone_afterwards(host: Host) -> None:
    with host.private_file("secret\n") as path:
        assert (host.read(path), host.path(path).stat().st_mode & 0o777) == ("secret\n", 0o600)
    assert host.names("/run") == []


def test_without_run_there_is_no_private_file(host: Host) -> None:
    host.write("/run", "a file", ACCESS)
    with pytest.raises(DcorError, match=r"^/run cannot be written to"), host.private_file("secret\n"):
        pass


@pytest.fixture
def grant(tmp_path: Path) -> Callable[[Access], None]:
    """Return what gives a new file its access in truth, which the fixture `host` replaces."""
    file = tmp_path / "file"
    file.touch()

    def grant(access: Access) -> None:
        with file.open() as opened:
            host_module._grant(opened.fileno(), access)  # noqa: SLF001 (the fixture `host` replaces it)

    return grant


def test_a_user_who_does_not_exist_is_named(grant: Callable[[Access], None]) -> None:
    with pytest.raises(DcorError, match=r"^There is no user dcor-nobody, or no group root\.$"):
        grant(Access(0o600, "dcor-nobody", "root"))


def test_a_file_gets_owner_and_mode(grant: Callable[[Access], None], monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "fchown", lambda _, *owner: given.append(owner))
    monkeypatch.setattr(os, "fchmod", lambda _, mode: given.append((mode,)))
    grant(Access(0o640, "daemon", "adm"))
    assert given == [(1, 4), (0o640,)]


def test_owners_without_a_name_are_numbers() -> None:
    def found(user: int, group: int) -> tuple[str, str]:
        return host_module._owners(  # noqa: SLF001 (the fixture `host` replaces it)
            os.stat_result((0, 0, 0, 0, user, group, 0, 0, 0, 0))
        )

    assert found(0, 0) == ("root", "root")
    assert found(123456, 123456) == ("123456", "123456")
    assert found(0, 123456) == ("root", "123456")


@pytest.mark.parametrize("error", [errno.EACCES, errno.EMFILE])
def test_a_directory_that_cannot_be_opened_for_another_reason(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def fail(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(DcorError, match=f"^/new cannot be made: {os.strerror(error)}$") as failed:
        host.make_directory("/new", ACCESS)
    assert "/new" in failed.value.hint


def test_a_deadline_ends_a_program_before_the_time_that_its_caller_gives_it() -> None:
    begun = time.monotonic()
    with pytest.raises(DcorError, match=r"`sleep 600` did not end within 0 s"):
        Host(deadline=begun + 0.2).run("sleep", "600", timeout=500)
    with pytest.raises(DcorError, match="did not end"):
        Host(deadline=begun - 1).run("sleep", "600")
    assert Host(deadline=begun + 60).run("echo", "in time") == "in time\n"
    assert time.monotonic() - begun < 60
