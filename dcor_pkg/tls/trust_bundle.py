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

    #: the pair whose certificate is trusted
    served: Pair
    #: that of the admin's own authority, where there is one
    authority: str = ""
    name: str = "trust bundle"

    def check(self, host: Host) -> str | None:
        if host.read(BUNDLE) != self._text(host):
            return f"{BUNDLE} does not consist of {AUTHORITIES} and {self.served.certificate}"
        drift = host.access_drift(BUNDLE, PUBLIC)
        return None if drift is None else f"{BUNDLE} {drift}"

    def apply(self, host: Host) -> None:
        host.write(BUNDLE, self._text(host), PUBLIC)

    def _text(self, host: Host) -> str:
        paths = (AUTHORITIES, self.served.certificate, *((self.authority,) if self.authority else ()))
        return "".join(host.read(path) or "" for path in paths)
