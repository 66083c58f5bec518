"""Requests to the object store that are rejected: private objects, unusual addresses, invalid signatures, changes."""

from __future__ import annotations

import pytest

from tests.unit.nginx.nginx_server import NginxServer
from tests.unit.nginx.stored import AWS4, BUCKET, KEY, OBJECT, SCOPE, SIGNED, filer


@pytest.fixture(autouse=True)
def stored(server: NginxServer) -> None:
    """Let the filer serve an object."""
    server.filer.respond = filer


@pytest.mark.parametrize(
    "target",
    [
        OBJECT.replace("/resource/", "/preview/"),
        OBJECT.replace("/resource/", "/condensed/"),
        OBJECT.replace("-9893-", "-0000-"),
    ],
)
def test_private_and_missing_objects_get_the_same_answer(server: NginxServer, target: str) -> None:
    answer = server.ask(target)
    assert (answer.status, b"HDF" in answer.body) == (403, False)
    assert [request["REQUEST_METHOD"] for request in server.filer.seen] == ["HEAD"]


@pytest.mark.parametrize(
    "target",
    [
        f"/{BUCKET}",
        f"/{BUCKET}/",
        f"/{BUCKET}/resource/",
        f"/{BUCKET}/resource/89b/f21/",
        f"{OBJECT}/",
        f"{OBJECT}?metadata=true",
        f"{OBJECT}?tagging",
        f"{OBJECT}?",
        f"{OBJECT}?X-Amz-Signature=0a",
        f"{OBJECT}#x",
        f"/{OBJECT}",
        f"/.{OBJECT}",
        f"/x/..{OBJECT}",
        f"/{BUCKET}//{KEY}",
        f"/{BUCKET}/x/../{KEY}",
        f"/{BUCKET}/%72esource/{KEY[9:]}",
        f"/{BUCKET}%2F{KEY}",
        f"{OBJECT}%00",
        f"{OBJECT}%0a",
        f"{OBJECT}/..%2f..%2f",
        OBJECT.upper(),
        f"{OBJECT}.uploads/x",
        f"/{BUCKET}/.uploads/x",
        f"/{BUCKET}x/{KEY}",
        "/circle-000000000-backup/2026/11/backup.gpg",
        f"/buckets{OBJECT}",
        "/circle-",
    ],
)
def test_other_spellings_of_an_objects_address_are_rejected(server: NginxServer, target: str) -> None:
    assert server.ask(target).status in (400, 403, 404)
    assert server.filer.seen == server.s3.seen == []


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS", "PATCH", "COPY", "PROPFIND"])
def test_a_public_object_cannot_be_changed_without_a_signature(server: NginxServer, method: str) -> None:
    assert server.ask(OBJECT, method, body=b"x").status in (403, 405)
    assert server.filer.seen == server.s3.seen == []


MALFORMED = [
    ("", {"Authorization": AWS4["Authorization"]}),
    ("", {**AWS4, "X-Amz-Date": "yesterday"}),
    (
        "",
        {**AWS4, "Authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host, Signature=d"},
    ),
    ("", {**AWS4, "Authorization": AWS4["Authorization"].replace("20261123", "none")}),
    ("", {**AWS4, "Authorization": f"{SCOPE}, SignedHeaders=host, Signature=0a"}),
    (SIGNED.replace("20261123T", "T"), {}),
    (SIGNED.replace("%2F20261123", "%2Fnone"), {}),
    (SIGNED.replace("3600", "-1"), {}),
    (SIGNED.replace("AWS4-HMAC-SHA256", "AWS2"), {}),
    (SIGNED.replace("X-Amz-Signature", "x-amz-signature"), {}),
    (SIGNED[:-1], {}),
]


@pytest.mark.parametrize(("query", "headers"), MALFORMED)
def test_a_malformed_signature_does_not_reach_s3(server: NginxServer, query: str, headers: dict[str, str]) -> None:
    """Some would make a goroutine of the store panic. None gives access to a public object either."""
    assert server.ask(f"/{BUCKET}?{query}", headers=headers).status == 403
    assert server.ask(f"{OBJECT}?{query}", "PUT", headers).status == 403
    assert server.s3.seen == []


def test_the_internal_location_for_tags_is_not_accessible(server: NginxServer) -> None:
    assert server.ask("/.dcor/tag").status in (403, 404)
    assert server.filer.seen == []
