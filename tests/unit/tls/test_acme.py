"""With acme, a self-signed certificate serves until the authority has issued one; after a failure it is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from cryptography import x509

from dcor_pkg.answers import settings_text
from dcor_pkg.answers.settings import ACME, SELF_SIGNED
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine import http_request, state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.tls import (
    acme_client,
    acme_state,
    private_key,
    strict_transport,
    trust_anchor,
    trust_bundle,
    x509_properties,
)
from dcor_pkg.tls.acme_client import HOOK
from dcor_pkg.tls.pair import PAIRS
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.call import Call
from tests.unit.tls.authority import INTERMEDIATE, NAME, ROOT, Keyed

DIRECTORY = "https://ca.example.org/directory"
PAIR, STAND_IN = PAIRS[ACME], PAIRS[SELF_SIGNED]
REFUSAL = "dcor.example.org: no answer on port 80"


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a server, and an authority of which the machine knows the root."""
    monkeypatch.setattr(http_request, "get", lambda *_: Answer(200, '{"newOrder": "https://ca.example.org/order"}'))
    dcor_server.machine.host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    return dcor_server.converged()


def turn_on(server: CommandLine, **answers: str) -> None:
    given = {
        "certificate": ACME,
        "acme-directory": DIRECTORY,
        **{key.replace("_", "-"): it for key, it in answers.items()},
    }
    ended = server("set", *(f"{key}={value}" for key, value in given.items()))
    assert ended.code == 0, ended


def first(server: CommandLine) -> x509.Certificate:
    return x509_properties.load_chain(server.machine.host.read(PAIR.certificate) or "")[0]


def grow_old(server: CommandLine, end: int) -> None:
    """Let the certificate end in so many days, of 90."""
    key = server.machine.host.read(PAIR.key) or ""
    PAIR.write(
        server.machine.host, INTERMEDIATE.issue(private_key.load(key), begin=end - 90, end=end) + INTERMEDIATE.pem, key
    )


def hour_later(server: CommandLine, hours: float = 1) -> None:
    """Let the timer dcor-retry come so many hours later."""
    state: dict[str, float] = state_file.read(server.machine.host, acme_state.STATE, {})
    state["next"] -= hours * 3600
    state_file.write(server.machine.host, acme_state.STATE, state)
    assert server("converge").code == 0


def test_the_authority_issues_for_the_key_that_clients_may_have_pinned_and_nginx_is_reloaded(
    server: CommandLine,
) -> None:
    reloads = server.machine.nginx.reloads
    turn_on(server)
    assert first(server).issuer.rfc4514_string() == "CN=intermediate.example.org"
    assert server.machine.host.read(PAIR.key) == server.machine.host.read(STAND_IN.key)
    assert server.machine.nginx.reloads > reloads
    assert not pending.is_pending(server.machine.host, pending.RELOAD_NGINX)
    (request,) = server.machine.certbot.requests
    assert (request.subject.rfc4514_string(), request.is_signature_valid) == (f"CN={NAME}", True)
    checked = server("check")
    assert checked.code == 0, [line for line in checked.lines if line.startswith("~")]
    assert "0 changed" in server("converge").out


def test_programs_trust_the_certificates_before_and_after_and_are_not_started_anew(server: CommandLine) -> None:
    host = server.machine.host
    server.machine.certbot.refusal = REFUSAL
    turn_on(server)
    bundle = host.read(trust_bundle.BUNDLE)
    assert bundle == (host.read(AUTHORITIES) or "") + (host.read(STAND_IN.certificate) or "")
    server.machine.certbot.refusal = ""
    for _ in range(2):
        assert server("certificate", "renew").code == 0
        assert host.read(trust_bundle.BUNDLE) == bundle


def test_certbot_gets_its_own_directories_and_the_webroot_of_nginx(server: CommandLine) -> None:
    turn_on(server)
    arguments = server.machine.certbot.arguments
    assert arguments[arguments.index("--server") + 1] == DIRECTORY
    assert arguments[arguments.index("--config-dir") + 1] == acme_client.ACCOUNT
    assert arguments[arguments.index("--email") + 1] == "admin@example.org"
    assert arguments[arguments.index("--webroot-path") + 1] == str(server.machine.host.path(acme_client.WEBROOT))
    assert server.machine.host.access(acme_client.DIRECTORY) == Access(0o700)
    assert not server.machine.host.exists(acme_client.OUTPUT)


def test_further_names_are_in_the_request(server: CommandLine) -> None:
    turn_on(server, certificate_names="dcor.intranet")
    (request,) = server.machine.certbot.requests
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME, "dcor.intranet"]
    assert "is not for dcor.intranet" in server("status").out


