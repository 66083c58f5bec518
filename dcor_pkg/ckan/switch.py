"""Switch to other programs: start them while the old ones serve, prove them, point nginx at them, stop the old ones."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.ckan import past_releases, supervisor
from dcor_pkg.ckan.programs import CONFIGURATIONS, COPY, Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER, CURRENT, PROGRAMS
from dcor_pkg.nginx import upstream
from dcor_pkg.nginx import workers as nginx_workers

#: how long a release may take until it answers; CKAN takes 3 to 5 s to load, on a busy machine more
TIMEOUT_SECONDS = 120.0
#: how often its web server may end by itself, and be restarted by supervisor, in that time
MAX_RESTARTS = 2
HINT = (
    "The server goes on as before. CKAN's messages are in "
    f"{ckan_log.LOG}; your own options for CKAN are in /etc/dcor-server/ckan.d."
)
#: called when nginx passes requests to the new programs
Turned = Callable[[], object]
#: What a release has to answer before it serves. (status_show would prove nothing: it answers 200 without Solr.)
SEARCH = "/api/3/action/package_search?rows=1"
PAGES = ("/", "/dataset/", "/about", "/user/login")


def switch_to(host: Host, programs: Programs, hostname: str, turned: Turned = lambda: None) -> None:
    """Switch to programs whose supervisor file is written. Raises DcorError if they do not answer as they should.

    `turned` is called when nginx passes requests to them.
    """
    start(host, programs, hostname)
    workers = turn(host, programs)
    turned()
    supervisor.start(host, programs.jobs)
    nginx_workers.await_end(host, workers)
    for program in others(host, programs):
        supervisor.stop(host, program)


def start(host: Host, programs: Programs, hostname: str) -> None:
    """Start the web server, or let one that is held use its database, and wait until it answers as it should.

    Raises DcorError with what CKAN says.
    """
    with _explained_by_log(host):
        host.remove(programs.hold)
        supervisor.update(host)
        supervisor.start(host, programs.web)
        prove(host, programs, hostname)


def load(host: Host, programs: Collection[Programs]) -> None:
    """Start web servers whose supervisor files are written, up to their first connection to a database.

    Raises DcorError with what CKAN says.
    """
    with _explained_by_log(host):
        for it in programs:
            supervisor.stop(host, it.web)  # of a try that the power has cut off
            host.remove(it.held, CKAN_USER)
            host.write(it.hold, it.held, COPY)
        supervisor.update(host)
        for it in programs:
            supervisor.start(host, it.web)
        for it in programs:
            _await(host, it, partial(_loading, host, it))


def _loading(host: Host, programs: Programs) -> str | None:
    return None if host.exists(programs.held) else "it is not loaded"


@contextlib.contextmanager
def _explained_by_log(host: Host) -> Iterator[None]:
    """Raise a failure with the last exception that CKAN has written meanwhile."""
    before = ckan_log.size(host)
    try:
        yield
    except DcorError as error:
        raise DcorError(f"{error.reason} {ckan_log.last_exception(host, before)}".strip(), HINT) from None


def turn(host: Host, programs: Programs) -> list[str]:
    """Let nginx pass requests to programs, and return its workers that may still work on former requests."""
    workers = nginx_workers.current(host)
    host.write(upstream.PATH, programs.upstream, Access(0o644))
    if workers:
        host.run("systemctl", "reload", "nginx.service")
    host.link(CURRENT, f"releases/{programs.release}")
    nginx_workers.await_new(host, workers)
    return workers


def others(host: Host, programs: Programs) -> list[str]:
    """Return all other programs, job workers first: old and new ones should not share the queues for long."""
    return sorted(program for program in supervisor.states(host) if program not in (programs.web, programs.jobs))


def forget_others(host: Host, programs: Programs) -> None:
    """Remove the files of all other programs; those that still run are stopped. Raises DcorError.

    The configurations of releases to which there is a way back are kept.
    """
    kept = {programs.id, *(it.programs.id for it in past_releases.read(host))}
    for name in host.names(PROGRAMS):
        # but not the new version beside a file that an admin has changed
        if name.startswith("dcor-") and not name.startswith(f"dcor-{programs.id}.conf"):
            managed_file.remove(host, f"{PROGRAMS}/{name}")
    supervisor.update(host)
    for name in host.names(CONFIGURATIONS):
        if name not in kept:
            host.remove_tree(f"{CONFIGURATIONS}/{name}")


def prove(host: Host, programs: Programs, hostname: str) -> None:
    """Wait until a search in a release works, then request its pages. Raises DcorError with what is wrong."""
    _await(host, programs, partial(probe_search, host, programs, hostname))
    found = _page_problem(host, programs, hostname, PAGES)
    if found is not None:
        raise DcorError(f"The release {programs.release} {found}.")


def problem(host: Host, programs: Programs, hostname: str, others: Iterable[str]) -> str | None:
    """Return what is wrong now with a search, one of PAGES, or other pages, which guests may be refused; or None."""
    return (
        probe_search(host, programs, hostname)
        or _page_problem(host, programs, hostname, PAGES)
        or _page_problem(host, programs, hostname, others, range(200, 500))
    )


def _page_problem(
    host: Host, programs: Programs, hostname: str, pages: Iterable[str], accepted: Sequence[int] = (200,)
) -> str | None:
    for page in pages:
        answer = _get(host, programs, page, hostname)
        if answer.status not in accepted:
            return f"answers {page} with status {answer.status}"
    return None


def prove_write(host: Host, programs: Programs, hostname: str, token: str) -> None:
    """Let a release write a row and remove it again, as a sysadmin with this token. Raises DcorError.

    A vocabulary is in the database alone, neither in Solr nor in the object store.
    """
    values = {"name": "dcor-server-trial", "tags": []}
    try:
        made = _post(host, programs, hostname, token, "vocabulary_create", values)
    except DcorError:
        with contextlib.suppress(DcorError):  # one that was cut off has left it
            _post(host, programs, hostname, token, "vocabulary_delete", {"id": values["name"]})
        made = _post(host, programs, hostname, token, "vocabulary_create", values)
    _post(host, programs, hostname, token, "vocabulary_delete", {"id": made["id"]})


def _post(
    host: Host, programs: Programs, hostname: str, token: str, action: str, values: Mapping[str, object]
) -> dict[str, Any]:
    """Return the result of an action of the API. Raises DcorError where it does not succeed."""
    socket, target = str(host.path(programs.probe)), f"/api/3/action/{action}"
    answer = unix_http.post(socket, target, hostname, token, json.dumps(values), user=CKAN_USER)
    with contextlib.suppress(ValueError, AttributeError):
        found = json.loads(answer.body)
        if answer.status == 200 and found.get("success") is True:
            return found.get("result") or {}
    problem = f"answers {action} with status {answer.status} ({answer.body.strip()[:100]})"
    raise DcorError(f"The release {programs.release} {problem}.")


def _await(host: Host, programs: Programs, find_problem: Callable[[], str | None]) -> None:
    """Wait until a web server has no problem any more, but no longer than it has a chance. Raises DcorError."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    processes = set()
    while (problem := find_problem()) is not None:
        processes.add(supervisor.process(host, programs.web))
        ended = len(processes - {0}) > MAX_RESTARTS
        if ended or time.monotonic() > deadline:
            why = "its web server ends while it starts" if ended else problem
            raise DcorError(f"The release {programs.release} does not answer with this configuration: {why}.")
        time.sleep(0.1)


def probe_search(host: Host, programs: Programs, hostname: str) -> str | None:
    """Return what is wrong with a search in a release, or None. A search needs the database, Redis and Solr."""
    answer = _get(host, programs, SEARCH, hostname)
    if answer.status != 200:
        return f"package_search answers with status {answer.status} ({answer.body.strip()[:100]})"
    return search_problem(answer.body)


def search_problem(body: str | bytes) -> str | None:
    """Return what is wrong with a search that was answered with status 200, or None."""
    try:
        succeeds = json.loads(body).get("success") is True
    except ValueError:
        return "package_search does not answer in JSON"
    return None if succeeds else "package_search does not succeed"


def answers(host: Host, programs: Programs, hostname: str) -> bool:
    """Return whether the web server of a release answers at all, within the time that its start may take."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (answer := _get(host, programs, SEARCH, hostname)).status == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer.status != 0


def _get(host: Host, programs: Programs, target: str, hostname: str) -> unix_http.Answer:
    return unix_http.get(str(host.path(programs.probe)), target, hostname, user=CKAN_USER)
