"""An object in the store, signed requests for it, and a stub of the filer that serves it."""

from __future__ import annotations

from tests.unit.nginx.backends import Reply, Request

BUCKET = "circle-8b3a1f26-33c2-4d4f-9c6b-52d5b0d5a1b7"
KEY = "resource/89b/f21/77-ffeb-9893-83cc-b619fc2f6663"
OBJECT = f"/{BUCKET}/{KEY}"
SIGNATURE = "0a" * 32
SIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key%2F20261123%2Fdcor%2Fs3%2Faws4_request&X-Amz-Date=20261123T225000Z"
    f"&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Signature={SIGNATURE}"
)
SCOPE = "AWS4-HMAC-SHA256 Credential=key/20261123/dcor/s3/aws4_request"
AWS4 = {
    "X-Amz-Date": "20261123T225000Z",
    "Authorization": f"{SCOPE}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}",
}


def filer(request: Request) -> Reply:
    """Answer as SeaweedFS's filer does.

    Resources are public, previews and condensed files are private, and what has -0000- in its name does not exist.
    """
    if request.get("HTTP_AUTHORIZATION") != "Bearer filer-token":
        return "401 Unauthorized", {}, b"wrong jwt"
    if "-0000-" in request["REQUEST_URI"]:
        return "404 Not Found", {}, b""
    tag = {} if "/preview/" in request["REQUEST_URI"] else {"X-Amz-Tagging-public": "true", "X-Amz-Tagging-Count": "1"}
    if "/condensed/" in request["REQUEST_URI"]:
        tag = {"X-Amz-Tagging-public": "TRUE"}
    headers = {"Seaweed-X-Amz-Owner": "ckan", "Seaweed-X-Amz-Etag": "c0ffee-2", "ETag": '"other"', **tag}
    if request.get("HTTP_RANGE"):
        return "206 Partial Content", {**headers, "Content-Range": "bytes 1-2/4"}, b"HD"
    return "200 OK", {**headers, "Content-Type": "text/html", "Content-Disposition": "inline"}, b"\x89HDF"
