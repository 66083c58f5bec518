"""A Redis instance of CKAN's own: a unix socket for CKAN's group, and no port.

Debian's default instance is open to every local user, and CKAN's job queues hold pickled Python: whoever writes into
them runs code as CKAN.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.services.endpoint import Endpoint

UNIT = "redis-server@dcor.service"
RESTART = f"restart {UNIT}"
SOCKET = "/run/redis-dcor/redis.sock"


def endpoint(_: Settings) -> Endpoint:
    """Return where the local instance is: membership in the socket's group is the login."""
    return Endpoint("redis", "unix", "", 0, SOCKET, "", "", local=True)


def steps(_: Settings) -> tuple[Step, ...]:
    """Return the steps that configure it."""
    return (
        ManagedFile(
            "/etc/redis/redis-dcor.conf",
            "services/redis/templates/redis.conf",
            access=Access(0o640, "redis", "redis"),
            then=(RESTART,),
        ),
        ManagedFile(
            f"{SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf", "services/redis/templates/unit.conf", then=(RESTART,)
        ),
    )


def problem(host: Host, redis: Endpoint) -> str | None:
    """Return why the local instance does not answer, or None."""
    try:
        answer = host.run("redis-cli", "-s", redis.path, "PING", timeout=10).strip()
    except CommandFailed as error:
        return f"does not answer: {error.hint}"
    return None if answer == "PONG" else f"answers PING with {answer!r}"
