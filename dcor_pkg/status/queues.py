"""The queues of jobs: one job is put through each, and those that wait and that have failed are counted."""

from __future__ import annotations

import json
from typing import Any

from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.ckan import programs, release, sizes, supervisor
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.status.part import Part

#: the part in whose place those of the queues come
NAME = "jobs"
MODULE = "dcor_runtime.queues"
FILE = "dcor_runtime/queues.py"
#: for CKAN to load in the job workers, on a busy machine
START_SECONDS = 60.0


def parts(host: Host) -> list[Part]:
    """Return a part for each queue, or one that says why they cannot be asked. Raises DcorError."""
    serving = programs.serving(host)
    if serving is None:
        return [Part(NAME, "no release is active")]
    if not host.exists(f"{release.site_packages(host, release.directory(serving.release))}/{FILE}"):
        return [Part(NAME, None, f"are not tried: the release {serving.release} is of before that")]
    try:
        found = _ask(host, serving)
    except CommandFailed as error:
        return [Part(NAME, f"cannot be tried: {ckan_log.exception(error.hint) or error.hint or error.reason}")]
    is_starting = any(it["problem"] for it in found.values()) and _is_starting(host, serving)
    return [_part(name, found[name], is_starting=is_starting) for name in sizes.QUEUES]


def _is_starting(host: Host, serving: Programs) -> bool:
    age = supervisor.age(host, serving.jobs)
    return age is not None and age < START_SECONDS


def _ask(host: Host, serving: Programs) -> dict[str, dict[str, Any]]:
    """Run the module in the release. Raises DcorError."""
    command = ("-m", MODULE, f"{serving.directory}/ckan.ini", *sizes.QUEUES)
    output = release.run(host, serving.release, "python", *command)
    found: dict[str, dict[str, Any]] = json.loads(output.splitlines()[-1])
    return found


def _part(name: str, found: dict[str, Any], *, is_starting: bool) -> Part:
    """Return the part of a queue; while the workers load CKAN, it is no problem that they take nothing."""
    waiting, failed, problem = found["waiting"], found["failed"], found["problem"]
    excused = problem is not None and is_starting
    state = "workers are starting, " if excused else "busy with a job, " if found["busy"] else ""
    return Part(
        f"queue {name}",
        None if excused else problem,
        f"{state}{waiting} waiting, {failed} failed",
        warning=f"{failed} jobs have failed" if failed else "",
        seconds=found["seconds"] or 0.0,
        numbers={"jobs_waiting": waiting, "jobs_failed": failed},
        group=NAME,
        is_timed=True,
    )
