"""Attempts to get what one may not have: requests as they stand, and ways to spell a place in the store."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping

from dcor_client import Server

#: What may be said to somebody who has no right. (nginx closes without a word what it does not even look at.)
REFUSALS = {400, 401, 403, 404, 405, 409, 411, 501}

#: How a measurement, a preview and a listing of a bucket begin or what they hold.
TREASURES = (b"\x89HDF\r\n", b"\xff\xd8\xff", b"<ListBucketResult", b"<Tagging", b"public=true")

#: ways to spell the place of a private object, or of what it lies in
WAYS = (
    "{private}",
    "{private}/",
    "/{private}",
    "/.{private}",
    "/%2e{private}",
    "/x/..{private}",
    "/x/%2e%2e{private}",
    "/{bucket}//{key}",
    "/{bucket}/x/../{key}",
    "/{bucket}%2f{key}",
    "/{bucket}/{key_in_one}",
    "/{other_bucket}/{key}",
    # through what is public
    "/{open_bucket}/..{private}",
    "/{open_bucket}/%2e%2e{private}",
    "/{open_bucket}/..%2f{bucket}/{key}",
    "/{open_bucket}%2f..%2f{bucket}%2f{key}",
    "/{open_bucket}/..;{private}",
    "/{open_bucket}\\..\\{bucket}/{key}",
    "{public}{up}{private}",
    "{public}/..{up}{private}",
    "{public}%00{up}{private}",
    "{public}%3f/../..{private}",
    # by the filer's own names
    "/buckets{private}",
    "/buckets/{bucket}/?pretty=y",
    "/buckets/",
    "/{open_bucket}/../buckets{private}",
    # the bucket
    "/{bucket}",
    "/{bucket}/",
    "/{bucket}/resource/",
    "/{bucket}/?list-type=2",
    "/{bucket}?policy",
    "/{bucket}?uploads",
)
#: what S3 and the filer tell of an object, and what looks like a signature
QUESTIONS = (
    "metadata=true",
    "metadata=true&pretty=y",
    "tagging",
    "acl",
    "attributes",
    "versions",
    "versionId=null",
    "uploads",
    "policy",
    "proxyChunkId=1",
    "X-Amz-Signature=0",
    "AWSAccessKeyId=a&Signature=b&Expires=9999999999",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b",
    "response-content-type=text/plain",
)

Answer = tuple[int, Mapping[str, str], bytes]


def ask(
    server: Server, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Answer:
    """Send a request as it stands: no library tidies up the path first. Status 0: closed without an answer."""
    context = ssl.create_default_context(cafile=str(server.certificate))
    connection = http.client.HTTPSConnection(server.host, context=context, timeout=30)
    try:
        connection.request(method, target, body or None, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return 0, {}, b""
    finally:
        connection.close()


def refused(name: str, answer: Answer, *secret: str) -> int:
    """Return the status of a refusal; anything else is an error."""
    status, headers, body = answer
    assert status in {0, *REFUSALS}, f"{name}: {status} {headers} {body[:200]!r}"
    told = [text for text in (*TREASURES, *(word.encode() for word in secret)) if text in body]
    assert not told, f"{name}: refused with {status}, but the answer holds {told}"
    return status


def store_targets(private: str, public: str) -> list[str]:
    """Return the ways to spell a private object's place in the store, and to ask what the store knows of it."""
    bucket = private.split("/")[1]
    key = private.partition(f"/{bucket}/")[2]
    names = {
        "private": private,
        "bucket": bucket,
        "key": key,
        "public": public,
        "open_bucket": public.split("/")[1],
        "up": "/.." * public.count("/"),
        "key_in_one": key.replace("/", "%2f"),
        "other_bucket": bucket.upper(),
    }
    siblings = [private.replace("/resource/", f"/{kind}/") for kind in ("condensed", "preview")]
    spelled = [way.format(**names) for way in WAYS]
    return [*siblings, *spelled, *(f"{private}?{question}" for question in QUESTIONS)]
