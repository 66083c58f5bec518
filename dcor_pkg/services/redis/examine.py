"""Store a value in Redis: one that answers may refuse that, where its memory or its disk is full."""

from __future__ import annotations

from functools import partial

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.examined import Examined
from dcor_pkg.services.redis import probe

#: it expires, so nothing is left of it
STORE = f"SET {probe.KEY} 1 EX {probe.EXPIRY_SECONDS}"


def examine(host: Host, redis: Endpoint) -> Examined:
    """Store a value. Raises DcorError with Redis's own words where it is refused."""
    answer = _of_local(host, redis) if redis.local else _of_external(host, redis)
    if answer != "OK":
        raise DcorError(f"does not store a value: {answer[:200]}")
    return Examined("stores values")


def _of_local(host: Host, redis: Endpoint) -> str:
    try:
        return host.run("redis-cli", "-s", redis.path, *STORE.split()).strip()
    except CommandFailed as error:
        return error.hint


def _of_external(host: Host, redis: Endpoint) -> str:
    _, password = redis.login(partial(secrets.read, host))
    return probe.ask(host, redis, password, f"SELECT {redis.name or 0}\n{STORE}").rpartition("\n")[2]
