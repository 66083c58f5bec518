"""Probe an external Redis: password, version, and the right to write job queues."""

from __future__ import annotations

import re

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.reach import UnusableService, reach

#: redis-py 5, "Supported Redis Versions"; RQ 1.16 itself needs 3.0
MINIMUM_VERSION = (5, 0)
KEY = "dcor-server-check"
#: RQ's set of all queues (rq/queue.py, redis_queues_keys)
QUEUES = "rq:queues"
#: the key expires, so nothing is left of it even if we are interrupted before we delete it
EXPIRY_SECONDS = 10


def log_in(host: Host, redis: Endpoint, password: Secret, _: Settings) -> None:
    """Raise UnusableService where CKAN cannot log in."""
    reach(redis)
    answer = ask(host, redis, password)
    if "called without any password" in answer or "no password is set" in answer:
        hint = "Whoever writes into a job queue runs code as CKAN: set requirepass there."
        raise UnusableService("it accepts everybody without a password", hint)
    if answer != "OK":
        raise UnusableService(f"it rejects the password: {answer}", "Give it again: redis-password=@FILE.")


def probe(host: Host, redis: Endpoint, password: Secret, settings: Settings) -> None:
    """Raise UnusableService for the first requirement of CKAN that is not met."""
    log_in(host, redis, password, settings)
    found = re.search(r"redis_version:(\d+)\.(\d+)", ask(host, redis, password, "INFO server"))
    if found is not None and (int(found[1]), int(found[2])) < MINIMUM_VERSION:
        needed = ".".join(map(str, MINIMUM_VERSION))
        raise UnusableService(
            f"its Redis is version {found[1]}.{found[2]}, and CKAN's libraries need {needed} or newer"
        )
    for command in (f"SELECT {redis.name or 0}", f"SET {KEY} 1 EX {EXPIRY_SECONDS}", f"DEL {KEY}"):
        answer = ask(host, redis, password, command)
        if answer not in ("OK", "1"):
            raise UnusableService(f"it does not allow CKAN to write: {answer}")


def content(host: Host, redis: Endpoint, password: Secret) -> str | None:
    """Return how many job queues there are, or None: jobs of others would be run here, and ours there."""
    answer = ask(host, redis, password, f"SELECT {redis.name or 0}\nSCARD {QUEUES}").splitlines()[-1]
    return None if answer == "0" else f"{answer} job queues"


def ask(host: Host, redis: Endpoint, password: Secret, command: str = "") -> str:
    """Return the answer to one command, or to AUTH itself; the password is passed by standard input."""
    quoted = password.reveal().replace("\\", "\\\\").replace('"', '\\"')
    tls = ("--tls", "--sni", redis.host, "--cacert", AUTHORITIES) if redis.tls else ()
    try:
        output = host.run(
            *("redis-cli", "-h", redis.host, "-p", str(redis.port), *tls),
            text=f'AUTH "{quoted}"\n{command}\n',
            timeout=30,
        )
    except CommandFailed as error:
        raise UnusableService(f"it does not answer: {error.hint}") from None
    first, _, rest = output.strip().partition("\n")
    return (rest if command else first).strip()
