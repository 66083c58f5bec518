"""Let the tags of objects follow the database whenever CKAN changes who may read a dataset.

The tags are set after the change has been committed, within the request, so that its answer comes when nobody can read
the objects any more. A background job that does the same is added first: it completes what the request could not,
because the store did not answer or the process ended. What both miss, the nightly `dcor_runtime.reconcile` finds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from ckan import logic
from ckan.lib import jobs
from ckan.plugins import toolkit
from dcor_runtime import object_tags, resources
from dcor_runtime.object_tags import STORE_ERRORS
from dcor_runtime.resources import Access, File
from redis.exceptions import RedisError

log = logging.getLogger(f"ckanext.{__name__}")
#: how long a request may take for it; the job does the rest
REQUEST_SECONDS = 20.0
#: how long the job tries, and how long it waits in between
JOB_SECONDS, PAUSE_SECONDS = 24 * 3600.0, 10.0
#: the queue that no job of DCOR uses, so that waiting for the store delays none of them
QUEUE = "default"
#: of a job, in seconds: for many thousands of objects
TIMEOUT_SECONDS = 3600
#: errors of an action that it raises before it has changed anything
BEFORE_CHANGES = (logic.NotFound, logic.NotAuthorized, logic.ValidationError)


def settle(resource: str, objects: Iterable[tuple[str, str]]) -> bool:
    """Give objects of a resource the tags that the database demands; return whether they had others.

    Only one process does so at a time: another one, which has asked the database before a change, cannot publish what
    was withdrawn in the meantime. Raises one of STORE_ERRORS.
    """
    with resources.locked(resource):
        access = resources.access(resource)
        changed = [object_tags.follow(bucket, key, access) for bucket, key in objects]
    return any(changed)


def settle_resource(identity: str) -> None:
    """Do the same with a resource that is known by its id; for upstream's functions, which know no more."""
    settle(identity, resources.of_resource(identity).objects())


def settle_later(files: list[tuple[str, tuple[str, ...]]], until: float) -> None:
    """Do the same with several, each an id and its buckets: the background job. It tries until a time in seconds."""
    try:
        for identity, buckets in files:
            settle(identity, File(identity, buckets).objects())
    except STORE_ERRORS:
        if time.time() > until:
            raise
        log.warning("The object store does not take tags of objects; trying again.", exc_info=True)
        time.sleep(PAUSE_SECONDS)
        _enqueue(files, until)


def _followed(original: Any, context: Any, data: Any) -> Any:
    """Run an action of CKAN, and let the tags of the datasets' objects follow what it has changed."""
    before = resources.of_datasets(datasets_of(data))
    try:
        result = original(context, data)
    except BEFORE_CHANGES:
        raise
    except Exception:
        # It may have been committed before, as when only the search index could not be updated.
        _add_job(before)
        raise
    after = resources.accesses(file.id for file in before)
    follow([file for file in before if after.get(file.id, Access.GONE) is not file.access])
    return result


def follow(files: list[File]) -> None:
    """Settle some resources now as far as that is possible, and the rest in a job."""
    if not files:
        return
    _add_job(files)
    end = time.monotonic() + REQUEST_SECONDS
    try:
        for file in files:
            if time.monotonic() < end:
                settle(file.id, file.objects())
    except STORE_ERRORS:
        log.exception("The object store does not take tags of objects; a background job will try again.")


def _add_job(files: Iterable[File]) -> None:
    listed = [(file.id, file.buckets) for file in files]
    try:
        if listed:
            _enqueue(listed, time.time() + JOB_SECONDS)
    except RedisError:
        log.exception("No background job could be added; the nightly job will look for what is left.")


def _enqueue(files: list[tuple[str, tuple[str, ...]]], until: float) -> None:
    title = "publish or withdraw objects"
    options = {"timeout": TIMEOUT_SECONDS}
    jobs.enqueue(settle_later, [files, until], title=title, queue=QUEUE, rq_kwargs=options)


def datasets_of(data: Any) -> list[str]:
    """Return the ids or names of the datasets that an action is about."""
    found = data or {}
    listed = found.get("datasets") or [found.get("id") or found.get("name")]
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


#: the actions that change who may read a dataset: all others of CKAN change a dataset by one of these
ACTIONS = dict.fromkeys(
    (
        *("package_update", "package_delete", "dataset_purge"),
        *("bulk_update_public", "bulk_update_private", "bulk_update_delete"),
    ),
    toolkit.chained_action(_followed),
)
