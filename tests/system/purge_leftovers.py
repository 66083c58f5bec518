"""Find what a purge of dcor-server leaves on a machine."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: Directories that are not searched: they contain no files of dcor-server, or they hold the data.
EXCLUDED = ("/proc", "/sys", "/run", "/srv", "/opt", "/data", "/var/lib/dpkg", "/var/lib/systemd")

#: Paths whose name contains "dcor" and that do not belong to an installed package.
FIND = r"""
for path; do set -- "$@" -o -path "$path"; shift; done
find / -xdev \( -path '/var/backups/dcor-server/*' "$@" \) -prune -o -iname '*dcor*' -print | sort |
while read -r path; do
    dpkg --search "$path" >/dev/null 2>&1 || echo "$path"
done
"""

#: What a purge without deletion of the data preserves. Without the first file, the next `apt autoremove --purge` would
#: drop the database; the others but the backups are of packages that stay installed: engines, and the repository's.
PRESERVED = [
    "/etc/apt/apt.conf.d/01dcor-server",
    "/etc/apt/sources.list.d/dcor.sources",
    "/var/backups/dcor-server",
    "/var/lib/dcor-archive-keyring",
    "/var/lib/dcor-object-store",
    "/var/log/dcor-solr",
]


def leftovers(machine: Machine, *without: str) -> list[str]:
    """Return the remaining paths, except those below the directories `without`."""
    return machine.run("sh", "-euc", FIND, "sh", *EXCLUDED, *without).stdout.split()
