"""nginx staples where the certificate names a responder that it can ask, and looks its name up again each night."""

from __future__ import annotations

from typing import Any

import pytest

from dcor_pkg.answers.settings import OWN
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import stapling, x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.stapling import FILE, Stapling
from dcor_pkg.tls.trust_bundle import BUNDLE
from tests.unit.tls.authority import INTERMEDIATE, KEY, pem

SERVED, STEP = PAIRS[OWN], Stapling(PAIRS[OWN])
RESPONDER = "http://ocsp.example.org/"


def serve(host: Host, responder: str) -> None:
    SERVED.write(host, INTERMEDIATE.issue(KEY, responder=responder) + INTERMEDIATE.pem, pem(KEY))
    pending.clear(host, pending.RELOAD_NGINX)


@pytest.mark.parametrize("responder", [RESPONDER, "HTTP://ocsp.example.org:2560/x"])
def test_a_responder_is_asked_and_its_answer_is_verified(host: Host, responder: str) -> None:
    serve(host, responder)
    (outcome,) = run([STEP], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{FILE} is missing")
    assert pending.is_pending(host, pending.RELOAD_NGINX)
    lines = (host.read(FILE) or "").splitlines()
    assert {"ssl_stapling on;", "ssl_stapling_verify on;", f"ssl_trusted_certificate {BUNDLE};"} < set(lines)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize("responder", ["", "https://ocsp.example.org/", "ldap://directory.example.org/"])
def test_nothing_is_stapled_where_nginx_has_nobody_to_ask(host: Host, responder: str) -> None:
    """nginx would warn of it at each start."""
    serve(host, responder)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.UNCHANGED]
    assert not host.exists(FILE)


def test_the_next_certificate_without_a_responder_ends_it(host: Host) -> None:
    serve(host, RESPONDER)
    run([STEP], host)
    serve(host, "")
    (outcome,) = run([STEP], host)
    assert (outcome.result, host.exists(FILE)) == (Result.CHANGED, False)
    assert pending.is_pending(host, pending.RELOAD_NGINX)


def test_without_a_certificate_nothing_is_stapled(host: Host) -> None:
    assert [outcome.result for outcome in run([STEP], host)] == [Result.UNCHANGED]


def test_the_responder_is_found_in_a_certificate() -> None:
    (certificate,) = x509_properties.load_chain(INTERMEDIATE.issue(KEY, responder=RESPONDER))
    assert x509_properties.ocsp_responder(certificate) == RESPONDER
    (without,) = x509_properties.load_chain(INTERMEDIATE.pem)
    assert x509_properties.ocsp_responder(without) is None


@pytest.mark.parametrize(("responder", "calls"), [(RESPONDER, [("nginx", "-q", "-s", "reload")]), ("", [])])
def test_the_name_is_looked_up_again_where_something_is_stapled(
    host: Host, monkeypatch: pytest.MonkeyPatch, responder: str, calls: list[tuple[str, ...]]
) -> None:
    ran: list[tuple[str, ...]] = []

    def record(_: Host, *argv: str, **__: Any) -> str:
        ran.append(argv)
        return ""

    serve(host, responder)
    run([STEP], host)
    monkeypatch.setattr(Host, "run", record)
    stapling.look_up_again(host)
    assert ran == calls
