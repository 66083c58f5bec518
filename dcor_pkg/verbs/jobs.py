"""`dcor-server jobs list | show ID | retry ID|all | forget ID|all`: CKAN's background jobs, by queue.

A dataset whose job failed stays without its preview, or its condensed file, until somebody queues the job again.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dcor_pkg.errors import DcorError, printable
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import runtime_module
from dcor_pkg.verbs.verb import OK, Action, Console, argument, verb_of

MODULE = "jobs"
ALL, FAILED = "all", "failed"
STATES = (FAILED, "under way", "waiting")
LIST = "dcor-server jobs list shows the jobs."
#: what was done, by action
DONE = {"retry": "queued again", "forget": "forgotten"}
#: the keys of a job that are shown, each with its words
LABELS = {
    "title": "title",
    "function": "function",
    "queue": "queue",
    "state": "state",
    "created": "created",
    "enqueued": "queued",
    "started": "begun",
    "ended": "ended",
    "exception": "failed with",
    "message": "message",
    "passing": "may pass",
}
AGAIN = {True: "queued again by a nightly run", False: "not yet queued again by a nightly run"}

Job = Mapping[str, Any]


def list_all(host: Host, options: argparse.Namespace, console: Console) -> int:
    """List the jobs of each queue."""
    jobs = runtime_module.run(host, MODULE, "list")["jobs"]
    return _say(options, console, {"jobs": jobs}, _list(jobs))


def show(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Show one job. Raises DcorError for an id that no job has."""
    identity = _identity("show", options)
    # For `all` the module gives several, and no job has that id.
    jobs = [it for it in runtime_module.run(host, MODULE, "show", identity)["jobs"] if it["id"] == identity]
    _require_job(identity, jobs)
    return _say(options, console, jobs[0], _details(jobs[0]))


def change(host: Host, options: argparse.Namespace, console: Console, action: str) -> int:
    """Queue again or forget a job that failed, or all. Raises DcorError for an id of no such job."""
    identity = _identity(action, options)
    result = runtime_module.run(host, MODULE, action, identity)
    if identity != ALL:
        _require_job(identity, result["jobs"])
        if (state := result["jobs"][0]["state"]) != FAILED:
            raise DcorError(f"The job {identity} has not failed: it is {state}.", "Nothing was changed.")
    number = len(result["done"])
    done = f"{number} {'job was' if number == 1 else 'jobs were'} {DONE[action]}."
    return _say(options, console, {"done": result["done"]}, [done])


def retry_passing(host: Host) -> int:
    """Queue those jobs again, once, that failed for a reason that passes; return how many."""
    return len(runtime_module.run(host, MODULE, "retry-passing")["done"])


def _identity(action: str, options: argparse.Namespace) -> str:
    """Return the id that was given. Raises DcorError for an empty one, which the module takes for all jobs."""
    identity: str = options.id
    if not identity:
        raise DcorError(f"`jobs {action}` needs the id of a job.", LIST)
    return identity


def _require_job(identity: str, jobs: Sequence[Job]) -> None:
    if not jobs:
        raise DcorError(f"There is no job {identity} that waits, is under way or has failed.", LIST)


def _say(options: argparse.Namespace, console: Console, result: Any, lines: Sequence[str]) -> int:
    if options.json:
        console.out(json.dumps(result, indent=1))
        return OK
    for line in lines:
        console.out(printable(line))
    return OK


def _list(jobs: Sequence[Job]) -> list[str]:
    lines = []
    for queue in sorted({it["queue"] for it in jobs}):
        inside = [it for it in jobs if it["queue"] == queue]
        counts = Counter(it["state"] for it in inside)
        lines.append(f"{queue}: {', '.join(f'{counts[state]} {state}' for state in STATES)}")
        lines += [f"  {it['state']:10} {it['since']:20}  {it['id']}\n{_about(it)}" for it in inside]
    if any(it["state"] == FAILED for it in jobs):
        lines.append("To queue those again that failed: dcor-server jobs retry ID, or all")
    return lines or ["No job waits, is under way, or has failed."]


def _about(job: Job) -> str:
    why = ": ".join(filter(None, (job["exception"], job["message"])))
    return "\n".join(f"  {'':10} {it}" for it in (job["title"], why) if it)


def _details(job: Job) -> list[str]:
    lines = [job["id"], *(f"  {words:12} {job[key]}" for key, words in LABELS.items() if job[key])]
    if job["state"] == FAILED:
        lines.append(f"  {'by night':12} {AGAIN[job['retried']]}")
    return [*lines, *(f"  {'called':12} {it}" for it in job["calls"])]


def _changes(action: str, summary: str) -> Action:
    identity = argument("id", metavar="ID", help=f"a job; or {ALL}")
    return Action(action, summary, functools.partial(change, action=action), (identity,))


VERB = verb_of(
    "jobs",
    "show CKAN's background jobs, and queue again or forget those that failed",
    Action("list", "list them by queue", list_all),
    Action("show", "show one, and why it failed", show, (argument("id", metavar="ID", help="as the list shows it"),)),
    _changes("retry", "queue one again that failed, or all"),
    _changes("forget", "remove one that failed, or all, and those that wait for it"),
)
