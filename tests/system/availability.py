"""Measure the availability of a server while a command changes it, by ten requests a second of each kind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dcor_dev.machine import Machine
from migrations import sql
from users import make_user, publish_dataset
from website import SEARCH

PROGRAM = Path(__file__).with_name("clients") / "poller.py"
#: of the program in the machine
DIRECTORY = "/run/poller"
START = (
    "rm -rf {0} && mkdir {0} && mv /root/kinds.json {0}/ && "
    "systemd-run --quiet --collect --unit=poller python3 /root/poller.py {0} {1}"
)
STOP = "touch {0}/stop; while systemctl is-active --quiet poller; do sleep 0.1; done; cat {0}/results.json"
#: in the names of the groups that are made
WRITTEN = "probe-"


@dataclass(frozen=True)
class Kind:
    """Requests of one kind: the targets in turn, in which NUMBER is another one each time, as in the body.

    RUN is another word in each measurement.
    """

    targets: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    #: in JSON; with one the requests are POST
    body: str = ""


#: of somebody who has a cookie: they are not answered from nginx's cache
PAGES = Kind((SEARCH, "/user/login"), {"Cookie": "dcor=probe"})


@dataclass(frozen=True)
class Availability:
    """The results of all requests of a kind."""

    requests: int
    failed: tuple[str, ...]
    #: from one successful response to the next
    longest_gap_seconds: float
    #: 95 of 100 responses came within it
    p95_seconds: float

    @property
    def succeeded(self) -> int:
        return self.requests - len(self.failed)

    def __str__(self) -> str:
        """Return the figures, and the first failure."""
        first = f" (the first: {self.failed[0]})" if self.failed else ""
        return f"{len(self.failed)} of {self.requests} failed, longest gap {self.longest_gap_seconds:.1f} s{first}"


def measure_availability(machine: Machine, command: str, *names: str) -> Availability:
    """Run a command during requests of a signed-in user, to whichever of the server's names responds."""
    return measure_kinds(machine, command, {"pages": PAGES}, *names)["pages"]


def measure_kinds(
    machine: Machine, command: str, kinds: Mapping[str, Kind], *names: str, timeout: float = 300
) -> dict[str, Availability]:
    """Run a command, for at most `timeout` seconds, during requests of several kinds; return the results of each."""
    machine.copy_in(PROGRAM, "/root/poller.py")
    text = json.dumps({name: asdict(kind) for name, kind in kinds.items()})
    machine.write("/root/kinds.json", text.replace("RUN", secrets.token_hex(4)), 0o600)
    machine.shell(START.format(DIRECTORY, " ".join(names or (machine.hostname,))))
    machine.shell(command, timeout=timeout)
    results = json.loads(machine.shell(STOP.format(DIRECTORY), timeout=300))
    return {name: _availability(found) for name, found in results.items()}


def _availability(found: dict[str, Any]) -> Availability:
    return Availability(**{**found, "failed": tuple(found["failed"])})


def kinds_of_users(machine: Machine) -> dict[str, Kind]:
    """Return the requests of all kinds of users. A dataset is published, and a user with all rights made, for them."""
    word = machine.shell(f"cat {make_user(machine, 'writer', sysadmin=True).token}").strip()
    token = {"Authorization": word, "Content-Type": "application/json"}
    return {
        # An address that nobody has asked for is not in nginx's cache.
        "page": Kind(("/dataset/?q=RUN-NUMBER",)),
        "cached page": Kind(("/",)),
        "read": Kind((f"{SEARCH}&include_private=true",), token),
        "write": Kind(("/api/3/action/group_create",), token, json.dumps({"name": f"{WRITTEN}RUN-NUMBER"})),
        "object": Kind((publish_dataset(machine)[0],)),
    }


def written(machine: Machine) -> int:
    """Return how many of the writes of all measurements are in the database."""
    return int(sql(machine, f"""SELECT count(*) FROM "group" WHERE name LIKE '{WRITTEN}%'"""))


def table(measured: Mapping[str, Availability]) -> str:
    """Return the figures of each kind as lines."""
    return "\n".join(f"  {name:14} {found}" for name, found in measured.items())
