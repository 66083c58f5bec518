"""Talk to the engines of a machine as their users do: with curl, through the sockets and ports that they offer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dcor_dev.machine import Machine

SOLR = "dcor-solr.service"
STORE = "dcor-object-store.service"

#: What the readiness probe of Solr reads: the password of CKAN's user.
SOLR_PASSWORD = ("--config", "/etc/dcor-solr/probe.conf")

#: A file for curl with the store's S3 credentials, made for the tests and readable by all: S3 must work for
#: whoever has them, as www-data has.
S3_CREDENTIALS = "/srv/s3.conf"
BODY = "/srv/body"
FILER = "/run/dcor-object-store/filer.sock"
S3 = "/run/dcor-object-store/s3.sock"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where nobody answered."""

    status: int
    body: str


def curl(machine: Machine, *arguments: str, text: str = "", user: str = "root") -> Answer:
    """Run curl inside, with `text` on its standard input."""
    argv = ("curl", "--silent", "--max-time", "60", "--write-out", r"\n%{http_code}", *arguments)
    body, _, status = machine.run(*argv, text=text, user=user, check=False).stdout.rpartition("\n")
    return Answer(int(status), body)


def solr(machine: Machine, path: str, *arguments: str, text: str = "") -> Answer:
    """Ask Solr, which has a password for those who send one."""
    data = ("--header", "Content-Type: application/json", "--data-binary", "@-") if text else ()
    # Not for signed requests: curl 8.14 sends none then.
    return curl(machine, "--path-as-is", *arguments, *data, f"http://127.0.0.1:8983/solr/{path}", text=text)


def s3(machine: Machine, method: str, path: str, text: str = "", user: str = "www-data") -> Answer:
    """Send a signed request to S3; curl 7.88 signs what it sends from a file, and not what comes as --data."""
    what: tuple[str, ...] = ("--request", method)
    if text:
        machine.write(BODY, text)
        what = ("--upload-file", BODY)
    return curl(machine, "--config", S3_CREDENTIALS, *what, f"http://localhost/{path}", user=user)


def filer(machine: Machine, method: str, path: str, token: str = "", user: str = "www-data") -> Answer:
    """Ask the filer; HEAD needs another option of curl's, as it has no body to wait for."""
    verb = ("--head",) if method == "HEAD" else ("--request", method)
    header = ("--header", f"Authorization: Bearer {token}") if token else ()
    return curl(machine, "--unix-socket", FILER, *verb, *header, f"http://localhost/{path}", user=user)


def show(machine: Machine, unit: str, *properties: str) -> dict[str, str]:
    """Return what systemd says of a unit."""
    shown = machine.run("systemctl", "show", f"--property={','.join(properties)}", unit).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if line)


def converge(machine: Machine) -> str:
    """Set up the engines, and return what became of each step."""
    return machine.run("python3", "/usr/share/dcor-server/converge.py").stdout


def kill(machine: Machine, unit: str) -> None:
    """End a service as a power cut would, and have it running again when this returns."""
    machine.run("systemctl", "kill", "--signal=KILL", unit)
    machine.run("systemctl", "restart", unit)


def within(seconds: float, is_so: Callable[[], bool]) -> None:
    """Wait until something is so; raise where it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"It did not become so within {seconds:.0f} s.")
        time.sleep(0.3)


@contextmanager
def changed(machine: Machine, unit: str, *files: str) -> Iterator[None]:
    """Give the files of a stopped unit back, whatever a test does to them, and have it running afterwards."""
    machine.run("systemctl", "stop", unit)
    for file in files:
        machine.run("cp", "--archive", file, f"{file}.kept")
    try:
        yield
    finally:
        machine.run("systemctl", "stop", unit)
        for file in files:
            machine.run("mv", "--no-target-directory", f"{file}.kept", file)
        machine.run("systemctl", "reset-failed", unit, check=False)
        machine.run("systemctl", "start", unit)
