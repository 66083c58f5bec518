"""Try a Redis elsewhere: password, version, and whether job queues can be written there."""

from __future__ import annotations

import re

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.reach import Unusable, reach

#: redis-py 5, "Supported Redis Versions"; RQ 1.16 itself needs 3.0
OLDEST = (5, 0)
KEY = "dcor-server-check"
#: seconds, after which nothing is left of the key even if we are ended in between
LIFETIME = 10


def log_in(host: Host, redis: Endpoint, password: Secret) -> None:
    """Raise Unusable where CKAN is not let in."""
    reach(redis)
    answer = _ask(host, redis, password)
    if "called without any password" in answer or "no password is set" in answer:
        hint = "Who writes into a job queue runs code as CKAN: set requirepass there."
        raise Unusable("it lets in everybody, without a password", hint)
    if answer != "OK":
        raise Unusable(f"it refuses the password: {answer}", "Give it anew: redis-password=@FILE.")


def probe(host: Host, redis: Endpoint, password: Secret) -> None:
    """Raise Unusable for the first thing that CKAN could not live with."""
    log_in(host, redis, password)
    found = re.search(r"redis_version:(\d+)\.(\d+)", _ask(host, redis, password, "INFO server"))
    if found is not None and (int(found[1]), int(found[2])) < OLDEST:
        raise Unusable(
            f"its Redis is {found[1]}.{found[2]}, and CKAN's libraries need {OLDEST[0]}.{OLDEST[1]} or newer"
        )
    for command in (f"SELECT {redis.name or 0}", f"SET {KEY} 1 EX {LIFETIME}", f"DEL {KEY}"):
        answer = _ask(host, redis, password, command)
        if answer not in ("OK", "1"):
            raise Unusable(f"it does not let us write: {answer}")


def _ask(host: Host, redis: Endpoint, password: Secret, command: str = "") -> str:
    """Return the answer to one command, or to AUTH itself; the password goes by standard input."""
    quoted = password.reveal().replace("\\", "\\\\").replace('"', '\\"')
    tls = ("--tls", "--sni", redis.host, "--cacert", AUTHORITIES) if redis.tls else ()
    try:
        said = host.run(
            *("redis-cli", "-h", redis.host, "-p", str(redis.port), *tls),
            text=f'AUTH "{quoted}"\n{command}\n',
            timeout=30,
        )
    except CommandFailed as error:
        raise Unusable(f"it does not answer: {error.hint}") from None
    first, _, rest = said.strip().partition("\n")
    return (rest if command else first).strip()
