"""Examine the health of the server: each part is asked the way its users ask it, not only whether its process runs."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import (
    held_release,
    programs,
    release,
    release_id,
    stored_files,
    strays,
    supervisor,
    switch,
    unit,
    upgrade_backup,
)
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge
from dcor_pkg.kernel.data_directory import missing_data
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.kernel.timers import TIMERS
from dcor_pkg.machine import disk, facts, memory, unix_http
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import loopback
from dcor_pkg.services import engines, external
from dcor_pkg.services.engine import Engine
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.verbs import updates
from dcor_pkg.verbs.fingerprint import fingerprint

#: below which Debian's clusters have their data
POSTGRESQL = "/var/lib/postgresql"
#: whose versions are shown
PACKAGES = ("dcor-server", "python-ckan", "dcor-wheels")
SITE = (unit.UNIT, "nginx.service")


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
    """Return every part, with its problem."""
    active = release.active(host)
    return [
        Part("versions", None, _versions(host)),
        Part("data", missing_data(host, settings.data), settings.data),
        *disks(host, settings),
        Part("memory", None, f"{memory.available(host)} of {memory.total(host)} MiB are available"),
        Part("updates", updates.unfinished(host), updates.summary(host)),
        _release(host, active),
        *(_engine(host, engine) for engine in engines.local(settings)),
        *(_unit(host, unit) for unit in SITE),
        Part("timers", next(filter(None, (_timer_problem(host, unit) for unit in TIMERS)), None)),
        Part("programs", _programs_problem(host)),
        *(_service(host, engine, settings) for engine in engines.ENGINES),
        _asked("stored files", lambda: stored_files.problem(host, settings)),
        Part("search", site_problem(settings, switch.SEARCH)),
        Part("page", site_problem(settings, "/")),
        _certificate(host, settings),
        _trust(host, settings),
    ]


def _release(host: Host, active: str | None) -> Part:
    if active is None:
        return Part("release", "none is active")
    try:
        wanted = release_id.of(facts.read(host))
    except DcorError as error:
        return Part("release", error.reason)
    held = held_release.read(host)
    if held is not None and (held.release, held.instead) == (wanted, active):
        return Part("release", updates.release(host, active, wanted, held.reason))
    return Part("release", None, updates.release(host, active, wanted, last_converge.read(host).reason))


def _service(host: Host, engine: Engine, settings: Settings) -> Part:
    """Ask a service as CKAN does; an external one is shown with its address."""
    endpoint = engines.endpoint(engine, settings)
    if endpoint.local:
        return _asked(engine.key, lambda: engine.health(host, endpoint))
    return _asked(engine.key, lambda: external.problem(host, engine, settings), endpoint.address)


def _asked(name: str, find_problem: Callable[[], str | None], detail: str = "") -> Part:
    """Return a part with its problem; that it hangs, or cannot be asked, is one as well."""
    try:
        return Part(name, find_problem(), detail)
    except DcorError as error:
        return Part(name, error.reason, detail)


def _versions(host: Host) -> str:
    shown = host.run("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *PACKAGES)
    return ", ".join(shown.splitlines())


def disks(host: Host, settings: Settings) -> list[Part]:
    """Return the disks of data and releases, and those of the database and of backups where they are others."""
    shown = [settings.data, release.DIRECTORY]
    for path in (POSTGRESQL, upgrade_backup.DIRECTORY):
        if host.exists(path) and disk.device(host, path) not in [disk.device(host, it) for it in shown]:
            shown.append(path)
    return [_disk(host, path) for path in shown]


def _disk(host: Host, path: str) -> Part:
    """Return the free space; PostgreSQL and the object store stop accepting data when their disk is full."""
    free = disk.free(host, path)
    problem = f"only {free // disk.MIB} MiB are free" if free < disk.GIB else None
    return Part(f"disk of {path}", problem, f"{free // disk.GIB} GiB are free")


def _engine(host: Host, engine: Engine) -> Part:
    """Return the unit that runs an engine: that of PostgreSQL's cluster, not the one that groups all clusters."""
    try:
        return _unit(host, engine.running_unit(host))
    except DcorError as error:
        return Part(engine.unit.removesuffix(".service"), error.reason)


def _unit(host: Host, unit: str) -> Part:
    state = unit_state(host, unit)["ActiveState"]
    return Part(unit.removesuffix(".service"), None if state == "active" else f"is {state}")


def _timer_problem(host: Host, unit: str) -> str | None:
    problem = _unit(host, unit).problem
    return f"{unit} {problem}" if problem else None


def _programs_problem(host: Host) -> str | None:
    states = supervisor.states(host)
    serving = programs.serving(host)
    if serving is None:
        return "no release is active"
    needed = (serving.web, serving.jobs)
    wrong = [f"{name} is {states.get(name, 'unknown')}" for name in needed if states.get(name) != supervisor.RUNNING]
    return ", ".join(wrong) or strays.problem(host)


def site_problem(settings: Settings, target: str) -> str | None:
    """Request a page as a user does: by the host name, with the certificate verified, through nginx."""
    try:
        connection = loopback.Connection(settings.hostname)
        connection.request("GET", target, headers={"Host": settings.hostname})
        answer = connection.getresponse()
        body = _body(answer)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    if answer.status != 200:
        return f"https://{settings.hostname}{target} answers {answer.status}"
    return switch.search_problem(body) if target == switch.SEARCH else None


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Return what was answered. Raises OSError where it does not end: behind nginx is CKAN, with what strangers say."""
    body, deadline = b"", time.monotonic() + loopback.TIMEOUT_SECONDS
    while part := answer.read1(65536):
        body += part
        if len(body) > unix_http.MAX_BYTES or time.monotonic() > deadline:
            raise OSError(f"the answer has {len(body)} bytes and does not end")
    return body


def _certificate(host: Host, settings: Settings) -> Part:
    pair = PAIRS[settings.certificate]
    problem = pair.check(host, settings.hostname)
    if problem is not None:
        return Part("certificate", problem)
    first = x509_properties.load_chain(host.read(pair.certificate) or "")[0]
    return Part("certificate", None, f"{settings.certificate}, until {x509_properties.valid_until(first):%Y-%m-%d}")


def _trust(host: Host, settings: Settings) -> Part:
    """Return what an administrator tells users, who compare it as the page /trust says."""
    try:
        told = fingerprint(host, settings)
    except DcorError as error:
        return Part("trust", error.reason)
    trusted = "publicly trusted, so users have nothing to do"
    return Part("trust", None, f"https://{settings.hostname}/trust, SHA-256 {told}" if told else trusted)
