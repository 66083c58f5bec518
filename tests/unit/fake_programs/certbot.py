"""A fake of certbot: an authority that issues what a request names, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from dcor_pkg.machine.host import Host
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.tls.authority import INTERMEDIATE, Keyed

#: how certbot is started, so that all that it says is on standard output
START = ("sh", "-c", 'exec "$@" 2>&1', "sh", "certbot", "certonly")


def issue(request: Keyed) -> str:
    """Return a chain for a request."""
    return INTERMEDIATE.issue(request) + INTERMEDIATE.pem


@dataclass
class Certbot:
    """Issues certificates for requests."""

    host: Host
    issue: Callable[[Keyed], str] = issue
    #: what the authority has against it
    refusal: str = ""
    requests: list[x509.CertificateSigningRequest] = field(default_factory=list)
    #: the arguments of the last start
    arguments: tuple[str, ...] = ()

    def programs(self) -> dict[str, Handler]:
        """Return the handler."""
        return {"sh": self.run}

    def run(self, call: Call) -> str:
        """Answer `certbot certonly --csr FILE --fullchain-path=FILE`."""
        if call.argv[: len(START)] != START:
            raise call.unknown()
        self.arguments = call.argv[len(START) :]
        request = x509.load_pem_x509_csr(Path(call.argv[call.argv.index("--csr") + 1]).read_bytes())
        self.requests.append(request)
        if self.refusal:
            raise call.failure(1, f"Saving debug log to /var/log\n  Type: connection\n  Detail: {self.refusal}\n")
        Path(call.option("--fullchain-path")).write_text(self.issue(request))
        return ""
