"""Probe an external object store: the signature, and all that DCOR does there, in a bucket that is removed afterwards.

Measurements are private until their object is tagged as public. In some stores the policy of a bucket cannot depend on
tags; such a store would keep public data private, or publish private data, so this is probed as well.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.client import CIRCLE, Client, error
from dcor_pkg.services.reach import UnusableService, reach

#: no bucket of a circle has this name
BUCKET = "dcor-server-check-"
TAGGING = "<Tagging><TagSet><Tag><Key>public</Key><Value>true</Value></Tag></TagSet></Tagging>"


@dataclass(frozen=True)
class Request:
    """A request to a bucket, and what CKAN needs it for."""

    method: str
    #: below the bucket
    path: str
    content: str
    purpose: str


#: stands for the policy of the bucket, which holds its name
POLICY = "policy"
CREATE = (
    Request("PUT", "", "", "create buckets"),
    Request("PUT", "?policy=", POLICY, "set the policy of a bucket"),
    Request("PUT", "/object", "measurement", "store objects"),
    Request("GET", "/object", "", "read objects"),
)
TAG = (Request("PUT", "/object?tagging=", TAGGING, "tag objects"),)
UNTAG = (
    Request("GET", "/object?tagging=", "", "read the tags of objects"),
    Request("DELETE", "/object?tagging=", "", "remove the tags of objects"),
)
DELETE = (Request("DELETE", "/object", "", "delete objects"), Request("DELETE", "", "", "delete buckets"))


def log_in(host: Host, store: Endpoint, secret: Secret, _: Settings) -> None:
    """Raise UnusableService where CKAN cannot log in."""
    reach(store)
    answer = Client(host, store, secret).ask("GET", "/")
    if answer.status != 200:
        problem = f"{store.user} cannot list buckets: {error(answer)}"
        raise UnusableService(problem, "Give the secret again: object-store-secret=@FILE.")


def probe(host: Host, store: Endpoint, secret: Secret, settings: Settings) -> None:
    """Raise UnusableService for the first requirement of DCOR that is not met."""
    log_in(host, store, secret, settings)
    client = Client(host, store, secret)
    bucket = f"/{BUCKET}{uuid.uuid4().hex[:16]}"
    try:
        _require(client, bucket, CREATE)
        _check_privacy(client, bucket, public=settings.public_datasets == "yes")
    finally:
        problems = [_problem(client, bucket, request) for request in DELETE]
    if any(problems):
        raise UnusableService(next(filter(None, problems)), f"The bucket {bucket[1:]} may be left there.")


def content(host: Host, store: Endpoint, secret: Secret) -> str | None:
    """Return the first bucket of a circle, or None where there is none; other buckets are not used."""
    circles = [bucket for bucket in Client(host, store, secret).buckets() if bucket.startswith(CIRCLE)]
    return f"the bucket {circles[0]}" if circles else None


def _check_privacy(client: Client, bucket: str, *, public: bool) -> None:
    """Read the object without a signature before it is tagged, while it is, and afterwards.

    `public`: whether datasets may be public.
    """
    unsigned = partial(client.ask, "GET", f"{bucket}/object", signed=False)
    if unsigned().status == 200:
        raise UnusableService(
            "everybody could read private measurements there: it ignores conditions in the policy of a bucket"
        )
    _require(client, bucket, TAG)
    if public and unsigned().status != 200:
        raise UnusableService(
            "nobody could read public measurements there: its policies do not support conditions on an object's tags",
            "It can be used with public-datasets=no.",
        )
    _require(client, bucket, UNTAG)
    if public and unsigned().status == 200:
        raise UnusableService("everybody could read there what was withdrawn: it goes on publishing untagged objects")


def _require(client: Client, bucket: str, requests: Iterable[Request]) -> None:
    for request in requests:
        if (problem := _problem(client, bucket, request)) is not None:
            raise UnusableService(problem)


def _problem(client: Client, bucket: str, request: Request) -> str | None:
    content = _policy(bucket[1:]) if request.content == POLICY else request.content
    answer = client.ask(request.method, bucket + request.path, content)
    return None if 200 <= answer.status < 300 else f"{client.store.user} cannot {request.purpose}: {error(answer)}"


def _policy(bucket: str) -> str:
    """Return the policy that dcor_shared's `require_bucket` gives each bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/public": ["true"]}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
