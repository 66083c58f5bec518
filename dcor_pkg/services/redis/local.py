"""A Redis of CKAN's own: a socket for CKAN's group, no port.

The instance that Debian starts is open to every local user, and CKAN's job queues hold pickled
Python: who writes there runs code as CKAN.
"""

from __future__ import annotations

from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Access

UNIT = "redis-server@dcor.service"
RESTART = f"restart {UNIT}"


def files() -> tuple[Step, ...]:
    """Return the steps for its configuration."""
    return (
        ManagedFile(
            "/etc/redis/redis-dcor.conf",
            "services/redis/templates/redis.conf",
            access=Access(0o640, "redis", "redis"),
            then=(RESTART,),
        ),
        ManagedFile(
            f"/etc/systemd/system/{UNIT}.d/dcor-server.conf", "services/redis/templates/unit.conf", then=(RESTART,)
        ),
    )
