"""CKAN's environment works where it is installed, and its command line never runs as root."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dcor_dev import roots
from deb import Deb

CKAN = "/usr/lib/ckan/default"

#: A module of each library that is compiled or linked with system libraries.
MODULES = (
    "ckan.model, ckanext, lxml.etree, psycopg2, yaml, greenlet, msgspec, markupsafe._speedups, zope.interface, magic"
)

TREE = Path(__file__).resolve().parents[2]
#: the script that a release has in place of CKAN's own program
GUARD = TREE / "dcor_pkg/ckan/files/as-ckan"
#: gives a command a terminal of its own, both for a release and for the package's environment
TERMINAL = TREE / "dcor_pkg/machine/terminal.py"
#: prints its user, environment and arguments, in place of CKAN's own program
REPORT = '#!/bin/sh\necho "$(id -un) $(id -Gn) $CKAN_INI ${0%/*} ${PATH%%:*} $*"\n'


@pytest.fixture
def commands(tmp_path: Path) -> dict[Path, str]:
    """Return a release and the package's environment, with programs that print how they were started."""
    programs = {"default/bin/ckan": REPORT, "release/libexec/ckan": REPORT, "release/bin/ckan": GUARD.read_text()}
    programs["release/libexec/terminal.py"] = TERMINAL.read_text()
    for name, text in programs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    return {
        tmp_path / "release": "/var/lib/dcor-server/releases/A",
        tmp_path / "default": CKAN,
        TERMINAL: "/usr/lib/ckan/terminal.py",
    }


def run(suite: str, content: dict[str, Deb], binds: dict[Path, str], script: str) -> str:
    command = content["python-ckan"].content / "usr/bin/ckan"
    done = roots.chroot_run(
        roots.build_root(suite), "sh", "-euc", script, read_only={**binds, command: "/usr/bin/ckan"}
    )
    return done.stdout.strip()


def test_ckan_switches_from_root_to_www_data(suite: str, content: dict[str, Deb], commands: dict[Path, str]) -> None:
    output = run(suite, content, commands, "usermod -aG games www-data; ckan user list 'a b'")
    assert output == f"www-data www-data games /etc/ckan/default/ckan.ini {CKAN}/bin {CKAN}/bin user list a b"


def test_ckan_starts_the_program_of_the_active_release_by_its_own_path(
    suite: str, content: dict[str, Deb], commands: dict[Path, str]
) -> None:
    output = run(
        suite,
        content,
        commands,
        "ln -s releases/A /var/lib/dcor-server/current; touch /other; CKAN_INI=/other ckan jobs",
    )
    release = "/var/lib/dcor-server/releases/A"
    assert output == f"www-data www-data /other {release}/libexec {release}/bin jobs"


def test_each_compiled_module_can_be_imported(suite: str, content: dict[str, Deb]) -> None:
    environment = content["python-ckan"].content / CKAN[1:]
    script = f"{CKAN}/bin/python -c 'import {MODULES}'; {CKAN}/bin/uwsgi --version; {CKAN}/bin/pip check"
    done = roots.chroot_run(roots.build_root(suite), "sh", "-euc", script, read_only={environment: CKAN})
    assert "No broken requirements found." in done.stdout
    assert "2.0." in done.stdout


def test_making_a_release_compiles_no_module(suite: str, content: dict[str, Deb]) -> None:
    """It consists of python-ckan's tree, the wheels, installed by pip without a network, and the bytecode."""
    script = f"""
        cp -a {CKAN} /tmp/release; sed -i 's#{CKAN}#/tmp/release#' /tmp/release/pyvenv.cfg
        cd /srv/wheels
        /tmp/release/bin/python -m pip install -q --no-index --find-links=. --require-hashes --no-deps --no-compile \\
            --root-user-action=ignore --requirement=requirements.txt
        tar --extract --file=bytecode.tar --directory=$(echo /tmp/release/lib/python3*/site-packages)
        /tmp/release/bin/pip --version >/dev/null
        /tmp/release/bin/python -m pip check
        cd /; find /tmp/release -name '*.pyc' >/tmp/before
        /tmp/release/bin/python -c 'import dclab, scipy.stats, h5py, hdf5plugin, matplotlib.pyplot, dcor_shared, boto3, cryptography'
        find /tmp/release -name '*.pyc' | diff - /tmp/before
    """
    binds = {
        content["python-ckan"].content / CKAN[1:]: CKAN,
        content["dcor-wheels"].content / "usr/share/dcor-wheels": "/srv/wheels",
    }
    done = roots.chroot_run(roots.build_root(suite), "sh", "-euc", script, read_only=binds, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_in_two_packages(content: dict[str, Deb]) -> None:
    seen: dict[str, str] = {}
    for name, deb in content.items():
        for path in deb.names:
            assert seen.setdefault(path, name) == name, path


def test_dpkg_can_read_each_package(debs: list[Path]) -> None:
    for deb in debs:
        subprocess.run(["dpkg-deb", "--contents", str(deb)], stdout=subprocess.DEVNULL, check=True)
