"""The throw-away machine of scripts/try: it stays up when the command ends, and can be reached from here."""

from __future__ import annotations

from pathlib import Path

from dcor_dev import nspawn, tools
from dcor_dev.errors import DevError
from dcor_dev.machine import HOSTNAME, Machine

NAME = "dcor-try"

#: The ends of the cable between here and the machine, from the block that is kept for such tests (RFC 2544): no
#: office network has it.
HERE, THERE = "198.18.77.1", "198.18.77.2"


def machine(stack: nspawn.Stack = (), debs: dict[Path, str] | None = None) -> Machine:
    """Return the machine, whether it runs or not; nothing of it depends on who made it."""
    return Machine(NAME, stack, read_only=debs, options=("--network-veth",), persistent=True)


def boot(stack: nspawn.Stack, debs: dict[Path, str]) -> Machine:
    """Boot the machine and lay its cable."""
    tools.need("ip")
    made = machine(stack, debs)
    made.start()
    try:
        made.shell(f"ip address add {THERE}/30 dev host0 && ip link set host0 up")
        tools.run("The cable has no address", "ip", "address", "add", f"{HERE}/30", "dev", f"ve-{NAME}")
        tools.run("The cable cannot be used", "ip", "link", "set", f"ve-{NAME}", "up")
    except BaseException:
        made.remove()
        raise
    return made


def running() -> Machine:
    """Return the machine that an earlier command made."""
    found = machine()
    if not found.pid:
        raise DevError("There is no machine: `sudo scripts/try` makes one.")
    return found


def how_to_reach(certificate: Path, user: str, password: str) -> str:
    """Say to a human where the server is and how to get in."""
    return f"""
    address      https://{HOSTNAME}/
    reach it     echo '{THERE} {HOSTNAME}' | sudo tee -a /etc/hosts
                 or, without touching this computer:
                 curl --cacert {certificate} --resolve {HOSTNAME}:443:{THERE} https://{HOSTNAME}/
    certificate  {certificate} (self-signed: the browser warns, or is told to trust it)
    sign in      https://{HOSTNAME}/user/login as {user}, password {password}

    a shell in it: sudo scripts/try --shell        remove it: sudo scripts/try --stop
"""
