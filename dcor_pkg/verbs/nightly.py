"""`dcor-server nightly`: run the regular jobs of CKAN and DCOR one after the other, also when one of them fails.

These are the jobs that operators of DCOR schedule at night as CKAN's user, an hour apart.
`dcor-prune-orphaned-s3-artifacts` is not among them: it deletes what the database does not know. Instead, dcor-server's
own `dcor_runtime.reconcile` lets the objects follow the database, removes those whose dataset was purged, and has those
made that a resource lacks. Background jobs that failed for a reason that passes are queued again before, once.
The administrator is mailed when the certificate ends soon, or was made anew.
CKAN and its services are restarted afterwards, if they use files that an upgrade has replaced.
"""

from __future__ import annotations

import argparse
import functools
import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass

from dcor_pkg.ckan import outdated, release, upgrade_backup
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import stapling
from dcor_pkg.verbs import active_release, certificate_end, jobs, runtime_module
from dcor_pkg.verbs.run_report import message
from dcor_pkg.verbs.verb import FAILED, JSON, OK, Console, Verb, days_argument

#: arguments of CKAN's command
JOBS = (
    ("run-jobs-dcor-depot", "--modified-days", "1"),
    ("run-jobs-dcor-schemas", "--modified-days", "1"),
    ("run-jobs-dc-view", "--modified-days", "1"),
    ("run-jobs-dc-serve", "--modified-days", "1"),
    ("dcor-prune-stale-multipart-uploads",),
    ("dcor-prune-draft-datasets",),
)
#: queues background jobs again; before the next one, which queues others for what is lacking
RETRY = "retry"
#: dcor-server's own job, after all that write objects
RECONCILE = "reconcile"
#: what ways back have left goes after 90 days
FORGET = "forget old dumps"
#: nginx finds the responder of OCSP again, where it has moved
STAPLING = "OCSP stapling"
#: a mail about the certificate, where there is something to say
CERTIFICATE = "certificate"
#: how long objects stay after their dataset was purged, so that a restored backup of the database finds them again
DAYS = 7.0
#: for one job: to condense the datasets of a day may take hours
TIMEOUT_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class Failure:
    """A job that failed, by its arguments, and why."""

    job: str
    reason: str
    hint: str


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Run all jobs in the active release; 1 when any of them failed."""
    active = active_release.require_for_data(host)
    attempts = [
        *(_upstream(host, active, job) for job in JOBS),
        (RETRY, lambda: jobs.retry_passing(host)),
        (RECONCILE, lambda: _reconcile(host, options.days)),
        (FORGET, lambda: upgrade_backup.forget_left(host)),
        (STAPLING, lambda: stapling.look_up_again(host)),
        (CERTIFICATE, lambda: certificate_end.report(host)),
    ]
    failures = [failure for name, job in attempts if (failure := _failure(name, job)) is not None]
    outdated.request_restarts(host, outdated.replaced_files(host, settings_file.load(host)))
    if options.json:
        console.out(json.dumps({"failed": list(map(asdict, failures))}, indent=1))
    else:
        for it in failures:
            console.err(message(f"The nightly job `{it.job}` failed: {it.reason}", it.hint))
    return FAILED if failures else OK


def _upstream(host: Host, active: str, job: tuple[str, ...]) -> tuple[str, Callable[[], object]]:
    run_job = functools.partial(release.run, host, active, "ckan", *job, timeout=TIMEOUT_SECONDS)
    return shlex.join(job), run_job


def _reconcile(host: Host, days: float) -> None:
    """Let the objects follow the database. Raises DcorError where the database seems to be the wrong one."""
    found = runtime_module.run(host, RECONCILE, str(days), timeout=TIMEOUT_SECONDS)
    if found["suspicious"]:
        raise DcorError(
            f"The database does not know {found['unknown']} objects in the store, so these were left as they are.",
            "Was an older backup of the database restored? To list them: dcor-server unknown-objects",
        )


def _failure(name: str, job: Callable[[], object]) -> Failure | None:
    try:
        job()
    except DcorError as error:
        return Failure(name, error.reason, error.hint)
    return None


DAYS_ARGUMENT = days_argument("remove objects so many days after their dataset was purged", DAYS)
VERB = Verb(
    "nightly", "run the regular jobs of CKAN and DCOR, as the timer dcor-nightly does", run, (JSON, DAYS_ARGUMENT)
)
