"""A managed file leaves the directory of another user: once, and with what an admin has written in it."""

from __future__ import annotations

import pytest

from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.managed_file import STATE_FILE
from dcor_pkg.kernel.moved_file import MovedFile
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.trusted_path import UntrustedPath

FORMER, NOW = "/etc/redis/redis-dcor.conf", "/etc/dcor-server/redis.conf"
OF_REDIS = Access(0o640, "redis", "redis")
STEP = MovedFile(FORMER, NOW, Access(0o640, "root", "redis"), "redis")


@pytest.fixture
def server(host: Host) -> Host:
    """Return a machine with the file of an earlier version."""
    managed_file.record(host, FORMER, "port 0\n")
    host.make_directory("/etc/redis", Access(0o750, "redis", "redis"))
    host.write(FORMER, "port 0\n", OF_REDIS)
    return host


def moved(server: Host) -> str | None:
    """Move the file; return what is in its new place."""
    assert STEP.check(server) == f"has to move to {NOW}"
    STEP.apply(server)
    assert STEP.check(server) is None
    assert server.names("/etc/redis") == []
    return server.read(NOW)


def test_a_file_of_ours_is_removed_since_the_new_one_is_made_anew(server: Host) -> None:
    assert moved(server) is None
    assert state_file.read(server, STATE_FILE, {}) == {}


def test_what_an_admin_has_changed_goes_along_and_counts_as_changed(server: Host) -> None:
    server.write(FORMER, "port 0\nmaxmemory 1gb\n", OF_REDIS)
    server.write(f"{FORMER}.dcor-new", "port 0\nnew\n", OF_REDIS)
    assert moved(server) == "port 0\nmaxmemory 1gb\n"
    assert server.access(NOW) == STEP.access
    assert managed_file.changed_by_admin(server) == [NOW]


def test_a_file_that_is_missing_is_forgotten(server: Host) -> None:
    server.path(FORMER).unlink()
    assert moved(server) is None


def test_a_link_in_its_place_is_not_followed(server: Host) -> None:
    server.write("/etc/shadow", "root:hash\n", Access(0o600))
    server.path(FORMER).unlink()
    server.path(FORMER).symlink_to("/etc/shadow")
    with pytest.raises(UntrustedPath, match=f"{FORMER} is a link of redis"):
        STEP.apply(server)
    assert server.read(NOW) is None


def test_what_redis_writes_there_later_is_not_taken_for_a_text_of_the_admin(server: Host) -> None:
    moved(server)
    server.write(FORMER, "unixsocketperm 777\n", OF_REDIS)
    assert STEP.check(server) is None
