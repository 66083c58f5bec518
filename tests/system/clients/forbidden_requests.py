"""Send requests that have to be rejected: unmodified paths, and other spellings of an object's path in the store."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping

import requests
from dcor_client import Server

#: The status codes of a rejection. (nginx closes the connection without a response for some requests.)
REJECTIONS = {400, 401, 403, 404, 405, 409, 411, 501}

#: Bytes that a measurement, a preview, the listing of a bucket and an object's tags contain.
PRIVATE_CONTENT = (b"\x89HDF\r\n", b"\xff\xd8\xff", b"<ListBucketResult", b"<Tagging", b"public=true")

#: Spellings of the path of a private object or of its bucket.
SPELLINGS = (
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
    # through a public bucket or object
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
    # by the filer's paths
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
#: Queries for an object's properties in S3 and the filer, and invalid signatures.
QUERIES = (
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
    """Send a request with exactly this path, which http.client does not change. Status 0: closed without a response."""
    context = ssl.create_default_context(cafile=requests.certs.where())
    connection = http.client.HTTPSConnection(server.host, context=context, timeout=30)
    try:
        connection.request(method, target, body or None, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return 0, {}, b""
    finally:
        connection.close()


def assert_rejected(name: str, answer: Answer, *secrets: str) -> int:
    """Assert that an answer is a rejection without private content or one of `secrets`, and return its status."""
    status, headers, body = answer
    assert status in {0, *REJECTIONS}, f"{name}: {status} {headers} {body[:200]!r}"
    leaked = [text for text in (*PRIVATE_CONTENT, *(word.encode() for word in secrets)) if text in body]
    assert not leaked, f"{name}: rejected with {status}, but the answer contains {leaked}"
    return status


def store_targets(private: str, public: str) -> list[str]:
    """Return requests for a private object in the store: its siblings, other spellings of its path, and queries."""
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
    spelled = [spelling.format(**names) for spelling in SPELLINGS]
    return [*siblings, *spelled, *(f"{private}?{query}" for query in QUERIES)]
