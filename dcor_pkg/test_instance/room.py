"""Whether there is room for a test instance and for a suite in it, and what an error means where a disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk, memory, ports
from dcor_pkg.machine.host import Host
from dcor_pkg.test_instance.places import HOME, SOLR_PORT, STORE_PORT
from dcor_pkg.test_instance.record import REMOVE

#: bytes for the tools, the services' files, and what the suites upload
NEEDED_BYTES = 1536 * disk.MIB
#: Solr, the store, and a suite with CKAN in it
NEEDED_MIB = 900
#: bytes for a suite
SUITE_BYTES = 512 * disk.MIB
#: MiB that the store leaves to the server; with less it accepts nothing
RESERVE_MIB = 256
#: a suite makes more files than these
LEAST_INODES = 100
#: the system's words, which are in the messages of all programs
WORDS = os.strerror(errno.ENOSPC)
HINT = f"df -h shows the disks, df -i their inodes. What the tests have left goes with: {REMOVE}"


def require_for_instance(host: Host) -> None:
    """Raise DcorError where disk or memory do not suffice to make one, or its ports are taken."""
    disk.require(host, HOME, NEEDED_BYTES)
    if (free := memory.available(host)) < NEEDED_MIB:
        reason = f"{free} MiB of memory are available, and a test instance needs {NEEDED_MIB} MiB."
        raise DcorError(reason, "free --mebi shows the memory.")
    ports.require_free({SOLR_PORT: (), STORE_PORT: ()})


def require_for_suite(host: Host) -> None:
    """Raise DcorError where the disk does not suffice to run a suite."""
    disk.require(host, HOME, SUITE_BYTES)


@contextlib.contextmanager
def explained(host: Host) -> Iterator[None]:
    """Say of an error in a block that a disk has become full, if one has."""
    try:
        yield
    except DcorError as error:
        if not _is_full(host, (error.reason, error.hint)):
            raise
        raise DcorError(f"{_full(host)} {error.reason}", f"{error.hint}\n{HINT}".strip()) from None


def require_left(host: Host, suite: str, reasons: Iterable[str]) -> None:
    """Raise DcorError where tests that fail for these reasons say nothing, since a disk has become full."""
    if _is_full(host, reasons):
        raise DcorError(f"{_full(host)} So the failures of {suite} say nothing of its code.", HINT)


def _is_full(host: Host, texts: Iterable[str]) -> bool:
    inodes, of_inodes = disk.free_inodes(host, HOME)
    is_short = disk.free(host, HOME) < RESERVE_MIB * disk.MIB or (of_inodes > 0 and inodes < LEAST_INODES)
    return is_short or any(WORDS in text for text in texts)


def _full(host: Host) -> str:
    inodes, of_inodes = disk.free_inodes(host, HOME)
    files = f" and room for {inodes} files" if of_inodes else ""
    return f"A disk has become full; that of {HOME} has {disk.free(host, HOME) // disk.MIB} MiB{files} left."
