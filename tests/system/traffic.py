"""Let users work all the time while a server is changed: uploads by DCOR-Aid's library, and jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dcor_dev.machine import Machine
from users import CERTIFICATE, CLIENTS, INSIDE, PYTHON, make_user

#: its existence ends the programs
STOP = "/run/traffic.stop"
#: of the release that serves when they begin; it is kept as the former one
PYTHON_OF_CKAN = "$(readlink --canonicalize /var/lib/dcor-server/current)/bin/python"
LOG = "/var/log/ckan/jobs-of-a-test"
START = "systemd-run --quiet --unit={name} --property=StandardOutput=truncate:/run/{name}.json {command}"
END = """
while systemctl is-active --quiet {name}; do sleep 0.2; done
if systemctl is-failed --quiet {name}; then journalctl --no-pager --lines=40 --unit={name} >&2; exit 1; fi
cat /run/{name}.json
"""


@dataclass(frozen=True)
class Traffic:
    """The programs that work on a machine until `end` is called."""

    machine: Machine
    names: tuple[str, ...]

    def end(self) -> dict[str, Any]:
        """Let the programs end, and return what each has printed. Raises DevError where one has failed."""
        self.machine.shell(f"touch {STOP}")
        return {name: json.loads(self.machine.shell(END.format(name=name), timeout=900)) for name in self.names}


def begin(machine: Machine) -> Traffic:
    """Begin to upload measurements as an ordinary user, and to queue jobs."""
    token = make_user(machine, "uploader").token
    machine.copy_in(CLIENTS, f"{INSIDE}/programs")
    commands = {
        "uploads": f"{PYTHON} {INSIDE}/programs/uploads.py {machine.hostname} --certificate {CERTIFICATE} "
        f"--token {token} --until {STOP}",
        "jobs": f"{PYTHON_OF_CKAN} {INSIDE}/programs/jobs.py {STOP} {LOG}",
    }
    machine.shell(f"rm -f {STOP} {LOG}")
    for name, command in commands.items():
        machine.shell(START.format(name=name, command=command))
    return Traffic(machine, tuple(commands))
