"""Try the object store and the job workers as a release uses them: `python -m dcor_runtime.deep_health QUEUE...`.

Prints, as JSON, `problems`, and a `token` with which the caller may write by the API.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ckan.lib import jobs
from dcor_runtime import application, own_store, queues, resources
from dcor_shared import s3

#: for a job in each queue
SECONDS = 30.0
#: not a name that DCOR gives
KEY, CONTENT = "dcor-server/health", b"whole"


def main(names: list[str]) -> int:
    """Print what is wrong. Return 0."""
    from dcor_runtime import database

    application.load()
    problems = [problem for problem in (store_problem(), *queue_problems(names)) if problem is not None]
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


def queue_problems(names: list[str]) -> list[str | None]:
    """Put a job before all others into each queue, and return for each why it is not done, or None."""
    found = queues.examine({name: jobs.get_queue(name) for name in names}, SECONDS)
    return [it["problem"] and f"{it['problem']} of the queue {name}" for name, it in found.items()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
