"""What local engines need before the first change: their ports, and what each asks for itself."""

from __future__ import annotations

from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import ports
from dcor_pkg.machine.host import Host
from dcor_pkg.services import engines


def check(host: Host, proposal: Proposal) -> None:
    """Raise DcorError for the first local engine that cannot be set up."""
    for engine in engines.local(proposal.wanted):
        ports.require_free(engine.ports)
        engine.require(host)
