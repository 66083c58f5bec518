"""Try the object store and the job workers as a release uses them: `python -m dcor_runtime.deep_health QUEUE...`.

Prints, as JSON, `problems`, and a `token` with which the caller may write by the API.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ckan.lib import jobs
from dcor_runtime import application, own_store, resources
from dcor_shared import s3
from rq import Worker

#: for a job in each queue
SECONDS = 30
#: not a name that DCOR gives
KEY, CONTENT = "dcor-server/health", b"whole"
#: the job; here this module has another name, by which a job worker does not find it
JOB = "dcor_runtime.deep_health.answer"


def main(queues: list[str]) -> int:
    """Print what is wrong. Return 0."""
    from dcor_runtime import database

    application.load()
    problems = [problem for problem in (store_problem(), *queue_problems(queues)) if problem is not None]
    print(json.dumps({"problems": problems, "token": database.trial_token()}))
    return 0


def answer() -> None:
    """Be the job that is put into each queue."""


def store_problem() -> str | None:
    """Return why an object cannot be stored, read and deleted in a circle's bucket.

    None also where there is no circle, and where the store is another database's, of which nothing is deleted.
    """
    client = s3.get_s3()[0]
    try:
        own_store.require()
        names = (bucket["Name"] for bucket in client.list_buckets()["Buckets"])
        for bucket in [name for name in names if resources.bucket_pattern().fullmatch(name)][:1]:
            _store_and_delete(client, bucket)
    except own_store.OfAnotherDatabase:
        return None
    except (BotoCoreError, ClientError) as error:
        return f"cannot store, read and delete an object: {error}"
    return None


def _store_and_delete(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key=KEY, Body=CONTENT)
    client.get_object(Bucket=bucket, Key=KEY)["Body"].read()
    client.delete_object(Bucket=bucket, Key=KEY)


def queue_problems(queues: list[str]) -> list[str | None]:
    """Put a job before all others into each queue, and return for each why it is not done, or None."""
    options = {"at_front": True, "ttl": SECONDS, "result_ttl": SECONDS, "failure_ttl": SECONDS}
    asked = {name: jobs.enqueue(JOB, title="health", queue=name, rq_kwargs=options) for name in queues}
    deadline = time.monotonic() + SECONDS
    while not all(map(_has_ended, asked.values())) and time.monotonic() < deadline:
        time.sleep(0.5)
    found = [_queue_problem(name, job) for name, job in asked.items()]
    for job in asked.values():
        job.delete()
    return found


def _has_ended(job: Any) -> bool:
    return job.get_status() in ("finished", "failed")


def _queue_problem(name: str, job: Any) -> str | None:
    status = job.get_status()
    if status == "failed":
        return f"cannot do a job of the queue {name}"
    # One that works on a long job takes this one later.
    is_busy = any(worker.get_state() == "busy" for worker in Worker.all(queue=jobs.get_queue(name)))
    return None if status == "finished" or is_busy else f"takes no job of the queue {name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
