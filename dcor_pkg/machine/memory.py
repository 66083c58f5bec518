"""The main memory: how much there is, and how much of it is available, in MiB.

A container has what its group of processes may use, whatever the machine around it has; /proc/meminfo (proc(5)) need
not know of that.
"""

from __future__ import annotations

import re

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host

MEMINFO = "/proc/meminfo"
#: the limit in bytes of a whole container (Linux, "Control Group v2" and "Memory Resource Controller"), and its use
GROUP, FORMER_GROUP = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
STATISTICS = "/sys/fs/cgroup/memory.stat"
#: less is refused, and with less CKAN does less at once; of 2 GiB a machine shows a tenth less, which its kernel keeps
LEAST, COMFORTABLE = 1536, 3584


def total(host: Host) -> int:
    """Return the size of the memory. Raises DcorError where it is unknown."""
    return min([_meminfo(host, "MemTotal"), *_limits(host)])


def available(host: Host) -> int:
    """Return how much of it programs can still get, what only caches the disk included. Raises DcorError."""
    used = re.search(r"^anon (\d+)$", host.read(STATISTICS) or "", re.MULTILINE)
    left = [limit - int(used[1]) // 1024**2 for limit in _limits(host)] if used else []
    return min([_meminfo(host, "MemAvailable"), *left])


def _meminfo(host: Host, name: str) -> int:
    found = re.search(rf"^{name}: +(\d+) kB", host.read(MEMINFO) or "", re.MULTILINE)
    if found is None:
        raise DcorError(f"{MEMINFO} has no line {name}, the size of the main memory.", hint="Is /proc mounted?")
    return int(found[1]) // 1024


def _limits(host: Host) -> list[int]:
    """Return the limits of the container; "max", and what exceeds each machine, is none."""
    words = [(host.read(path) or "").strip() for path in (GROUP, FORMER_GROUP)]
    return [int(word) // 1024**2 for word in words if word.isdigit() and int(word) < 2**62]