def test_without_an_issue_the_server_is_self_signed_says_so_and_asks_later(server: CommandLine) -> None:
    certbot, host = server.machine.certbot, server.machine.host
    certbot.refusal = REFUSAL
    turn_on(server)
    assert PAIR.read(host) == STAND_IN.read(host)
    status = server("status")
    assert (status.code, f"is self-signed, since {DIRECTORY} has issued no certificate: {REFUSAL}" in status.out) == (
        3,
        True,
    )
    assert "dcor-server certificate renew" in status.out
    shown = server("certificate", "show", "--json")
    assert (shown.code, REFUSAL in shown.json["problem"]) == (3, True)
    assert server("converge").code == 0
    assert len(certbot.requests) == 1
    hour_later(server)
    assert len(certbot.requests) == 2
    hour_later(server)
    assert len(certbot.requests) == 2, "after the second failure it waits for two hours"
    certbot.refusal = ""
    hour_later(server)
    assert len(certbot.requests) == 3
    assert first(server).issuer != first(server).subject
    assert server("status").code == 0
    assert acme_state.read(host).failures == 0


def test_a_wait_grows_to_a_day_and_a_clock_that_was_ahead_makes_none_longer(server: CommandLine) -> None:
    host = server.machine.host
    for hours in (1, 2, 4, 8, 16, 24, 24):
        acme_state.record_failure(host, DcorError("no"))
        left = acme_state.read(host).next - time.time()
        assert hours * 3600 - 400 < left < hours * 3600
    assert acme_state.read(host).waits
    state_file.write(host, acme_state.STATE, {**state_file.read(host, acme_state.STATE, {}), "next": time.time() + 1e6})
    assert not acme_state.read(host).waits


def test_what_a_former_version_has_recorded_is_read(server: CommandLine) -> None:
    acme_state.record_failure(server.machine.host, DcorError("no", "why {not}"))
    state: dict[str, object] = state_file.read(server.machine.host, acme_state.STATE, {})
    state_file.write(server.machine.host, acme_state.STATE, {**state, "reason": "no", "hint": "why {not}"})
    found = acme_state.read(server.machine.host)
    assert (str(found.reason), str(found.hint), found.failures, found.waits) == ("no", "why {not}", 1, True)


def _without_common_name(request: Keyed) -> str:
    return INTERMEDIATE.issue(request, subject="other.example.org") + INTERMEDIATE.pem


def _for_another_name(request: Keyed) -> str:
    return INTERMEDIATE.issue(request, "other.example.org") + INTERMEDIATE.pem


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        (_without_common_name, f"has not the commonName {NAME}, which dclab and DCOR-Aid read"),
        (_for_another_name, f"is not for {NAME}"),
        (lambda _: "nothing", "cannot be read"),
        (lambda request: INTERMEDIATE.issue(request, begin=-80, end=10), "expires in 9 days"),
    ],
)
def test_a_certificate_of_no_use_is_not_served_and_not_asked_for_soon(
    server: CommandLine, issue: Callable[[Keyed], str], reason: str
) -> None:
    server.machine.certbot.issue = issue
    turn_on(server)
    assert PAIR.read(server.machine.host) == STAND_IN.read(server.machine.host)
    assert reason in server("status").out
    hour_later(server, 24)
    assert len(server.machine.certbot.requests) == 1
    hour_later(server, 25)
    assert len(server.machine.certbot.requests) == 2


def test_a_certificate_that_the_machine_does_not_trust_is_not_served(server: CommandLine) -> None:
    server.machine.packages.distrust = "error 20 at 0 depth lookup: unable to get local issuer certificate"
    turn_on(server)
    assert PAIR.read(server.machine.host) == STAND_IN.read(server.machine.host)
    status = server("status").out
    assert "this machine does not trust (" in status
    assert "dcor-server set acme-authority=FILE" in status


def test_a_certificate_that_ends_soon_is_renewed_with_the_same_key(server: CommandLine) -> None:
    turn_on(server)
    grow_old(server, end=32)
    assert server("status").code == 0, "it is renewed before it is reported"
    key = server.machine.host.read(PAIR.key)
    before = first(server)
    assert server("converge").code == 0
    assert first(server) != before
    assert server.machine.host.read(PAIR.key) == key
    assert "0 changed" in server("converge").out


def test_a_renewal_that_fails_leaves_the_certificate_until_it_ends(server: CommandLine) -> None:
    turn_on(server)
    grow_old(server, end=9)
    before = first(server)
    server.machine.certbot.refusal = REFUSAL
    server("converge")
    assert first(server) == before
    status = server("status")
    assert (status.code, f"was not renewed: {DIRECTORY} has issued no certificate: {REFUSAL}" in status.out) == (
        3,
        True,
    )
    assert "ends in 8 days" in status.out
    grow_old(server, end=-1)
    server("converge")
    assert PAIR.read(server.machine.host) == STAND_IN.read(server.machine.host)


