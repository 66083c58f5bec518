"""Facts of a machine: read from its packages and from /proc; a missing one is said with what to do."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import facts
from dcor_pkg.machine.facts import REQUIREMENTS, Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import PACKAGED_CKAN
from tests.unit.fake_machine import FILES, Machine

LOCK_FILE = FILES[REQUIREMENTS]


def test_facts_are_those_of_the_machine(machine: Machine) -> None:
    found = facts.read(machine.host)
    expected = Facts("2.11.6-1~deb12u1", found.release_set, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
    assert found == replace(expected, openssl=(3, 0, 17))
    assert found.release_set == hashlib.sha256(LOCK_FILE.encode()).hexdigest()


def test_another_lock_file_is_another_release_set(machine: Machine) -> None:
    before = facts.read(machine.host).release_set
    machine.host.path(REQUIREMENTS).write_text("dcor-shared==1.0.5\n")
    assert facts.read(machine.host).release_set != before


def test_the_python_is_that_of_ckans_environment(machine: Machine) -> None:
    """Another python3, that of a newer Debian, is no reason for another release."""
    machine.host.link("/usr/bin/python3", "python3.13")
    assert facts.read(machine.host).python == "3.11.2"


def test_an_environment_that_does_not_name_its_python_is_known_by_its_modules_or_said(machine: Machine) -> None:
    machine.host.write(f"{PACKAGED_CKAN}/pyvenv.cfg", "", Access(0o644))
    assert facts.read(machine.host).python == "3.11.2"
    machine.host.write(f"{PACKAGED_CKAN}/lib/python3.9/x", "", Access(0o644))
    with pytest.raises(DcorError, match=r"pyvenv\.cfg does not say with which Python the environment was made\.$"):
        facts.read(machine.host)


def test_without_ipv6_and_without_a_list_of_processors(machine: Machine) -> None:
    machine.host.remove("/proc/net/if_inet6")
    machine.host.remove("/proc/cpuinfo")
    found = facts.read(machine.host)
    assert (found.ipv6, found.cores) == (False, 1)


@pytest.mark.parametrize(
    ("path", "reason", "hint"),
    [
        (REQUIREMENTS, f"{REQUIREMENTS} is missing.", "apt install --reinstall dcor-wheels"),
        ("/proc/meminfo", "/proc/meminfo has no line MemTotal, the size of the main memory.", "Is /proc mounted?"),
    ],
)
def test_a_missing_file_is_named(machine: Machine, path: str, reason: str, hint: str) -> None:
    machine.host.remove(path)
    with pytest.raises(DcorError) as failed:
        facts.read(machine.host)
    assert (failed.value.reason, failed.value.hint) == (reason, hint)


def test_meminfo_without_the_line_is_named(machine: Machine) -> None:
    machine.host.path("/proc/meminfo").write_text("MemFree: 1 kB\n")
    with pytest.raises(DcorError, match="MemTotal"):
        facts.read(machine.host)


def test_a_missing_package_is_named(machine: Machine) -> None:
    del machine.packages.versions["nginx"]
    with pytest.raises(DcorError, match=r"^The package nginx is not installed\.$") as failed:
        facts.read(machine.host)
    assert failed.value.hint == "apt install nginx"
