"""Free space is that of the file system which holds a path, or will hold it."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host


def test_a_directory_that_does_not_exist_yet_has_the_space_of_the_one_above(host: Host) -> None:
    assert abs(disk.free(host, "/not/yet/there") - disk.free(host, "/")) < disk.GIB
    disk.require(host, "/not/yet/there", 1)


def test_too_little_space_is_said_in_mebibytes(host: Host) -> None:
    message = r"^/srv has \d+ MiB of free space, and 1073741824 MiB are needed\.$"
    with pytest.raises(DcorError, match=message) as refused:
        disk.require(host, "/srv", disk.GIB * disk.MIB)
    assert "df -h" in refused.value.hint


def test_behind_a_dangling_link_the_directory_of_the_link_counts(host: Host) -> None:
    host.link("/srv/data", "/nowhere")
    assert disk.free(host, "/srv/data/below") > 0


def test_a_disk_that_cannot_be_examined_is_a_sentence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(shutil, "disk_usage", fail)
    with pytest.raises(DcorError, match=r"^/ cannot be examined: Input/output error$"):
        disk.free(host, "/data")
