"""Make the layers that the tests' machines boot from; each is cached until its inputs change.

Most functions return a complete stack of directories for Machine, the lowest layer first. Only the layers of
`clients` and `nss_tools` can be added to any stack: they hold no state of dpkg that would hide that of others.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dcor_dev import cache, pebble, roots, tools
from dcor_dev.errors import DevError
from dcor_dev.machine import HOSTNAME, Machine

Stack = tuple[Path, ...]

TREE = Path(__file__).resolve().parents[2]

#: The directory in machines where our packages are mounted.
PACKAGES = "/srv/dist"

#: Those of our packages that a server is installed without.
OPTIONAL = ("dcor-wheels-test",)

#: Debian packages that tests install besides ours: apt-utils, with which apt asks debconf's questions before it unpacks
#: a package; locales, for German; perl (readline), whiptail (dialogs) and tmux (a terminal) for debconf's frontends.
FOR_TESTS = ("apt-utils", "locales-all", "perl", "tmux", "whiptail")
BROWSER = ("chromium", "chromium-driver", "python3-selenium")
TERMINAL = ("tmux",)
NAME_SERVER = ("bind9", "bind9-dnsutils")
#: The scanner of TLS.
SCANNER = ("testssl.sh",)
#: The program that runs debian/tests.
AUTOPKGTEST = ("autopkgtest",)

#: The answers of an admin who accepts all defaults.
ANSWERS = f"""\
dcor-server dcor-server/hostname string {HOSTNAME}
dcor-server dcor-server/email string admin@example.org
dcor-server dcor-server/certificate select self-signed
dcor-server dcor-server/data-directory string /data
"""

#: The last host name counts, and is invalid: the postinst fails before it changes anything.
INVALID_ANSWERS = f"{ANSWERS}dcor-server dcor-server/hostname string no host\n"

#: `apt`, unlike apt-get, removes packages from its cache after their installation, and a machine without a network
#: could not install them again.
KEEP_ARCHIVES = 'Binary::apt::APT::Keep-Downloaded-Packages "true";\n'

#: Increase this when a change of this module changes the content of the layers.
RECIPE = "2"

#: The control fields that determine which Debian packages ours depend on.
RELATIONS = ("Package", "Pre-Depends", "Depends", "Recommends", "Breaks", "Conflicts")

#: Install without questions, together with NONINTERACTIVE as the environment.
INSTALL = ("apt-get", "install", "--yes", "-o", "Dpkg::Use-Pty=0")
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}


def build_packages(suite: str) -> list[Path]:
    """Return all our packages, built from this checkout; packages with unchanged inputs are not built again."""
    done = subprocess.run([str(TREE / "scripts/build"), "--suite", suite], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise DevError(f"scripts/build --suite {suite} failed with exit code {done.returncode}; see its output above.")
    return sorted((TREE / "dist" / suite).glob("*.deb"))


def debian_packages(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a minimal Debian whose apt cache holds all dependencies of our packages, as resolved by apt."""
    base = roots.base(suite)
    name = (
        f"debian-{suite}-{cache.key(base.name, RECIPE, *relations(debs), *FOR_TESTS, *BROWSER, *SCANNER, *AUTOPKGTEST)}"
    )

    def make(target: Path) -> None:
        # Separately: in one call, locales-all would satisfy PostgreSQL's dependency on locales.
        groups = [" ".join(group) for group in (paths_inside(debs), FOR_TESTS, BROWSER, SCANNER, AUTOPKGTEST)]
        script = "apt-get -qq update; for group; do apt-get -qq install --yes --download-only $group; done"
        argv = ("sh", "-euc", script, "sh", *groups)
        roots.chroot_run(
            base, *argv, private_network=False, read_only=package_mounts(debs), env=NONINTERACTIVE, keep=target
        )
        (target / "etc/apt/apt.conf.d").mkdir(parents=True, exist_ok=True)
        (target / "etc/apt/apt.conf.d/80keep-archives").write_text(KEEP_ARCHIVES)

    return base, cache.directory("layers", name, make)


