"""`dcor-server jobs list | show ID | retry ID|all | forget ID|all`: CKAN's background jobs, by queue.

A dataset whose job failed stays without its preview, or its condensed file, until somebody queues the job again.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dcor_pkg.errors import DcorError, printable
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import runtime_module
from dcor_pkg.verbs.verb import JSON, OK, Console, Verb, argument

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


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Show the jobs, or queue again or forget those that failed. Raises DcorError for an id that no job has."""
    _require_words(options.action, options.id)
    result = runtime_module.run(host, MODULE, options.action, *([options.id] if options.id else []))
    if options.id and options.id != ALL:
        _require_job(options.action, options.id, result["jobs"])
    if options.json:
        console.out(json.dumps(_shown(options.action, result), indent=1))
        return OK
    for line in TEXTS[options.action](options.action, result):
        console.out(printable(line))
    return OK


def retry_passing(host: Host) -> int:
    """Queue those jobs again, once, that failed for a reason that passes; return how many."""
    return len(runtime_module.run(host, MODULE, "retry-passing")["done"])


def _require_words(action: str, identity: str | None) -> None:
    if action == "list" and identity is not None:
        raise DcorError(f"`jobs list` shows all jobs, and takes no id such as {identity}.", "One job: jobs show ID")
    if action != "list" and identity is None:
        raise DcorError(f"`jobs {action}` needs the id of a job.", LIST)


def _require_job(action: str, identity: str, jobs: Sequence[Job]) -> None:
    if not jobs:
        raise DcorError(f"There is no job {identity} that waits, is under way or has failed.", LIST)
    if action in DONE and (state := jobs[0]["state"]) != FAILED:
        raise DcorError(f"The job {identity} has not failed: it is {state}.", "Nothing was changed.")


def _shown(action: str, result: Mapping[str, Any]) -> Any:
    if action == "show":
        return result["jobs"][0]
    return {"jobs": result["jobs"]} if action == "list" else {"done": result["done"]}


def _list(_: str, result: Mapping[str, Any]) -> list[str]:
    jobs = result["jobs"]
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


def _show(_: str, result: Mapping[str, Any]) -> list[str]:
    job = result["jobs"][0]
    lines = [job["id"], *(f"  {words:12} {job[key]}" for key, words in LABELS.items() if job[key])]
    if job["state"] == FAILED:
        lines.append(f"  {'by night':12} {AGAIN[job['retried']]}")
    return [*lines, *(f"  {'called':12} {it}" for it in job["calls"])]


def _done(action: str, result: Mapping[str, Any]) -> list[str]:
    number = len(result["done"])
    return [f"{number} {'job was' if number == 1 else 'jobs were'} {DONE[action]}."]


TEXTS = {"list": _list, "show": _show, "retry": _done, "forget": _done}
ACTION = argument("action", choices=tuple(TEXTS), metavar="list|show|retry|forget", help="what to do")
IDENTITY = argument("id", nargs="?", metavar="ID", help="a job; or all, to retry or forget those that failed")
VERB = Verb(
    "jobs", "show CKAN's background jobs, and queue again or forget those that failed", run, (JSON, ACTION, IDENTITY)
)
