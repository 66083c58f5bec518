"""Queue the jobs of resources that lack their condensed file or their preview: a job may have been lost or killed.

DCOR queues them once, after an upload, and its nightly commands look at the datasets of the last day only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ckan import model
from ckan.lib.redis import connect_to_redis
from dcor_runtime.stored import Object
from dcor_shared import DC_MIME_TYPES, RQJob
from rq.job import Job

#: which extension's jobs make which object
MAKERS = {"condensed": "dc_serve", "preview": "dc_view"}
#: A file that cannot be read never gets them: so often its jobs are queued, in so many seconds (a month).
ATTEMPTS, PERIOD_SECONDS = 3, 30 * 24 * 3600
#: states of a job that somebody works on, or will
AT_WORK = ("queued", "started", "deferred", "scheduled")


def queue(objects: Iterable[Object]) -> int:
    """Queue the jobs for the resources that have a file among these objects and lack another; return how many."""
    found = defaultdict(set)
    for it in objects:
        found[it.resource].add(it.kind)
    lacking = {identity: MAKERS.keys() - kinds for identity, kinds in found.items() if "resource" in kinds}
    return sum(_queue(identity, kinds) for identity, kinds in sorted(lacking.items()) if kinds)


def _queue(identity: str, kinds: Iterable[str]) -> int:
    resource = model.Resource.get(identity)
    if resource is None or resource.state != "active" or not _is_measurement(resource.as_dict()):
        return 0
    extensions = {MAKERS[kind] for kind in kinds}
    jobs = [job for job in RQJob._instances if job.ckanext in extensions]  # noqa: SLF001 (upstream has no function for it)
    return sum(_enqueue(job, resource.as_dict()) for job in jobs)


def _is_measurement(resource: dict[str, Any]) -> bool:
    """Return whether the jobs look at the file at all (ckanext.dc_view.jobs, ckanext.dc_serve.jobs)."""
    if resource.get("mimetype"):
        return resource["mimetype"] in DC_MIME_TYPES
    return str(resource.get("name")).endswith(tuple(DC_MIME_TYPES.values()))


def _enqueue(job: Any, resource: dict[str, Any]) -> bool:
    """Queue a job, unless it waits, runs, or was tried often; one that RQ remembers as failed upstream never queues."""
    redis, identity = connect_to_redis(), f"{resource['package_id']}_{resource['position']}_{job.name}"
    former = Job.fetch(identity, connection=redis) if Job.exists(identity, connection=redis) else None
    if (former is not None and former.get_status() in AT_WORK) or not _may_try(redis, f"dcor:attempts:{identity}"):
        return False
    if former is not None:
        former.delete()
    job.enqueue_job(resource, redis_connect=redis)
    return True


def _may_try(redis: Any, key: str) -> bool:
    """Count an attempt, and return whether it is one of the first."""
    count = redis.incr(key)
    if count == 1:
        redis.expire(key, PERIOD_SECONDS)
    return bool(count <= ATTEMPTS)
