"""Nobody gets an address to upload to without a login, however the request is written."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.unit.nginx.nginx_server import NginxServer

ACTION = "resource_upload_s3_urls"
QUERY = "organization_id=8b3a1f26-33c2-4d4f-9c6b-52d5b0d5a1b7&file_size=1"
#: other spellings of the action's address: nginx passes on none of them to an anonymous client
SPELLINGS = [
    f"/api/3/action/{ACTION}",
    f"/api/action/{ACTION}",
    f"/de/api/3/action/{ACTION}",
    f"/en_US/api/action/{ACTION}",
    f"/zh_Hans_CN/api/3/action/{ACTION}",
    *(f"/api/{version}/action/{ACTION}" for version in (0, 1, 2, 4, "03", "3.0")),
    f"//api/3/action/{ACTION}",
    f"/api//3///action//{ACTION}",
    f"/./api/3/x/../action/{ACTION}",
    f"/api/3/action/x/%2e%2e/{ACTION}",
    "/api/3/action/%72esource_upload_s3_urls",
    f"/%61pi/3/action/{ACTION.replace('_', '%5F')}",
    f"/api/3%2Faction%2F{ACTION}",
    f"/api/3/action%2f{ACTION}",
    "/api/3/action/%2572esource_upload_s3_urls",
    f"/api/3/action/{ACTION}/",
    f"/api/3/action/{ACTION}.json",
    f"/api/3/action/{ACTION};x",
    f"/api/3/action/{ACTION}%20",
    f"/api/3/action/{ACTION}%0a",
    f"/api/3/action/{ACTION}%00",
    f"/api/3/action/{ACTION.upper()}",
    f"/API/3/ACTION/{ACTION}",
    f"https://dcor.example.org/api/3/action/{ACTION}",
]
ANONYMOUS: list[Mapping[str, str]] = [
    {},
    {"Authorization": ""},
    {"Cookie": "dcor="},
    {"Cookie": "DCOR2=x; other=1"},
    {"X-Forwarded-User": "admin", "Remote-User": "admin", "X-HTTP-Method-Override": "GET"},
]
LOGINS: list[Mapping[str, str]] = [
    {"Authorization": "a-token"},
    {"X-CKAN-API-Key": "a-token"},
    {"Cookie": "dcor=session"},
    {"Cookie": "remember_token=somebody|0123"},
]


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_an_anonymous_request_for_an_address_does_not_reach_ckan(server: NginxServer, method: str, path: str) -> None:
    for query in (QUERY, f"callback=x&{QUERY}"):
        assert server.ask(f"{path}?{query}", method).status in (400, 403, 404, 405)
    assert server.ckan.seen == []


@pytest.mark.parametrize("headers", ANONYMOUS)
def test_what_does_not_identify_a_user_is_no_login(server: NginxServer, headers: Mapping[str, str]) -> None:
    answer = server.ask(f"/api/3/action/{ACTION}?{QUERY}", headers=headers)
    assert (answer.status, json.loads(answer.text)["error"]["__type"]) == (403, "Authorization Error")
    assert server.ckan.seen == []


@pytest.mark.parametrize("headers", LOGINS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_user_gets_an_address(server: NginxServer, method: str, headers: Mapping[str, str]) -> None:
    assert server.ask(f"/api/3/action/{ACTION}?{QUERY}", method, headers).status == 200
    assert len(server.ckan.seen) == 1


def test_other_actions_are_open_to_anonymous_requests(server: NginxServer) -> None:
    for method in ("GET", "POST"):
        assert server.ask("/api/3/action/package_search?rows=1", method).status == 200
