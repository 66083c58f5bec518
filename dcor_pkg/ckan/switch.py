"""Go over to other programs: start them beside the old ones, prove them, point nginx at them, end the old ones."""

from __future__ import annotations

import json
import time

from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.ckan import release, supervisor
from dcor_pkg.ckan.programs import CONFIGURATIONS, FILES, Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import upstream
from dcor_pkg.nginx import workers as nginx_workers

#: seconds in which a release has to answer; CKAN takes 3 to 5 to load, on a busy machine more
PATIENCE = 120.0
#: how often it may end by itself and be started anew until then
ATTEMPTS = 2
HINT = "What served before goes on. CKAN's own words are in /var/log/ckan/web.log; options of yours in /etc/dcor-server/ckan.d."
#: What a release has to show before anybody is sent to it. status_show answers 200 with Solr down: no proof.
SEARCH = "/api/3/action/package_search?rows=1"
PAGES = ("/", "/dataset/", "/about", "/user/login")


def switch_to(host: Host, programs: Programs, hostname: str) -> None:
    """Switch to programs whose supervisor file is written."""
    before = ckan_log.size(host)
    supervisor.update(host)
    supervisor.start(host, programs.web)
    try:
        prove(host, programs, hostname)
    except DcorError as error:
        raise DcorError(f"{error.reason} {ckan_log.last_exception(host, before)}".strip(), HINT) from None
    workers = nginx_workers.current(host)
    host.write(upstream.PATH, programs.upstream, Access(0o644))
    if workers:
        host.run("systemctl", "reload", "nginx.service")
    host.link(release.CURRENT, f"releases/{programs.release}")
    supervisor.start(host, programs.jobs)
    nginx_workers.await_end(host, workers)
    for program in others(host, programs):
        supervisor.stop(host, program)


def others(host: Host, programs: Programs) -> list[str]:
    """Return all programs but these: job workers first, so that none of two kinds takes a job for long."""
    return sorted(program for program in supervisor.states(host) if program not in (programs.web, programs.jobs))


def forget_others(host: Host, programs: Programs) -> None:
    """Remove all programs but these; what still runs of them is stopped."""
    for name in host.names(FILES):
        if name.startswith("dcor-") and name != f"dcor-{programs.id}.conf":
            managed_file.remove(host, f"{FILES}/{name}")
    supervisor.update(host)
    for name in host.names(CONFIGURATIONS):
        if name != programs.id:
            host.remove_tree(f"{CONFIGURATIONS}/{name}")


def prove(host: Host, programs: Programs, hostname: str) -> None:
    """Wait until a release's search and pages are right. Raises DcorError with what is wrong."""
    deadline = time.monotonic() + PATIENCE
    processes = set()
    while (fault := search_fault(host, programs, hostname)) is not None:
        processes.add(supervisor.process(host, programs.web))
        ended = len(processes - {0}) > ATTEMPTS
        if ended or time.monotonic() > deadline:
            why = "it ends while it starts" if ended else fault
            raise DcorError(f"The release {programs.release} does not answer with this configuration: {why}.")
        time.sleep(0.1)
    for page in PAGES:
        answer = _ask(host, programs, page, hostname)
        if answer.status != 200:
            raise DcorError(f"The release {programs.release} answers {page} with {answer.status}.")


def search_fault(host: Host, programs: Programs, hostname: str) -> str | None:
    """Return what is wrong with a search in a release: it needs the database, Redis and Solr."""
    answer = _ask(host, programs, SEARCH, hostname)
    if answer.status != 200:
        return f"package_search answers {answer.status} ({answer.body.strip()[:100]})"
    return answer_fault(answer.body)


def answer_fault(body: str | bytes) -> str | None:
    """Return what is wrong with a search that was answered with 200."""
    return None if json.loads(body).get("success") is True else "package_search does not succeed"


def _ask(host: Host, programs: Programs, target: str, hostname: str) -> unix_http.Answer:
    return unix_http.get(str(host.path(programs.probe)), target, hostname)
