"""A fake machine for unit tests: all programs that dcor-server runs, with a state, over the files of a directory.

The fixture `machine` gives one on which the packages are installed and nothing is set up; `machine.host` is its Host.
Each program has a handler in the table `machine.programs`; a program or call that has none is an AssertionError that
names it, also where the code under test has caught it. A test reads and changes the state of `machine.systemd`,
`.postgresql`, `.supervisor`, `.debian_supervisor`, `.nginx`, `.ckan`, `.object_store` and `.packages`, looks at
`machine.calls`, and adds or replaces handlers:

    machine.programs["sh"] = lambda call: ""
    machine.fail("systemctl", "reload", words="no")    # each call that begins so fails
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from dcor_pkg.ckan import former_supervisor, release, search_index, supervisor, unit
from dcor_pkg.kernel import log_directories
from dcor_pkg.kernel.timers import TIMERS
from dcor_pkg.machine import clock, disk, http_request, output_file, unix_http
from dcor_pkg.machine.facts import REQUIREMENTS
from dcor_pkg.machine.followed_file import Report
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.packages import OS_RELEASE
from dcor_pkg.machine.paths import AUTHORITIES, CKAN_USER, PACKAGED_CKAN, PROGRAMS
from dcor_pkg.nginx import loopback
from dcor_pkg.services import answering, engines
from dcor_pkg.services.redis import debian_instance as debian_redis
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr import local as solr
from dcor_pkg.status import health
from tests.unit.fake_programs import faults, postgresql
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.certbot import Certbot
from tests.unit.fake_programs.ckan import MAGIC, Ckan
from tests.unit.fake_programs.files import Files
from tests.unit.fake_programs.nginx import Nginx
from tests.unit.fake_programs.object_store import ObjectStore
from tests.unit.fake_programs.packages import Packages
from tests.unit.fake_programs.postgresql import Postgresql
from tests.unit.fake_programs.site import Site
from tests.unit.fake_programs.supervisor import Supervisor
from tests.unit.fake_programs.systemd import Systemd

PUBLIC, PROGRAM = Access(0o644), Access(0o755)
UNITS = (
    *(engine.unit for engine in engines.ENGINES),
    solr.SOCKET,
    *(postgresql.UNIT, unit.UNIT, former_supervisor.UNIT, "nginx.service", debian_redis.UNIT),
    *(*TIMERS, "dcor-converge.service", "dcor-retry.service", "dcor-nightly.service", "dcor-watch.service"),
    "dcor-metrics.service",
)
#: units that the installation of their packages starts, and that start at boot
STARTED = (postgresql.UNIT, "postgresql.service", former_supervisor.UNIT, debian_redis.UNIT, "nginx.service")
#: Debian's example of a site, which is enabled at first
EXAMPLE = "/etc/nginx/sites-available/default"
SITE_PACKAGES = f"{PACKAGED_CKAN}/lib/python3.11/site-packages"
#: what the packages bring
FILES = {
    REQUIREMENTS: "dcor-shared==1.0.4 --hash=sha256:0000\n",
    "/usr/share/dcor-wheels/bytecode.magic": MAGIC,
    AUTHORITIES: "-----BEGIN CERTIFICATE-----\n",
    EXAMPLE: "server { listen 80 default_server; }\n",
    f"{SITE_PACKAGES}/ckan/config/solr/schema.xml": f'<schema name="ckan-2.11">\n    {solr.VERSION_FIELD}\n</schema>\n',
    **{f"{SITE_PACKAGES}/{file}": text for file, text in faults.OF_CKAN.items()},
    f"{SITE_PACKAGES}/ckan/i18n/en_US/LC_MESSAGES/ckan.po": "",
    f"{PACKAGED_CKAN}/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.2\n",
    f"{PACKAGED_CKAN}/bin/activate": f"VIRTUAL_ENV={PACKAGED_CKAN}\n",
    OS_RELEASE: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n',
    "/proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n",
    "/proc/meminfo": "MemTotal:        4194304 kB\nMemAvailable:    2097152 kB\n",
    "/proc/net/if_inet6": "",
    "/var/log/ckan/web.log": "",
    **{f"{cores.index(core)}/segments_1": "" for core in cores.CORES[:1]},
    unit.FILE: "[Service]\n",
    unit.SUPERVISORD: "[supervisord]\n",
    log_directories.FILE: (Path(__file__).parents[2] / "debian/dcor-server.tmpfiles").read_text(encoding="utf-8"),
    debian_redis.AUTOMATIC: "Package: redis-server\nArchitecture: amd64\nAuto-Installed: 1\n\n",
}


class Machine:
    """The programs of one machine, and its Host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        _install_files(host)
        self.systemd = Systemd(host, *UNITS)
        self.postgresql = Postgresql(host, self.systemd)
        self.supervisor = Supervisor(host, self.systemd, unit.UNIT, PROGRAMS, supervisor.SOCKET, CKAN_USER)
        self.debian_supervisor = Supervisor(
            *(host, self.systemd, former_supervisor.UNIT),
            *(former_supervisor.PROGRAMS, former_supervisor.SOCKET, "root"),
        )
        self.nginx = Nginx(host)
        self.site = Site(self.systemd, self.supervisor)
        self.packages = Packages(host)
        self.files = Files(host)
        self.object_store = ObjectStore(self.systemd)
        self.certbot = Certbot(host)
        self.ckan = Ckan(host, self.systemd, self.postgresql, self.supervisor)
        of_debian = (self.systemd, self.postgresql, self.nginx, self.packages, self.certbot)
        parts = (*of_debian, self.files, self.ckan, self.object_store)
        #: handlers by the names of programs; "RELEASE/bin/NAME" is a program of whichever release
        self.programs: dict[str, Handler] = {name: run for part in parts for name, run in part.programs().items()}
        #: what was run, in order
        self.calls: list[Call] = []
        #: calls that no handler knew
        self.unknown: list[str] = []
        self.failures: dict[tuple[str, ...], tuple[int, str]] = {}
        #: programs that listen on a port, as psutil lists them
        self.connections: list[Any] = []
        #: free bytes on each disk
        self.free = 100 * disk.GIB
        self._start()

    def run(
        self,
        *argv: str,
        text: str = "",
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        directory: str = "/",
        timeout: float = 600,
    ) -> str:
        """Stand for Host.run. Raises AssertionError for what no handler knows."""
        call = Call(argv, text, user, environment or {})
        self.calls.append(call)
        for beginning, (code, words) in self.failures.items():
            if argv[: len(beginning)] == beginning:
                raise call.failure(code, words)
        try:
            return self._handler(call)(call)
        except AssertionError as error:
            self.unknown.append(str(error))
            raise

    @contextlib.contextmanager
    def started(
        self, *argv: str, user: str | None = None, environment: Mapping[str, str] | None = None
    ) -> Iterator[WaitingProgram]:
        """Stand for Host.started: the program does all of its work when it gets its input."""
        yield WaitingProgram(self, Call(argv, "", user, environment or {}))

    def run_into(
        self, host: Host, path: str, *argv: str, user: str | None, timeout: float, report: Report | None = None
    ) -> None:
        """Stand for output_file.run_into."""
        host.write(path, text := self.run(*argv, user=user, timeout=timeout), Access(0o600))
        if report is not None:
            for line in text.splitlines():
                report(line)

    def rpc(self, path: str, user: str, method: str, *arguments: Any) -> Any:
        """Stand for unix_http.rpc."""
        servers = {(str(self.host.path(it.socket)), it.user): it for it in (self.supervisor, self.debian_supervisor)}
        return servers[path, user].rpc(method, *arguments)

    def fail(self, *beginning: str, words: str = "", code: int = 1) -> None:
        """Make each call whose arguments begin so end with an exit code and these words."""
        self.failures[beginning] = (code, words)

    def ran(self, *beginning: str) -> list[tuple[str, ...]]:
        """Return the calls that began so, in order."""
        return [call.argv for call in self.calls if call.argv[: len(beginning)] == beginning]

    def state(self) -> object:
        """Return a copy of the state of all programs, for a comparison."""
        return deepcopy(
            [
                self.systemd.units,
                *(self.postgresql.roles, self.postgresql.databases, self.postgresql.updates),
                self.postgresql.comments,
                *(self.supervisor.loaded, self.debian_supervisor.loaded, self.nginx.reloads, self.packages.diversions),
                *(self.ckan.indexes, self.ckan.loaded, self.ckan.commands, self.object_store.buckets),
            ]
        )

    def _handler(self, call: Call) -> Handler:
        program = call.argv[0]
        if program.startswith(f"{release.DIRECTORY}/"):
            program = f"RELEASE/{program.removeprefix(release.DIRECTORY).split('/', 2)[2]}"
        if program not in self.programs:
            raise call.unknown()
        return self.programs[program]

    def _start(self) -> None:
        """Start what the installation of the packages starts, and tie the programs together."""
        for started in STARTED:
            self.systemd.units[started].active, self.systemd.units[started].file = "active", "enabled"
        self.nginx.start()
        self.debian_supervisor.restart()
        for verb in ("start", "restart"):
            self.systemd.hooks[f"{verb} {solr.UNIT}"] = self.ckan.load_cores
            self.systemd.hooks[f"{verb} nginx.service"] = self.nginx.reload
            self.systemd.hooks[f"{verb} {unit.UNIT}"] = self.supervisor.restart
            self.systemd.hooks[f"{verb} {former_supervisor.UNIT}"] = self.debian_supervisor.restart
        for verb in ("stop", "disable"):
            self.systemd.hooks[f"{verb} {unit.UNIT}"] = self.supervisor.end
        self.systemd.hooks["stop nginx.service"] = self.nginx.stop
        self.systemd.hooks["reload nginx.service"] = self.nginx.reload
        self.systemd.hooks["reload-or-restart nginx.service"] = self.nginx.reload


