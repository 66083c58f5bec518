"""A repository, signed, with the next version of each package that a release is made of."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dcor_dev import repository, signing
from dcor_dev.machine import Machine

#: The packages that are upgraded together.
TOGETHER = ("dcor-server", "dcor-wheels", "python-ckan")
#: Where it is in machines.
MOUNTED = "/media/next"
#: A relation of dcor-server to the present revision of one of the others.
RELATION = re.compile(r"((?:dcor-wheels|python-ckan) \((?:>=|<<) [^ )-]+-)(\d+)~")
#: Lines of a control file: the version of dcor-server; the revision of another package, before the suite's suffix.
VERSION, REVISION = re.compile(r"^Version: \S+", re.MULTILINE), re.compile(r"^(Version: \S+-)(\d+)~", re.MULTILINE)
#: Its only source, and nothing that was looked for before.
USE = """
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/periodic/*
echo "deb [signed-by={mounted}/dcor-archive-keyring.gpg] file:{mounted} {suite} main" >/etc/apt/sources.list.d/next.list
"""


def make(debs: Sequence[Path], directory: Path, suite: str) -> Path:
    """Return a new directory that holds the repository."""
    next_debs = [_next(deb, directory) for deb in debs if deb.name.partition("_")[0] in TOGETHER]
    assert len(next_debs) == len(TOGETHER)
    with signing.signer() as signer, repository.locked(directory / "apt", signer, repository.BUILT) as apt:
        apt.fill(suite, next_debs)
    return directory / "apt"


def use(machine: Machine, suite: str) -> None:
    """Let the machine look for updates there only."""
    machine.shell(USE.format(mounted=MOUNTED, suite=suite))


def versions(machine: Machine) -> set[str]:
    """Return the versions of the packages that are upgraded together."""
    form = "${Package} ${Version} ${db:Status-Status}\\n"
    return set(machine.run("dpkg-query", "--show", f"--showformat={form}", *TOGETHER).stdout.splitlines())


def _next(deb: Path, directory: Path) -> Path:
    """Return the next version of a package: its revision, or that of dcor-server's relations, is higher by one."""
    name = deb.name.partition("_")[0]
    tree, target = directory / name, directory / deb.name.replace(".deb", "_next.deb")
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    number, following = (VERSION, r"\g<0>+next") if name == "dcor-server" else (REVISION, _increased)
    control.write_text(number.sub(following, RELATION.sub(_increased, control.read_text()), count=1))
    if name == "dcor-wheels":  # another release set, of the same wheels
        with (tree / "usr/share/dcor-wheels/requirements.txt").open("a") as lock:
            lock.write("# the next one\n")
    subprocess.run(["dpkg-deb", "-Znone", "--build", "--root-owner-group", str(tree), str(target)], check=True)
    return target


def _increased(found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2]) + 1}~"
