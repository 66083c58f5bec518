"""No request fails during the switch to another release or another configuration.

All tests share a machine; the last one leaves it with a broken release.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from availability import measure_availability
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import serves, wait_until_idle

pytestmark = pytest.mark.upgrades

#: The command for the programs of CKAN.
SUPERVISORCTL = "supervisorctl -c /usr/share/dcor-server/files/supervisord.conf"
#: Sixteen concurrent requests, a quarter of them writes. They fail when workers share a database connection; reads
#: alone do not show this.
CONCURRENT = r"""
import concurrent.futures, json, ssl, sys, urllib.request
token = sys.argv[1]
context = ssl.create_default_context(cafile="/etc/dcor-server/tls/certificate.pem")
def ask(number):
    action, data = ("group_create", {"name": f"c{number}"}) if number % 4 == 0 else ("package_search", {"rows": 1})
    request = urllib.request.Request(f"https://dcor.example.org/api/3/action/{action}", json.dumps(data).encode(),
                                     {"Authorization": token, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120, context=context) as answer:
        return json.load(answer)["success"]
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(sum(pool.map(ask, range(400))))
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack) -> Iterator[Machine]:
    """Return a running server that only these tests converge."""
    with Machine("switch", installed) as booted:
        wait_until_idle(booted)
        yield booted


def active(machine: Machine) -> str:
    """Return the id of the active release."""
    return machine.shell("basename $(readlink /var/lib/dcor-server/current)").strip()


def test_no_request_fails_during_a_switch_to_another_release(machine: Machine) -> None:
    before = active(machine)
    machine.shell("echo 'ANOTHER = 1' >>/usr/share/dcor-server/dcor_pkg/runtime/__init__.py")
    availability = measure_availability(machine, "dcor-server converge")
    assert availability.failed == ()
    assert availability.requests > 20
    assert active(machine) != before
    assert machine.shell("ls /var/lib/dcor-server/releases").split() == sorted([before, active(machine)])
    programs = machine.shell(f"{SUPERVISORCTL} status").splitlines()
    assert len(programs) == 2
    assert all(active(machine) in line and "RUNNING" in line for line in programs)
    assert "0 changed" in machine.shell("dcor-server converge")
    assert serves(machine)


def test_no_request_fails_during_a_change_of_the_title(machine: Machine) -> None:
    machine.shell("sed -i 's/^site-title.*/site-title = Deformable/' /etc/dcor-server/dcor-server.conf")
    availability = measure_availability(machine, "dcor-server converge")
    assert availability.failed == ()
    assert "Deformable" in machine.shell("curl -s --insecure --cookie dcor=x https://dcor.example.org/about")


def test_concurrent_writes_succeed(machine: Machine) -> None:
    machine.shell(
        "ckan user add writer email=writer@example.org password=correct-horse-battery; ckan sysadmin add writer"
    )
    token = machine.shell("ckan user token add writer test -q").split()[-1]
    machine.write("/root/writes.py", CONCURRENT)
    assert machine.shell(f"python3 /root/writes.py {token}", timeout=300).strip() == "400"


@pytest.mark.long
def test_the_active_release_keeps_running_when_the_next_one_does_not_answer(machine: Machine) -> None:
    before = active(machine)
    machine.shell("echo 'raise SystemExit(7)' >>/usr/share/dcor-server/dcor_pkg/runtime/wsgi.py")
    machine.shell(
        "sed -i 's/^TIMEOUT_SECONDS = 120.0/TIMEOUT_SECONDS = 10.0/' /usr/share/dcor-server/dcor_pkg/ckan/switch.py"
    )
    availability = measure_availability(machine, "! dcor-server converge")
    assert availability.failed == ()
    assert active(machine) == before
    assert serves(machine)
    assert before in machine.shell(f"{SUPERVISORCTL} status")
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, "does not answer" in status.stdout) == (3, True)
