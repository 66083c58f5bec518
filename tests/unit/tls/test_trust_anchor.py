"""What users have to trust: a self-signed certificate, the authority of a clinic, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from dcor_pkg.answers.settings import OWN, SELF_SIGNED
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.trust_anchor import PUBLIC_AUTHORITIES, trust_anchor, whole_chain
from tests.unit.tls.authority import INTERMEDIATE, KEY, NAME, ROOT, Authority, pem

SERVED = PAIRS[OWN]
#: a certificate is new each time that it is signed
ROOT_PEM, INTERMEDIATE_PEM = ROOT.pem, INTERMEDIATE.pem
CHAIN = INTERMEDIATE.issue(KEY) + INTERMEDIATE_PEM
OTHER_PEM = Authority("other.example.org").pem


def served(host: Host, chain: str, authorities: str, public: str = OTHER_PEM) -> x509.Certificate | None:
    """Serve a chain on a machine that trusts some authorities, one of them publicly; return the trust anchor."""
    SERVED.write(host, chain, pem(KEY))
    host.write(AUTHORITIES, authorities, Access(0o644))
    host.write(f"{PUBLIC_AUTHORITIES}/Public_Root.crt", public, Access(0o644))
    return trust_anchor(host, SERVED)


def certificate(text: str) -> x509.Certificate:
    (only,) = x509_properties.load_chain(text)
    return only


def test_a_self_signed_certificate_is_its_own(host: Host) -> None:
    SelfSignedCertificate(NAME).apply(host)
    assert trust_anchor(host, PAIRS[SELF_SIGNED]) == certificate(host.read(PAIRS[SELF_SIGNED].certificate) or "")


def test_an_own_certificate_that_is_self_signed_as_well(host: Host) -> None:
    own = Authority(NAME, key=KEY).pem
    assert served(host, own, OTHER_PEM) == certificate(own)


def test_the_authority_of_a_clinic_is_found_in_what_this_machine_trusts(host: Host) -> None:
    assert served(host, CHAIN, OTHER_PEM + ROOT_PEM) == certificate(ROOT_PEM)


def test_a_public_authority_is_trusted_already(host: Host) -> None:
    assert served(host, CHAIN, OTHER_PEM + ROOT_PEM, public=ROOT_PEM) is None


def test_a_form_of_a_public_authority_for_old_clients_does_not_count(host: Host) -> None:
    """Let's Encrypt's chain, for example, ended with such a form of a root that everybody trusted by itself."""
    for_old_clients = Authority.sign(ROOT.name, ROOT.key, Authority("old.example.org"), is_authority=True)
    assert served(host, CHAIN + for_old_clients, OTHER_PEM + ROOT_PEM, public=ROOT_PEM) is None


def test_two_authorities_that_have_signed_each_other_have_an_end(host: Host) -> None:
    first, second = Authority("first.example.org"), Authority("second.example.org")
    by_second = Authority.sign(first.name, first.key, second, is_authority=True)
    by_first = Authority.sign(second.name, second.key, first, is_authority=True)
    assert served(host, first.issue(KEY) + by_second + by_first, OTHER_PEM) == certificate(by_first)


def test_without_its_root_the_end_of_the_chain_is_what_there_is(host: Host) -> None:
    assert served(host, CHAIN, OTHER_PEM) == certificate(INTERMEDIATE_PEM)


def test_what_cannot_be_read_among_the_authorities_is_no_issuer(host: Host) -> None:
    unreadable = f"{x509_properties.BEGIN}\nAAAA\n{x509_properties.END}\n"
    assert served(host, CHAIN, unreadable + ROOT_PEM) == certificate(ROOT_PEM)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_without_a_certificate_there_is_an_error(host: Host, text: str | None) -> None:
    if text is not None:
        SERVED.write(host, text, pem(KEY))
    with pytest.raises(DcorError, match=f"{SERVED.certificate} contains no certificate"):
        trust_anchor(host, SERVED)


def test_authorities_that_break_a_rule_cause_no_warning(host: Host, recwarn: pytest.WarningsRecorder) -> None:
    """Cryptography warns of numbers that are not positive, which a root of Mozilla's has."""
    for_everybody = Path(AUTHORITIES).read_text()
    assert served(host, CHAIN, for_everybody + ROOT_PEM) == certificate(ROOT_PEM)
    assert list(recwarn) == []


def test_debians_authorities_are_where_they_are_looked_for() -> None:
    """On the machine that runs the tests, if it is a Debian with the package ca-certificates."""
    directory = Path(PUBLIC_AUTHORITIES)
    bundle = Path(AUTHORITIES).read_text()
    texts = [file.read_text() for file in directory.glob("*.crt")]
    assert all(len(x509_properties.blocks(text)) == 1 for text in texts)
    assert sum(text.strip() in bundle for text in texts) > 50


def test_the_whole_chain_ends_with_the_authority_whether_the_server_sends_it_or_not(host: Host) -> None:
    for sent in (CHAIN, CHAIN + ROOT_PEM):
        served(host, sent, OTHER_PEM + ROOT_PEM)
        assert whole_chain(host, SERVED) == [*x509_properties.load_chain(CHAIN), certificate(ROOT_PEM)]
    SelfSignedCertificate(NAME).apply(host)
    own = PAIRS[SELF_SIGNED]
    assert whole_chain(host, own) == x509_properties.load_chain(host.read(own.certificate) or "")
