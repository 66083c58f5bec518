"""Examine the health of the server: each part is asked the way its users ask it, not only whether its process runs."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import programs, release, supervisor, switch
from dcor_pkg.kernel.data_directory import missing_data
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.machine import disk, unix_http
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoint as services
from dcor_pkg.services import engines, external
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.postgresql import psql
from dcor_pkg.tls import certificate

#: whose versions are shown
PACKAGES = ("dcor-server", "python-ckan", "dcor-wheels")
#: for a page or a search: CKAN may have to load first
TIMEOUT_SECONDS = 60.0
SITE = ("supervisor.service", "nginx.service")


@dataclass(frozen=True)
class Part:
    """A part of the server: `problem` is None when it is healthy, and `detail` is shown then."""

    name: str
    problem: str | None
    detail: str = ""

    def __str__(self) -> str:
        """Return one line of the status; it begins with "!" where there is a problem."""
        return f"{'!' if self.problem else ' '} {self.name:38} {self.problem or self.detail or 'ok'}"


def examine(host: Host, settings: Settings) -> list[Part]:
    """Return every part with its problem, if it has one."""
    used = services.of(settings)
    units = (*(("postgresql.service",) if used.database.local else ()), *engines.needed(used), *SITE)
    parts: list[Part] = [
        Part("versions", None, _versions(host)),
        Part("data", missing_data(host, settings.data), settings.data),
        *(_disk(host, path) for path in (settings.data, release.DIRECTORY)),
        Part("release", None if release.active(host) else "none is active", release.active(host) or ""),
        *(Part(unit.removesuffix(".service"), _unit_problem(host, unit)) for unit in units),
        Part("programs", _programs_problem(host)),
        *(Part(it.key, external.fault(host, it), it.address) for it in used.external),
    ]
    checks: dict[str, Callable[[], str | None]] = {
        **({"database": lambda: psql.fault(host, used.database)} if used.database.local else {}),
        **({"objects": lambda: _store_problem(host)} if used.object_store.local else {}),
        "search": lambda: _site_problem(settings, switch.SEARCH),
        "page": lambda: _site_problem(settings, "/"),
    }
    return [*parts, *(Part(name, check()) for name, check in checks.items()), _certificate(host, settings)]


def _versions(host: Host) -> str:
    shown = host.run("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *PACKAGES)
    return ", ".join(shown.splitlines())


def _disk(host: Host, path: str) -> Part:
    """Return the free space; PostgreSQL and the object store stop accepting data when their disk is full."""
    free = disk.free(host, path)
    problem = f"only {free // disk.MIB} MiB are free" if free < disk.GIB else None
    return Part(f"disk of {path}", problem, f"{free // disk.GIB} GiB are free")


def _unit_problem(host: Host, unit: str) -> str | None:
    state = unit_state(host, unit)["ActiveState"]
    return None if state == "active" else f"is {state}"


def _programs_problem(host: Host) -> str | None:
    states = supervisor.states(host)
    serving = programs.serving(host)
    if serving is None:
        return "no release is active"
    needed = (serving.web, serving.jobs)
    wrong = [f"{name} is {states.get(name, 'unknown')}" for name in needed if states.get(name) != supervisor.RUNNING]
    return ", ".join(wrong) or None


def _store_problem(host: Host) -> str | None:
    """Send a request without credentials: an object store that is up and protected denies it (403)."""
    answer = unix_http.get(str(host.path(object_store.S3)), "/", "localhost")
    return None if answer.status == 403 else f"answers {answer.status} instead of 403 ({answer.body[:60]})"


def _site_problem(settings: Settings, target: str) -> str | None:
    """Request a page as a user does: by the host name, with the certificate verified, through nginx."""
    try:
        connection = LoopbackConnection(settings.hostname)
        connection.request("GET", target, headers={"Host": settings.hostname})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    if answer.status != 200:
        return f"https://{settings.hostname}{target} answers {answer.status}"
    return switch.answer_fault(body) if target == switch.SEARCH else None


class LoopbackConnection(http.client.HTTPSConnection):
    """A connection to this machine, whatever address the host name resolves to."""

    def connect(self) -> None:
        """Connect over TLS and verify the certificate for the host name."""
        context = ssl.create_default_context(cafile=certificate.BUNDLE)
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        self.sock = context.wrap_socket(connection, server_hostname=self.host)


def _certificate(host: Host, settings: Settings) -> Part:
    pair = certificate.PAIRS[settings.certificate]
    problem = certificate.fault(host, pair, settings.hostname)
    if problem is not None:
        return Part("certificate", problem)
    first = certificate.load_chain(host.read(pair.certificate) or "")[0]
    return Part("certificate", None, f"{settings.certificate}, until {certificate.end(first):%Y-%m-%d}")
