"""The removal plan: what a purge may delete, written down while the settings can be read.

debian/dcor-server.postrm carries it out, perhaps when Python and this code are gone, so each line is a word that it
knows and up to four arguments without spaces. External services are never in it. Before each deletion the postrm looks
for the marker or the mark of this instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcor_pkg.kernel import data_directory, instance
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.engines import ENGINES

PLAN = f"{paths.STATE}/removal-plan"
PRESERVED_PLAN = f"{paths.PRESERVED}/removal-plan"
ACCESS = Access(0o600)
HEADER = "# Written by dcor-server at each converge; a purge carries it out. Changes are overwritten.\n"
#: the words, in the order in which their lines are carried out: the data go last, since their marker proves the rest
WORDS = ("stop", "database", "tree", "temporary", "empty", "data")
#: the directories in the data directory that services own
PARTS = "object-store ckan"


@dataclass(frozen=True)
class RemovalPlan:
    """The plan for these settings. What a former plan names stays in it, as a database before an external one."""

    data: str
    #: the keys of the engines that this machine runs
    local: tuple[str, ...]
    #: the lines of other rooms
    lines: tuple[str, ...]
    name: str = "removal plan"

    def check(self, host: Host) -> str | None:
        if host.read(PLAN) != self.text(host):
            return "is not that of the settings" if host.exists(PLAN) else "is missing"
        if host.exists(instance.DELETED):
            return "was carried out in part, by a purge that was interrupted"
        return host.access_drift(PLAN, ACCESS)

    def apply(self, host: Host) -> None:
        host.write(PLAN, self.text(host), ACCESS)
        host.remove(instance.DELETED)

    def text(self, host: Host) -> str:
        """Return the text of the plan's file."""
        former = _former(host)
        new = {line for line in self.lines if not _is_found(host, line)}
        lines = {*new, *self._of_engines(host), *(line for line in former if not line.startswith("data "))}
        ordered = sorted(lines, key=lambda line: (WORDS.index(line.split()[0]), line))
        return HEADER + "".join(f"{line}\n" for line in (*ordered, self._data(host, former)))

    def _of_engines(self, host: Host) -> Iterator[str]:
        for engine in ENGINES:
            if engine.key in self.local or engine.was_used(host):
                yield from engine.data

    def _data(self, host: Host, former: list[str]) -> str:
        """Return the line of the data: where the marker is, if an edit of the settings has not taken effect yet."""
        places = [self.data, *(line.split()[1] for line in former if line.startswith("data "))]
        marked = [place for place in places if host.read(instance.marker(place)) == instance.known(host)]
        place = (marked or places)[0]
        origin = "made" if place in data_directory.made(host) else "found"
        return f"data {place} {origin} {PARTS}"


def _is_found(host: Host, line: str) -> bool:
    """Return whether a line is about a directory that is there, and not made by this server: empty, it stays."""
    word, path = line.split()[:2]
    return word == "empty" and host.exists(path)


def _former(host: Host) -> list[str]:
    """Return the lines of the last plan, or of that of the same instance which a purge has preserved."""
    text = host.read(PLAN)
    if text is None and host.read(instance.PRESERVED_INSTANCE) == instance.known(host):
        text = host.read(PRESERVED_PLAN)
    return [line for line in (text or "").splitlines() if line.split()[:1] and line.split()[0] in WORDS]
