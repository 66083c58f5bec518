"""Is the server well: each part asked as its users ask it, not whether its process runs."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import programs, release, supervisor, switch
from dcor_pkg.kernel.data_directory import missing_data
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host
from dcor_pkg.services import engines, external
from dcor_pkg.services.engine import Engine
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_bundle import BUNDLE

#: whose versions tell what runs here
PACKAGES = ("dcor-server", "python-ckan", "dcor-wheels")
SITE = ("supervisor.service", "nginx.service")


@dataclass(frozen=True)
class Part:
    """A part of the server; `fault` is None when it is well, and `about` says something of it."""

    name: str
    fault: str | None
    about: str = ""


def examine(host: Host, settings: Settings) -> list[Part]:
    """Return every part, with its problem."""
    units = (*(engine.unit for engine in engines.local(settings)), *SITE)
    active = release.active(host)
    return [
        Part("versions", None, _versions(host)),
        Part("data", missing_data(host, settings.data), settings.data),
        *(_disk(host, path) for path in (settings.data, release.DIRECTORY)),
        Part("release", None if active else "none is active", active or ""),
        *(Part(unit.removesuffix(".service"), _unit_fault(host, unit)) for unit in units),
        Part("programs", _programs_fault(host)),
        *(_service(host, engine, settings) for engine in engines.ENGINES),
        Part("search", _site_fault(settings, switch.SEARCH)),
        Part("page", _site_fault(settings, "/")),
        _certificate(host, settings),
    ]


def _service(host: Host, engine: Engine, settings: Settings) -> Part:
    """Ask a service as CKAN does; an external one is shown with its address."""
    endpoint = engines.endpoint(engine, settings)
    if endpoint.local:
        return Part(engine.key, engine.health(host, endpoint))
    return Part(engine.key, external.problem(host, engine, settings), endpoint.address)


def _versions(host: Host) -> str:
    shown = host.run("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *PACKAGES)
    return ", ".join(shown.splitlines())


def _disk(host: Host, path: str) -> Part:
    """Tell how much room there is; where a disk is full, PostgreSQL and the object store stop taking data."""
    left = disk.free(host, path)
    fault = f"only {left // disk.MIB} MB are free" if left < disk.GIB else None
    return Part(f"disk of {path}", fault, f"{left // disk.GIB} GB are free")


def _unit_fault(host: Host, unit: str) -> str | None:
    state = unit_state(host, unit)["ActiveState"]
    return None if state == "active" else f"is {state}"


def _programs_fault(host: Host) -> str | None:
    states = supervisor.states(host)
    serving = programs.serving(host)
    if serving is None:
        return "no release is active"
    wanted = (serving.web, serving.jobs)
    wrong = [f"{name} is {states.get(name, 'unknown')}" for name in wanted if states.get(name) != supervisor.RUNNING]
    return ", ".join(wrong) or None


def _site_fault(settings: Settings, target: str) -> str | None:
    """Ask the site as a user does: by its name, with its certificate verified, through nginx."""
    try:
        connection = _Loopback(settings.hostname)
        connection.request("GET", target, headers={"Host": settings.hostname})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    if answer.status != 200:
        return f"https://{settings.hostname}{target} answers {answer.status}"
    return switch.search_problem(body) if target == switch.SEARCH else None


class _Loopback(http.client.HTTPSConnection):
    """A connection to this machine, whatever the name service says of the host name."""

    def connect(self) -> None:
        context = ssl.create_default_context(cafile=BUNDLE)
        self.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", 443), timeout=60), server_hostname=self.host
        )


def _certificate(host: Host, settings: Settings) -> Part:
    pair = PAIRS[settings.certificate]
    fault = pair.check(host, settings.hostname)
    if fault is not None:
        return Part("certificate", fault)
    first = x509_properties.load_chain(host.read(pair.certificate) or "")[0]
    return Part("certificate", None, f"{settings.certificate}, until {x509_properties.valid_until(first):%Y-%m-%d}")
