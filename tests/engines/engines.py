"""Send requests to the engines of a machine with curl, and control their units."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dcor_dev.machine import Machine

SOLR = "dcor-solr.service"
SOLR_PORT = "dcor-solr.socket"
STORE = "dcor-object-store.service"

#: The configuration for curl of Solr's readiness probe, with the password of CKAN's user.
SOLR_PASSWORD = ("--config", "/etc/dcor-solr/probe.conf")

#: The configuration for curl with the store's S3 credentials; readable by all users, since tests run as several.
S3_CREDENTIALS = "/srv/s3.conf"
BODY = "/srv/body"
FILER = "/run/dcor-object-store/filer.sock"
S3 = "/run/dcor-object-store/s3.sock"


@dataclass(frozen=True)
class Answer:
    """A response; the status is 0 without one."""

    status: int
    body: str


def curl(machine: Machine, *arguments: str, text: str = "", user: str = "root") -> Answer:
    """Run curl in the machine, with `text` on its standard input."""
    argv = ("curl", "--silent", "--max-time", "60", "--write-out", r"\n%{http_code}", *arguments)
    body, _, status = machine.run(*argv, text=text, user=user, check=False).stdout.rpartition("\n")
    return Answer(int(status), body)


def solr(machine: Machine, path: str, *arguments: str, text: str = "") -> Answer:
    """Send a request to Solr; the arguments may have a password."""
    data = ("--header", "Content-Type: application/json", "--data-binary", "@-") if text else ()
    # Not in curl() for all requests: with this option, curl 8.14 does not sign them.
    return curl(machine, "--path-as-is", *arguments, *data, f"http://127.0.0.1:8983/solr/{path}", text=text)


def s3(machine: Machine, method: str, path: str, text: str = "", user: str = "www-data") -> Answer:
    """Send a signed request to S3; from a file, since curl 7.88 does not sign the body of --data."""
    what: tuple[str, ...] = ("--request", method)
    if text:
        machine.write(BODY, text)
        what = ("--upload-file", BODY)
    return curl(machine, "--config", S3_CREDENTIALS, *what, f"http://localhost/{path}", user=user)


def filer(machine: Machine, method: str, path: str, token: str = "", user: str = "www-data") -> Answer:
    """Send a request to the filer; HEAD has another option of curl, since its response has no body."""
    verb = ("--head",) if method == "HEAD" else ("--request", method)
    header = ("--header", f"Authorization: Bearer {token}") if token else ()
    return curl(machine, "--unix-socket", FILER, *verb, *header, f"http://localhost/{path}", user=user)


def show(machine: Machine, unit: str, *properties: str) -> dict[str, str]:
    """Return properties of a unit."""
    shown = machine.run("systemctl", "show", f"--property={','.join(properties)}", unit).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if line)


def converge(machine: Machine) -> str:
    """Set up the engines, and return the outcome of each step."""
    return machine.run("python3", "/usr/share/dcor-server/converge.py").stdout


def kill(machine: Machine, unit: str) -> None:
    """Kill a service like a power cut, and start it again."""
    machine.run("systemctl", "kill", "--signal=KILL", unit)
    machine.run("systemctl", "restart", unit)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition is true. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"The condition was not true within {seconds:.0f} s.")
        time.sleep(0.3)


@contextmanager
def restored_afterwards(machine: Machine, unit: str, *files: str) -> Iterator[None]:
    """Stop a unit for a test that changes these files; afterwards restore the files, and start the unit."""
    machine.run("systemctl", "stop", unit)
    for file in files:
        machine.run("cp", "--archive", file, f"{file}.saved")
    try:
        yield
    finally:
        machine.run("systemctl", "stop", unit)
        for file in files:
            machine.run("mv", "--no-target-directory", f"{file}.saved", file)
        machine.run("systemctl", "reset-failed", unit, check=False)
        machine.run("systemctl", "start", unit)
