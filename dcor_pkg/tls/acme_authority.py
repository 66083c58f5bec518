"""The root certificate of an authority of the admin's own: a copy, so that its file may go."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PUBLIC
from dcor_pkg.tls.trust_anchor import ACME_AUTHORITY

HINT = "Give the absolute path of a file in PEM, with the root certificate of the authority."


@dataclass(frozen=True)
class AcmeAuthority:
    """The copy is the file that the setting names; without a file there is none."""

    source: str
    name: str = "root certificate of the authority"

    def check(self, host: Host) -> str | None:
        copy, text = host.read(ACME_AUTHORITY), host.read(self.source) if self.source else None
        if not self.source:
            return None if copy is None else f"{ACME_AUTHORITY} is there, and no setting names one"
        if copy is None or text not in (None, copy):
            return f"is not the one in {self.source}"
        drift = host.access_drift(ACME_AUTHORITY, PUBLIC)
        return None if drift is None else f"{ACME_AUTHORITY} {drift}"

    def apply(self, host: Host) -> None:
        if not self.source:
            host.remove(ACME_AUTHORITY)
            return
        text = host.read(self.source) or host.read(ACME_AUTHORITY)
        if (wrong := unusable(text)) is not None:
            raise DcorError(f"{self.source}: {wrong}.", HINT)
        host.write(ACME_AUTHORITY, text or "", PUBLIC)


def unusable(text: str | None) -> str | None:
    """Return why a text cannot be the authorities' certificates, or None."""
    if text is None:
        return "the file does not exist"
    try:
        found = x509_properties.load_chain(text)
    except ValueError:
        return "does not contain a certificate in PEM"
    others = [it for it in found if not x509_properties.is_authority(it)]
    return (
        f"contains a certificate that is not an authority's ({others[0].subject.rfc4514_string()})" if others else None
    )
