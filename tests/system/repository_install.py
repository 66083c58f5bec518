"""Install our packages from their apt repository, without a network, as README.md says."""

from __future__ import annotations

from pathlib import Path

from dcor_dev import layers
from dcor_dev.machine import Machine

TREE = Path(__file__).resolve().parents[2]
MOUNTED = "/media/dcor"

#: The commands for a directory or medium.
FROM_A_MEDIUM = f"""
apt-get install -y $(find {MOUNTED}/pool -name 'dcor-archive-keyring_*.deb')
echo "deb [signed-by=/usr/share/keyrings/dcor-archive-keyring.gpg] file:{MOUNTED} $1 main" \
    >/etc/apt/sources.list.d/dcor-medium.list
apt-get update
apt-get install -y dcor-server
"""

#: The commands for the repository: the keyring makes its source from the address that is answered.
FROM_THE_REPOSITORY = f"""
echo "dcor-archive-keyring dcor-archive-keyring/repository string file:{MOUNTED}" | debconf-set-selections
apt-get install -y $(find {MOUNTED}/pool -name 'dcor-archive-keyring_*.deb')
grep -q "^Suites: $1$" /etc/apt/sources.list.d/dcor.sources
apt-get update
apt-get install -y dcor-server
"""


def mount(suite: str) -> dict[Path, str]:
    """Return the mount of the repository: Machine(..., read_only=mount(suite))."""
    return {TREE / "dist" / suite / "apt": MOUNTED}


def install(machine: Machine, way: str, suite: str) -> None:
    """Install by these commands, with preseeded answers."""
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    machine.run("bash", "-euxc", way, "way", suite, env=layers.NONINTERACTIVE, timeout=900)
