"""Layers that tests boot on: what takes long is done once, and kept until what it is made of changes.

Each function returns a whole stack of folders, the lowest first, ready for Machine. Only `clients` can lie anywhere
above: it holds no Debian package, so no state of dpkg that would hide another layer's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dcor_dev import cache, roots, tools
from dcor_dev.errors import DevError
from dcor_dev.machine import HOSTNAME, Machine

Stack = tuple[Path, ...]

TREE = Path(__file__).resolve().parents[2]

#: Where machines find our packages.
PACKAGES = "/srv/dist"

#: What tests install besides ours, without a network: a browser to look with, German to be asked in, apt-utils, with
#: which debconf asks before it unpacks, and what its frontends need: windows, lines to edit, a terminal to type at.
FOR_TESTS = ("apt-utils", "locales-all", "perl", "tmux", "whiptail")
BROWSER = ("chromium", "chromium-driver", "python3-selenium")
#: What runs debian/tests.
AUTOPKGTEST = ("autopkgtest",)

#: The answers of an admin who takes every default.
ANSWERS = f"""\
dcor-server dcor-server/hostname string {HOSTNAME}
dcor-server dcor-server/email string admin@example.org
dcor-server dcor-server/certificate select self-signed
dcor-server dcor-server/data-directory string /data
"""

#: The last one counts, and cannot be used: the postinst ends before it changes anything.
INVALID_ANSWERS = f"{ANSWERS}dcor-server dcor-server/hostname string no host\n"

#: `apt`, unlike apt-get, throws archives away once they are installed: a machine without a network could install only
#: once.
KEEP_ARCHIVES = 'Binary::apt::APT::Keep-Downloaded-Packages "true";\n'

#: Raise this when the way of making layers changes what is in them.
RECIPE = "2"

#: What decides which of Debian's packages ours pull.
RELATIONS = ("Package", "Pre-Depends", "Depends", "Recommends", "Breaks", "Conflicts")

#: With all that Debian's archive has at hand and no questions.
INSTALL = ("apt-get", "install", "--yes", "-o", "Dpkg::Use-Pty=0")
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}


def build_packages(suite: str) -> list[Path]:
    """Return all our packages as this checkout makes them; those whose inputs are the same are not built again."""
    done = subprocess.run([str(TREE / "scripts/build"), "--suite", suite], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise DevError(f"scripts/build --suite {suite} ended with {done.returncode}; what it said stands above.")
    return sorted((TREE / "dist" / suite).glob("*.deb"))


def debian_packages(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a bare Debian in which everything that our packages need lies in apt's cache, resolved by apt itself."""
    base = roots.base(suite)
    name = f"debian-{suite}-{cache.key(base.name, RECIPE, *relations(debs), *FOR_TESTS, *BROWSER, *AUTOPKGTEST)}"

    def make(target: Path) -> None:
        # One by one: together, locales-all would be taken for the locales that PostgreSQL asks for.
        groups = [" ".join(group) for group in (paths_inside(debs), FOR_TESTS, BROWSER, AUTOPKGTEST)]
        script = "apt-get -qq update; for group; do apt-get -qq install --yes --download-only $group; done"
        argv = ("sh", "-euc", script, "sh", *groups)
        roots.chroot_run(
            base, *argv, private_network=False, read_only=package_mounts(debs), env=NONINTERACTIVE, keep=target
        )
        (target / "etc/apt/apt.conf.d").mkdir(parents=True, exist_ok=True)
        (target / "etc/apt/apt.conf.d/80keep-archives").write_text(KEEP_ARCHIVES)

    return base, cache.folder("layers", name, make)