@dataclass(frozen=True)
class WaitingProgram:
    """Stands for process.Program."""

    machine: Machine
    call: Call

    def await_output(self, words: str, timeout: float) -> None:
        """Wait for words; the fault of that name is what the program ends with instead."""
        if words in self.machine.ckan.fault:
            raise self.call.failure(1, self.machine.ckan.fault[words])

    def finish(self, text: str, timeout: float) -> str:
        """Run the program with this input."""
        return self.machine.run(*self.call.argv, text=text, user=self.call.user, environment=self.call.environment)


def _install_files(host: Host) -> None:
    """Write what the packages bring."""
    for path in ("/run", "/var/log", "/etc/systemd/system", "/etc/supervisor/conf.d", "/etc/nginx/sites-enabled"):
        host.make_directory(path, PROGRAM)
    for path, text in FILES.items():
        host.write(path, text, PUBLIC)
    for name in ("ckan", "pip", "pip3"):
        host.write(f"{PACKAGED_CKAN}/bin/{name}", f"#!{PACKAGED_CKAN}/bin/python\n", PROGRAM)
    host.write("/usr/bin/python3.11", "", PROGRAM)
    host.write(postgresql.START, "auto\n", Access(0o644, "postgres", "postgres"))
    host.link(f"{PACKAGED_CKAN}/bin/python3", "../../../../bin/python3")
    host.link(f"{PACKAGED_CKAN}/bin/python", "python3")
    host.link("/etc/nginx/sites-enabled/default", EXAMPLE)


def install(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code under test reach this machine, and no other one."""
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: machine.run(*argv, **options))
    monkeypatch.setattr(Host, "started", lambda _, *argv, **options: machine.started(*argv, **options))
    monkeypatch.setattr(output_file, "run_into", machine.run_into)
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(answering, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(search_index, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(unix_http, "rpc", machine.rpc)
    monkeypatch.setattr(unix_http, "get", machine.ckan.get)
    monkeypatch.setattr(unix_http, "post", machine.ckan.post)
    monkeypatch.setattr(http_request, "ask", machine.ckan.ask)
    monkeypatch.setattr(loopback, "Connection", machine.site.connection)
    monkeypatch.setattr(clock, "is_synchronized", lambda: True)
    monkeypatch.setattr(health, "SECONDS", 600.0)  # a busy computer is slow, and nothing hangs here
    monkeypatch.setattr(psutil, "net_connections", lambda _: machine.connections)
    usage = shutil.disk_usage("/")._replace(free=machine.free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=machine.free))
