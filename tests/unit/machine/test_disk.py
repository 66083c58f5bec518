"""Room on the disks is measured where a file would lie, be its directories there or not."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host


def test_a_directory_that_is_not_there_yet_has_the_room_of_the_one_above(host: Host) -> None:
    assert abs(disk.free(host, "/not/yet/there") - disk.free(host, "/")) < disk.GIB
    disk.require(host, "/not/yet/there", 1)


def test_too_little_room_is_told_in_figures(host: Host) -> None:
    with pytest.raises(DcorError, match=r"^/srv has \d+ MB of free space, and 1073741824 MB are needed\.$") as refused:
        disk.require(host, "/srv", disk.GIB * disk.MIB)
    assert "df -h" in refused.value.hint
