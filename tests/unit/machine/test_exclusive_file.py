"""A new file is made where nothing was, and nothing is left of it after an error."""

from __future__ import annotations

import stat

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk, exclusive_file
from dcor_pkg.machine.host import Access, Host

PATH = "/out/x.dcor-access"


@pytest.fixture(autouse=True)
def directory(host: Host) -> None:
    host.make_directory("/out", Access(0o755))


def test_the_file_is_private_and_whole(host: Host) -> None:
    with exclusive_file.made(host, PATH) as write:
        assert stat.S_IMODE(host.path(PATH).stat().st_mode) == 0o600
        write(b"\0\xff")
    assert host.path(PATH).read_bytes() == b"\0\xff"


@pytest.mark.parametrize("error", [KeyboardInterrupt, DcorError("no")])
def test_an_error_leaves_nothing(host: Host, error: BaseException) -> None:
    with pytest.raises((KeyboardInterrupt, DcorError)):
        make(host, PATH, error)
    assert host.names("/out") == []


def test_what_is_there_is_left_alone(host: Host) -> None:
    host.write(PATH, "old", Access(0o644))
    with pytest.raises(DcorError, match=r"^/out/x\.dcor-access exists, and is not overwritten\.$"):
        make(host, PATH)
    assert host.read(PATH) == "old"


@pytest.mark.parametrize("target", ["/etc/victim", "/nowhere", "x.dcor-access"])
def test_a_link_is_not_followed(host: Host, target: str) -> None:
    host.write("/etc/victim", "victim", Access(0o600))
    host.path(PATH).symlink_to(target)
    with pytest.raises(DcorError, match="exists, and is not overwritten"):
        make(host, PATH)
    assert (host.target(PATH), host.read("/etc/victim"), host.exists("/nowhere")) == (target, "victim", False)


@pytest.mark.parametrize("path", ["/out", "/out/", "/out/.", "/"])
def test_a_directory_is_said_to_be_one(host: Host, path: str) -> None:
    with pytest.raises(DcorError, match="is a directory") as failed:
        make(host, path)
    assert failed.value.hint.startswith("Name a new file in it, for example /")
    assert host.names("/out") == []


@pytest.mark.parametrize("path", ["/missing/x", "/out/file/x", "/out/" + "x" * 300])
def test_what_cannot_be_made_is_said_in_a_sentence(host: Host, path: str) -> None:
    host.write("/out/file", "", Access(0o644))
    with pytest.raises(DcorError, match="cannot be made: ") as failed:
        make(host, path)
    assert failed.value.hint
    assert host.names("/out") == ["file"]


def test_without_room_nothing_is_begun(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda host, path: 1000)
    with pytest.raises(DcorError, match="has 0 MiB of free space, and 1 MiB are needed"):
        make(host, PATH)
    assert host.names("/out") == []


def make(host: Host, path: str, error: BaseException | None = None) -> None:
    with exclusive_file.made(host, path) as write:
        write(b"new")
        if error is not None:
            raise error
