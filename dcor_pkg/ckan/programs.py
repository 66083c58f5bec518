"""The programs of a release: a web server and its job workers, with the configuration that they have read.

Both are part of their names and sockets. So another release, and another configuration as well, starts beside the one
that serves and is proven before anybody is sent to it; whatever cannot be loaded leaves the old one in its place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcor_pkg.ckan import release
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import upstream

SOCKETS = "/run/dcor-server/web"
FILES = "/etc/supervisor/conf.d"
UWSGI_INI = "/etc/dcor-server/uwsgi.ini"
#: what programs of each configuration read: copies, so that they start as they were proven, whatever is in the files now
CONFIGURATIONS = "/var/lib/dcor-server/configurations"
COPIED = {"ckan.ini": release.CKAN_INI, "uwsgi.ini": UWSGI_INI}
COPY = Access(0o640, "root", release.USER)


@dataclass(frozen=True)
class Programs:
    """The programs of one release with one configuration."""

    release: str
    #: digits of the hash of what they read when they start
    configuration: str

    @property
    def id(self) -> str:
        """What they are told apart by."""
        return f"{self.release}.{self.configuration}"

    @property
    def web(self) -> str:
        """The name of the web server, as supervisor knows it."""
        return f"dcor-web-{self.id}"

    @property
    def jobs(self) -> str:
        """The name of the job workers."""
        return f"dcor-jobs-{self.id}"

    @property
    def probe(self) -> str:
        """The socket on which the web server is asked before nginx is pointed at it."""
        return f"{SOCKETS}/{self.id}.probe.sock"

    @property
    def upstream(self) -> str:
        """nginx's upstream block that leads to the web server."""
        return upstream.block(f"{SOCKETS}/{self.id}.sock")

    @property
    def directory(self) -> str:
        """Where the copies lie that they read."""
        return f"{CONFIGURATIONS}/{self.id}"

    def file(self, data: str) -> ManagedFile:
        """Return supervisor's file of them, for a server whose data lie in `data`."""
        values = {"programs": self, "home": release.directory(self.release), "data": data}
        return ManagedFile(f"{FILES}/dcor-{self.id}.conf", "ckan/templates/programs.conf", values)


def wanted(host: Host, identity: str, reads: Iterable[str]) -> Programs:
    """Return the programs of a release that have read these files and directories as they are now."""
    digest = hashlib.sha256()
    for path in reads:
        for file in [f"{path}/{name}" for name in host.names(path)] if host.path(path).is_dir() else [path]:
            text = host.read(file) or ""
            digest.update(f"{file}\0{text}\0".encode("utf-8", "surrogateescape"))
    return Programs(identity, digest.hexdigest()[:8])


def have_copies(host: Host, programs: Programs) -> bool:
    """Tell whether the programs have what they read when they start."""
    return all(host.read(f"{programs.directory}/{name}") == host.read(path) for name, path in COPIED.items())


def copy(host: Host, programs: Programs) -> None:
    """Give programs the configuration of now."""
    for name, path in COPIED.items():
        host.write(f"{programs.directory}/{name}", host.read(path) or "", COPY)


def put_back(host: Host) -> None:
    """Let CKAN's commands read what the serving programs read, after a run that has not led to others.

    What an admin has changed by hand is left alone.
    """
    programs = serving(host)
    proven = None if programs is None else host.read(f"{programs.directory}/ckan.ini")
    now = host.read(release.CKAN_INI)
    if proven is not None and now not in (None, proven) and managed_file.is_ours(host, release.CKAN_INI, now or ""):
        managed_file.record(host, release.CKAN_INI, proven)
        host.write(release.CKAN_INI, proven, COPY)


def serving(host: Host) -> Programs | None:
    """Return the programs that nginx points at."""
    found = re.search(rf"{SOCKETS}/(.+)\.([0-9a-f]+)\.sock", host.read(upstream.PATH) or "")
    return Programs(found[1], found[2]) if found else None
