"""A served certificate is checked by its properties: its key, its host name, and its dates."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from dcor_pkg.answers.settings import SELF_SIGNED
from dcor_pkg.kernel import pending
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from tests.unit.tls.authority import CHAIN, DAY, INTERMEDIATE, KEY, NAME, OTHER_KEY, pem, x509_name

PAIR = PAIRS[SELF_SIGNED]


def test_a_good_pair_has_no_drift_and_nginx_is_going_to_read_it(host: Host) -> None:
    PAIR.write(host, CHAIN, pem(KEY))
    assert PAIR.check(host, NAME) is None
    assert pending.is_pending(host, pending.RELOAD_NGINX)
    assert host.access("/etc/dcor-server/secrets") == Access(0o700)
    assert host.access(PAIR.certificate) == Access(0o644)


@pytest.mark.parametrize(
    ("chain", "key", "drift"),
    [
        pytest.param(CHAIN, pem(OTHER_KEY), "does not belong to its key", id="another-key"),
        pytest.param("nothing", pem(KEY), "cannot be read", id="no-certificate"),
        pytest.param(CHAIN, "nothing", "cannot be read", id="no-key"),
        pytest.param(CHAIN, pem(KEY, b"hush"), "cannot be read", id="passphrase"),
        pytest.param(INTERMEDIATE.issue(KEY, "a.example.org"), pem(KEY), f"is not for {NAME}", id="name"),
        pytest.param(INTERMEDIATE.issue(KEY, begin=-61, end=29), pem(KEY), "expires in 28 days", id="expires-soon"),
        pytest.param(INTERMEDIATE.issue(KEY, begin=-5, end=3), pem(KEY), "expires in 2 days", id="short-lived"),
        pytest.param(INTERMEDIATE.issue(KEY, begin=-90, end=-1), pem(KEY), "has expired", id="expired"),
        pytest.param(
            INTERMEDIATE.issue(KEY, begin=365, end=4000),
            pem(KEY),
            f"is not valid before {clock.now() + 365 * DAY:%Y-%m-%d}",
            id="made-while-the-clock-was-ahead",
        ),
    ],
)
def test_each_problem_is_drift(host: Host, chain: str, key: str, drift: str) -> None:
    PAIR.write(host, chain, key)
    assert PAIR.check(host, NAME) == drift


@pytest.mark.parametrize(("begin", "end"), [(2, 90), (-90, 1)])
def test_the_dates_say_nothing_while_the_clock_shows_a_moment_that_cannot_be(
    host: Host, begin: int, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new certificate would lock out clients that have pinned this one."""
    PAIR.write(host, INTERMEDIATE.issue(KEY, begin=begin, end=end), pem(KEY))
    assert PAIR.check(host, NAME) is not None
    monkeypatch.setattr(clock, "PACKAGED", clock.now() + DAY)
    assert PAIR.check(host, NAME) is None


@pytest.mark.parametrize("file", [PAIR.certificate, PAIR.key])
def test_a_missing_file_is_drift(host: Host, file: str) -> None:
    PAIR.write(host, CHAIN, pem(KEY))
    host.remove(file)
    assert PAIR.check(host, NAME) == "is missing"


def test_a_key_that_others_can_read_is_drift(host: Host) -> None:
    PAIR.write(host, CHAIN, pem(KEY))
    host.path(PAIR.key).chmod(0o640)
    assert PAIR.check(host, NAME) == "its key is root:root 0640, not root:root 0600"


def test_a_short_lived_certificate_is_good_for_half_of_its_time(host: Host) -> None:
    PAIR.write(host, INTERMEDIATE.issue(KEY, begin=-1, end=6), pem(KEY))
    assert PAIR.check(host, NAME) is None


def test_the_kinds_of_certificates_share_no_file() -> None:
    files = [path for pair in PAIRS.values() for path in (pair.certificate, pair.key)]
    assert len(set(files)) == 2 * len(PAIRS)


def test_a_certificate_without_subject_alternative_names_covers_no_host_name() -> None:
    """Python's ssl module does not look at the commonName either (since 3.7)."""
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509_name(NAME))
        .issuer_name(x509_name(NAME))
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + DAY)
        .sign(KEY, hashes.SHA256())
    )
    assert not x509_properties.covers(certificate, NAME)
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    assert x509_properties.load_chain(f"Subject: CN={NAME}\n{text}") == [certificate]


@pytest.mark.parametrize(
    ("name", "hostname", "covered"),
    [
        (NAME, NAME, True),
        ("DCOR.example.org", NAME, True),
        ("*.example.org", NAME, True),
        ("*.example.org", "a.dcor.example.org", False),
        ("*.org", NAME, False),
        ("example.org", NAME, False),
    ],
)
def test_a_star_stands_for_one_label(name: str, hostname: str, covered: bool) -> None:
    (certificate,) = x509_properties.load_chain(INTERMEDIATE.issue(KEY, name))
    assert x509_properties.covers(certificate, hostname) is covered
