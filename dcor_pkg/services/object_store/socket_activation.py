"""Socket activation of the object store: requests wait while it restarts, for about 18 s, instead of failing.

nginx cannot wait for a server that does not listen, but systemd can: it listens in the store's place, and passes the
waiting connections on when the store has started.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.systemd_service import Service
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.services.object_store import local as object_store

FILES = (
    ManagedFile(f"{SYSTEMD_UNITS}/dcor-store-door@.socket", "services/object_store/templates/store-door.socket"),
    ManagedFile(f"{SYSTEMD_UNITS}/dcor-store-door@.service", "services/object_store/templates/store-door.service"),
    ManagedFile(
        f"{SYSTEMD_UNITS}/{object_store.UNIT}.d/store-door.conf", "services/object_store/templates/socket-stop.conf"
    ),
)
SOCKETS = tuple(Service(f"dcor-store-door@{name}.socket") for name in ("s3", "filer"))


@dataclass(frozen=True)
class SocketActivation:
    """The systemd units that listen for the store while it does not run."""

    name: str = "socket activation of the object store"

    def check(self, host: Host) -> str | None:
        for file in FILES:
            if (drift := file.check(host)) is not None:
                return f"{file.path} {drift}"
        drifts = (f"{socket.unit} {drift}" for socket in SOCKETS if (drift := socket.check(host)) is not None)
        return next(drifts, None)

    def apply(self, host: Host) -> None:
        for file in FILES:
            if file.check(host) is not None:
                file.apply(host)
        # for the store's own unit, too: it gets a drop-in
        host.run("systemctl", "daemon-reload")
        for socket in SOCKETS:
            socket.apply(host)


@dataclass(frozen=True)
class NoSocketActivation:
    """No units that listen for a store which is external."""

    name: str = "socket activation of the object store"

    def check(self, host: Host) -> str | None:
        left = [file.path for file in FILES if host.exists(file.path)]
        return f"{left[0]} exists, and the store is external" if left else None

    def apply(self, host: Host) -> None:
        if host.exists(FILES[0].path):
            host.run("systemctl", "disable", "--now", "--quiet", *(socket.unit for socket in SOCKETS))
        for file in FILES:
            managed_file.remove(host, file.path)
        host.run("systemctl", "daemon-reload")
