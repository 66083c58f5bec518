"""nginx between clients and CKAN: host names, limits, headers, and the requests that nginx answers itself."""

from __future__ import annotations

import json
import ssl
import threading
import time

import pytest

from tests.unit.nginx.backends import Reply, Request, until
from tests.unit.nginx.nginx_server import DATASET, NAME, RESOURCE, NginxServer


@pytest.mark.parametrize("tls", [True, False])
def test_a_request_with_another_host_name_gets_no_answer(server: NginxServer, tls: bool) -> None:
    if tls:
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            server.ask("/", name="10.1.2.3.example.org")
        assert server.ask("/", headers={"Host": "other.example.org"}).status in (0, 421)
    else:
        assert server.ask("/", name="other.example.org", tls=False).status == 0
    assert server.ckan.seen == []


def test_plain_http_is_redirected_to_https(server: NginxServer) -> None:
    answer = server.ask("/dataset/?q=a%20b", tls=False)
    assert (answer.status, answer.headers["location"]) == (301, f"https://{NAME}/dataset/?q=a%20b")


@pytest.mark.parametrize("protocol", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_http2_is_available(server: NginxServer, protocol: ssl.TLSVersion) -> None:
    with server.connect(protocols=("h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        cipher = connection.cipher()
        assert cipher is not None
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_robots_txt_excludes_what_robots_should_not_read(server: NginxServer) -> None:
    answer = server.ask("/robots.txt")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert {"Disallow: /user", "Disallow: /*.rtdc", "Disallow: /*?"} <= set(answer.text.splitlines())


@pytest.mark.parametrize(
    "version", ["0.1.0", "0.9.2", "0.15.99", "0.16", "0.16.0", "0.16.9", "0.16.10", "0.16.10.post2", "0.10.3.dev4"]
)
def test_an_old_dcor_aid_gets_the_message_that_it_is_outdated(server: NginxServer, version: str) -> None:
    """It reads the reason and the last word (dcoraid/api/ckan_api.py, handle_response), if the body is not JSON."""
    answer = server.ask("/api/3/action/status_show", headers={"User-Agent": f"DCOR-Aid/{version}"})
    assert (answer.status, answer.reason) == (400, "Bad Request")
    assert answer.text.endswith("outdated.")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answer.text)


@pytest.mark.parametrize("version", ["0.16.11", "0.16.100", "0.17.0", "0.20", "1.1.3", "0.16.11.post1", "10.0.0"])
def test_a_newer_dcor_aid_gets_through(server: NginxServer, version: str) -> None:
    assert server.ask("/api/3/action/status_show", headers={"User-Agent": f"DCOR-Aid/{version}"}).status == 200


@pytest.mark.parametrize("status", ["404 NOT FOUND", "409 CONFLICT", "403 FORBIDDEN"])
def test_ckans_reason_phrase_reaches_the_client(server: NginxServer, status: str) -> None:
    """DCOR-Aid distinguishes errors by the reason phrase."""
    server.ckan.respond = lambda request: (status, {"Content-Type": "application/json"}, b'{"success": false}')
    answer = server.ask("/api/3/action/package_show?id=none")
    assert f"{answer.status} {answer.reason}" == status


def test_a_body_of_20_mib_is_accepted_and_a_larger_one_is_rejected(server: NginxServer) -> None:
    server.ckan.respond = lambda request: ("200 OK", {}, str(len(request["body"])).encode())
    assert server.ask("/api/3/action/group_create", "POST", body=b"x" * (20 << 20)).text == str(20 << 20)
    announced = {"Content-Length": str((20 << 20) + 1)}
    assert server.ask("/api/3/action/group_create", "POST", announced, b"x").status == 413


def test_forwarding_headers_of_a_client_are_replaced(server: NginxServer) -> None:
    headers = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example.org", "Cookie": "dcor=session"}
    server.ask("/user/login", headers=headers)
    assert server.ckan.only["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_HOST" not in server.ckan.only
    assert server.ckan.only["HTTP_HOST"] == NAME


def test_an_admins_addition_is_served(server: NginxServer) -> None:
    answer = server.ask("/own")
    assert (answer.status, answer.text) == (200, "own")
    assert answer.headers["content-security-policy"] == "script-src https://cdn.example.org"


def test_ckan_completes_a_request_whose_client_has_disconnected(server: NginxServer) -> None:
    """A write that is half done is worse than one whose answer nobody reads."""
    released = threading.Event()

    def slow(request: Request) -> Reply:
        released.wait(5)
        return "200 OK", {}, b"written"

    server.ckan.respond = slow
    with server.connect() as connection:
        connection.sendall(f"POST /user/login?gone HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 0\r\n\r\n".encode())
        until(lambda: len(server.ckan.seen) == 1)
    time.sleep(0.2)  # time in which nginx would abort its request to CKAN
    released.set()
    until(lambda: "POST /user/login?gone" in server.ckan.done)


def test_during_maintenance_all_is_503_with_retry_after(server: NginxServer) -> None:
    flag = server.root / "var/lib/dcor-server/nginx/maintenance"
    flag.touch()
    try:
        answers = [server.ask(target) for target in ("/", "/api/3/action/status_show", "/webassets/a.js")]
    finally:
        flag.unlink()
    assert [(answer.status, "retry-after" in answer.headers) for answer in answers] == [(503, True)] * 3
    assert server.ask("/maintained").status == 404


SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
}


@pytest.mark.parametrize("target", ["/", "/user/login", "/api/3/action/status_show", "/none", "/base/x.css"])
def test_each_answer_has_security_headers(server: NginxServer, target: str) -> None:
    headers = server.ask(target).headers
    assert {name: headers[name] for name in SAFE} == SAFE
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers  # with a self-signed certificate it would lock users out
    assert headers["server"] == "nginx"


def test_scripts_in_uploaded_files_do_not_run(server: NginxServer) -> None:
    policy = server.ask("/uploads/user/2026-11-23-picture.svg").headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    ("target", "scripts"),
    [
        ("/dataset/name", "script-src 'self';"),
        (f"/dataset/{DATASET}/resource/{RESOURCE}", "script-src 'self' 'unsafe-inline';"),
    ],
)
def test_inline_scripts_run_in_pages_of_resources_only(server: NginxServer, target: str, scripts: str) -> None:
    """CKAN's pages of resources contain them (dataviewer/base.html, text_view.html, resource_upload_field.html)."""
    policy = server.ask(target).headers["content-security-policy"]
    assert policy.startswith(f"{scripts} default-src 'self';")


def test_the_log_contains_no_signature_and_no_key(server: NginxServer) -> None:
    """A signed link gives access to private data for a day, and the key of /user/reset to an account."""
    server.ask(
        f"/dataset/a?x=1&X-Amz-Signature={'0' * 64}", headers={"Referer": f"https://{NAME}/user/reset/a?key=KEY"}
    )
    server.ask("/user/reset/a?key=KEY")
    server.ask("/dataset/logged?q=1")
    file = server.root / "var/log/nginx/access.log"
    until(lambda: "GET /dataset/logged?q=1 HTTP/1.1" in file.read_text())  # the log is written after the answer
    log = file.read_text()
    assert "0" * 64 not in log
    assert "KEY" not in log
