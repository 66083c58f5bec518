"""Room for releases: what is missing of those that are kept, and one more; the oldest one goes where that is needed."""

from __future__ import annotations

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import past_releases, release, release_room
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE

#: of one release
SIZE = 768 * disk.MIB


class Disk:
    """A disk of some size, which holds releases and nothing else."""

    def __init__(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host, self.size = host, 10 * SIZE
        monkeypatch.setattr(disk, "free", lambda host, path: self.size - len(release.ids(host)) * SIZE)

    def serve(self, *names: str) -> None:
        """Make releases and put them in service, one after the other."""
        former = None
        self.host.make_directory(STATE, Access(0o755))
        for name in names:
            self.host.make_directory(release.directory(name), Access(0o755))
            self.host.write(f"{release.directory(name)}/{release.SCHEMA}", "revision", Access(0o644))
            past_releases.record(self.host, Programs(name, "abc"), former)
            former = Programs(name, "abc")


@pytest.fixture
def computer(host: Host, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(host, monkeypatch)


@pytest.mark.parametrize(("served", "mib"), [("", 3072), ("a", 2304), ("ab", 1536), ("abc", 1536)])
def test_what_is_on_the_disk_has_its_room_already(computer: Disk, served: str, mib: int) -> None:
    computer.serve(*served)
    assert release_room.needed(computer.host) == mib * disk.MIB


def test_the_first_release_is_refused_before_anything_is_changed(computer: Disk) -> None:
    proposal = Proposal(None, settings.Settings(), {})
    release_room.check(computer.host, proposal)
    computer.size = 3 * SIZE
    with pytest.raises(DcorError, match="3072 MiB are needed"):
        release_room.check(computer.host, proposal)
    computer.serve("a")
    release_room.check(computer.host, proposal)


def test_the_oldest_release_goes_where_another_one_needs_its_room(computer: Disk) -> None:
    computer.serve("a", "b", "c")
    computer.size = 5 * SIZE
    release_room.require(computer.host)
    assert release.ids(computer.host) == ["a", "b", "c"]
    computer.size = 4 * SIZE
    release_room.require(computer.host)
    assert release.ids(computer.host) == ["b", "c"]
    assert [it.release for it in past_releases.read(computer.host)] == ["c", "b"]


def test_no_release_goes_where_that_would_not_make_enough_room(computer: Disk) -> None:
    computer.serve("a", "b", "c")
    computer.size = 3 * SIZE
    with pytest.raises(DcorError, match="has 0 MiB of free space, and 1536 MiB are needed"):
        release_room.require(computer.host)
    assert release.ids(computer.host) == ["a", "b", "c"]
