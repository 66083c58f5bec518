"""With acme, nginx answers the authority on port 80."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx.site import MAINTENANCE
from dcor_pkg.tls import acme_client
from tests.unit.nginx.nginx_server import NAME, SETTINGS, NginxServer, opened

CHALLENGE = "/.well-known/acme-challenge/LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM"
PUBLIC = Access(0o644)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Return a machine on which certbot has written the answer to a challenge."""
    host = Host(root=Path(tmp_path_factory.mktemp("n")))
    host.write(f"{acme_client.WEBROOT}{CHALLENGE}", "token.thumbprint", PUBLIC)
    return host


@pytest.fixture(scope="module")
def asked(host: Host) -> Iterator[NginxServer]:
    """Return the nginx that an authority asks."""
    with opened(host, settings=replace(SETTINGS, certificate="acme")) as server:
        yield server


@pytest.mark.parametrize("is_in_maintenance", [False, True])
def test_a_challenge_is_answered_without_tls_and_everything_else_leads_there(
    host: Host, asked: NginxServer, is_in_maintenance: bool
) -> None:
    if is_in_maintenance:
        host.write(MAINTENANCE, "", PUBLIC)
    answer = asked.ask(CHALLENGE, tls=False)
    assert (answer.status, answer.text, answer.headers["content-type"]) == (200, "token.thumbprint", "text/plain")
    assert asked.ask("/.well-known/acme-challenge/other", tls=False).status == 404
    assert asked.ask(CHALLENGE, tls=False, headers={"Host": "other.example.org"}).status == 0
    for target in ("/dataset/?q=a%20b", "/.well-known/acme-challenge/../../dataset", "/.well-known/other"):
        answer = asked.ask(target, tls=False)
        assert (answer.status, answer.headers["location"]) == (301, f"https://{NAME}{target}")
    host.remove(MAINTENANCE)


def test_a_self_signed_certificate_in_its_place_comes_without_hsts(asked: NginxServer) -> None:
    assert "strict-transport-security" not in asked.ask("/trust").headers


def test_for_records_in_the_dns_port_80_answers_no_challenge(tmp_path: Path) -> None:
    with opened(Host(root=tmp_path), settings=replace(SETTINGS, certificate="acme", acme_challenge="dns-01")) as server:
        assert server.ask(CHALLENGE, tls=False).status == 301
