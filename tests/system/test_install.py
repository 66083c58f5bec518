"""The ways to install work; test_lifecycle.py has the repository too. What is refused is in test_odd_machines.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import layers, roots
from repository_install import FROM_A_MEDIUM, FROM_THE_REPOSITORY, install, mount
from website import assert_healthy, wait_for_page

from tests.conftest import Boot


@pytest.mark.long
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(FROM_A_MEDIUM, id="medium"),
        pytest.param(FROM_THE_REPOSITORY, id="repository"),
    ],
)
def test_installation_without_a_network_from(
    way: str, boot: Boot, bare: layers.Stack, suite: str, debs: list[Path]
) -> None:
    assert debs
    machine = boot("way", bare, read_only=mount(suite))
    install(machine, way, suite)
    assert_healthy(machine)
    # A unit has made the release while dpkg configured other packages; the postinst only had to wait for it. A
    # machine that had a server before has that one's line in its journal.
    assert "* release: " in machine.shell("journalctl --unit=dcor-release --output=cat")


@pytest.mark.long
def test_an_installation_in_a_chroot_is_completed_at_the_first_boot(
    boot: Boot, bare: layers.Stack, debs: list[Path], tmp_path: Path
) -> None:
    script = 'debconf-set-selections; exec apt-get install -y -o Dpkg::Use-Pty=0 "$@"'
    done = roots.chroot_run(
        bare,
        *("sh", "-euc", f"printf '%s' \"$ANSWERS\" | {script}", "sh", *layers.paths_inside(debs)),
        read_only=layers.package_mounts(debs),
        env={**layers.NONINTERACTIVE, "ANSWERS": layers.ANSWERS},
        keep=tmp_path,
    )
    assert "at its first boot" in done.stdout
    machine = boot("image", (*bare, tmp_path))
    wait_for_page(machine)
    assert_healthy(machine)
