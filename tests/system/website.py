"""Check a machine's website with the requests of its users, and its services."""

from __future__ import annotations

import json

from dcor_dev.machine import Machine

CURL = "curl --silent --show-error --cacert /etc/dcor-server/tls/certificate.pem"
SITE = "https://dcor.example.org"
SEARCH = "/api/3/action/package_search?rows=1"

#: The longest wait from the end of the boot to the first page.
TIMEOUT_SECONDS = 120
#: The longest wait for the release of an upgrade.
UPGRADE_SECONDS = 900
#: A shell command that ends when the unit has ended which makes it.
WAIT_FOR_UPGRADE = (
    "until [[ ! -e /var/lib/dcor-server/pending/upgrade "
    "&& $(systemctl show --property=ActiveState --value dcor-converge.service) != activating ]]; do sleep 0.2; done"
)

TIMERS_THAT_CONVERGE = ("dcor-converge.timer", "dcor-retry.timer")
#: Replaces all times of a timer (systemd.timer(5), "OnCalendar=").
NEVER = "[Timer]\nOnCalendar=\nOnCalendar=2099-01-01\n"
CONVERGES = "[ $(systemctl show --value --property=ActiveState dcor-converge.service) = activating ]"


def wait_for_page(machine: Machine) -> None:
    """Wait until CKAN answers a search; with a cookie, since guests get pages from nginx's cache.

    Not by curl's --retry, which gives up where Retry-After names a later time than it would wait for.
    """
    asked = (
        f"curl --silent --fail --insecure --output /dev/null --cookie dcor=somebody https://{machine.hostname}{SEARCH}"
    )
    machine.shell(f"until {asked}; do sleep 0.5; done", timeout=TIMEOUT_SECONDS)


def wait_until_idle(machine: Machine) -> None:
    """Wait for CKAN and for a converge that a timer has begun, and converge; no timer does so until the next boot."""
    wait_for_converge(machine)
    machine.run("dcor-server", "converge")


def wait_for_converge(machine: Machine) -> None:
    """Wait for CKAN and for a converge that a timer has begun; no timer begins another one until the next boot.

    The timers run on, since a converge would mend them, and start at once what they have missed.
    """
    for timer in TIMERS_THAT_CONVERGE:
        machine.write(f"/run/systemd/system/{timer}.d/test.conf", NEVER)
    machine.shell(f"systemctl daemon-reload; systemctl restart {' '.join(TIMERS_THAT_CONVERGE)}")
    wait_for_page(machine)
    machine.shell(f"while {CONVERGES}; do sleep 0.2; done", timeout=TIMEOUT_SECONDS)


def wait_for_upgrade(machine: Machine) -> None:
    """Wait until what apt has upgraded serves, or has failed to: a unit does that when apt has ended."""
    machine.shell(WAIT_FOR_UPGRADE, timeout=UPGRADE_SECONDS)


def serves(machine: Machine) -> bool:
    """Return whether a page and a search succeed under the server's name, with a verified certificate."""
    site = f"https://{machine.hostname}"
    page = machine.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {site}/")
    search = machine.shell(f"{CURL} '{site}{SEARCH}'")
    return page == "200" and json.loads(search)["success"] is True


def assert_healthy(machine: Machine) -> None:
    """Assert what is true after each kind of installation: the site works, no unit failed, `status` succeeds."""
    assert serves(machine)
    failed = machine.failed_units()
    assert failed == [], machine.shell("journalctl --no-pager --lines=60 " + " ".join(f"--unit={it}" for it in failed))
    machine.run("dcor-server", "status")
