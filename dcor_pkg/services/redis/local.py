"""A Redis instance of CKAN's own: a unix socket for CKAN's group, and no port.

Debian's default instance is open to every local user, and CKAN's job queues hold pickled Python: whoever writes into
them runs code as CKAN.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.moved_file import MovedFile
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.endpoint import Endpoint

UNIT = "redis-server@dcor.service"
RESTART = f"restart {UNIT}"
#: root's, since whoever may write in a directory can exchange what is in it, and Debian's /etc/redis belongs to redis
CONFIGURATION = f"{paths.CONFIGURATION}/redis.conf"
ACCESS = Access(0o640, "root", "redis")
SOCKET = "/run/redis-dcor/redis.sock"
#: for the removal plan: what its configuration names in Redis's own directory
DATA = (f"stop {UNIT}", "tree /var/lib/redis/dcor-appendonly", "tree /var/lib/redis/dcor.rdb")


def endpoint(_: Settings) -> Endpoint:
    """Return where the local instance is: membership in the socket's group is the login."""
    return Endpoint("redis", "unix", "", 0, SOCKET, "", "", local=True)


def steps(_: Settings) -> tuple[Step, ...]:
    """Return the steps that configure it."""
    return (
        MovedFile("/etc/redis/redis-dcor.conf", CONFIGURATION, ACCESS, "redis"),
        ManagedFile(CONFIGURATION, "services/redis/templates/redis.conf", access=ACCESS, then=(RESTART,)),
        ManagedFile(
            f"{paths.SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf",
            "services/redis/templates/unit.conf",
            {"configuration": CONFIGURATION},
            then=(RESTART,),
        ),
    )


def was_used(host: Host) -> bool:
    """Return whether the local instance was ever configured."""
    return managed_file.is_recorded(host, CONFIGURATION)


def problem(host: Host, redis: Endpoint) -> str | None:
    """Return why the local instance does not answer, or None."""
    try:
        answer = host.run("redis-cli", "-s", redis.path, "PING", timeout=10).strip()
    except CommandFailed as error:
        return f"does not answer: {error.hint}"
    return None if answer == "PONG" else f"answers PING with {answer!r}"
