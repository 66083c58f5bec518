"""nginx rejects queries to which CKAN would answer 500, however they are written, and no others."""

from __future__ import annotations

import json

import pytest

from tests.unit.nginx.nginx_server import DATASET, NginxServer
from tests.unit.nginx.stored import OBJECT, SIGNED

USER = {"Cookie": "dcor=session"}
UPLOAD = "/api/3/action/resource_upload_s3_urls"
ABSURD = "9" * 20


@pytest.mark.parametrize(
    "target",
    [
        *(f"{page}?page={ABSURD}" for page in ("/dataset/", "/de/dataset/", "/group/", "/organization/x", "/user/")),
        f"/feeds/dataset.atom?page={ABSURD}",
        f"/feeds/custom.atom?q=a&page={ABSURD}&x=y",
        f"/dataset/?page=1&page={ABSURD}",
        f"/dataset/?p%61ge={ABSURD}",
        f"/dataset/?%70%61%67%65={ABSURD}",
        "/dataset/?page=%39%39%39%39%39%39%39%39%39%39",
        "/dataset/?page=107374183",
        "/dataset/?page=-1",
        "/dataset/?page=",
        "/dataset/?page=1_000",
        "/dataset/?page=abc",
        "/group/x?_tags_limit=abc",
        f"/organization/x?q=&_license_id_limit={ABSURD}",
        "/group/x?%5ftags%5Flim%69t=abc",
        "/api/2/util/user/autocomplete?q=a&limit=abc",
        f"/api/util/dataset/autocomplete?limit={ABSURD}",
        "/feeds/custom.atom?q=%00",
        "/group/x?q=a%00b",
        "/organization/?q=%00",
        "/dataset/?%00=x",
        "/api/3/action/package_show?id=%00",
        "/dataset/a%00",
        "/group/%00",
        "/api/3/action/%00",
        f"{OBJECT}?prefix=%00&{SIGNED}",
    ],
)
def test_what_ckan_cannot_process_is_rejected(server: NginxServer, target: str) -> None:
    for headers in ({}, USER):
        for method in ("GET", "HEAD", "POST"):
            assert server.ask(target, method, headers).status == 400
    assert server.ckan.seen == server.s3.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/dataset/?page=1",
        "/dataset/?q=a&page=99999999&sort=x",
        "/dataset/?q=page%3Dx&homepage=x&pages=x",
        f"/dataset/?q={ABSURD}",
        f"/dataset/{ABSURD}",
        "/dataset/?q=%2500&text=100%25",
        "/group/x?_tags_limit=0&_organization_limit=100",
        "/group/x?_tags_limit=-1",
        "/api/2/util/user/autocomplete?q=a&limit=20",
        f"/api/3/action/package_search?start={ABSURD}&page=x&limit=abc",
        f"{UPLOAD}?organization_id={DATASET}&file_size=1",
        f"{UPLOAD}?file_size=4294967296.0&organization_id=a-circle",
    ],
)
def test_all_other_queries_reach_ckan(server: NginxServer, target: str) -> None:
    assert server.ask(target, headers=USER).status == 200
    assert server.ckan.only["REQUEST_URI"] == target


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?organization_id=x",
        "?file_size=1",
        "?organization_id=&file_size=1",
        "?organization_id=x&file_size=",
        "?organization_id=x&file_size=many",
        "?organization_id=x&file_size=-1",
        f"?organization_id=x&file_size={ABSURD}",
        "?organization_id=x&file_size=1x",
        "?organization_id=x&file_size=inf",
    ],
)
def test_an_upload_without_its_arguments_is_a_conflict(server: NginxServer, query: str) -> None:
    """CKAN answers so as well where an action validates its arguments."""
    answer = server.ask(f"{UPLOAD}{query}", headers=USER)
    assert (answer.status, json.loads(answer.text)["error"]["__type"]) == (409, "Validation Error")
    assert server.ckan.seen == []