def installed(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a machine, powered off, on which apt has installed our packages with preseeded answers."""
    below = debian_packages(suite, debs)
    name = f"installed-{suite}-{cache.key(*(layer.name for layer in below), *contents(debs), ANSWERS)}"

    def make(target: Path) -> None:
        machine = Machine("install", below, read_only=package_mounts(debs))
        with machine:
            install(machine, debs)
            machine.poweroff()
            machine.commit(target)

    return *below, cache.directory("layers", name, make)


def unconfigured(suite: str, debs: Sequence[Path]) -> Stack:
    """Return a machine, powered off, on which only dcor-server is not configured, because its answers are invalid."""
    below = debian_packages(suite, debs)
    name = f"unconfigured-{suite}-{cache.key(*(layer.name for layer in below), *contents(debs), INVALID_ANSWERS)}"

    def make(target: Path) -> None:
        with Machine("unconfigured", below, read_only=package_mounts(debs)) as machine:
            machine.run("debconf-set-selections", text=INVALID_ANSWERS)
            done = machine.run(*INSTALL, *paths_inside(debs), env=NONINTERACTIVE, timeout=900, check=False)
            left = machine.shell("dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' | grep -v '^ii'")
            if left.split() != ["iF", "dcor-server"]:
                raise DevError(f"Expected only dcor-server unconfigured, found {left!r}:\n{done.stdout}{done.stderr}")
            machine.shell("while systemctl is-active --quiet dcor-release; do sleep 0.1; done")
            machine.poweroff()
            machine.commit(target)

    return *below, cache.directory("layers", name, make)


def install(machine: Machine, debs: Sequence[Path], answers: str = ANSWERS) -> str:
    """Install our packages from PACKAGES in a machine, with preseeded answers; return the output of apt."""
    machine.run("debconf-set-selections", text=answers)
    return machine.run(*INSTALL, *paths_inside(debs), env=NONINTERACTIVE, timeout=900).stdout


def with_browser(suite: str, debs: Sequence[Path]) -> Stack:
    """Return the stack of `installed` with Chromium, for tests of pages, and a terminal, for tests of commands."""
    below = installed(suite, debs)
    name = f"browser-{suite}-{cache.key(*(layer.name for layer in below), *BROWSER, *TERMINAL)}"

    def make(target: Path) -> None:
        roots.chroot_run(below, *INSTALL, "-qq", *BROWSER, *TERMINAL, env=NONINTERACTIVE, keep=target)

    return *below, cache.directory("layers", name, make)


def with_authority(suite: str, debs: Sequence[Path]) -> Stack:
    """Return the stack of `installed` with an authority for tests (pebble), and a name server, which do not run."""
    below, program = installed(suite, debs), pebble.directory() / "pebble"
    name = f"authority-{suite}-{cache.key(*(layer.name for layer in below), program, *NAME_SERVER)}"

    def make(target: Path) -> None:
        script = f"cp /srv/pebble /usr/local/bin/; apt-get -qq update; {' '.join(INSTALL)} -qq {' '.join(NAME_SERVER)}"
        binds = {program: "/srv/pebble"}
        roots.chroot_run(
            below,
            *("sh", "-euc", script),
            private_network=False,
            read_only=binds,
            env=NONINTERACTIVE,
            keep=target,
        )

    return *below, cache.directory("layers", name, make)


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

    return cache.directory("layers", name, make)


def nss_tools(suite: str) -> Path:
    """Return a layer with Mozilla's certutil (package libnss3-tools) in /opt/nss; its libraries come with a browser."""
    root = roots.build_root(suite)
    name = f"nss-tools-{suite}-{cache.key(root.name)}"

    def make(target: Path) -> None:
        script = (
            "cd /tmp; apt-get -qq update; apt-get -qq download libnss3-tools; dpkg-deb -x libnss3-tools_*.deb /opt/nss"
        )
        (target / "opt/nss").mkdir(parents=True)
        out = {target / "opt/nss": "/opt/nss"}
        roots.chroot_run(root, "sh", "-euc", script, private_network=False, writable=out)

    return cache.directory("layers", name, make)


def paths_inside(debs: Sequence[Path]) -> list[str]:
    """Return the paths in a machine of our packages that a server needs."""
    return [_inside(deb) for deb in needed(debs)]


def package_mounts(debs: Sequence[Path]) -> dict[Path, str]:
    """Return the mounts of our packages: Machine(..., read_only=package_mounts(debs))."""
    return {deb: _inside(deb) for deb in debs}


def needed(debs: Sequence[Path]) -> list[Path]:
    """Return those of our packages that a server needs; the others are mounted in machines, and not installed."""
    return [deb for deb in debs if deb.name.partition("_")[0] not in OPTIONAL]


def _inside(deb: Path) -> str:
    return f"{PACKAGES}/{deb.name}"


def contents(debs: Sequence[Path]) -> list[str | Path]:
    """Return the inputs of a layer with these packages, for its key: their names and files."""
    return [part for deb in sorted(needed(debs)) for part in (deb.name, deb)]


def relations(debs: Sequence[Path]) -> list[str]:
    """Return the relations of our packages; while they are unchanged, so are the Debian packages to download."""
    if not debs:
        raise DevError("A layer needs packages, and there are no packages.")
    return [_fields(deb) for deb in sorted(needed(debs))]


def _fields(deb: Path) -> str:
    return tools.run(f"{deb} is not a Debian package", "dpkg-deb", "--field", str(deb), *RELATIONS)
