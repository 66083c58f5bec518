"""What of CKAN depends on the size of the memory, and the least size. limits.py has the number of the web workers."""

from __future__ import annotations

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import memory
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Host

#: the queues of jobs, the shortest jobs first
QUEUES = ("dcor-short", "dcor-normal", "dcor-long", "default")
#: A web worker that has grown beyond this is started again after its request, in MiB; and to what a limit is rounded:
#: another kernel, which keeps a little more or less of the memory, is no other configuration.
MOST_OF_A_WORKER, STEP = 2048, 256
HINT = "With 2 GiB one user at a time can upload and read, with 4 GiB several; what other programs need comes on top."


def job_workers(facts: Facts) -> tuple[str, ...]:
    """Return the queues of each job worker, with commas: one for each, unless the memory suffices for one job only."""
    return QUEUES if facts.memory >= memory.COMFORTABLE else (",".join(QUEUES),)


def worker_limit(facts: Facts) -> int:
    """Return the size in MiB from which on a web worker is started again."""
    return min(MOST_OF_A_WORKER, max(1, round(facts.memory / 4 / STEP)) * STEP)


def check_memory(host: Host, _: Proposal) -> None:
    """Raise DcorError where the server could not work at all. One that works is not kept from upgrades."""
    if not host.exists(instance.INSTANCE) and (found := memory.total(host)) < memory.LEAST:
        raise DcorError(f"This machine has {found} MiB of memory, and a DCOR server needs {memory.LEAST} MiB.", HINT)


def notices(host: Host) -> list[Notice]:
    """Return that there is little memory."""
    found = memory.total(host)
    if found >= memory.COMFORTABLE:
        return []
    message = (
        f"says that this machine has {found} MiB of memory: fewer requests are answered at once, and one job is done"
    )
    return [Notice(memory.MEMINFO, message, HINT)]
