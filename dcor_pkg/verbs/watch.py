"""`dcor-server watch`: watch a release that has taken the place of another one, and go back where its health is lost.

systemd runs it for ten minutes after a switch (dcor-watch.service), also after a boot.
"""

from __future__ import annotations

import argparse
import json
import time

from dcor_pkg import converge
from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import deep_health, programs, switch, unit, watch_state
from dcor_pkg.ckan.watch_state import Watch
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services import endpoints, engines, external
from dcor_pkg.services.postgresql import psql
from dcor_pkg.status import disks, site
from dcor_pkg.verbs.converge import WAIT_SECONDS
from dcor_pkg.verbs.release import going_back
from dcor_pkg.verbs.run_report import progress_of
from dcor_pkg.verbs.verb import DRIFT, OK, Console, Verb

INTERVAL_SECONDS = 15.0
#: losses in a row after which the server goes back
LOSSES = 3
#: in each minute, and after a loss, the release also writes, stores an object and does jobs: that loads CKAN once more
DEEP = 4
#: that many times more requests fail than before, and at least this share
WORSE, MIN_SHARE = 5.0, 0.2
#: the dataset that was changed last, of those that everybody may see
DATASET = (
    "SELECT name FROM package WHERE type = 'dataset' AND state = 'active' AND NOT private "
    "ORDER BY metadata_modified DESC LIMIT 1"
)


class Over(DcorError):
    """While the watch waited for another command, the reason to go back has gone."""


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Watch until the deadline; 3 where the server went back, or would have had to.

    A release that takes the place of the watched one is watched next: systemd starts no second run of this unit.
    """
    done = "There is nothing to watch."
    while (watch := watch_state.read(host)) is not None:
        problem = _lost(host, watch, console)
        if problem is not None:
            return _go_back(host, options, console, watch, problem)
        _end(host, watch)
        done = f"The release {watch.release} is healthy."
    console.out(json.dumps({"message": done}, indent=1) if options.json else done)
    return OK


def _end(host: Host, watch: Watch) -> None:
    """End a watch, but not one that another switch has begun meanwhile."""
    if watch_state.read(host) == watch:
        watch_state.end(host)


def _lost(host: Host, watch: Watch, console: Console) -> str | None:
    """Return how the health was lost, LOSSES times in a row, or None where the deadline has come."""
    losses = asked = 0
    while _is_current(host, watch) and watch.is_open:
        time.sleep(INTERVAL_SECONDS)
        asked += 1
        problem = _asked(host, watch, console, deep=losses > 0 or asked % DEEP == 0)
        losses = 0 if problem is None else losses + 1
        if problem is not None and losses >= LOSSES:
            return problem
    return None


def _is_current(host: Host, watch: Watch) -> bool:
    serving = programs.serving(host)
    return serving is not None and serving.release == watch.release and watch_state.read(host) == watch


def _asked(host: Host, watch: Watch, console: Console, *, deep: bool) -> str | None:
    """Return what is wrong with the release; what cannot be found out is said, and no reason to go back."""
    try:
        return find_problem(host, watch, deep=deep)
    except DcorError as error:
        console.err(f"dcor-server: the release cannot be examined: {error.reason}")
        return None


def find_problem(host: Host, watch: Watch, *, deep: bool = False) -> str | None:
    """Return what is wrong with the release, or None; also None where it cannot be blamed."""
    settings, serving = settings_file.load(host), programs.serving(host)
    if serving is None or _is_stopped(host) or _service_problem(host, settings) is not None:
        return None
    if any(it.problem for it in disks.of_data(host, settings)):
        return None  # the former release could not write either
    dataset = _dataset(host, settings)
    return (
        switch.problem(host, serving, settings.hostname, [f"/dataset/{dataset}"] if dataset else [])
        or site.problem(settings, switch.SEARCH)
        or _failing_requests(host, watch)
        or (deep_health.problem(host, settings, serving) if deep else None)
    )


def _is_stopped(host: Host) -> bool:
    """Return whether somebody has stopped CKAN, or everybody gets 503 for a while."""
    return host.exists(nginx.MAINTENANCE) or unit_state(host, unit.UNIT)["ActiveState"] == "inactive"


def _service_problem(host: Host, settings: Settings) -> str | None:
    """Return which service does not answer, or None."""
    for engine in engines.ENGINES:
        endpoint = engines.endpoint(engine, settings)
        asked = engine.health(host, endpoint) if endpoint.local else external.problem(host, engine, settings)
        if asked is not None:
            return f"{engine.key} {asked}"
    return None


def _dataset(host: Host, settings: Settings) -> str:
    try:
        return psql.query(host, endpoints.of(settings).database, DATASET)
    except CommandFailed:
        return ""  # another schema than CKAN's own, or none: the other pages are asked


def _failing_requests(host: Host, watch: Watch) -> str | None:
    """Return that many more requests fail than before the switch, or None."""
    share = watch_state.failed(watch_state.since(watch_state.lines(host), watch.begun)[-watch_state.RECENT :])
    if share is None or share < max(MIN_SHARE, WORSE * watch.failed_before):
        return None
    return f"{share:.0%} of the last requests were answered with 5xx, and {watch.failed_before:.0%} before the switch"


def _go_back(host: Host, options: argparse.Namespace, console: Console, watch: Watch, problem: str) -> int:
    """Go back and converge. Raises DcorError where that is not possible."""
    reason = f"the health of the server was lost after the switch: {problem}"

    def change() -> None:
        _require_lost(host, watch, console)
        going_back(host, None, reason).run(host, with_database=True)

    try:
        converge.converge(host, progress_of(options, console), change, wait=WAIT_SECONDS)
    except Over as over:
        console.err(f"dcor-server: {over.reason}")
        return run(host, options, console)
    except DcorError as error:
        raise DcorError(f"{reason}. The server cannot go back: {error.reason}", error.hint) from None
    finally:
        _end(host, watch)
    console.err(f"dcor-server: went back to the former release, because {reason}. dcor-server status says more.")
    return DRIFT


def _require_lost(host: Host, watch: Watch, console: Console) -> None:
    """Raise Over where another command has ended what was lost; the lock is held, and that may have taken hours."""
    if not _is_current(host, watch):
        raise Over(f"The release {watch.release} does not serve any more, so there is nothing to go back from.")
    if _asked(host, watch, console, deep=True) is None:
        raise Over(f"The release {watch.release} is healthy again, so it goes on serving.")


VERB = Verb(
    "watch", "watch a release after a switch, and go back if needed, as systemd does", run, changes_machine=True
)
