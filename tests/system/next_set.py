"""A repository, signed, with the next version of each package that a release is made of."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from dcor_dev import repository, signing
from dcor_dev.machine import Machine
from next_wheel import next_wheel

#: The packages that are upgraded together.
TOGETHER = ("dcor-server", "dcor-wheels", "python-ckan")
#: Where it is in machines.
MOUNTED = "/media/next"
#: A relation of dcor-server to the present revision of another package.
RELATION = r"((?:{}) \((?:>=|<<) [^ )-]+-)(\d+)~"
#: Lines of a control file: the version of dcor-server; the revision of another package, before the suite's suffix.
VERSION, REVISION = re.compile(r"^Version: \S+", re.MULTILINE), re.compile(r"^(Version: \S+-)(\d+)~", re.MULTILINE)
#: Its only source, and nothing that was looked for before.
USE = """
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/periodic/*
echo "deb [signed-by={mounted}/dcor-archive-keyring.gpg] file:{mounted} {suite} main" >/etc/apt/sources.list.d/next.list
"""
#: What the timers of apt start: the first looks for updates, the second installs them.
NIGHT = "systemctl start apt-daily.service; systemctl start apt-daily-upgrade.service"


def make(debs: Sequence[Path], directory: Path, suite: str, changed: Collection[str] = TOGETHER) -> Path:
    """Return a new directory that holds the repository. Whichever packages have changed, dcor-server needs these."""
    next_debs = next_versions(debs, directory, changed)
    with signing.signer() as signer, repository.locked(directory / "apt", signer, repository.BUILT) as apt:
        apt.fill(suite, next_debs)
    return directory / "apt"


def next_versions(debs: Sequence[Path], directory: Path, changed: Collection[str] = TOGETHER) -> list[Path]:
    """Return the next version of each package that has changed, and of dcor-server."""
    names = {"dcor-server", *changed}
    found = [_next(deb, directory, changed) for deb in debs if deb.name.partition("_")[0] in names]
    assert len(found) == len(names)
    return found


def use(machine: Machine, suite: str) -> None:
    """Let the machine look for updates there only."""
    machine.shell(USE.format(mounted=MOUNTED, suite=suite))


def versions(machine: Machine) -> set[str]:
    """Return the versions of the packages that are upgraded together."""
    form = "${Package} ${Version} ${db:Status-Status}\\n"
    return set(machine.run("dpkg-query", "--show", f"--showformat={form}", *TOGETHER).stdout.splitlines())


def _next(deb: Path, directory: Path, changed: Collection[str]) -> Path:
    """Return the next version of a package, with other content."""
    name = deb.name.partition("_")[0]
    tree, target = directory / name, directory / deb.name.replace(".deb", "_next.deb")
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(_next_control(name, control.read_text(), changed))
    if name == "dcor-wheels":
        next_wheel(tree / "usr/share/dcor-wheels")
    elif name == "dcor-server":
        with (tree / "usr/share/dcor-server/dcor_pkg/runtime/__init__.py").open("a") as module:
            module.write("ANOTHER = 1\n")
    subprocess.run(["dpkg-deb", "-Znone", "--build", "--root-owner-group", str(tree), str(target)], check=True)
    return target


def _next_control(name: str, text: str, changed: Collection[str]) -> str:
    """Return a control file with the next version: the revision, or that of dcor-server's relations, is one higher."""
    if name != "dcor-server":
        return REVISION.sub(_increased, text, count=1)
    others = sorted(set(changed) - {name})
    if others:
        text = re.sub(RELATION.format("|".join(others)), _increased, text)
    return VERSION.sub(r"\g<0>+next", text, count=1)


def _increased(found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2]) + 1}~"
