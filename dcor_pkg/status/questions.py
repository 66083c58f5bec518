"""The questions to all parts of the server: each part is asked the way its users ask it, not only whether it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import (
    checkouts,
    held_release,
    programs,
    release,
    release_id,
    stored_files,
    strays,
    supervisor,
    switch,
    unit,
)
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge
from dcor_pkg.kernel.data_directory import missing_data
from dcor_pkg.machine import clock, facts, memory, packages, unix_http
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.nginx import service as nginx
from dcor_pkg.services import engines, external
from dcor_pkg.services.engine import Engine
from dcor_pkg.status import disks, drift, queues, site, units, updates
from dcor_pkg.status.certificates import certificate, trust
from dcor_pkg.status.part import Part

#: a page that CKAN makes without Solr
PAGE_OF_WEB = "/about"
ENGINES = tuple(engine.key for engine in engines.ENGINES)
#: what a web server that does not answer waits for: its services come before it, where they are named
BEHIND_WEB = ("database", "redis", "solr")
#: the parts that others need, by the question; of several with a problem the first is the cause
NEEDS = {
    "web": BEHIND_WEB,
    queues.NAME: ("redis", "database"),
    "stored files": ("database", "object-store"),
    "search": (*BEHIND_WEB, "nginx", "web"),
    "page": (*BEHIND_WEB, "nginx", "web"),
}


@dataclass(frozen=True)
class Question:
    """A question, by the name of the part that is named when there is no answer."""

    name: str
    ask: Callable[[], Part | Sequence[Part]]
    #: whether the server works as well without an answer, which is then said, and is no problem
    is_optional: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """The parts without which it cannot be answered well."""
        return NEEDS.get(self.name, ())


def all_of(host: Host, settings: Settings, compare: drift.Compare | None = None) -> Iterator[Question]:
    """Give all questions, in the order in which they are shown; the steps are asked where it is said how."""
    yield Question("versions", lambda: Part("versions", None, _versions(host)))
    yield Question("data", lambda: Part("data", missing_data(host, settings.data), settings.data))
    for path in disks.places(settings):
        yield Question(f"disk of {path}", partial(disks.part, host, path, disks.largest_upload(settings, path)))
    yield Question("memory", lambda: _memory(host))
    yield Question("clock", _clock)
    yield Question("updates", lambda: Part("updates", updates.unfinished(host), updates.summary(host)))
    yield Question("release", lambda: _release(host, settings, release.active(host)))
    yield Question("converge", lambda: _converge(host))
    if compare is not None:
        yield Question(drift.NAME, partial(drift.part, host, compare), is_optional=True)
    for engine in engines.local(settings):
        yield Question(engine.unit.removesuffix(".service"), partial(units.of_engine, host, engine))
    yield Question("dcor-ckan", partial(units.of, host, unit.UNIT))
    yield Question("timers", partial(units.timers, host))
    yield Question("programs", lambda: Part("programs", _programs_problem(host), group=units.GROUP))
    yield Question("failed units", partial(units.failed, host))
    for engine in engines.ENGINES:
        yield Question(engine.key, partial(_service, host, engine, settings))
    yield Question("stored files", lambda: Part("stored files", stored_files.problem(host, settings)))
    yield Question("nginx", lambda: _nginx(host, settings))
    yield Question("web", lambda: Part("web", _web_problem(host, settings), is_timed=True))
    yield Question(queues.NAME, partial(queues.parts, host))
    yield Question("search", lambda: Part("search", site.problem(settings, switch.SEARCH), is_timed=True))
    yield Question("page", lambda: Part("page", site.problem(settings, "/"), is_timed=True))
    yield Question("certificate", partial(certificate, host, settings))
    yield Question("trust", partial(trust, host, settings))


def _release(host: Host, settings: Settings, active: str | None) -> Part:
    if active is None:
        return Part("release", "none is active")
    wanted = release_id.of(facts.read(host), checkouts.paths(settings))
    held = held_release.read(host)
    if held is not None and (held.release, held.instead) == (wanted, active):
        return Part("release", updates.release(host, active, wanted, held.reason))
    return Part("release", None, updates.release(host, active, wanted, last_converge.read(host).reason))


def _converge(host: Host) -> Part:
    """Return when the last converge ended; that it failed is shown with its hint, after the parts."""
    last = last_converge.read(host)
    numbers = {"converge_timestamp_seconds": last.when, "converge_success": float(not last.reason)}
    return Part("converge", None, f"{'failed' if last.reason else 'last'} {updates.moment(last.when)}", numbers=numbers)


def _service(host: Host, engine: Engine, settings: Settings) -> Part:
    """Ask a service as CKAN does, then for all that CKAN needs of it; an external one is shown with its address."""
    endpoint = engines.endpoint(engine, settings)
    place = "" if endpoint.local else endpoint.address
    try:
        asked = engine.health(host, endpoint) if endpoint.local else external.problem(host, engine, settings)
        if asked is not None:
            return Part(engine.key, asked, place)
        found = engine.examine(host, endpoint)
    except DcorError as error:
        return Part(engine.key, error.reason, place)
    return Part(engine.key, None, place or found.detail, warning=found.warning, is_timed=True)


def _versions(host: Host) -> str:
    shown = host.run("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *packages.TOGETHER)
    return ", ".join(shown.splitlines())


def _memory(host: Host) -> Part:
    available, total = memory.available(host), memory.total(host)
    return Part(
        "memory", None, f"{available} of {total} MiB are available", numbers={"memory_available_mib": available}
    )


def _clock() -> Part:
    if not clock.is_possible():
        return Part("clock", clock.WRONG)
    is_synchronized = clock.is_synchronized()
    detail = "is synchronized" if is_synchronized else "cannot be asked here"
    return Part("clock", None, detail, "is not synchronized with others" if is_synchronized is False else "")


def _programs_problem(host: Host) -> str | None:
    states = supervisor.states(host)
    serving = programs.serving(host)
    if serving is None:
        return "no release is active"
    needed = (serving.web, serving.jobs)
    wrong = [f"{name} is {states.get(name, 'unknown')}" for name in needed if states.get(name) != supervisor.RUNNING]
    return ", ".join(wrong) or strays.problem(host)


def _nginx(host: Host, settings: Settings) -> Part:
    """Return the unit, and whether what it runs answers."""
    found = units.of(host, nginx.UNIT)
    return Part(found.name, found.problem or site.nginx_problem(settings), is_timed=True)


def _web_problem(host: Host, settings: Settings) -> str | None:
    """Ask the web server of the release itself, without nginx in between."""
    serving = programs.serving(host)
    if serving is None:
        return "no release is active"
    answer = unix_http.get(str(host.path(serving.probe)), PAGE_OF_WEB, settings.hostname, user=CKAN_USER)
    if answer.status == 200:
        return None
    return f"answers {PAGE_OF_WEB} with status {answer.status} ({answer.body.strip()[:100]})"
