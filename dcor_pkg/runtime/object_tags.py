"""Set the tags of objects: `public`, by which the store decides who may read an object, and `purged`.

Everybody may read what has the tag `public=true` (dcor_shared.s3.require_bucket), which dcor_shared sets and never
removes. `purged` is dcor-server's own: it says when CKAN purged the resource, so that what was purged is never confused
with what the database does not contain for another reason, as after an older backup of it was restored.
"""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from ckan.common import config
from ckan.plugins import toolkit
from dcor_runtime.resources import Access
from dcor_shared import s3

PUBLIC, PURGED = "public", "purged"
#: in seconds, for one attempt of a request to the store
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 2}}
#: what the store raises when it does not answer, or refuses
STORE_ERRORS = (BotoCoreError, ClientError)
#: codes of errors that say that there is no such object
MISSING = {"NoSuchKey", "NoSuchBucket", "NotFound", "404"}


def follow(bucket: str, key: str, access: Access) -> bool:
    """Give an object, if it exists, the tags of this access; return whether they were others. Other tags stay.

    With GONE the object gets the tag `purged`. Raises one of STORE_ERRORS.
    """
    tags = of(bucket, key)
    wanted = None if tags is None else _wanted(tags, access)
    if wanted == tags:
        return False
    if wanted:
        listed = [{"Key": name, "Value": value} for name, value in wanted.items()]
        client().put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": listed})
    else:
        client().delete_object_tagging(Bucket=bucket, Key=key)
    return True


def of(bucket: str, key: str) -> dict[str, str] | None:
    """Return the tags of an object; None if there is no such object. Raises one of STORE_ERRORS."""
    try:
        found = client().get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return None
        raise
    return {tag["Key"]: tag["Value"] for tag in found}


@functools.cache
def client() -> Any:
    """Return a client of the store that CKAN uses; it waits less long than DCOR's own, since a user waits for it."""
    upstreams, session, _ = s3.get_s3()
    return session.client(
        "s3",
        endpoint_url=upstreams.meta.endpoint_url,
        verify=toolkit.asbool(config["dcor_object_store.ssl_verify"]),
        config=upstreams.meta.config.merge(Config(**TIMEOUTS)),
    )


def _wanted(tags: dict[str, str], access: Access) -> dict[str, str]:
    others = {name: value for name, value in tags.items() if name not in (PUBLIC, PURGED)}
    if access is Access.PUBLIC:
        return {**others, PUBLIC: "true"}
    if access is Access.GONE:
        return {**others, PURGED: tags.get(PURGED, datetime.now(timezone.utc).isoformat(timespec="seconds"))}
    return others
