"""`dcor-server nightly`: run the regular jobs of CKAN and DCOR one after the other, also when one of them fails.

These are the jobs that operators of DCOR schedule at night as CKAN's user, an hour apart.
`dcor-prune-orphaned-s3-artifacts` is not among them: it deletes what the database does not know.
CKAN is restarted afterwards, if it uses files that an upgrade has replaced.
"""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import asdict, dataclass

from dcor_pkg.ckan import outdated, release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import active_release
from dcor_pkg.verbs.run_report import message
from dcor_pkg.verbs.verb import FAILED, OK, Console, Verb

#: arguments of CKAN's command
JOBS = (
    ("run-jobs-dcor-depot", "--modified-days", "1"),
    ("run-jobs-dcor-schemas", "--modified-days", "1"),
    ("run-jobs-dc-view", "--modified-days", "1"),
    ("run-jobs-dc-serve", "--modified-days", "1"),
    ("dcor-prune-stale-multipart-uploads",),
    ("dcor-prune-draft-datasets",),
)
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
    active = active_release.require(host)
    failures = [failure for job in JOBS if (failure := _failure(host, active, job)) is not None]
    if outdated.replaced_file(host) is not None:
        outdated.request_restart(host)
    if options.json:
        console.out(json.dumps({"failed": list(map(asdict, failures))}, indent=1))
    else:
        for it in failures:
            console.err(message(f"The nightly job `ckan {it.job}` failed: {it.reason}", it.hint))
    return FAILED if failures else OK


def _failure(host: Host, active: str, job: tuple[str, ...]) -> Failure | None:
    try:
        release.run(host, active, "ckan", *job, timeout=TIMEOUT_SECONDS)
    except DcorError as error:
        return Failure(shlex.join(job), error.reason, error.hint)
    return None


VERB = Verb("nightly", "run the regular jobs of CKAN and DCOR, as the timer dcor-nightly does", run)
