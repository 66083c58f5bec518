"""The memory is what the machine, or the container, may use; what is available does not count what is in use."""

from __future__ import annotations

import pytest

from dcor_pkg.machine import memory
from dcor_pkg.machine.host import Access, Host

PUBLIC = Access(0o644)


@pytest.fixture
def machine(host: Host) -> Host:
    """Return a machine with 8 GiB, of which 6 are available."""
    host.write(memory.MEMINFO, "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n", PUBLIC)
    return host


def test_of_a_machine_the_kernel_tells_it(machine: Host) -> None:
    machine.write(memory.STATISTICS, "anon 1073741824\n", PUBLIC)
    assert (memory.total(machine), memory.available(machine)) == (8192, 6144)


@pytest.mark.parametrize("path", [memory.GROUP, memory.FORMER_GROUP])
def test_of_a_container_its_limit_counts(machine: Host, path: str) -> None:
    machine.write(path, f"{2 * 1024**3}\n", PUBLIC)
    assert (memory.total(machine), memory.available(machine)) == (2048, 6144)
    machine.write(memory.STATISTICS, f"anon {512 * 1024**2}\nfile 9999\n", PUBLIC)
    assert memory.available(machine) == 1536


@pytest.mark.parametrize("text", ["max\n", "9223372036854771712\n", "68719476736\n"])
def test_a_limit_that_the_machine_does_not_have_does_not_count(machine: Host, text: str) -> None:
    machine.write(memory.GROUP, text, PUBLIC)
    assert memory.total(machine) == 8192


def test_of_this_machine_both_are_known() -> None:
    assert 0 < memory.available(Host()) <= memory.total(Host())
