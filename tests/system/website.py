"""Is a machine's site there, as its users see it, and the server as it should be."""

from __future__ import annotations

import json

from dcor_dev.machine import Machine

CURL = "curl --silent --show-error --cacert /etc/dcor-server/tls/certificate.pem"
SITE = "https://dcor.example.org"
SEARCH = "/api/3/action/package_search?rows=1"

#: Longest wait from the end of boot to the first page; a server that needs more is broken, or its computer is.
TIMEOUT_SECONDS = 120


def wait_for_page(machine: Machine) -> None:
    """Return when CKAN itself answers a search: with a cookie, for guests get pages that nginx has kept."""
    retry = (
        "--retry",
        str(TIMEOUT_SECONDS),
        "--retry-delay",
        "1",
        "--retry-max-time",
        str(TIMEOUT_SECONDS),
        "--retry-all-errors",
    )
    quiet = ("--silent", "--show-error", "--fail", "--insecure", "--output", "/dev/null")
    machine.run(
        "curl",
        *quiet,
        *retry,
        "--cookie",
        "dcor=somebody",
        f"https://{machine.hostname}{SEARCH}",
        timeout=TIMEOUT_SECONDS + 60,
    )


def wait_until_idle(machine: Machine) -> None:
    """Return when CKAN answers and the converge that follows a boot has ended; from then on only the test converges."""
    machine.shell("systemctl disable --quiet --now dcor-converge.timer")
    wait_for_page(machine)
    machine.run("dcor-server", "converge")


def serves(machine: Machine) -> bool:
    """Tell whether page and search answer by the server's name, with its certificate verified."""
    site = f"https://{machine.hostname}"
    page = machine.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {site}/")
    search = machine.shell(f"{CURL} '{site}{SEARCH}'")
    return page == "200" and json.loads(search)["success"] is True


def assert_healthy(machine: Machine) -> None:
    """Assert what every way to install has to end in."""
    assert serves(machine)
    assert machine.failed_units() == []
    machine.run("dcor-server", "status")