@pytest.mark.parametrize(("options", "same"), [((), True), (("--new-key",), False)])
def test_renew_asks_at_once_with_the_same_key_unless_another_is_wanted(
    server: CommandLine, options: tuple[str, ...], same: bool
) -> None:
    turn_on(server)
    before, key = first(server), server.machine.host.read(PAIR.key)
    ended = server("certificate", "renew", *options)
    assert ended.code == 0, ended
    assert first(server) != before
    assert (server.machine.host.read(PAIR.key) == key) is same
    assert not pending.is_pending(server.machine.host, pending.NEW_KEY)


def test_renew_ends_with_1_and_the_reason_where_the_authority_refuses(server: CommandLine) -> None:
    turn_on(server)
    before = PAIR.read(server.machine.host)
    server.machine.certbot.refusal = REFUSAL
    for _ in range(2):
        ended = server("certificate", "renew")
        assert (ended.code, REFUSAL in ended.err, acme_client.LOGS in ended.err) == (1, True, True)
    assert PAIR.read(server.machine.host) == before
    assert len(server.machine.certbot.requests) == 3


def test_another_authority_is_asked_for_another_certificate(server: CommandLine) -> None:
    turn_on(server)
    turn_on(server, acme_directory="https://other.example.org/directory")
    assert len(server.machine.certbot.requests) == 2
    assert "0 changed" in server("converge").out


def test_a_way_back_and_forth_loses_nothing(server: CommandLine) -> None:
    before = STAND_IN.read(server.machine.host)
    turn_on(server)
    issued = PAIR.read(server.machine.host)
    assert server("set", "certificate=self-signed").code == 0
    assert STAND_IN.read(server.machine.host) == before
    turn_on(server)
    assert PAIR.read(server.machine.host) == issued
    assert len(server.machine.certbot.requests) == 1


def test_the_root_of_an_own_authority_is_copied_trusted_and_told_to_users(server: CommandLine) -> None:
    host = server.machine.host
    host.write(AUTHORITIES, "", Access(0o644))
    host.write("/srv/root.pem", ROOT.pem, Access(0o644))
    turn_on(server, acme_authority="/srv/root.pem")
    given = host.read("/srv/root.pem") or "missing"
    assert given in (host.read(trust_bundle.BUNDLE) or "")
    anchor = trust_anchor.trust_anchor(host, PAIR)
    assert anchor is not None
    assert anchor.subject.rfc4514_string() == "CN=root.example.org"
    assert x509_properties.fingerprint(anchor) in server("status").out
    host.remove("/srv/root.pem")
    assert "0 changed" in server("converge").out
    assert server("set", "acme-authority=").code == 0
    assert not host.exists(trust_anchor.ACME_AUTHORITY)


def test_hsts_is_sent_with_the_certificate_of_the_authority_alone(server: CommandLine) -> None:
    host = server.machine.host
    server.machine.certbot.refusal = REFUSAL
    turn_on(server)
    assert not host.exists(strict_transport.FILE)
    server.machine.certbot.refusal = ""
    assert server("certificate", "renew").code == 0
    assert host.exists(strict_transport.FILE)
    assert not pending.is_pending(host, pending.RELOAD_NGINX)


def test_a_program_of_the_admin_answers_in_the_dns(server: CommandLine) -> None:
    server.machine.host.write(HOOK, "#!/bin/sh\n", Access(0o700))
    server.machine.programs[HOOK] = lambda _: ""
    turn_on(server, acme_challenge="dns-01")
    arguments = server.machine.certbot.arguments
    record = '"_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"'
    assert f"--manual-auth-hook={HOOK} add {record}" in arguments
    assert f"--manual-cleanup-hook={HOOK} remove {record}" in arguments
    assert "acme-challenge" not in (server.machine.host.read("/etc/nginx/sites-available/dcor") or "")
    tried = [argv[1:] for argv in server.machine.ran(HOOK)]
    assert [argv[:2] for argv in tried] == [(act, f"_acme-challenge.{NAME}") for act in ("add", "remove")]
    assert tried[0][2] == tried[1][2]


def test_a_settings_file_that_was_edited_by_hand_is_as_good(server: CommandLine) -> None:
    host = server.machine.host
    text = (host.read(settings_text.PATH) or "").replace("certificate = self-signed", "certificate = acme")
    host.write(settings_text.PATH, text, Access(0o640))
    server.machine.certbot.refusal = "the address does not resolve"
    assert server("converge").code == 0
    assert PAIR.read(host) == STAND_IN.read(host)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "An unexpected error occurred:\nValueError: Requesting ca.example.org/d: Connection refused\n",
            "Connection refused",
        ),
        (
            "Hook '--manual-auth-hook' for a.b reported error code 1\n  Detail: no TXT record\n",
            "error code 1; no TXT record",
        ),
    ],
)
def test_the_reason_is_what_certbot_or_the_authority_says(server: CommandLine, said: str, words: str) -> None:
    failed = CommandFailed(("certbot",), 1, f"Saving debug log to /var/log\nRequesting a certificate for a.b\n{said}")

    def fail(call: Call) -> str:
        raise failed

    server.machine.programs["sh"] = fail
    turn_on(server)
    assert words in server("status").out
