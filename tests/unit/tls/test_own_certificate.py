"""An admin's own certificate is validated before nginx serves it, with a message for each problem."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcor_pkg.answers.settings import OWN, InvalidAnswer, Settings
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import own_certificate
from dcor_pkg.tls.own_certificate import SERVED, OwnCertificate
from dcor_pkg.tls.pair import Pair
from tests.unit.tls.authority import CHAIN, INTERMEDIATE, KEY, NAME, OTHER_KEY, ROOT, UNTRUSTED, Authority, pem

FILES = Pair("/srv/chain.pem", "/srv/key.pem")
STEP = OwnCertificate(FILES, NAME)
SETTINGS = Settings(
    hostname=NAME, certificate=OWN, certificate_file=FILES.certificate, certificate_key=FILES.key, robots="yes"
)


def provide(host: Host, chain: str = CHAIN, key: str = pem(KEY)) -> None:
    """Write the admin's two files, on a machine that trusts ROOT."""
    host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    host.write(FILES.certificate, chain, Access(0o644))
    host.write(FILES.key, key, Access(0o600))


@pytest.mark.parametrize("name", [NAME, "*.example.org"])
def test_a_valid_chain_is_copied_and_a_second_run_changes_nothing(host: Host, name: str) -> None:
    provide(host, INTERMEDIATE.issue(KEY, name) + INTERMEDIATE.pem)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.CHANGED]
    assert SERVED.read(host) == FILES.read(host)
    assert host.access(SERVED.key) == Access(0o600)
    assert pending.is_pending(host, pending.RELOAD_NGINX)
    assert [outcome.result for outcome in run([STEP], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize(
    ("chain", "key", "question", "reason"),
    [
        pytest.param(CHAIN, pem(OTHER_KEY), "certificate-key", "is not the key of the first", id="another-key"),
        pytest.param(
            INTERMEDIATE.pem + INTERMEDIATE.issue(KEY), pem(KEY), "certificate-key", "is not the key", id="leaf-last"
        ),
        pytest.param(CHAIN, pem(KEY, b"hush"), "certificate-key", "encrypted with a passphrase", id="passphrase"),
        pytest.param(CHAIN, "nothing", "certificate-key", "does not contain a private key in PEM", id="no-key"),
        pytest.param(
            "nothing", pem(KEY), "certificate-file", "does not contain a certificate in PEM", id="no-certificate"
        ),
        pytest.param(
            INTERMEDIATE.issue(KEY, "a.example.org") + INTERMEDIATE.pem,
            pem(KEY),
            "certificate-file",
            f"is not for {NAME}",
            id="name",
        ),
        pytest.param(
            INTERMEDIATE.issue(KEY, end=0) + INTERMEDIATE.pem,
            pem(KEY),
            "certificate-file",
            "number 1 expired on",
            id="expired",
        ),
        pytest.param(
            INTERMEDIATE.issue(KEY, begin=2) + INTERMEDIATE.pem,
            pem(KEY),
            "certificate-file",
            "not valid before",
            id="too-early",
        ),
        pytest.param(
            INTERMEDIATE.issue(KEY) + ROOT.pem + INTERMEDIATE.pem,
            pem(KEY),
            "certificate-file",
            "number 2 is not that",
            id="order",
        ),
        pytest.param(
            INTERMEDIATE.issue(KEY), pem(KEY), "certificate-file", "not signed by an authority", id="no-intermediate"
        ),
        pytest.param(
            UNTRUSTED.issue(KEY) + UNTRUSTED.pem,
            pem(KEY),
            "certificate-file",
            "not signed by an authority",
            id="untrusted",
        ),
    ],
)
def test_each_problem_has_a_message_of_its_own(host: Host, chain: str, key: str, question: str, reason: str) -> None:
    provide(host, chain, key)
    with pytest.raises(InvalidAnswer, match=reason) as invalid:
        own_certificate.validate(host, FILES, NAME)
    assert invalid.value.question == f"dcor-server/{question}"
    assert invalid.value.hint


@pytest.mark.parametrize(
    ("file", "question"), [(FILES.certificate, "certificate-file"), (FILES.key, "certificate-key")]
)
def test_a_file_that_does_not_exist_is_named_with_its_question(host: Host, file: str, question: str) -> None:
    provide(host)
    host.remove(file)
    with pytest.raises(InvalidAnswer, match=f"{file}.*does not exist") as invalid:
        own_certificate.validate(host, FILES, NAME)
    assert invalid.value.question == f"dcor-server/{question}"


@pytest.mark.parametrize(
    ("file", "question"), [(FILES.certificate, "certificate-file"), (FILES.key, "certificate-key")]
)
def test_a_link_that_a_user_could_exchange_is_refused_with_its_question(host: Host, file: str, question: str) -> None:
    provide(host)
    host.path(file).rename(host.path(f"{file}.own"))
    host.path(file).symlink_to(f"{file}.own")
    host.make_directory(file.rpartition("/")[0], Access(0o755, "curator", "curator"))
    with pytest.raises(InvalidAnswer, match=f"{file} is a link of curator") as invalid:
        own_certificate.validate(host, FILES, NAME)
    assert invalid.value.question == f"dcor-server/{question}"


def test_a_self_signed_certificate_of_the_admin_needs_no_authority(host: Host) -> None:
    provide(host, Authority.sign(NAME, KEY, signer=Authority(NAME, key=KEY)))
    own_certificate.validate(host, FILES, NAME)


def test_an_invalid_certificate_does_not_replace_the_one_that_is_served(host: Host) -> None:
    provide(host)
    run([STEP], host)
    provide(host, INTERMEDIATE.issue(OTHER_KEY) + INTERMEDIATE.pem)
    (outcome,) = run([STEP], host)
    assert outcome.result is Result.FAILED
    assert SERVED.read(host) == (CHAIN, pem(KEY))


def _remove_files(host: Host) -> None:
    host.remove(FILES.certificate)
    host.remove(FILES.key)


def _renew(host: Host) -> None:
    provide(host, INTERMEDIATE.issue(OTHER_KEY) + INTERMEDIATE.pem, pem(OTHER_KEY))


@pytest.mark.parametrize(
    ("event", "result"), [(_remove_files, Result.UNCHANGED), (_renew, Result.CHANGED)], ids=["gone", "renewed"]
)
def test_renewed_files_are_copied_and_removed_files_change_nothing(
    host: Host, event: Callable[[Host], None], result: Result
) -> None:
    provide(host)
    run([STEP], host)
    event(host)
    (outcome,) = run([STEP], host)
    assert outcome.result is result
    assert SERVED.check(host, NAME) is None


@pytest.mark.parametrize("file", [SERVED.certificate, SERVED.key])
def test_without_the_admins_files_a_lost_copy_is_an_error(host: Host, file: str) -> None:
    provide(host)
    run([STEP], host)
    _remove_files(host)
    host.remove(file)
    (outcome,) = run([STEP], host)
    assert (outcome.result, "does not exist" in outcome.reason) == (Result.FAILED, True)


def test_a_key_that_others_can_read_is_drift_and_is_corrected(host: Host) -> None:
    provide(host)
    run([STEP], host)
    host.path(SERVED.key).chmod(0o644)
    (outcome,) = run([STEP], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, "its key is root:root 0644, not root:root 0600")


def _proposal(before: Settings | None, wanted: Settings) -> Proposal:
    return Proposal(before, wanted, {})


@pytest.mark.parametrize("before", [None, Settings(hostname=NAME)], ids=["first", "changed"])
def test_a_proposal_with_an_invalid_certificate_is_rejected(host: Host, before: Settings | None) -> None:
    with pytest.raises(InvalidAnswer, match="does not exist"):
        own_certificate.check_own_certificate(host, _proposal(before, SETTINGS))
    provide(host)
    own_certificate.check_own_certificate(host, _proposal(before, SETTINGS))


def test_files_are_not_read_for_a_self_signed_certificate(host: Host) -> None:
    own_certificate.check_own_certificate(host, _proposal(SETTINGS, Settings(hostname=NAME)))
