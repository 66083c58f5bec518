"""The certificate authorities that programs of this server trust: Debian's, and the certificate of this server."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls.pair import DIRECTORY, PUBLIC, Pair

#: The programs of a release read it: certifi's bundle is a link to it.
BUNDLE = f"{DIRECTORY}/bundle.pem"


@dataclass(frozen=True)
class TrustBundle:
    """Debian's authorities and the served certificate in one file, so that CKAN can verify its own server."""

    served: Pair
    name: str = "trust bundle"

    def check(self, host: Host) -> str | None:
        if host.read(BUNDLE) != self._text(host):
            return f"{BUNDLE} does not consist of {AUTHORITIES} and {self.served.certificate}"
        drift = host.access_drift(BUNDLE, PUBLIC)
        return None if drift is None else f"{BUNDLE} {drift}"

    def apply(self, host: Host) -> None:
        host.write(BUNDLE, self._text(host), PUBLIC)

    def _text(self, host: Host) -> str:
        return (host.read(AUTHORITIES) or "") + (host.read(self.served.certificate) or "")
