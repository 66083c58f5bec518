"""Make users on a machine's server, and let the programs in clients/ act for them."""

from __future__ import annotations

import functools
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcor_dev.machine import Machine

CLIENTS = Path(__file__).with_name("clients")

#: Where the programs and what they are told lie inside the machine.
INSIDE = "/opt/dcor-clients"
PYTHON = "/opt/clients/bin/python"
CERTIFICATE = "/etc/dcor-server/tls/certificate.pem"

#: A program waits for background jobs of three files; what takes longer than this hangs.
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class User:
    """A user of the server: name, and the files inside the machine with password and token."""

    name: str
    password: str
    token: str


def make_user(machine: Machine, name: str, *, sysadmin: bool = False) -> User:
    """Make a user with a name that nobody has, a password and a token."""
    name = f"{name}-{secrets.token_hex(3)}"
    someone = User(name, f"{INSIDE}/{name}.password", f"{INSIDE}/{name}.token")
    password = secrets.token_urlsafe(16)
    machine.write(someone.password, password, 0o600)
    machine.run("ckan", "user", "add", name, f"email={name}@example.org", f"password={password}")
    if sysadmin:
        machine.run("ckan", "sysadmin", "add", name)
    token = machine.run("ckan", "user", "token", "add", name, "test", "-q").stdout.strip().splitlines()[-1]
    machine.write(someone.token, token, 0o600)
    return someone


def run_client(machine: Machine, program: str, *arguments: str, python: str = PYTHON) -> dict[str, Any]:
    """Run one of the programs in clients/ inside the machine, and return what it saw."""
    machine.copy_in(CLIENTS, f"{INSIDE}/programs")
    script = f"{INSIDE}/programs/{program}.py"
    done = machine.run(
        python, script, machine.hostname, "--certificate", CERTIFICATE, *arguments, timeout=TIMEOUT_SECONDS
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@functools.cache
def upload_measurements(machine: Machine) -> dict[str, Any]:
    """Upload the measurements, once for all tests that share a machine; return what the program saw."""
    return run_client(machine, "measurement", "--token", make_user(machine, "measurer").token)
