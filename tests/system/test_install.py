"""The ways to install work. What an installation refuses is in test_odd_machines.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import layers, roots
from website import assert_healthy, wait_for_page

from tests.conftest import Boot

TREE = Path(__file__).resolve().parents[2]

#: The commands of the README for a directory or medium.
FROM_A_MEDIUM = """
apt-get install -y $(find /media/dcor/pool -name 'dcor-archive-keyring_*.deb')
echo "deb [signed-by=/usr/share/keyrings/dcor-archive-keyring.gpg] file:/media/dcor $1 main" \
    >/etc/apt/sources.list.d/dcor-medium.list
apt-get update
apt-get install -y dcor-server
"""

#: The commands of the README for the repository: the keyring makes its source from the address that is answered.
FROM_THE_REPOSITORY = """
echo "dcor-archive-keyring dcor-archive-keyring/repository string file:/media/dcor" | debconf-set-selections
apt-get install -y $(find /media/dcor/pool -name 'dcor-archive-keyring_*.deb')
grep -q "^Suites: $1$" /etc/apt/sources.list.d/dcor.sources
apt-get update
apt-get install -y dcor-server
"""


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(FROM_A_MEDIUM, id="medium", marks=pytest.mark.long),
        pytest.param(FROM_THE_REPOSITORY, id="repository"),
    ],
)
def test_installation_without_a_network_from(
    way: str, boot: Boot, bare: layers.Stack, suite: str, debs: list[Path]
) -> None:
    assert debs
    machine = boot("way", bare, read_only={TREE / "dist" / suite / "apt": "/media/dcor"})
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    machine.run("bash", "-euxc", way, "way", suite, env=layers.NONINTERACTIVE, timeout=900)
    assert_healthy(machine)
    # A unit has made the release while dpkg configured other packages; the postinst only had to wait for it.
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
