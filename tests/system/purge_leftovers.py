"""What a purge leaves on a machine."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: Folders in which nothing is ours, or which hold the data.
EXCLUDED = ("/proc", "/sys", "/run", "/srv", "/opt", "/data", "/var/lib/dpkg", "/var/lib/systemd")

#: What bears our name, belongs to no package that is still there, and is not data.
FIND = r"""
for path; do set -- "$@" -o -path "$path"; shift; done
find / -xdev \( -path '/var/backups/dcor-server/*' "$@" \) -prune -o -iname '*dcor*' -print | sort |
while read -r path; do
    dpkg --search "$path" >/dev/null 2>&1 || echo "$path"
done
"""

#: Without the first, apt would drop the database with the next autoremove --purge; the last are of engines that stay.
PRESERVED = [
    "/etc/apt/apt.conf.d/01dcor-server",
    "/var/backups/dcor-server",
    "/var/lib/dcor-object-store",
    "/var/log/dcor-solr",
]


def leftovers(machine: Machine, *without: str) -> list[str]:
    """Return what is left; `without` are folders not to look into."""
    return machine.run("sh", "-euc", FIND, "sh", *EXCLUDED, *without).stdout.split()
