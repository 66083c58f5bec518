"""Under its further names and IP addresses the site answers, and under no others."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcor_pkg.machine.host import Host
from dcor_pkg.nginx.site import site
from dcor_pkg.tls.self_signed import PAIR
from tests.unit.nginx.nginx_server import NAME, SETTINGS, NginxServer, facts, opened

ADDRESSES = ["127.0.0.1", "192.0.2.10", "[2001:db8::10]"]
NAMES = ["dcor.intranet", f"{'a' * 50}.example.org"]
WITH_NAMES = replace(SETTINGS, certificate_names=f"{' '.join(NAMES)} 127.0.0.1 192.0.2.10 2001:db8::10")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxServer]:
    """Return an nginx with further names."""
    root = Path(tmp_path_factory.mktemp("n"))
    with opened(Host(root=root), settings=WITH_NAMES) as server:
        yield server


def ask(server: NginxServer, name: str, host: str, *, tls: bool = True) -> tuple[int, str]:
    """Return the status of an answer, and where it redirects to; `name` is in the handshake, `host` in the header."""
    answer = server.ask("/trust", headers={"Host": host}, name=name, tls=tls)
    return answer.status, answer.headers.get("location", "")


@pytest.mark.parametrize("name", [NAME, *NAMES])
def test_each_dns_name_is_answered_and_redirects_to_itself(named: NginxServer, name: str) -> None:
    assert ask(named, name, name) == (200, "")
    assert ask(named, name, name, tls=False) == (301, f"https://{name}/trust")


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_address_is_answered_without_a_name_in_the_handshake(named: NginxServer, address: str) -> None:
    """Python names no IP address in the handshake, as no client does (RFC 6066, section 3)."""
    assert ask(named, "127.0.0.1", address) == (200, "")
    assert ask(named, "127.0.0.1", address, tls=False) == (301, f"https://{address}/trust")


@pytest.mark.parametrize("name", ["127.0.0.1", "other.example.org"])
def test_other_hosts_get_no_answer(named: NginxServer, name: str) -> None:
    for host in ("other.example.org", "192.0.2.11", "_"):
        assert ask(named, name, host)[0] == 0
        assert ask(named, name, host, tls=False)[0] == 0


def test_clients_verify_each_name(named: NginxServer) -> None:
    certificate = Host(root=named.root).path(PAIR.certificate)
    context = ssl.create_default_context(cafile=str(certificate))
    for name in ("127.0.0.1", NAME, NAMES[0]):
        with socket.create_connection(("127.0.0.1", named.tls), 15) as connection:
            context.wrap_socket(connection, server_hostname=name).close()


def test_without_an_address_no_certificate_is_sent_to_who_names_no_host(host: Host) -> None:
    text = site(replace(SETTINGS, certificate_names="dcor.intranet"), facts((1, 22, 1))).text(host)
    assert "ssl_reject_handshake on;" in text
    assert text.count("    ssl_certificate ") == 1
