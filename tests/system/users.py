"""Create users on a machine's server, and run the programs in clients/ for them."""

from __future__ import annotations

import functools
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcor_dev.machine import Machine

CLIENTS = Path(__file__).with_name("clients")
NEW_USER = CLIENTS / "new_user.py"

#: The directory in the machine for the programs and their arguments.
INSIDE = "/opt/dcor-clients"
PYTHON = "/opt/clients/bin/python"
PYTHON_OF_CKAN = "/var/lib/dcor-server/current/bin/python"
CONFIGURATION = {"CKAN_INI": "/etc/ckan/default/ckan.ini"}
CERTIFICATE = "/etc/dcor-server/tls/certificate.pem"

#: The longest run of a program, which waits for the background jobs of three files.
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class User:
    """A user of the server: the name, and the paths in the machine of files with the password and the API token."""

    name: str
    password: str
    token: str


def make_user(machine: Machine, name: str, *, sysadmin: bool = False) -> User:
    """Create a user with a unique name that starts with `name`, a password and an API token."""
    name = f"{name}-{secrets.token_hex(3)}"
    someone = User(name, f"{INSIDE}/{name}.password", f"{INSIDE}/{name}.token")
    password = secrets.token_urlsafe(16)
    machine.write(someone.password, password, 0o600)
    values = {"name": name, "email": f"{name}@example.org", "password": password, "sysadmin": sysadmin}
    program = (PYTHON_OF_CKAN, "-c", NEW_USER.read_text())
    made = machine.run(*program, user="www-data", env=CONFIGURATION, text=json.dumps(values))
    machine.write(someone.token, made.stdout.strip().splitlines()[-1], 0o600)
    return someone


def run_client(
    machine: Machine,
    program: str,
    *arguments: str,
    python: str = PYTHON,
    host: str = "",
    certificate: str = CERTIFICATE,
) -> dict[str, Any]:
    """Run one of the programs in clients/ in the machine, and return the JSON that it prints.

    `host`: the server's name, if it is not the machine's. `certificate`: a file that the program has to trust.
    """
    machine.copy_in(CLIENTS, f"{INSIDE}/programs")
    script = f"{INSIDE}/programs/{program}.py"
    trusted = ("--certificate", certificate) if certificate else ()
    done = machine.run(python, script, host or machine.hostname, *trusted, *arguments, timeout=TIMEOUT_SECONDS)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@functools.cache
def upload_measurements(machine: Machine) -> dict[str, Any]:
    """Upload measurements, once for all tests that share a machine; return the output of clients/measurement.py."""
    return run_client(machine, "measurement", "--token", make_user(machine, "measurer").token)


def publish_dataset(machine: Machine) -> list[str]:
    """Publish a dataset of a new user, and return the paths of its objects when everybody can read them."""
    token = make_user(machine, "owner").token
    made: Any = run_client(machine, "publish_datasets", "--token", token, "--files", "2")
    return [path for paths in made[0]["resources"].values() for path in paths]
