"""Wait for what is being started again: PostgreSQL, Solr and Redis are back some seconds after they were killed.

What is repeated does no harm when it is done twice: a connection in which nothing was said yet, and requests to Solr,
in which each document replaces its former version. Whoever is in the middle of a transaction gets its error.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pysolr
import redis
from ckan.lib import redis as ckan_redis
from requests import ConnectionError as NoAnswer
from requests.adapters import HTTPAdapter
from sqlalchemy import event
from sqlalchemy.engine import Engine

#: PostgreSQL reads its log again after a crash, and Debian's package stops it before it is unpacked and starts it
#: afterwards; on a slow disk that takes as long
WAIT_SECONDS, PAUSE_SECONDS = 30.0, 0.1
#: for one attempt to connect to Redis over a network
CONNECT_SECONDS = 5.0
#: Solr's answer until its core is loaded (503, RFC 9110): for a second after it accepts connections
UNAVAILABLE = 503
#: what redis-py raises where nobody listens (OSError), or before the first command is answered
NO_REDIS = (OSError, redis.ConnectionError, redis.TimeoutError)
Result = TypeVar("Result")


class Patience:
    """How long one service is waited for. After a wait in vain nobody waits before it has worked again.

    Otherwise each request would occupy its worker for that time, while the service is down for long.
    """

    def __init__(self) -> None:
        self._exhausted = False

    def call(self, attempt: Callable[[], Result], errors: type[Exception] | tuple[type[Exception], ...]) -> Result:
        """Return the result of an attempt, which is repeated after these errors. Raises the last one."""
        deadline = time.monotonic() + (0.0 if self._exhausted else WAIT_SECONDS)
        while True:
            try:
                result = attempt()
            except errors:
                if time.monotonic() >= deadline:
                    self._exhausted = True
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                self._exhausted = False
                return result


def install() -> None:
    """Let CKAN wait for its services, from the first connection on."""
    event.listen(Engine, "do_connect", functools.partial(connect, Patience()))
    pysolr.Solr.get_session = functools.partialmethod(session, pysolr.Solr.get_session, Patience())
    ckan_redis.ConnectionPool = Pool


def connect(patience: Patience, dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
    """Connect to PostgreSQL (SQLAlchemy, `DialectEvents.do_connect`)."""
    return patience.call(lambda: dialect.connect(*arguments, **options), dialect.dbapi.OperationalError)


def session(solr: Any, original: Callable[[Any], Any], patience: Patience) -> Any:
    """Return the HTTP session of a client of Solr, which repeats requests whose connection fails."""
    found = original(solr)
    if not isinstance(found.get_adapter("http://"), Adapter):
        for scheme in ("http://", "https://"):
            found.mount(scheme, Adapter(patience))
    return found


class Adapter(HTTPAdapter):  # type: ignore[misc]  # of no known type
    """Sends requests, again when there is no answer, or Solr is not ready; one that comes too late is not repeated."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._patience = patience

    def send(self, *arguments: Any, **options: Any) -> Any:
        """Return the answer (requests, "Transport Adapters")."""
        send = functools.partial(super().send, *arguments, **options)

        def attempt() -> Any:
            answer = send()
            if answer.status_code == UNAVAILABLE:
                raise NoAnswer("Solr has not loaded its core yet.")
            return answer

        return self._patience.call(attempt, NoAnswer)


class Pool(redis.ConnectionPool):  # type: ignore[misc]  # of no known type
    """Connections to Redis, for each of which is waited; no command is repeated."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patience = Patience()

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Any:
        """Return a pool for an address; a network that loses packets must not hold an attempt for minutes."""
        limit = {} if url.startswith("unix:") else {"socket_connect_timeout": CONNECT_SECONDS}
        return super().from_url(url, **limit, **options)

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """Return a connection that is open (redis-py, `ConnectionPool`)."""
        return self._patience.call(functools.partial(super().get_connection, *arguments, **options), NO_REDIS)
