"""Nobody notices a night in which the real unattended-upgrade brings a next version, whichever package has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest
import traffic
from availability import kinds_of_users, measure_kinds, table, written
from dcor_dev import layers
from dcor_dev.machine import Machine
from migrations import active
from next_set import MOUNTED, NIGHT, TOGETHER, make, use, versions
from next_wheel import NAME, NEXT
from website import WAIT_FOR_UPGRADE, assert_healthy, wait_until_idle

from tests.conftest import Boot

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

#: what has changed, besides dcor-server, which names the versions that it was tested with
CHANGED = {
    "dcor-server alone": ("dcor-server",),
    "python-ckan": ("python-ckan",),
    "release set with another wheel": ("dcor-wheels",),
}
VERSION = f"python -c 'import importlib.metadata; print(importlib.metadata.version(\"{NAME}\"))'"
NIGHT_SECONDS = 900


#: Returns a server that finds next versions of these packages, and has not looked for them yet.
Server = Callable[[Collection[str]], Machine]


@pytest.fixture
def server(
    boot: Boot, installed: layers.Stack, debs: list[Path], package_mounts: dict[Path, str], suite: str, tmp_path: Path
) -> Server:
    """Return what boots a server and makes its repository."""

    def booted(changed: Collection[str]) -> Machine:
        published = make(debs, tmp_path, suite, changed)
        machine = boot("traffic", installed, read_only={**package_mounts, published: MOUNTED})
        wait_until_idle(machine)
        use(machine, suite)
        return machine

    return booted


def assert_upgraded(machine: Machine, former: str, before: set[str], changed: tuple[str, ...]) -> None:
    """Assert that these packages, and no others, have a next version, which serves."""
    after = {line.split()[0] for line in versions(machine) - before}
    assert after == {"dcor-server", *changed}
    assert active(machine) != former
    version = machine.shell(f"/var/lib/dcor-server/current/bin/{VERSION}").strip()
    assert version.endswith(NEXT) == ("dcor-wheels" in changed)
    assert_healthy(machine)


@pytest.mark.parametrize("name", CHANGED)
def test_no_request_of_any_kind_fails(server: Server, name: str) -> None:
    machine = server(CHANGED[name])
    kinds, former, before = kinds_of_users(machine), active(machine), versions(machine)
    measured = measure_kinds(machine, f"{NIGHT}; {WAIT_FOR_UPGRADE}", kinds, timeout=NIGHT_SECONDS)
    print(f"\n{name}:\n{table(measured)}")
    assert {kind: found.failed for kind, found in measured.items() if found.failed} == {}
    assert min(found.requests for found in measured.values()) > 20
    assert written(machine) == measured["write"].succeeded
    assert_upgraded(machine, former, before, CHANGED[name])


def test_uploads_and_jobs_across_the_switch_end_well_and_each_job_runs_once(server: Server) -> None:
    machine = server(TOGETHER)
    former, before = active(machine), versions(machine)
    users = traffic.begin(machine)
    machine.shell(f"{NIGHT}; {WAIT_FOR_UPGRADE}", timeout=NIGHT_SECONDS)
    done = users.end()
    print(done)
    assert done["uploads"]["datasets"] >= 1
    assert (done["jobs"]["jobs"] > 5, done["jobs"]["wrong"]) == (True, [])
    assert_upgraded(machine, former, before, TOGETHER)