def installed(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a machine, powered off, on which our packages were installed without a network by a preseeded apt."""
    below = debian_packages(suite, debs)
    name = f"installed-{suite}-{cache.key(*(layer.name for layer in below), *contents(debs), ANSWERS)}"

    def make(target: Path) -> None:
        machine = Machine("install", below, read_only=package_mounts(debs))
        with machine:
            install(machine, debs)
            machine.poweroff()
            machine.commit(target)

    return *below, cache.folder("layers", name, make)


def unconfigured(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a machine on which all is installed but dcor-server, which waits for answers that can be used."""
    below = debian_packages(suite, debs)
    name = f"unconfigured-{suite}-{cache.key(*(layer.name for layer in below), *contents(debs), INVALID_ANSWERS)}"

    def make(target: Path) -> None:
        with Machine("unconfigured", below, read_only=package_mounts(debs)) as machine:
            machine.run("debconf-set-selections", text=INVALID_ANSWERS)
            said = machine.run(*INSTALL, *paths_inside(debs), env=NONINTERACTIVE, timeout=900, check=False)
            left = machine.shell("dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' | grep -v '^ii'")
            if left.split() != ["iF", "dcor-server"]:
                raise DevError(f"Not dcor-server alone was refused, but {left!r}:\n{said.stdout}{said.stderr}")
            machine.shell("while systemctl is-active --quiet dcor-release; do sleep 0.1; done")
            machine.poweroff()
            machine.commit(target)

    return *below, cache.folder("layers", name, make)


def install(machine: Machine, debs: Sequence[Path], answers: str = ANSWERS) -> str:
    """Install ours in a machine that is shown them at PACKAGES, preseeded; return what apt said."""
    machine.run("debconf-set-selections", text=answers)
    return machine.run(*INSTALL, *paths_inside(debs), env=NONINTERACTIVE, timeout=900).stdout


def with_browser(suite: str, debs: Sequence[Path]) -> Stack:
    """Return the installed server with Chromium on top, for tests that look at pages as people do."""
    below = installed(suite, debs)
    name = f"browser-{suite}-{cache.key(*(layer.name for layer in below), *BROWSER)}"

    def make(target: Path) -> None:
        roots.chroot_run(below, *INSTALL, "-qq", *BROWSER, env=NONINTERACTIVE, keep=target)

    return *below, cache.folder("layers", name, make)


def clients(suite: str, requirements: Path) -> Path:
    """Return a layer with DCOR-Aid's library and dclab in /opt/clients, made by the suite's own Python."""
    root = roots.build_root(suite)
    name = f"clients-{suite}-{cache.key(root.name, requirements)}"

    def make(target: Path) -> None:
        script = """
            python3 -m venv /opt/clients
            /opt/clients/bin/pip install --quiet --no-cache-dir --require-hashes --only-binary=:all: -r /srv/requirements.txt
        """
        binds = {requirements: "/srv/requirements.txt"}
        (target / "opt/clients").mkdir(parents=True)
        out = {target / "opt/clients": "/opt/clients"}
        roots.chroot_run(root, "sh", "-euc", script, private_network=False, read_only=binds, writable=out)

    return cache.folder("layers", name, make)


def paths_inside(debs: Sequence[Path]) -> list[str]:
    """Return where a machine sees our packages."""
    return [f"{PACKAGES}/{deb.name}" for deb in debs]


def package_mounts(debs: Sequence[Path]) -> dict[Path, str]:
    """Return what makes a machine see our packages: Machine(..., read_only=package_mounts(debs))."""
    return dict(zip(debs, paths_inside(debs)))


def contents(debs: Sequence[Path]) -> list[str | Path]:
    """Return what a layer that holds these packages is made of: their names and their bytes."""
    return [part for deb in sorted(debs) for part in (deb.name, deb)]


def relations(debs: Sequence[Path]) -> list[str]:
    """Return what our packages ask of Debian; while that is the same, so are the packages that it takes."""
    if not debs:
        raise DevError("There are no packages to make a layer of.")
    return [_fields(deb) for deb in sorted(debs)]


def _fields(deb: Path) -> str:
    return tools.run(f"{deb} is no Debian package", "dpkg-deb", "--field", str(deb), *RELATIONS)
