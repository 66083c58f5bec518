"""apt leaves the Pythons with which releases were made, as long as these are there."""

from __future__ import annotations

import re

import pytest

from dcor_pkg.ckan import kept_pythons, release
from dcor_pkg.ckan.kept_pythons import KeptPythons
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host

PUBLIC = Access(0o644)


@pytest.fixture
def host(host: Host) -> Host:
    """Return a machine with a release of this Debian, and one of the former."""
    host.make_directory("/run", Access(0o755))
    for name, version in (("a", "3.11.2"), ("b", "3.13.5")):
        host.write(f"{release.directory(name)}/pyvenv.cfg", f"version = {version}\n", PUBLIC)
        host.write(f"{release.directory(name)}/{release.SCHEMA}", "", PUBLIC)
    return host


def kept(host: Host) -> list[str]:
    """Return the patterns that the step writes."""
    run([KeptPythons()], host)
    return re.findall(r'^    "(.*)";$', host.read(kept_pythons.FILE) or "", re.MULTILINE)


def test_program_and_library_of_each_release_are_kept(host: Host) -> None:
    assert kept(host) == ["^python3.11$", "^libpython3.11$", "^python3.13$", "^libpython3.13$"]
    assert [it.result for it in run([KeptPythons()], host)] == [Result.UNCHANGED]


def test_those_of_a_removed_release_are_not(host: Host) -> None:
    assert "^python3.11$" in kept(host)
    release.remove(host, "a")
    assert kept(host) == ["^python3.13$", "^libpython3.13$"]


def test_a_damaged_release_is_passed_over(host: Host) -> None:
    host.write(f"{release.directory('a')}/pyvenv.cfg", "", PUBLIC)
    assert kept(host) == ["^python3.13$", "^libpython3.13$"]
