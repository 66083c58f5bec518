"""Request a private measurement as a guest and as another user, and a public one as a guest.

Prints each request with its status as JSON. All requests for the private measurement have to be rejected. A guest can
read the public one, but neither list, change nor query it in the store.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dcor_client
from dclab.rtdc_dataset import fmt_dcor
from dcor_client import Server, Uploaded
from forbidden_requests import REJECTIONS, ask, assert_rejected, store_targets

#: Prefixes of response headers of the store, which nginx has to remove.
STORE_HEADERS = ("seaweed-", "x-amz-tagging", "x-amz-meta-")


def main() -> None:
    """Upload a private and a public measurement, and request them."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--other-user", type=Path, required=True, help="a file with another ordinary user's API token")
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    beads = dcor_client.measurements(args.wheels)["calibration_beads_47.rtdc"]
    word = dcor_client.new_word()
    private = prepare(server, beads, word, private=True)
    public = prepare(server, beads, dcor_client.new_word(), private=False)
    attempts = {
        "api": try_api(server, private, word, args.other_user.read_text().strip()),
        "pages": try_pages(server, private),
        "store": try_store(server, private, public),
        "signed": try_signed(server, private, public),
    }
    print(json.dumps({"rejected": attempts, "public": try_public(server, public)}, indent=1))


def prepare(server: Server, path: Path, title: str, *, private: bool) -> Uploaded:
    """Upload a measurement, and wait until its owner can read all files of it."""
    (resource,) = dcor_client.upload(server, [path], title, private=private)
    dcor_client.wait_for_metadata(server, resource)
    for name in ("preview.jpg", "condensed.rtdc"):
        dcor_client.wait_for_file(server, f"{resource.page}/{name}")
    owner = server.get(f"{resource.page}/download/{resource.name}")
    assert owner.content == path.read_bytes(), "the owner cannot download"
    return resource


def try_api(server: Server, private: Uploaded, word: str, other_user: str) -> dict[str, int]:
    """Request the dataset from all actions that return one, as a guest and as another user."""
    calls = [f"package_show?id={private.dataset}", f"resource_show?id={private.id}"]
    calls += [f"resource_view_list?id={private.id}", f"package_relationships_list?id={private.dataset}"]
    queries = ("metadata", "size", "basins", "logs", "tables", "trace_list", "valid", "feature_list")
    calls += [f"dcserv?id={private.id}&query={query}" for query in queries]
    seen = {}
    for who, headers in (("guest", {}), ("other_user", {"Authorization": other_user})):
        for call in calls:
            name = f"{who}: {call}"
            seen[name] = assert_rejected(name, ask(server, "GET", f"/api/3/action/{call}", headers), word)
        for search in (f"package_search?q={word}", f"package_search?q=id:{private.dataset}&include_private=true"):
            status, _, body = ask(server, "GET", f"/api/3/action/{search}", headers)
            assert status == 200, f"{who}: {search}: {body[:300]!r}"
            assert json.loads(body)["result"]["count"] == 0, f"{who}: {search}: {body[:300]!r}"
            seen[f"{who}: {search} (0 found)"] = status
    return seen


def try_pages(server: Server, private: Uploaded) -> dict[str, int]:
    """Request the dataset's pages and files: the response is the same as if it did not exist."""
    pages = [f"/dataset/{private.dataset}", private.page, f"{private.page}/download/{private.name}"]
    pages += [f"{private.page}/{name}" for name in ("condensed.rtdc", "preview.jpg")]
    seen = {}
    for page in pages:
        answer = ask(server, "GET", page)
        assert answer[0] == 404, f"{page}: {answer[0]} {answer[1]}"
        seen[page] = assert_rejected(page, answer)
    return seen


def object_path(server: Server, resource: Uploaded) -> str:
    """Return the path of a resource in the store, from its metadata."""
    return urlsplit(str(server.api().get("resource_show", id=resource.id)["s3_url"])).path


