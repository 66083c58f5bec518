"""What a release consists of, recorded when it is made: so what changes or damages one later is noticed.

A release is used as it was made and proven. The record has size, time and access of each file and link, which takes a
tenth of a second to compare; whoever changes a file changes its time as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from dcor_pkg.ckan import release
from dcor_pkg.machine.host import Access, Host

#: in a release: the record, a line for each file or link
RECORD = "contents"
ACCESS = Access(0o644)
#: prints path, type, size in bytes, time, mode, owner, group and a link's target (find(1), "-printf")
PRINT = r"%P\t%y\t%s\t%T@\t%m\t%U\t%G\t%l\n"
#: not in the record: itself, what is written after it, and the file whose removal begins that of the release
OTHERS = (RECORD, release.SCHEMA)
#: Python may add the bytecode of a module that had none
BYTECODE = ".pyc"


def record(host: Host, home: str) -> None:
    """Record what the release in `home` consists of."""
    host.write(f"{home}/{RECORD}", _listing(host, home), ACCESS)


def difference(host: Host, home: str) -> str | None:
    """Return how the release in `home` differs from its record, as half a sentence, or None."""
    recorded = host.read(f"{home}/{RECORD}")
    if recorded is None:
        return "has no record of its files"
    listing = _listing(host, home)
    if listing == recorded:  # as it is nearly always: there are tens of thousands of files
        return None
    before, now = set(recorded.splitlines()), set(listing.splitlines())
    gone, come = _paths(before - now), _paths(now - before)
    for path in gone:
        return f"has {'changed' if path in come else 'lost'} its file {path}"
    return next((f"has got the file {path}" for path in come if not path.endswith(BYTECODE)), None)


def _listing(host: Host, home: str) -> str:
    others = [word for name in OTHERS for word in ("-not", "-path", f"{home}/{name}")]
    return host.run("find", home, "-not", "-type", "d", *others, "-printf", PRINT)


def _paths(lines: Iterable[str]) -> list[str]:
    return sorted({line.partition("\t")[0] for line in lines})
