"""Another user exchanges what is on a path or at its end, and root neither reads, changes nor gives away what it is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.trusted_path import UntrustedPath
from tests.unit.machine.test_host import METHODS as ALL_METHODS

SECRET, TEXT = "/etc/shadow", "root:hash\n"
OF_ROOT, OF_REDIS = Access(0o600), Access(0o640, "redis", "redis")
DIRECTORY, FILE = "/etc/redis", "/etc/redis/redis.conf"
#: methods that change something
CHANGES = ("write", "append", "link", "remove", "remove_tree", "rename", "make_directory")
Look = Callable[[], object]
METHODS = {name: ALL_METHODS[name] for name in CHANGES}


@pytest.fixture
def shared(host: Host) -> Iterator[Host]:
    """Return a machine with a file of root's and a directory of redis's; a test that waits for ever fails."""
    host.make_directory("/etc", Access(0o755))
    host.write(SECRET, TEXT, OF_ROOT)
    host.make_directory(DIRECTORY, Access(0o750, "redis", "redis"))
    host.write(FILE, "port 0\n", OF_REDIS)
    signal.signal(signal.SIGALRM, _fail)
    signal.alarm(20)
    yield host
    signal.alarm(0)
    assert (host.read(SECRET), host.access(SECRET)) == (TEXT, OF_ROOT)


def _fail(number: int, frame: object) -> None:
    raise AssertionError("It waits for ever.")


def exchange(host: Host, path: str, make: Callable[[str], object]) -> None:
    """Do what the owner of a directory can do in it."""
    host.path(path).unlink(missing_ok=True)
    make(str(host.path(path)))


def link(host: Host, path: str, target: str) -> None:
    exchange(host, path, lambda name: Path(name).symlink_to(target))


def hard_link(host: Host, path: str) -> None:
    exchange(host, path, lambda name: os.link(host.path(SECRET), name))


@pytest.mark.parametrize("target", [SECRET, "../shadow", "redis.conf"])
def test_a_link_of_another_user_is_not_followed(shared: Host, target: str) -> None:
    link(shared, f"{DIRECTORY}/link", target)
    with pytest.raises(UntrustedPath, match=f"{DIRECTORY}/link is a link of redis$") as failed:
        shared.read(f"{DIRECTORY}/link")
    assert f"stat {DIRECTORY}/link" in failed.value.hint


def test_a_directory_that_another_user_has_exchanged_for_a_link_is_not_entered(shared: Host) -> None:
    link(shared, f"{DIRECTORY}/below", "/etc")
    looks: tuple[Look, ...] = (
        lambda: shared.read(f"{DIRECTORY}/below/shadow"),
        lambda: shared.append(f"{DIRECTORY}/below/x", "", OF_REDIS),
    )
    for look in looks:
        with pytest.raises(UntrustedPath, match="below is a link of redis"):
            look()


def test_a_file_that_may_have_been_linked_from_elsewhere_is_neither_read_nor_given_away(shared: Host) -> None:
    hard_link(shared, FILE)
    methods: tuple[Look, ...] = (lambda: shared.read(FILE), lambda: shared.append(FILE, "more\n", OF_REDIS))
    for method in methods:
        with pytest.raises(UntrustedPath, match=f"^{FILE} has 2 names, so redis may have linked it from elsewhere"):
            method()


def test_a_file_or_directory_of_a_third_user_is_refused(shared: Host) -> None:
    shared.make_directory(f"{DIRECTORY}/postgres", Access(0o700, "redis", "redis"))
    shared.write(f"{DIRECTORY}/postgres/file", "", OF_REDIS)
    shared.make_directory("/moved", Access(0o700, "postgres", "postgres"))
    shared.write("/moved/file", "", Access(0o600, "postgres", "postgres"))
    shared.path("/moved").rename(shared.path(f"{DIRECTORY}/moved"))
    with pytest.raises(UntrustedPath, match="moved belongs to postgres, in a directory of redis"):
        shared.read(f"{DIRECTORY}/moved/file")
    shared.path(f"{DIRECTORY}/moved/file").rename(shared.path(f"{DIRECTORY}/file"))
    with pytest.raises(UntrustedPath, match="file belongs to postgres, in a directory of redis"):
        shared.read(f"{DIRECTORY}/file")


def test_a_fifo_is_not_waited_for(shared: Host) -> None:
    exchange(shared, FILE, os.mkfifo)
    with pytest.raises(DcorError, match="it is a FIFO, not a regular file"):
        shared.read(FILE)
    with pytest.raises(DcorError, match=f"^{FILE} cannot be written") as failed:
        shared.append(FILE, "", OF_REDIS)
    assert "move away what is in its place" in failed.value.hint
    assert shared.access_drift(FILE, OF_REDIS) == "is a FIFO, not a regular file"


def test_what_belongs_to_that_user_or_was_put_there_by_root_is_read(shared: Host) -> None:
    assert shared.read(FILE) == "port 0\n"
    shared.path("/etc/own").write_text("root's\n")
    shared.path("/etc/own").rename(shared.path(f"{DIRECTORY}/own"))
    assert shared.read(f"{DIRECTORY}/own") == "root's\n"


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_root_is_changed_in_the_directory_of_another_user(shared: Host, method: str) -> None:
    before = shared.names(DIRECTORY), shared.read(FILE), shared.access(FILE)
    with pytest.raises(UntrustedPath, match=f"^{FILE} cannot be trusted: {DIRECTORY} belongs to redis, so") as failed:
        METHODS[method](shared, FILE)
    assert f"chown root {DIRECTORY}" in failed.value.hint
    assert (shared.names(DIRECTORY), shared.read(FILE), shared.access(FILE)) == before


def test_nothing_is_renamed_into_the_directory_of_another_user(shared: Host) -> None:
    with pytest.raises(UntrustedPath):
        shared.rename(SECRET, f"{DIRECTORY}/shadow")


def test_files_of_that_user_are_changed_there(shared: Host) -> None:
    shared.append(FILE, "more\n", OF_REDIS)
    shared.make_directory(f"{DIRECTORY}/deep/directory", Access(0o700, "redis", "redis"))
    assert (shared.read(FILE), shared.access(FILE)) == ("port 0\nmore\n", OF_REDIS)
    shared.remove(FILE, "redis")
    assert shared.names(DIRECTORY) == ["deep"]


def test_a_link_is_removed_and_not_what_it_leads_to(shared: Host) -> None:
    link(shared, FILE, SECRET)
    shared.remove(FILE, "redis")
    assert not shared.exists(FILE)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
@pytest.mark.parametrize("method", METHODS)
def test_a_directory_in_which_others_may_write_is_as_one_of_theirs(shared: Host, method: str, mode: int) -> None:
    shared.write("/tmp/file", "text\n", OF_ROOT)
    shared.path("/tmp").chmod(mode)
    with pytest.raises(UntrustedPath, match="/tmp may be changed by other users than root"):
        METHODS[method](shared, "/tmp/file")
    assert shared.read("/tmp/file") == "text\n"
    hard_link(shared, "/tmp/file")
    with pytest.raises(UntrustedPath, match="has 2 names, so other users may have linked it"):
        shared.read("/tmp/file")
    link(shared, "/tmp/file", SECRET)
    with pytest.raises(UntrustedPath, match="is a link of other users"):
        shared.read("/tmp/file")


@pytest.mark.parametrize(
    "target", ["/srv/repository/dcor.conf", "../../srv/repository/dcor.conf", "/srv/link/dcor.conf"]
)
def test_links_of_root_are_followed(shared: Host, target: str) -> None:
    shared.write("/srv/repository/dcor.conf", "mine\n", OF_ROOT)
    shared.link("/srv/link", "./repository/../repository")
    shared.link("/etc/dcor-server/dcor-server.conf", target)
    assert shared.read("/etc/dcor-server/dcor-server.conf") == "mine\n"
    shared.write("/srv/link/other", "text\n", OF_ROOT)
    assert shared.read("/srv/repository/other") == "text\n"


def test_a_link_of_root_into_the_directory_of_another_user_leads_to_files_of_that_user_only(shared: Host) -> None:
    shared.link("/etc/link", FILE)
    assert shared.read("/etc/link") == "port 0\n"
    link(shared, FILE, SECRET)
    with pytest.raises(UntrustedPath, match=f"^/etc/link cannot be trusted: {FILE} is a link of redis"):
        shared.read("/etc/link")


def test_a_place_is_trusted_while_only_root_can_change_the_way_to_it(shared: Host) -> None:
    shared.require_trusted("/srv/data/that/is/missing")
    shared.require_trusted(DIRECTORY)
    with pytest.raises(UntrustedPath, match=f"{DIRECTORY} belongs to redis"):
        shared.require_trusted(f"{DIRECTORY}/data")


def test_no_descriptor_stays_open(shared: Host) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    hard_link(shared, FILE)
    for method in (*METHODS.values(), Host.read):
        with pytest.raises(UntrustedPath):
            method(shared, FILE)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