def try_store(server: Server, private: Uploaded, public: Uploaded) -> dict[str, int]:
    """Request the object from the store, without a signature or with an invalid one."""
    ours, theirs = object_path(server, private), object_path(server, public)
    seen = {target: assert_rejected(target, ask(server, "GET", target)) for target in store_targets(ours, theirs)}
    headers = [{"Range": "bytes=0-7"}, {"Authorization": server.token}, {"Authorization": f"Bearer {server.token}"}]
    headers += [{"Authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host, Signature=d"}]
    headers += [
        {"Authorization": "AWS a:b"},
        {"X-Original-URI": theirs},
        {"X-Rewrite-URL": theirs},
        {"X-Original-URL": theirs},
    ]
    headers += [{"X-Amz-Tagging-public": "true"}, {"Cookie": "dcor=x; AT=y"}]
    for header in headers:
        name = f"{ours} with {next(iter(header))}: {next(iter(header.values()))[:24]}"
        seen[name] = assert_rejected(name, ask(server, "GET", ours, header))
    for method in ("HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        seen[f"{method} {ours}"] = assert_rejected(f"{method} {ours}", ask(server, method, ours, body=b"x"))
    tagging = b"<Tagging><TagSet><Tag><Key>public</Key><Value>true</Value></Tag></TagSet></Tagging>"
    seen["PUT tagging"] = assert_rejected("PUT tagging", ask(server, "PUT", f"{ours}?tagging", body=tagging))
    seen["after all that"] = assert_rejected("after all that", ask(server, "GET", ours))
    return seen


def try_signed(server: Server, private: Uploaded, public: Uploaded) -> dict[str, int]:
    """Modify a link that was signed for the owner, which is valid for one object, method and period only."""

    def link(resource: Uploaded) -> str:
        answer = server.get(f"{resource.page}/download/{resource.name}", allow_redirects=False)
        assert answer.status_code == 302, f"no link: {answer.status_code}"
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}"

    ours, theirs = link(private), link(public)
    assert ask(server, "GET", ours)[0] == 200, "a signed link does not open"
    path, _, signature = ours.partition("?")
    modified = {
        "another object": f"{path.replace('/resource/', '/condensed/')}?{signature}",
        "a public object's signature": f"{path}?{theirs.partition('?')[2]}",
        "lasting longer": ours.replace("X-Amz-Expires=", "X-Amz-Expires=1"),
        "with another answer": f"{ours}&response-content-type=text/html",
        "signature cut": ours[:-1] + ("0" if ours[-1] != "0" else "1"),
    }
    seen = {name: assert_rejected(name, ask(server, "GET", target)) for name, target in modified.items()}
    for method in ("PUT", "DELETE"):
        name = f"{method} with a link for GET"
        seen[name] = assert_rejected(name, ask(server, method, ours, body=b"x"))
    return seen


def try_public(server: Server, public: Uploaded) -> dict[str, Any]:
    """Read a public measurement as a guest, and try to list, query and change it."""
    guest = Server(server.host)
    path = object_path(server, public)
    data = public.path.read_bytes()
    for target in (path, f"{public.page}/download/{public.name}"):
        assert guest.get(target).content == data, f"{target} is not what was uploaded"
    status, headers, body = ask(server, "GET", path, {"Range": "bytes=0-7"})
    assert (status, body) == (206, data[:8]), f"range: {status} {body!r}"
    of_the_store = sorted(key for key in headers if key.startswith(STORE_HEADERS))
    assert not of_the_store, f"headers of the store: {of_the_store}"
    status, headers, _ = ask(server, "HEAD", path)
    assert (status, headers["content-length"]) == (200, str(len(data))), f"HEAD: {headers}"
    assert headers["etag"].strip('"') == public.etag, f"etag: {headers['etag']}"
    with_body = ask(server, "GET", path, body=b"x")
    assert with_body[0] in REJECTIONS or with_body[2] == data, f"a GET request with a body: {with_body[:2]}"
    bucket = path.split("/")[1]
    forbidden = [("GET", f"/{bucket}/?list-type=2"), ("GET", f"{path}?metadata=true"), ("GET", f"{path}?tagging")]
    forbidden += [("PUT", path), ("POST", path), ("DELETE", path), ("PUT", f"{path}x"), ("DELETE", f"{path}?tagging")]
    seen = {
        f"{verb} {target}": assert_rejected(target, ask(server, verb, target, body=b"x")) for verb, target in forbidden
    }
    assert guest.get(path).content == data, "a guest has changed it"
    assert guest.get(f"/dataset/{public.dataset}").status_code == 200
    fmt_dcor.api.APIHandler.api_keys.clear()
    with fmt_dcor.RTDC_DCOR(f"{server.url}/api/3/action/dcserv?id={public.id}") as remote:
        deform, image = float(remote["deform"][0]), remote["image"][0].shape
    assert abs(deform - dcor_client.FIRST_DEFORM) < 1e-9, deform
    return {"deform[0]": round(deform, 9), "image": list(image), "rejected": seen}


if __name__ == "__main__":
    main()
