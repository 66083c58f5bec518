"""Where each version of PostgreSQL has its programs (postgresql-common's architecture.md)."""

from __future__ import annotations

from dcor_pkg.machine.host import Host

#: a directory for each version
DIRECTORY = "/usr/lib/postgresql"


def newest(host: Host, program: str) -> str:
    """Return the newest version whose program is installed; nothing where there is none."""
    found = [version for version in host.names(DIRECTORY) if host.exists(f"{DIRECTORY}/{version}/bin/{program}")]
    return max(found, key=number, default="")


def number(version: str) -> float:
    """Return a version as a number, for comparisons."""
    return float(version)


def path(host: Host, program: str) -> str:
    """Return how a client is run: the newest one itself. What Debian has in the path takes ten times as long.

    It is a script in Perl, which finds the version of a cluster (pg_wrapper(1)).
    """
    version = newest(host, program)
    return f"{DIRECTORY}/{version}/bin/{program}" if version else program
