"""The steps of TLS follow the setting `certificate`, and this server trusts the certificate that it serves."""

from __future__ import annotations

import ssl

from dcor_pkg.answers.settings import OWN, SELF_SIGNED, Settings
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine import clock
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.pair import PAIRS, Pair
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.stapling import Stapling
from dcor_pkg.tls.steps import steps
from dcor_pkg.tls.strict_transport import StrictTransport
from dcor_pkg.tls.trust_bundle import BUNDLE, TrustBundle
from tests.unit.tls.authority import CHAIN, KEY, NAME, ROOT, pem

FACTS = Facts("2.11.6", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
FILES = Pair("/srv/chain.pem", "/srv/key.pem")
SIGNED_HERE = Settings(hostname=NAME)
OWN_FILES = Settings(hostname=NAME, certificate=OWN, certificate_file=FILES.certificate, certificate_key=FILES.key)


def test_the_setting_selects_the_certificate() -> None:
    for settings, step in ((SIGNED_HERE, SelfSignedCertificate(NAME)), (OWN_FILES, OwnCertificate(FILES, NAME))):
        served = PAIRS[settings.certificate]
        assert steps(settings, FACTS) == (step, TrustBundle(served), Stapling(served), StrictTransport(served))


def test_a_self_signed_certificate_has_what_clients_look_at(host: Host) -> None:
    run(steps(SIGNED_HERE, FACTS), host)
    (certificate,) = x509_properties.load_chain(host.read(PAIRS[SELF_SIGNED].certificate) or "")
    assert x509_properties.covers(certificate, NAME)
    assert certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == f"CN={NAME}"
    assert x509_properties.valid_from(certificate) < clock.now()
    assert (x509_properties.valid_until(certificate) - clock.now()).days in (3649, 3650)
    ssl.create_default_context(cadata=host.read(BUNDLE))


def test_the_bundle_follows_debians_authorities_and_the_served_certificate(host: Host) -> None:
    host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    run(steps(SIGNED_HERE, FACTS), host)
    host.write(FILES.certificate, CHAIN, Access(0o644))
    host.write(FILES.key, pem(KEY), Access(0o600))
    outcomes = run(steps(OWN_FILES, FACTS), host)
    assert [outcome.result for outcome in outcomes] == [
        Result.CHANGED,
        Result.CHANGED,
        Result.UNCHANGED,
        Result.CHANGED,
    ]
    assert outcomes[1].reason == f"{BUNDLE} does not consist of {AUTHORITIES} and {PAIRS[OWN].certificate}"
    assert host.read(BUNDLE) == f"{host.read(AUTHORITIES)}{CHAIN}"


def test_a_new_host_name_makes_a_new_certificate_and_the_former_setting_finds_its_old_one(host: Host) -> None:
    pair = PAIRS[SELF_SIGNED]
    run(steps(SIGNED_HERE, FACTS), host)
    first = pair.read(host)
    host.write(FILES.certificate, CHAIN, Access(0o644))
    host.write(FILES.key, pem(KEY), Access(0o600))
    host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    run(steps(OWN_FILES, FACTS), host)
    run(steps(SIGNED_HERE, FACTS), host)
    assert pair.read(host) == first
    run(steps(Settings(hostname="other.example.org"), FACTS), host)
    assert pair.read(host) != first
    assert pair.check(host, "other.example.org") is None
