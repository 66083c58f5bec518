"""The programs of a release, a web server and its job workers, together with one configuration.

Release and configuration are both part of the programs' names and sockets. So the programs of another release, and
those of another configuration as well, start while the old ones serve, and are proven before nginx is pointed at them.
A configuration that CKAN cannot load leaves the old programs in service.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcor_pkg.ckan import release, unit
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CKAN_USER, CONFIGURATION, PROGRAMS, STATE
from dcor_pkg.nginx import upstream
from dcor_pkg.runtime import trial

TEMPLATE = "ckan/templates/programs.conf"
UWSGI_INI = f"{CONFIGURATION}/uwsgi.ini"
#: The programs of each configuration read copies of the files, so that they always start with what was proven, whatever
#: is in the files by then.
CONFIGURATIONS = f"{STATE}/configurations"
COPIED = {"ckan.ini": CKAN_INI, "uwsgi.ini": UWSGI_INI}
COPY = Access(0o640, "root", CKAN_USER)
#: in ckan.ini
DATABASE_OPTION = re.compile(r"^(sqlalchemy\.url[ \t]*[=:][ \t]*)(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Programs:
    """The programs of one release with one configuration."""

    release: str
    #: the first digits of the hash of all files that they read when they start
    configuration: str

    @property
    def id(self) -> str:
        """Identifies these programs on this machine."""
        return f"{self.release}.{self.configuration}"

    @property
    def web(self) -> str:
        """The name of the web server in supervisor."""
        return f"dcor-web-{self.id}"

    @property
    def jobs(self) -> str:
        """The name of the job workers in supervisor."""
        return f"dcor-jobs-{self.id}"

    @property
    def socket(self) -> str:
        """The socket on which nginx asks the web server."""
        return f"{unit.RUNTIME}/{self.id}.sock"

    @property
    def probe(self) -> str:
        """The socket on which the web server is probed before nginx is pointed at it."""
        return f"{unit.RUNTIME}/{self.id}.probe.sock"

    @property
    def sockets(self) -> tuple[str, str]:
        """Both sockets of the web server."""
        return self.socket, self.probe

    @property
    def upstream(self) -> str:
        """nginx's upstream block for the web server."""
        return upstream.block(self.socket)

    @property
    def directory(self) -> str:
        """The directory of their copies of the configuration."""
        return f"{CONFIGURATIONS}/{self.id}"

    @property
    def trial(self) -> Programs:
        """The programs by which the release is proven on a copy of the database: its name is in their configuration."""
        return Programs(self.release, hashlib.sha256(f"{self.id} on a copy".encode()).hexdigest()[:8])

    @property
    def hold(self) -> str:
        """The file that keeps a web server from its database (runtime/hold.py)."""
        return f"{self.directory}/{trial.HOLD}"

    @property
    def held(self) -> str:
        """The file by which a web server says that it waits for the end of that."""
        return f"{unit.RUNTIME}/{self.id}.held"

    def file(self, data: str, queues: tuple[str, ...]) -> ManagedFile:
        """Return supervisor's file for these programs, with the data directory, and the queues of each job worker.

        Without queues there are no job workers.
        """
        values = {"programs": self, "home": release.directory(self.release), "data": data, "queues": queues}
        return ManagedFile(f"{PROGRAMS}/dcor-{self.id}.conf", TEMPLATE, values)


def wanted(host: Host, identity: str, reads: Iterable[str]) -> Programs:
    """Return the programs of a release with the present text of these files, and of the files in these directories."""
    digest = hashlib.sha256()
    for path in reads:
        for file in [f"{path}/{name}" for name in host.names(path)] if host.path(path).is_dir() else [path]:
            text = host.read(file) or ""
            digest.update(f"{file}\0{text}\0".encode("utf-8", "surrogateescape"))
    return Programs(identity, digest.hexdigest()[:8])


def copies_drift(host: Host, programs: Programs) -> str | None:
    """Return why the programs cannot start with their copies of the configuration, or None.

    Running ones have read theirs, so a copy that CKAN may not read would be seen at the next start only.
    """
    for name, path in COPIED.items():
        copied = f"{programs.directory}/{name}"
        if host.read(copied) != host.read(path):
            return f"{programs.directory} does not hold the present configuration"
        if (drift := host.access_drift(copied, COPY)) is not None:
            return f"{copied} {drift}"
    return None


def copy(host: Host, programs: Programs) -> None:
    """Copy the present configuration for the programs."""
    for name, path in COPIED.items():
        host.write(f"{programs.directory}/{name}", host.read(path) or "", COPY)


def copy_for_trial(host: Host, tried: Programs, address: str) -> None:
    """Copy the present configuration for programs that use the database at another address, as ckan.ini has it."""
    copy(host, tried)
    text = DATABASE_OPTION.sub(lambda found: f"{found[1]}{address}", host.read(CKAN_INI) or "")
    host.write(f"{tried.directory}/ckan.ini", text, COPY)


def put_back(host: Host) -> None:
    """Restore the ckan.ini of the serving programs, after a run that failed to switch to a new one.

    CKAN's commands then read the configuration that the site uses. A ckan.ini that an admin has changed is left alone.
    """
    programs = serving(host)
    proven = None if programs is None else host.read(f"{programs.directory}/ckan.ini")
    now = host.read(CKAN_INI)
    if proven is not None and now not in (None, proven) and managed_file.is_ours(host, CKAN_INI, now or ""):
        managed_file.record(host, CKAN_INI, proven)
        host.write(CKAN_INI, proven, COPY)


def serving(host: Host) -> Programs | None:
    """Return the programs that nginx is pointed at, or None."""
    found = re.search(r"unix:/.*/(.+)\.([0-9a-f]+)\.sock", host.read(upstream.PATH) or "")
    return Programs(found[1], found[2]) if found else None
