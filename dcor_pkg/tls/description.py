"""What an administrator wants to know of the certificate that is served."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _, marked
from dcor_pkg.tls import acme, x509_properties
from dcor_pkg.tls.chain import missing_issuer
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_anchor import served_chain

#: what a terminal shows, in this order
LABELS = {
    "kind": marked("kind"),
    "names": marked("names"),
    "subject": marked("subject"),
    "issuer": marked("issuer"),
    "valid_from": marked("valid from"),
    "valid_until": marked("valid until"),
    "days_left": marked("days left"),
    "sha256": marked("sha256"),
    "file": marked("file"),
    "source": marked("source"),
    "problem": marked("problem"),
    "chain": marked("chain"),
}


@dataclass(frozen=True)
class Description:
    """The served certificate. `problem`: why it should not be served; `missing_issuer`: what its chain lacks."""

    kind: str
    names: list[str]
    subject: str
    issuer: str
    valid_from: str
    valid_until: str
    days_left: int
    sha256: str
    file: str
    #: the admin's file of which it is a copy; empty for a self-signed one
    source: str
    chain_complete: bool
    missing_issuer: str | None
    problem: str | None

    def lines(self) -> list[str]:
        """Return a line for each property, for a terminal."""
        lacks = _("incomplete: the certificate of {issuer} is missing").format(issuer=self.missing_issuer)
        shown = {
            **asdict(self),
            "names": ", ".join(self.names),
            "chain": _("complete") if self.chain_complete else lacks,
        }
        hidden = [name for name in ("source", "problem") if not shown[name]]
        return [f"{_(label):12} {shown[name]}" for name, label in LABELS.items() if name not in hidden]


def describe(host: Host, settings: Settings) -> Description:
    """Return what there is to say about the served certificate. Raises DcorError where there is none."""
    pair = PAIRS[settings.certificate]
    chain = served_chain(host, pair)
    first, missing = chain[0], missing_issuer(host, chain)
    end = x509_properties.valid_until(first)
    return Description(
        kind=settings.certificate,
        names=x509_properties.names(first),
        subject=first.subject.rfc4514_string(),
        issuer=first.issuer.rfc4514_string(),
        valid_from=f"{x509_properties.valid_from(first):%Y-%m-%d %H:%M UTC}",
        valid_until=f"{end:%Y-%m-%d %H:%M UTC}",
        days_left=(end - clock.now()).days,
        sha256=x509_properties.fingerprint(first),
        file=pair.certificate,
        source=settings.certificate_file if settings.certificate == OWN else "",
        chain_complete=missing is None,
        missing_issuer=missing,
        problem=acme.problem_of(host, settings, settings.hostname, *settings.certificate_names.split()),
    )
