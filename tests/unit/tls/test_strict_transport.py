"""Browsers are told to insist on a trusted certificate only where the served one is trusted."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.settings import OWN, SELF_SIGNED
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.strict_transport import FILE, StrictTransport
from tests.unit.tls.authority import CHAIN, INTERMEDIATE, KEY, NAME, ROOT, UNTRUSTED, Authority, pem

STEP = StrictTransport(PAIRS[OWN])


def serve(host: Host, chain: str) -> None:
    host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    PAIRS[OWN].write(host, chain, pem(KEY))
    pending.clear(host, pending.RELOAD_NGINX)


def test_a_certificate_of_a_trusted_authority_is_insisted_on(host: Host) -> None:
    serve(host, CHAIN)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.CHANGED]
    assert 'add_header Strict-Transport-Security "max-age=63072000" always;' in (host.read(FILE) or "").splitlines()
    assert pending.is_pending(host, pending.RELOAD_NGINX)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param(Authority.sign(NAME, KEY, signer=Authority(NAME, key=KEY)), id="self-signed"),
        pytest.param(UNTRUSTED.issue(KEY) + UNTRUSTED.pem, id="untrusted"),
        pytest.param(INTERMEDIATE.issue(KEY), id="incomplete"),
        pytest.param("", id="none"),
    ],
)
def test_no_user_is_locked_out(host: Host, chain: str) -> None:
    serve(host, CHAIN)
    run([STEP], host)
    serve(host, chain)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.CHANGED]
    assert (host.exists(FILE), pending.is_pending(host, pending.RELOAD_NGINX)) == (False, True)


def test_the_servers_own_one_is_not_insisted_on_even_where_this_machine_knows_it(host: Host) -> None:
    SelfSignedCertificate(NAME).apply(host)
    host.write(AUTHORITIES, host.read(PAIRS[SELF_SIGNED].certificate) or "", Access(0o644))
    assert [outcome.result for outcome in run([StrictTransport(PAIRS[SELF_SIGNED])], host)] == [Result.UNCHANGED]
    assert not host.exists(FILE)
