"""Let jobs and requests end, with 503 for all others, and let nobody else write into the database."""

from __future__ import annotations

from collections.abc import Collection

from dcor_pkg.ckan import supervisor
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import copies


def drain(host: Host, database: str, spared: Collection[str] = ()) -> None:
    """Stop all programs of CKAN but the spared ones; the jobs end while the site still serves. Raises DcorError."""
    running = sorted(set(supervisor.states(host)) - set(spared))
    for program in running:
        if program.startswith("dcor-jobs-"):
            supervisor.stop(host, program)
    host.write(nginx.MAINTENANCE, "", Access(0o644))
    for program in running:
        supervisor.stop(host, program)
    copies.refuse_writes(host, database)
