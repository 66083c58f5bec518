"""TCP ports: which program listens on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psutil

from dcor_pkg.errors import DcorError

#: what holds a port for a unit; not that of a user's session, which is a process with the same name
SYSTEMD = "systemd, process 1"


def require_free(ports: Mapping[int, Collection[str]]) -> None:
    """Raise DcorError if a program listens on one of the ports that is not among those which `ports` names for it.

    Where systemd and a service share a listener, either of them may be found.
    A listener whose program cannot be determined is accepted: it belongs to another user, or has just ended.
    """
    for connection in psutil.net_connections("tcp"):
        port = connection.laddr.port if connection.laddr else 0
        if connection.status != psutil.CONN_LISTEN or port not in ports:
            continue
        program = _program(connection.pid)
        if program not in (*ports[port], None):
            raise DcorError(
                f"Port {port} is held by {program} (process {connection.pid}).",
                hint="Stop that program, or move it to another port.",
            )


def _program(process: int | None) -> str | None:
    """Return the name of a process, or None if it cannot be determined.

    A child of systemd's has systemd's sockets, its user (root), and a name in brackets, until it becomes the program of
    its unit.
    """
    if process is None:
        return None
    try:
        found = psutil.Process(process)
        starting = found.name().startswith("(") and found.ppid() == 1 and found.uids().real == 0
        return SYSTEMD if process == 1 or starting else str(found.name())
    except psutil.NoSuchProcess:
        return None
