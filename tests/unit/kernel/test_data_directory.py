"""A server never goes on without its data, nor with those of another one."""

from __future__ import annotations

import shutil

import pytest

from dcor_pkg.answers import settings_text
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.instance import INSTANCE, known, marker
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Host

STEP = DataDirectory("/data")


def test_a_disk_that_is_not_mounted_is_never_replaced_by_an_empty_directory(host: Host) -> None:
    run([STEP], host)
    shutil.rmtree(host.path("/data"))
    host.path("/data").mkdir()
    (outcome,) = run([STEP], host)
    assert outcome.result is Result.FAILED
    assert "not mounted" in outcome.reason
    assert "mount /data" in outcome.hint
    assert host.names("/data") == []


def test_data_of_another_server_are_not_used(host: Host) -> None:
    run([STEP], host)
    host.path(marker("/data")).write_text("another\n")
    (outcome,) = run([STEP], host)
    assert outcome.result is Result.FAILED
    assert "another server" in outcome.reason


def test_marked_data_are_adopted_by_a_new_installation(host: Host) -> None:
    run([STEP], host)
    instance = host.read(INSTANCE)
    host.remove(INSTANCE)
    (outcome,) = run([STEP], host)
    assert outcome.result is Result.CHANGED
    assert host.read(INSTANCE) == instance


def test_a_recorded_id_is_known_whatever_the_settings_are(host: Host) -> None:
    run([STEP], host)
    host.write(settings_text.PATH, "no setting\n", settings_file.ACCESS)
    assert known(host) == host.read(INSTANCE)
    host.remove(INSTANCE)
    with pytest.raises(DcorError, match=r"dcor-server\.conf"):
        known(host)


@pytest.mark.parametrize("lost", ["/data/.dcor-server", "/data"])
def test_a_check_names_the_disk_that_is_not_mounted(host: Host, lost: str) -> None:
    run([STEP], host)
    shutil.rmtree(host.path(lost)) if host.path(lost).is_dir() else host.remove(lost)
    assert "not mounted" in str(STEP.check(host))
