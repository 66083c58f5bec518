"""A certificate of the admin's own: validated before it is served, and copied again when its files change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from dcor_pkg.answers.settings import OWN, InvalidAnswer, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _, marked
from dcor_pkg.machine.trusted_path import UntrustedPath
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.chain import distrust, missing_issuer
from dcor_pkg.tls.pair import PAIRS, Pair

SERVED = PAIRS[OWN]
#: the settings that name the admin's two files
CERTIFICATE_FILE, CERTIFICATE_KEY = "certificate-file", "certificate-key"
AUTHORITIES_HINT = marked(
    "Add the missing certificates to the file. The certificate of an authority of your own belongs in "
    "/usr/local/share/ca-certificates/NAME.crt, then: update-ca-certificates"
)


@dataclass(frozen=True)
class OwnCertificate:
    """A copy of the admin's two files, so that nginx never reads a half-written renewal or a missing file."""

    source: Pair
    hostname: str
    name: str = "certificate"

    def check(self, host: Host) -> str | None:
        source, served = self.source.read(host), SERVED.read(host)
        if None not in source and source != served:
            return _("is not the one in {file}").format(file=self.source.certificate)
        return _("is missing") if None in served else SERVED.key_drift(host) or SERVED.certificate_drift(host)

    def apply(self, host: Host) -> None:
        validate(host, self.source, self.hostname)
        certificate, key = self.source.read(host)
        SERVED.write(host, certificate or "", key or "")


def source(settings: Settings) -> Pair:
    """Return the admin's files."""
    return Pair(settings.certificate_file, settings.certificate_key)


def check_own_certificate(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer if the admin's own certificate is wanted and cannot be served.

    This is for new settings. A converge does not need the files, because it serves a copy of them.
    """
    wanted = proposal.wanted
    if wanted.certificate == OWN:
        validate(host, source(wanted), wanted.hostname)


def validate(host: Host, pair: Pair, hostname: str) -> None:
    """Raise InvalidAnswer for the first reason why the admin's files cannot be served under `hostname`."""
    text = _text(host, CERTIFICATE_FILE, pair.certificate)
    chain = _chain(text, pair.certificate)
    _validate_key(host, pair, chain[0])
    for reason, hint in _problems(host, text, chain, hostname):
        raise InvalidAnswer(f"dcor-server/{CERTIFICATE_FILE}", pair.certificate, reason, hint)


def _chain(text: str, path: str) -> list[x509.Certificate]:
    try:
        return x509_properties.load_chain(text)
    except ValueError:
        hint = _("A certificate in PEM begins with {line}.").format(line=x509_properties.BEGIN)
        reason = _("does not contain a certificate in PEM")
        raise InvalidAnswer(f"dcor-server/{CERTIFICATE_FILE}", path, reason, hint) from None


def _validate_key(host: Host, pair: Pair, certificate: x509.Certificate) -> None:
    def invalid(reason: str, hint: str) -> InvalidAnswer:
        return InvalidAnswer(f"dcor-server/{CERTIFICATE_KEY}", pair.key, reason, hint)

    try:
        key = serialization.load_pem_private_key(_text(host, CERTIFICATE_KEY, pair.key).encode(), None)
    except TypeError:
        raise invalid(
            _("is encrypted with a passphrase"),
            _("nginx starts at boot, where nobody can enter it. Decrypt the key: openssl pkey -in KEY -out NEW"),
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise invalid(
            _("does not contain a private key in PEM"),
            _("A private key in PEM begins with -----BEGIN PRIVATE KEY-----."),
        ) from None
    if not x509_properties.has_key(certificate, key):
        raise invalid(
            _("is not the key of the first certificate in {file}").format(file=pair.certificate),
            _("The first certificate has to be the server's own; those of its issuers follow."),
        )


def _text(host: Host, key: str, path: str) -> str:
    try:
        text = host.read(path)
    except UntrustedPath as error:
        raise InvalidAnswer(f"dcor-server/{key}", path, error.reason, error.hint) from None
    except DcorError as error:  # a directory, for example
        reason = error.reason.removeprefix(f"{path} ")
        raise InvalidAnswer(f"dcor-server/{key}", path, reason, _("Give the absolute path of a file in PEM.")) from None
    if text is None:
        raise InvalidAnswer(f"dcor-server/{key}", path, _("the file does not exist"), _("Give its absolute path."))
    return text


def _problems(host: Host, text: str, chain: Sequence[x509.Certificate], hostname: str) -> Iterator[tuple[str, str]]:
    """Yield each reason why the certificates cannot be served, with a hint."""
    first = chain[0]
    if not x509_properties.covers(first, hostname):
        yield (
            _("is not for {name}").format(name=hostname),
            _("The certificate's subjectAltName has to contain the host name: openssl x509 -noout -text -in FILE"),
        )
    yield from _date_problems(chain)
    yield from _order_problems(chain)
    if first.issuer != first.subject and (words := distrust(host, text)):
        missing = missing_issuer(host, chain)
        text = _("is not signed by an authority that this machine trusts ({words})")
        if missing is not None:
            text = _(
                "is not signed by an authority that this machine trusts ({words}; the certificate of {issuer} is missing)"
            )
        yield text.format(words=words, issuer=missing), _(AUTHORITIES_HINT)


def _date_problems(chain: Sequence[x509.Certificate]) -> Iterator[tuple[str, str]]:
    now, begin = clock.now(), x509_properties.valid_from(chain[0])
    if begin > now:
        text = _("is not valid before {moment} UTC")
        yield text.format(moment=f"{begin:%Y-%m-%d %H:%M}"), _(clock.HINT)
    for number, certificate in enumerate(chain, 1):
        end = x509_properties.valid_until(certificate)
        if end < now:
            text = _("its certificate number {number} expired on {day}")
            yield text.format(number=number, day=f"{end:%Y-%m-%d}"), _("Renew it, and try again.")


def _order_problems(chain: Sequence[x509.Certificate]) -> Iterator[tuple[str, str]]:
    for number, (certificate, issuer) in enumerate(zip(chain, chain[1:]), 2):
        if certificate.issuer != issuer.subject:
            text = _("its certificate number {number} is not that of the authority that signed number {former}")
            hint = _(
                "The order has to be: the server's certificate, that of its issuer, that of the issuer's issuer ..."
            )
            yield text.format(number=number, former=number - 1), hint
