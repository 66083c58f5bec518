"""A first installation and an upgrade, killed or cut off at each step of the plan, go on at the next one.

The tests of a machine follow on each other: each is cut off at a later step, in the order of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import watch
from contents import Contents, contents
from dcor_dev import layers
from dcor_dev.machine import Machine
from migrations import DROP_COLUMN, MAKE_TABLE, READS, head, next_release
from power_cut import CUTS, begin, kill, lose_power
from stop_at_step import STEPS, at, go_on, install_hook
from survival import assert_apt_works, assert_survived
from users import publish_dataset
from website import NEVER, assert_healthy, wait_for_page, wait_until_idle

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

CONFIGURE = ("dpkg", "--configure", "-a")
#: has a line for each step that has changed something
LOG = "/var/log/dcor-server/converge.log"
#: the timers that converge, or that may go back
TIMERS = ("dcor-converge.timer", "dcor-retry.timer", "dcor-watch.timer")
#: A command that ends when a converge has ended since the boot.
AWAIT_CONVERGE = (
    "until [ $(systemctl show --value --property=ExecMainExitTimestampMonotonic dcor-converge.service) != 0 ]; "
    "do sleep 0.2; done"
)
#: The tables that the upgrade changes.
CHANGED = ("dcor_trial", "alembic_version")


@pytest.fixture(scope="module", params=CUTS)
def how(request: pytest.FixtureRequest) -> str:
    """Return how all is cut off."""
    return str(request.param)


def still(machine: Machine) -> None:
    """Let nothing converge, or write, but what a test starts, also after a boot."""
    for timer in TIMERS:
        machine.write(f"/etc/systemd/system/{timer}.d/test.conf", NEVER)
    watch.switch_off(machine)


@pytest.fixture(scope="module")
def new(how: str, unconfigured: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a machine with valid answers, on which dcor-server is unpacked."""
    with Machine("each-step-new", unconfigured, read_only=package_mounts) as machine:
        machine.run("debconf-set-selections", text=layers.ANSWERS)
        still(machine)
        machine.shell("rm -r /var/lib/dcor-server/releases")
        install_hook(machine)
        yield machine


@pytest.fixture(scope="module")
def old(how: str, installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server that has measurements, and whose next release migrates the tables."""
    with Machine("each-step-old", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        still(machine)
        publish_dataset(machine)
        install_hook(machine)
        next_release(machine, "900a", head(machine), MAKE_TABLE, READS)
        machine.run("dcor-server", "converge", timeout=600)
        yield machine


@pytest.fixture(scope="module")
def before(old: Machine) -> Contents:
    """Return what the server holds, and make the next release."""
    found = contents(old)
    next_release(old, "901a", "900a", DROP_COLUMN)
    return found


def cut_off(machine: Machine, how: str, step: str, *argv: str) -> None:
    """Run a program, and cut it off before a step.

    A machine on which no step has changed anything since it lost power need not lose it again.
    """
    begin(machine, at(machine, step), *argv)
    log, known = machine.path(LOG), machine.path("/root/changes")
    changes = log.read_text() if log.exists() else ""
    if how == "power cut" and not (known.exists() and known.read_text() == changes):
        machine.write("/root/changes", changes)
        lose_power(machine)
    else:
        kill(machine)
    go_on(machine)


@pytest.mark.parametrize("step", STEPS)
def test_a_first_installation_goes_on_at_each_step(new: Machine, how: str, step: str) -> None:
    cut_off(new, how, step, *CONFIGURE)
    if step == STEPS[-1]:
        new.run(*CONFIGURE, env=layers.NONINTERACTIVE, timeout=900)
        assert_healthy(new)
        assert "0 changed" in new.run("dcor-server", "converge").stdout
        assert_apt_works(new)


@pytest.mark.parametrize("step", STEPS)
def test_an_upgrade_goes_on_at_each_step_and_nothing_is_lost(
    old: Machine, before: Contents, how: str, step: str
) -> None:
    cut_off(old, how, step, "dcor-server", "converge")
    wait_for_page(old)
    assert_survived(old, before, changed=CHANGED)
    if step == STEPS[-1]:
        old.shell("rm /etc/systemd/system/*.timer.d/test.conf")
        old.reboot()
        old.shell(AWAIT_CONVERGE, timeout=900)
        assert head(old) == "901a"
        assert_survived(old, before, changed=CHANGED)
        assert "0 changed" in old.run("dcor-server", "converge").stdout
