"""Read files which the database names: a store that answers may have lost what it stored.

No step, for none can bring them back, and an administrator may have changed to a store into which they are still to be
copied: `dcor-server status` and `check` end with 3, and each converge says so.
"""

from __future__ import annotations

import time

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store.client import connect
from dcor_pkg.services.postgresql import psql

#: how many of the oldest files are looked at, and how many of the newest; and for how long another one begins
SAMPLE, TIMEOUT_SECONDS = 3, 30.0
#: the objects of the oldest or newest files (dcor_shared, s3cc.py, get_s3_bucket_object_for_artifact)
#: The bucket is that of the file's address: the dataset may have got another circle since.
OBJECTS = """\
(SELECT coalesce(substring(r.extras from '"s3_url": "[^"]*/(circle-[0-9a-f-]{{36}})/'), 'circle-' || p.owner_org)
|| '/resource/' || left(r.id, 3) || '/' || substr(r.id, 4, 3) || '/' || substr(r.id, 7)
FROM resource r JOIN package p ON p.id = r.package_id
WHERE r.state = 'active' AND p.state = 'active' AND r.extras LIKE '%"s3_available": true%'
ORDER BY r.created {order} LIMIT {sample})"""
QUERY = " UNION ".join(OBJECTS.format(order=order, sample=SAMPLE) for order in ("ASC", "DESC"))
HINT = (
    "Is the disk of the data directory complete, and are the address and key of the store those that it was filled with? "
    "If the files are lost, restore the data directory, or the store, from a backup."
)


def problem(host: Host, settings: Settings) -> str | None:
    """Return that some file cannot be read, or None. Raises DcorError where that cannot be found out."""
    asked, lost = _sample(host, settings)
    if not lost:
        return None
    return f"{len(lost)} of {len(asked)} files that were looked at cannot be read from the store, for example {lost[0]}"


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return the same; what keeps it from being found out is reported elsewhere."""
    try:
        found = problem(host, settings)
    except DcorError:
        return []
    return [] if found is None else [Notice(endpoints.of(settings).object_store.address, f"lacks files: {found}", HINT)]


def _sample(host: Host, settings: Settings) -> tuple[list[str], list[str]]:
    """Return the objects that were asked for, as BUCKET/NAME, and those of them that cannot be read."""
    used = endpoints.of(settings)
    try:
        names = psql.query(host, used.database, QUERY).split()
    except CommandFailed as error:
        raise DcorError(f"The database cannot be asked for its files: {psql.message(error.hint)}.") from None
    client, deadline = connect(host, used.object_store), time.monotonic() + TIMEOUT_SECONDS
    asked: dict[str, bool] = {}
    for name in names:
        if time.monotonic() < deadline:
            asked[name] = client.has(f"/{name}")
    return list(asked), [name for name, is_there in asked.items() if not is_there]
