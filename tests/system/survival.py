"""What has to be true after an upgrade that has failed or was cut off."""

from __future__ import annotations

from contents import Contents, contents
from dcor_dev.machine import Machine
from website import serves


def assert_survived(machine: Machine, before: Contents, said: str = "", changed: tuple[str, ...] = ()) -> None:
    """Assert that the site serves, nothing is lost, `status` says the words, and apt works.

    `changed`: the tables that the upgrade may have changed.
    """
    assert serves(machine)
    assert contents(machine).without(*changed) == before.without(*changed)
    if said:
        assert_told(machine, said)
    assert_apt_works(machine)


def assert_told(machine: Machine, said: str) -> None:
    """Assert that `status` says that something is wrong, and what."""
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, said in status.stdout) == (3, True), status.stdout


def assert_apt_works(machine: Machine) -> None:
    """Assert that apt finds all packages complete, and would install what it is asked for."""
    machine.run("apt-get", "check")
    machine.run("apt-get", "--dry-run", "install", "nginx")
