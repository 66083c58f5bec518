"""TCP ports: which program listens on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psutil

from dcor_pkg.errors import DcorError

#: systemd where it holds a port for a unit; not that of a user's session, which is a process with the same name
SYSTEMD = "systemd, process 1"
FIRST_PROCESS = 1


def require_free(ports: Mapping[int, Collection[str]]) -> None:
    """Raise DcorError if a program listens on one of the ports that is not among those which `ports` names for it.

    Of the programs that share a listener, any may be found: systemd, its service, or a child of systemd's that has not
    closed it yet (execve(2) on close-on-exec).
    A listener whose program cannot be determined is accepted: it belongs to another user, or has just ended.
    """
    for connection in psutil.net_connections("tcp"):
        port = connection.laddr.port if connection.laddr else 0
        if connection.status != psutil.CONN_LISTEN or port not in ports:
            continue
        program = _program(connection.pid)
        if program in (*ports[port], None) or (SYSTEMD in ports[port] and _systemd_listens(connection.laddr)):
            continue
        raise DcorError(
            f"Port {port} is held by {program} (process {connection.pid}).",
            hint="Stop that program, or move it to another port.",
        )


def _program(process: int | None) -> str | None:
    """Return the name of a process, or None if it cannot be determined."""
    if process is None:
        return None
    try:
        return str(psutil.Process(process).name())
    except psutil.NoSuchProcess:
        return None


def _systemd_listens(address: tuple[object, ...]) -> bool:
    """Return whether systemd, the first process, listens on this address."""
    systemd = psutil.Process(FIRST_PROCESS)
    # psutil before 6.0 has the older name only (its changelog).
    connections = getattr(systemd, "net_connections", None) or systemd.connections
    return any(each.laddr == address and each.status == psutil.CONN_LISTEN for each in connections("tcp"))
