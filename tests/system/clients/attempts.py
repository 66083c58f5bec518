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
    open_bucket = public.split("/")[1]
    up = "/.." * public.count("/")
    targets = [private, private.replace("/resource/", "/condensed/"), private.replace("/resource/", "/preview/")]
    targets += [
        f"/{private}",
        f"/{bucket}//{key}",
        f"/.{private}",
        f"/x/..{private}",
        f"/{bucket}/x/../{key}",
        f"{private}/",
    ]
    targets += [f"/{bucket}%2f{key}", f"/{bucket}/{key.replace('/', '%2f')}", f"/%2e{private}", f"/x/%2e%2e{private}"]
    targets += [f"/{open_bucket}/..{private}", f"/{open_bucket}/%2e%2e{private}", f"/{open_bucket}/..%2f{bucket}/{key}"]
    targets += [
        f"/{open_bucket}%2f..%2f{bucket}%2f{key}",
        f"/{open_bucket}/..;{private}",
        f"/{open_bucket}\\..\\{bucket}/{key}",
    ]
    targets += [
        f"{public}{up}{private}",
        f"{public}%3f/../..{private}",
        f"{public}%00{up}{private}",
        f"{public}/..{up}{private}",
    ]
    targets += [
        f"/buckets{private}",
        f"/{open_bucket}/../buckets{private}",
        f"/buckets/{bucket}/?pretty=y",
        "/buckets/",
    ]
    targets += [
        f"/{bucket.upper()}/{key}",
        f"/{bucket}/?list-type=2",
        f"/{bucket}",
        f"/{bucket}/",
        f"/{bucket}/resource/",
    ]
    questions = [
        "metadata=true",
        "metadata=true&pretty=y",
        "tagging",
        "acl",
        "attributes",
        "versions",
        "versionId=null",
    ]
    questions += [
        "uploads",
        "policy",
        "proxyChunkId=1",
        "X-Amz-Signature=0",
        "AWSAccessKeyId=a&Signature=b&Expires=9999999999",
    ]
    questions += [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b",
        "response-content-type=text/plain",
    ]
    return targets + [f"{private}?{question}" for question in questions] + [f"/{bucket}?policy", f"/{bucket}?uploads"]
