"""Manage the machine of scripts/try: it keeps running when the command ends, and this computer can connect to it."""

from __future__ import annotations

from pathlib import Path

from dcor_dev import nspawn, tools
from dcor_dev.errors import DevError
from dcor_dev.machine import HOSTNAME, Machine

NAME = "dcor-try"

#: The addresses of this computer and of the machine on the virtual Ethernet link between them, from a block that is
#: reserved for tests (RFC 2544), so no local network uses it.
HOST_ADDRESS, MACHINE_ADDRESS = "198.18.77.1", "198.18.77.2"


def machine(stack: nspawn.Stack = (), debs: dict[Path, str] | None = None) -> Machine:
    """Return the machine, running or not; any process can use it."""
    return Machine(NAME, stack, read_only=debs, options=("--network-veth",), persistent=True)


def boot(stack: nspawn.Stack, debs: dict[Path, str]) -> Machine:
    """Boot the machine, and set up the link to it."""
    tools.need("ip")
    made = machine(stack, debs)
    made.start()
    try:
        made.shell(f"ip address add {MACHINE_ADDRESS}/30 dev host0 && ip link set host0 up")
        device = f"ve-{NAME}"
        tools.run(
            f"Assigning an address to {device} failed", "ip", "address", "add", f"{HOST_ADDRESS}/30", "dev", device
        )
        tools.run(f"Enabling {device} failed", "ip", "link", "set", device, "up")
    except BaseException:
        made.remove()
        raise
    return made


def running() -> Machine:
    """Return the running machine of an earlier command. Raises DevError when there is none."""
    found = machine()
    if not found.pid:
        raise DevError("The machine is not running: `sudo scripts/try` creates it.")
    return found


def how_to_reach(certificate: Path, user: str, password: str) -> str:
    """Return instructions for a user: the address of the server, and how to sign in."""
    return f"""
    address      https://{HOSTNAME}/
    connect      echo '{MACHINE_ADDRESS} {HOSTNAME}' | sudo tee -a /etc/hosts
                 or, without a change to this computer:
                 curl --cacert {certificate} --resolve {HOSTNAME}:443:{MACHINE_ADDRESS} https://{HOSTNAME}/
    certificate  {certificate} (self-signed: accept the browser's warning, or see https://{HOSTNAME}/trust)
    sign in      https://{HOSTNAME}/user/login as {user}, password {password}

    open a shell: sudo scripts/try --shell        remove the machine: sudo scripts/try --stop
"""
