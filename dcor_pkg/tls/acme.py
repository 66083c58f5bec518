"""The certificate that an authority issues by ACME, and a self-signed one in its place until it is there.

The first step comes before nginx starts, which needs a certificate; the second one after it, since the authority asks
nginx. In between, and whenever the authority issues none, the server works with a self-signed certificate, and says so.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from dcor_pkg.answers import server_names
from dcor_pkg.answers.settings import ACME, SELF_SIGNED, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.report import Notice
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import Message, _, marked
from dcor_pkg.tls import acme_client, acme_state, private_key, x509_properties
from dcor_pkg.tls.acme_client import Order
from dcor_pkg.tls.acme_state import Useless
from dcor_pkg.tls.chain import distrust
from dcor_pkg.tls.pair import PAIRS, fault, renew_before
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.trust_bundle import BUNDLE

PAIR, STAND_IN = PAIRS[ACME], PAIRS[SELF_SIGNED]
#: Asked so much earlier than a certificate is reported to end soon: each day there is a converge.
EARLIER = 1.1
ASK = Message(marked("Ask those who run the authority."))
OWN_AUTHORITY = Message(
    marked("For an authority of your own: dcor-server set acme-authority=FILE, with its root certificate in PEM.")
)


@dataclass(frozen=True)
class AcmeCertificate:
    """What is served: the authority's certificate, or a copy of a self-signed one where there is none of use.

    One that has ended, or lacks a name, is replaced as well: no program accepts it, this server's own included.
    """

    stand_in: SelfSignedCertificate
    names: tuple[str, ...]
    name: str = "certificate"

    def check(self, host: Host) -> str | None:
        if self._issued_is_fit(host):
            return PAIR.certificate_drift(host)
        if (drift := self.stand_in.check(host)) is not None:
            return drift
        if PAIR.read(host) != STAND_IN.read(host):
            return _("is not there, and the self-signed one is not in its place")
        return PAIR.key_drift(host) or PAIR.certificate_drift(host)

    def apply(self, host: Host) -> None:
        issued = self._issued_is_fit(host)
        if not issued and self.stand_in.check(host) is not None:
            self.stand_in.apply(host)
        certificate, key = (PAIR if issued else STAND_IN).read(host)
        PAIR.write(host, certificate or "", key or "")

    def _issued_is_fit(self, host: Host) -> bool:
        """Return whether there is a certificate of the authority that can be served."""
        return _is_issued(host) and PAIR.unfit(host, *self.names, ends_soon=False) is None


@dataclass(frozen=True)
class IssuedCertificate:
    """The authority has issued the certificate, and it does not end soon.

    That the authority issues none is no failure of a converge, which has made everything else: it is recorded, and
    shown by `status`, and the authority is asked again later. `then`: steps that follow the certificate.
    """

    order: Order
    then: tuple[Step, ...] = ()
    name: str = "certificate of the authority"

    def check(self, host: Host) -> str | None:
        if pending.is_pending(host, pending.RENEW_CERTIFICATE):
            return f"{self.order.directory} is to be asked now"
        reason = self._reason(host)
        if reason is None or acme_state.read(host).waits:
            return None
        return f"{self.order.directory} is to be asked, because the certificate {reason}"

    def _reason(self, host: Host) -> str | None:
        """Return why a certificate is wanted, as a predicate, or None."""
        if not _is_issued(host):
            return "is self-signed"
        issuer, first = acme_state.read(host).issuer, _first(host)
        if issuer and issuer != self.order.directory:
            return f"was issued by {issuer}"
        soon = None if first is None else _ends_soon(first)
        return None if soon is None else str(soon)

    def apply(self, host: Host) -> None:
        try:
            self._issue(host)
        except DcorError as error:
            acme_state.record_failure(host, error)
        for action in (pending.RENEW_CERTIFICATE, pending.NEW_KEY):
            pending.clear(host, action)

    def _issue(self, host: Host) -> None:
        key = private_key.new() if pending.is_pending(host, pending.NEW_KEY) else private_key.of(host, PAIR)
        text = acme_client.issue(host, self.order, key)
        if (useless := self._useless(host, text, key)) is not None:
            about = {"authority": self.order.directory, "fault": useless[0]}
            raise Useless(Message(marked("{authority} has issued a certificate that {fault}"), about), useless[1])
        PAIR.write(host, text, key)
        acme_state.record_issue(host, self.order.directory)
        for step in self.then:
            if step.check(host) is not None:
                step.apply(host)

    def _useless(self, host: Host, text: str, key: str) -> tuple[Message, Message] | None:
        """Return why a certificate cannot be served, and what to do, or None."""
        if (found := fault(text, key, (self.order.hostname, *self.order.names), ends_soon=False)) is not None:
            return found, ASK
        first = x509_properties.load_chain(text)[0]
        if (soon := _ends_soon(first)) is not None:
            return soon, ASK
        if x509_properties.common_name(first) != self.order.hostname:
            return (
                Message(
                    marked("has not the commonName {name}, which dclab and DCOR-Aid read"),
                    {"name": self.order.hostname},
                ),
                Message(marked("The authority's profile has to keep it; Let's Encrypt's profile classic does.")),
            )
        words = distrust(host, text, BUNDLE)
        if words is None:
            return None
        return Message(marked("this machine does not trust ({words})"), {"words": words}), OWN_AUTHORITY


def problem_of(host: Host, settings: Settings, *names: str) -> str | None:
    """Return why the certificate, of any kind, should not be served under these names, as a predicate, or None."""
    if settings.certificate == ACME and not _is_issued(host) and host.exists(PAIR.certificate):
        state = acme_state.read(host)
        if state.failures:
            return _("is self-signed, since {reason}").format(reason=state.reason)
        text = _("is self-signed, since {authority} was not asked yet")
        return text.format(authority=settings.acme_directory)
    return PAIRS[settings.certificate].check(host, *names)


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return that the authority has issued no certificate when it was last asked."""
    state = acme_state.read(host)
    if settings.certificate != ACME or not state.failures:
        return []
    moment = datetime.datetime.fromtimestamp(state.next, datetime.timezone.utc)
    again = f"It is asked again by itself after {moment:%Y-%m-%d %H:%M} UTC; at once: dcor-server certificate renew"
    served = "was not renewed" if _is_issued(host) else "is self-signed"
    return [Notice(PAIR.certificate, f"{served}: {state.reason}", f"{state.hint}\n    {again}".strip())]


