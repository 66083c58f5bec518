"""CKAN's and DCOR's regular jobs, one after the other, each whatever became of the others.

What today's operators run at night as CKAN's user, an hour apart. `dcor-prune-orphaned-s3-artifacts` is not among
them: it deletes what the database does not know.
"""

from __future__ import annotations

from collections.abc import Callable

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host

JOBS = (
    ("run-jobs-dcor-depot", "--modified-days", "1"),
    ("run-jobs-dcor-schemas", "--modified-days", "1"),
    ("run-jobs-dc-view", "--modified-days", "1"),
    ("run-jobs-dc-serve", "--modified-days", "1"),
    ("dcor-prune-stale-multipart-uploads",),
    ("dcor-prune-draft-datasets",),
)
#: seconds: a night's datasets may take hours to condense
PATIENCE = 6 * 3600.0


def run(host: Host, tell: Callable[[str], None]) -> bool:
    """Run all jobs in the active release and return whether each ended well."""
    active = release.active(host)
    if active is None:
        raise DcorError("No release is active yet.", hint="dcor-server converge makes one.")
    faults = [fault for job in JOBS if (fault := _fault(host, active, job)) is not None]
    for fault in faults:
        tell(fault)
    return not faults


def _fault(host: Host, active: str, job: tuple[str, ...]) -> str | None:
    try:
        release.run(host, active, "ckan", *job, timeout=PATIENCE)
    except DcorError as error:
        return f"{job[0]}: {error.reason}\n{error.hint}"
    return None
