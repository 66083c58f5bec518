"""Whether a unit of this machine can have a network of its own, in which the ports of the object store are.

In a container without the capability CAP_NET_ADMIN, systemd cannot bring up the loopback interface of such a network.
systemd 257 starts the unit without one then, and logs it: all users of the machine could reach the ports, of which that
of the volumes asks for no password (systemd.exec(5), PrivateNetwork=; tried).
"""

from __future__ import annotations

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Host
from dcor_pkg.services.object_store.local import UNIT

#: fails in the network of the machine, else connects to itself
PROGRAM = (
    "import os, socket; assert os.readlink('/proc/self/ns/net') != os.readlink('/proc/1/ns/net'); "
    "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname(), 5)"
)
TRIAL = (
    *("systemd-run", "--quiet", "--wait", "--collect", "--property=PrivateNetwork=yes"),
    *("/usr/bin/python3", "-I", "-c", PROGRAM),
)
REASON = "The object store needs a network of its own, which systemd cannot make on this machine."
HINT = (
    "A container needs the capability CAP_NET_ADMIN for that (systemd-nspawn: --capability=CAP_NET_ADMIN, or "
    "--private-network; LXC: without it in lxc.cap.drop). Or use an external object store: debconf's question "
    "dcor-server/object-store."
)


def require(host: Host) -> None:
    """Raise DcorError where the store could not start."""
    if not host.succeeds("systemctl", "is-active", "--quiet", UNIT) and not host.succeeds(*TRIAL):
        raise DcorError(REASON, HINT)


def notices(host: Host) -> list[Notice]:
    """Return that a store runs in the network of the machine, as one that was set up before this was refused.

    Where systemd does not answer, as in a chroot, no store runs.
    """
    try:
        process = host.run("systemctl", "show", "--property=MainPID", UNIT).strip().partition("=")[2]
    except CommandFailed:
        return []
    network = host.target(f"/proc/{process}/ns/net")
    if network is None or network != host.target("/proc/1/ns/net"):
        return []
    return [
        Notice(UNIT, "runs without a network of its own, so that all users of this machine can reach its ports", HINT)
    ]
