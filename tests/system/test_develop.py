"""A plugin served from a developer's private checkout, which the manual's way does not find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import CURL, SITE, wait_until_idle

HOME, CHECKOUT = "/srv/dev", "/srv/dev/checkouts/ckanext-dc_view"
RELEASE = "/var/lib/dcor-server/current"
#: nginx passes to CKAN what is below an address of CKAN's own
ADDRESS = "/dataset/developed/page"
PYPROJECT = """\
[project]
name = "ckanext-dc_view"
dynamic = ["version"]
[project.entry-points."ckan.plugins"]
dc_view = "ckanext.dc_view.plugin:DCViewPlugin"
"""
#: a developer, whose files nobody else reads, with the source of an installed extension
PREPARE = f"""
useradd --create-home --home-dir {HOME} --shell /bin/bash dev
mkdir -p {CHECKOUT}/ckanext
cp -r {RELEASE}/lib/python3*/site-packages/ckanext/dc_view {CHECKOUT}/ckanext
find {CHECKOUT} -name __pycache__ -prune -exec rm -r {{}} +
echo 'raise RuntimeError("not the package that plugins share")' > {CHECKOUT}/ckanext/__init__.py
echo secret > {CHECKOUT}/.env
chown -R dev: {HOME}
chmod -R go= {HOME}
"""
#: what an editable install comes to: the import fails without a word about access
EDITABLE = f"import ckanext; ckanext.__path__ = ['{CHECKOUT}/ckanext']; import ckanext.dc_view; print('found')"
ORIGIN = "import ckanext.dc_view; print(ckanext.dc_view.__file__)"
ACCESS = f"find {HOME} /srv -maxdepth 0 -printf '%p %m\\n'; find {HOME} -printf '%p %m %u\\n' | sort"
#: prints what has an access control list
LISTS = f"""
import os
for place, names, files in os.walk("{HOME}"):
    for path in (place, *(os.path.join(place, name) for name in files)):
        if os.listxattr(path):
            print(path)
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with a developer."""
    with Machine("develop", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        machine.shell(PREPARE)
        machine.write(f"{CHECKOUT}/pyproject.toml", PYPROJECT)
        machine.shell(f"chown dev: {CHECKOUT}/pyproject.toml; chmod 600 {CHECKOUT}/pyproject.toml")
        yield machine


def python(machine: Machine, code: str, user: str) -> str:
    """Return what the release's Python prints, or the end of its error."""
    done = machine.run(f"{RELEASE}/bin/python", "-B", "-c", code, user=user, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def page(machine: Machine) -> str:
    """Return what the plugin's new address shows, or the status."""
    asked = f"{CURL} --cookie dcor=somebody --write-out ' %{{http_code}}' '{SITE}{ADDRESS}'"
    text, _, status = machine.shell(asked).rpartition(" ")
    return text if status == "200" else status


def show(machine: Machine, word: str) -> None:
    """Let the checkout's plugin show a word at an address of its own, as its developer."""
    route = f"        rules = [('{ADDRESS}', 'developed', lambda: '{word}'),"
    path = f"{CHECKOUT}/ckanext/dc_view/plugin.py"
    machine.run("sed", "-i", rf"s|^        rules = \[.*|{route}|", path, user="dev")


def converge(machine: Machine) -> str:
    """Converge, show that a second run changes nothing, and return what the first one did."""
    said = machine.run("dcor-server", "converge").stdout
    assert "\n0 changed, " in f"\n{machine.run('dcor-server', 'converge').stdout}"
    checked = machine.run("dcor-server", "check", check=False)
    assert checked.returncode == 0, checked.stdout
    return said


def test_what_could_not_work_is_refused_and_changes_nothing(machine: Machine) -> None:
    before = machine.shell("dcor-server get")
    for value in ("relative", "/tmp/checkout", "/srv/none", HOME, f"{CHECKOUT} {CHECKOUT}/"):
        done = machine.run("dcor-server", "set", f"develop={value}", check=False)
        assert done.returncode in (1, 2), value
        assert "develop" in done.stderr
        assert "Traceback" not in done.stderr
    assert machine.shell("dcor-server get") == before
    done = machine.run("dcor-server", "dcor", "develop", check=False)
    assert (done.returncode, "dcor-server set develop=" in done.stderr) == (1, True)


def test_a_plugin_is_served_from_a_private_checkout_and_from_the_release_again(machine: Machine) -> None:
    active, before = machine.shell(f"readlink {RELEASE}"), machine.shell(ACCESS)
    # The fault: CKAN's user finds no plugin there, and its developer does.
    assert "No module named 'ckanext.dc_view'" in python(machine, EDITABLE, "www-data")
    assert python(machine, EDITABLE, "dev") == "found"
    assert page(machine) == "404"

    show(machine, "first")
    machine.run("dcor-server", "set", f"develop={CHECKOUT}")
    converge(machine)
    assert page(machine) == "first"
    assert python(machine, ORIGIN, "www-data") == f"{CHECKOUT}/ckanext/dc_view/__init__.py"
    assert "No module named" in python(machine, ORIGIN, "root")
    assert machine.shell(f"readlink {RELEASE}") != active

    # Nobody else gets in, and CKAN's user to nothing but what it needs.
    for user, path, readable in (
        ("nobody", HOME, False),
        ("nobody", f"{CHECKOUT}/ckanext/dc_view/plugin.py", False),
        ("www-data", f"{CHECKOUT}/ckanext/dc_view/plugin.py", True),
        ("www-data", f"{CHECKOUT}/.env", False),
        ("www-data", HOME, False),
        ("www-data", f"{HOME}/.bashrc", False),
    ):
        done = machine.run("test", "-r", path, user=user, check=False)
        assert (done.returncode == 0) is readable, (user, path)

    # Programs go on with what they have loaded until a converge. What is made later can be read as well.
    show(machine, "second")
    machine.shell(f"umask 077; mkdir {CHECKOUT}/ckanext/later; touch {CHECKOUT}/ckanext/later/module.py", user="dev")
    machine.run("test", "-r", f"{CHECKOUT}/ckanext/later/module.py", user="www-data")
    assert page(machine) == "first"
    assert "the code has changed" in machine.run("dcor-server", "check", check=False).stdout
    converge(machine)
    assert page(machine) == "second"

    # What closes it again is found and healed.
    machine.shell(f"chmod 700 {HOME}", user="dev")
    assert f"www-data cannot read {HOME}" in machine.run("dcor-server", "check", check=False).stdout
    converge(machine)
    assert page(machine) == "second"

    machine.shell(f"rm -r {CHECKOUT}/ckanext/later")
    machine.run("dcor-server", "set", "develop=")
    converge(machine)
    assert page(machine) == "404"
    assert machine.shell(f"readlink {RELEASE}") == active
    assert machine.shell(ACCESS) == before
    assert machine.run("python3", "-c", LISTS).stdout == ""
