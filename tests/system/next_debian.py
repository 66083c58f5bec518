"""What a machine without a network needs for an upgrade to the next Debian: apt's sources, indexes, and packages."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dcor_dev import cache, layers, roots

#: Where the repository of our packages is, in machines.
MOUNTED = "/media/dcor"
#: As the README says, with our repository in a directory; then apt fetches what it will install.
SCRIPT = f"""
sed -i 's|^URIs:.*|URIs: file:{MOUNTED}|; s/^Enabled:.*/Enabled: yes/' /etc/apt/sources.list.d/dcor.sources
find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec sed -i "s/$1/$2/g" {{}} +
apt-get -qq update
apt-get -qq --yes --download-only full-upgrade
"""


def publish(repository: Path, *suites: str) -> None:
    """Publish what was built for these suites."""
    for suite in suites:
        argv = [str(layers.TREE / "scripts/publish"), str(repository), "--suite", suite]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def ready(installed: layers.Stack, debs: list[Path], repository: Path, old: str, new: str) -> layers.Stack:
    """Return a machine of the former Debian, powered off, whose sources name the next one."""
    key = cache.key(*(layer.name for layer in installed), *layers.contents(debs), SCRIPT)

    def make(target: Path) -> None:
        roots.chroot_run(
            installed,
            *("sh", "-euc", SCRIPT, "sh", old, new),
            private_network=False,
            read_only={repository: MOUNTED},
            env=layers.NONINTERACTIVE,
            keep=target,
        )

    return *installed, cache.directory("layers", f"next-debian-{new}-{key}", make)
