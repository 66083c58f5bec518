"""Former versions ran CKAN's programs below Debian's supervisor; what they have left there is removed.

It is a step after the switch to the programs in CKAN's own unit: until then those below Debian's supervisor serve.
"""

from __future__ import annotations

import re
import time
import xmlrpc.client
from dataclasses import dataclass
from typing import Any

from dcor_pkg.ckan.supervisor import ENDED, STOP_TIMEOUT_SECONDS
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS

UNIT = "supervisor.service"
SOCKET = "/run/supervisor.sock"
PROGRAMS = "/etc/supervisor/conf.d"
DROP_IN = f"{SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf"


@dataclass(frozen=True)
class NoFormerPrograms:
    """Debian's supervisor without programs of ours."""

    name: str = "programs of former versions"

    def check(self, host: Host) -> str | None:
        left = _files(host)
        return f"{left[0]} is a former version's" if left else None

    def apply(self, host: Host) -> None:
        """Stop the programs, job workers first, and remove their files. Raises DcorError."""
        if unit_state(host, UNIT)["ActiveState"] == "active":
            for program in sorted(_programs(host) & set(_states(host))):
                _stop(host, program)
        for path in _files(host):
            managed_file.remove(host, path)
        host.run("systemctl", "daemon-reload")


def _files(host: Host) -> list[str]:
    paths = [f"{PROGRAMS}/{name}" for name in host.names(PROGRAMS) if name.startswith("dcor-")]
    programs = [path for path in paths if managed_file.SIGN in (host.read(path) or "").partition("\n")[0]]
    return [*programs, *([DROP_IN] if host.exists(DROP_IN) else [])]


def _programs(host: Host) -> set[str]:
    """Return the names of the programs in our files; an administrator may have others that begin like them."""
    return {
        name for path in _files(host) for name in re.findall(r"^\[program:(.+)\]", host.read(path) or "", re.MULTILINE)
    }


def _stop(host: Host, program: str) -> None:
    """Let a program finish its work and end, and let supervisor forget it. Raises DcorError."""
    if _states(host)[program] not in ENDED:
        _call(host, "stopProcess", program, False)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while _states(host)[program] not in ENDED:
        if time.monotonic() > deadline:
            raise DcorError(f"The former program {program} does not stop.", hint=f"supervisorctl status {program}")
        time.sleep(0.1)
    _call(host, "removeProcessGroup", program)


def _states(host: Host) -> dict[str, str]:
    found = _call(host, "getAllProcessInfo")
    return {item["name"]: item["statename"] for item in found}


def _call(host: Host, method: str, *arguments: Any) -> Any:
    """Call a method of Debian's supervisor, which is root's. Raises DcorError."""
    try:
        return unix_http.rpc(str(host.path(SOCKET)), "root", f"supervisor.{method}", *arguments)
    except (xmlrpc.client.Fault, DcorError) as error:
        raise DcorError(
            f"The programs of a former version still run below {UNIT}, which does not stop them: {error}",
            hint=f"rm {PROGRAMS}/dcor-*.conf; systemctl restart {UNIT}",
        ) from None
