"""Store an object, read it back, and delete it, with CKAN's signature, in the bucket of a circle.

Nothing is written where there is no circle yet, nor into a store that does not have this server's mark: it may be
another one's. The object has one name, so that a trial that was cut off is cleared away by the next one.
"""

from __future__ import annotations

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.machine.host import Host
from dcor_pkg.runtime import store_mark
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.examined import Examined
from dcor_pkg.services.object_store.client import Client, connect, error
from dcor_pkg.services.object_store.ownership import OF_CIRCLE

#: not a name that DCOR gives
OBJECT, CONTENT = "dcor-server/status", "whole"
#: another trial may delete the object between our PUT and our GET
ATTEMPTS = 3
MISSING = 404


def examine(host: Host, store: Endpoint) -> Examined:
    """Put, get and delete an object. Raises DcorError."""
    client = connect(host, store)
    buckets = client.buckets()
    own = (instance.known(host) or "").strip()
    if not any(store_mark.is_by(bucket, own) for bucket in buckets):
        return Examined("lists buckets; it does not have the mark of this server, so nothing is stored")
    circles = [bucket for bucket in buckets if OF_CIRCLE.fullmatch(bucket)]
    if not circles:
        return Examined("lists buckets; there is no circle yet, so nothing is stored")
    _try(client, f"/{circles[0]}/{OBJECT}")
    return Examined("stores, returns and deletes an object")


def _try(client: Client, path: str) -> None:
    for _ in range(ATTEMPTS):
        client.require("PUT", path, "store an object", CONTENT)
        answer = client.ask("GET", path)
        client.require("DELETE", path, "delete an object")
        if answer.status != MISSING:
            break
    if answer.status != 200:
        raise DcorError(f"does not return an object that was stored: {error(answer)}")
    if answer.body != CONTENT:
        raise DcorError(f"returns {answer.body[:100]!r} for an object that was stored as {CONTENT!r}")
