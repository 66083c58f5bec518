"""An own certificate is judged before nginx has to live with it: each fault has a sentence of its own."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls import certificate, own_certificate
from dcor_pkg.tls.certificate import Pair
from dcor_pkg.tls.own_certificate import SERVED, OwnCertificate

NAME = "dcor.example.org"
FILES = Pair("/srv/chain.pem", "/srv/key.pem")
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """Somebody who signs."""

    name: str
    signer: Authority | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self.sign(self.name, self.key, signer=self.signer or self, is_authority=True)

    def issue(self, key: ec.EllipticCurvePrivateKey, name: str = NAME, begin: int = -1, end: int = 90) -> str:
        """Return a server's certificate, valid from `begin` to `end` days from now."""
        return self.sign(name, key, signer=self, begin=begin, end=end)

    @staticmethod
    def sign(
        name: str,
        key: ec.EllipticCurvePrivateKey,
        signer: Authority,
        begin: int = -1,
        end: int = 90,
        is_authority: bool = False,
    ) -> str:
        now = certificate.now()
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(signer.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin * DAY)
            .not_valid_after(now + end * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(signer.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> str:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = Authority("root.example.org")
MIDDLE = Authority("middle.example.org", ROOT)
STRANGER = Authority("stranger.example.org")
GOOD = MIDDLE.issue(KEY) + MIDDLE.pem


def lay(host: Host, chain: str, key: str) -> None:
    host.write(certificate.DEBIAN_BUNDLE, ROOT.pem, Access(0o644))
    host.write(FILES.certificate, chain, Access(0o644))
    host.write(FILES.key, key, Access(0o600))


@pytest.mark.parametrize("name", [NAME, "*.example.org"])
def test_a_good_chain_is_served_and_a_second_run_changes_nothing(host: Host, name: str) -> None:
    lay(host, MIDDLE.issue(KEY, name) + MIDDLE.pem, _pem(KEY))
    step = OwnCertificate(FILES, NAME)
    assert [outcome.result for outcome in run([step], host)] == [Result.CHANGED]
    assert SERVED.texts(host) == FILES.texts(host)
    assert host.access(SERVED.key) == Access(0o600)
    assert [outcome.result for outcome in run([step], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize(
    ("chain", "key", "question", "reason"),
    [
        pytest.param(GOOD, _pem(OTHER_KEY), "certificate-key", "is not the key of the first", id="another-key"),
        pytest.param(MIDDLE.pem + MIDDLE.issue(KEY), _pem(KEY), "certificate-key", "is not the key", id="leaf-last"),
        pytest.param(GOOD, _pem(KEY, b"hush"), "certificate-key", "locked by a passphrase", id="passphrase"),
        pytest.param(GOOD, "nothing", "certificate-key", "no private key in PEM", id="no-key"),
        pytest.param("nothing", _pem(KEY), "certificate-file", "no certificate in PEM", id="no-certificate"),
        pytest.param(
            MIDDLE.issue(KEY, "a.example.org") + MIDDLE.pem,
            _pem(KEY),
            "certificate-file",
            f"is not for {NAME}",
            id="name",
        ),
        pytest.param(
            MIDDLE.issue(KEY, end=0) + MIDDLE.pem, _pem(KEY), "certificate-file", "number 1 has expired", id="expired"
        ),
        pytest.param(
            MIDDLE.issue(KEY, begin=2) + MIDDLE.pem, _pem(KEY), "certificate-file", "not valid before", id="too-early"
        ),
        pytest.param(
            MIDDLE.issue(KEY) + ROOT.pem + MIDDLE.pem, _pem(KEY), "certificate-file", "number 2 is not that", id="order"
        ),
        pytest.param(MIDDLE.issue(KEY), _pem(KEY), "certificate-file", "not signed by an authority", id="chain-short"),
        pytest.param(
            STRANGER.issue(KEY) + STRANGER.pem,
            _pem(KEY),
            "certificate-file",
            "not signed by an authority",
            id="stranger",
        ),
    ],
)
def test_each_fault_has_its_own_sentence(host: Host, chain: str, key: str, question: str, reason: str) -> None:
    lay(host, chain, key)
    with pytest.raises(InvalidAnswer, match=reason) as refused:
        own_certificate.validate(host, FILES, NAME)
    assert refused.value.question == f"dcor-server/{question}"
    assert refused.value.hint


def test_what_cannot_be_used_does_not_replace_what_serves(host: Host) -> None:
    lay(host, GOOD, _pem(KEY))
    step = OwnCertificate(FILES, NAME)
    run([step], host)
    lay(host, MIDDLE.issue(OTHER_KEY) + MIDDLE.pem, _pem(KEY))
    (outcome,) = run([step], host)
    assert outcome.result is Result.FAILED
    assert SERVED.texts(host) == (GOOD, _pem(KEY))


def _forget_files(host: Host) -> None:
    host.remove(FILES.certificate)
    host.remove(FILES.key)


def _renew(host: Host) -> None:
    lay(host, MIDDLE.issue(OTHER_KEY) + MIDDLE.pem, _pem(OTHER_KEY))


@pytest.mark.parametrize(
    ("event", "result"), [(_forget_files, Result.UNCHANGED), (_renew, Result.CHANGED)], ids=["gone", "renewed"]
)
def test_files_are_followed_and_not_missed(host: Host, event: Callable[[Host], None], result: Result) -> None:
    lay(host, GOOD, _pem(KEY))
    step = OwnCertificate(FILES, NAME)
    run([step], host)
    event(host)
    (outcome,) = run([step], host)
    assert outcome.result is result
    assert certificate.fault(host, SERVED, NAME) is None