def step(settings: Settings, stand_in: SelfSignedCertificate) -> AcmeCertificate:
    """Return the step that provides what is served."""
    return AcmeCertificate(stand_in, (settings.hostname, *_names(settings)))


def issued(settings: Settings, then: Iterable[Step]) -> tuple[Step, ...]:
    """Return the step that asks the authority; none for other kinds of certificates."""
    if settings.certificate != ACME:
        return ()
    directory, challenge = settings.acme_directory, settings.acme_challenge
    order = Order(directory, challenge, settings.email, settings.hostname, _names(settings))
    return (IssuedCertificate(order, tuple(then)),)


def _names(settings: Settings) -> tuple[str, ...]:
    return tuple(server_names.dns_names(settings.certificate_names))


def _is_issued(host: Host) -> bool:
    """Return whether what is served is an authority's certificate."""
    first = _first(host)
    return first is not None and first.issuer != first.subject


def _ends_soon(certificate: x509.Certificate) -> Message | None:
    """Return when a certificate expires, as a predicate, if that is soon."""
    left = x509_properties.valid_until(certificate) - clock.now()
    is_soon = clock.is_possible() and left <= renew_before(certificate) * EARLIER
    return Message(marked("expires in {number} days"), {"number": left.days}) if is_soon else None


def _first(host: Host) -> x509.Certificate | None:
    try:
        return x509_properties.load_chain(host.read(PAIR.certificate) or "")[0]
    except ValueError:
        return None
