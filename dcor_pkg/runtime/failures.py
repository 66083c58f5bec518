"""Why a job failed, from the traceback that RQ keeps of it, and whether the reason has passed by itself.

A message may have parts of a job's arguments, and addresses with a signature or a password. What is shown has neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DATABASE = "the database did not answer, or could not be written to"
REDIS = "Redis did not answer, or could not be written to"
STORE = "the object store did not answer"
SEARCH = "Solr did not take the dataset"
SERVICE = "a service did not answer"
#: exceptions that say nothing about the job itself, and what each means
PASSING = {
    "ConnectionError": SERVICE,
    "ConnectionAbortedError": SERVICE,
    "ConnectionRefusedError": SERVICE,
    "ConnectionResetError": SERVICE,
    "BrokenPipeError": SERVICE,
    "TimeoutError": SERVICE,
    "socket.gaierror": "the name of a service was not known",
    "http.client.RemoteDisconnected": SERVICE,
    "requests.exceptions.ConnectionError": SERVICE,
    "requests.exceptions.ConnectTimeout": SERVICE,
    "requests.exceptions.ReadTimeout": SERVICE,
    "urllib3.exceptions.MaxRetryError": SERVICE,
    "urllib3.exceptions.NewConnectionError": SERVICE,
    "urllib3.exceptions.ProtocolError": SERVICE,
    "urllib3.exceptions.ReadTimeoutError": SERVICE,
    "botocore.exceptions.ConnectionClosedError": STORE,
    "botocore.exceptions.ConnectTimeoutError": STORE,
    "botocore.exceptions.EndpointConnectionError": STORE,
    "botocore.exceptions.ReadTimeoutError": STORE,
    "psycopg2.InterfaceError": DATABASE,
    "psycopg2.OperationalError": DATABASE,
    "psycopg2.errors.AdminShutdown": DATABASE,
    "psycopg2.errors.CannotConnectNow": DATABASE,
    "psycopg2.errors.CrashShutdown": DATABASE,
    "psycopg2.errors.ReadOnlySqlTransaction": DATABASE,
    "psycopg2.errors.DeadlockDetected": "another transaction was in the way",
    "psycopg2.errors.SerializationFailure": "another transaction was in the way",
    "redis.exceptions.BusyLoadingError": REDIS,
    "redis.exceptions.ConnectionError": REDIS,
    "redis.exceptions.ReadOnlyError": REDIS,
    "redis.exceptions.TimeoutError": REDIS,
    "ckan.lib.search.common.SearchIndexError": SEARCH,
    "rq.timeouts.JobTimeoutException": "the machine was busy, or a service was slow",
}
#: the last call of a traceback, what is shown of it, and the exception; more lines of its message may follow
ENDING = re.compile(r"(?:^|\n)  File [^\n]+\n(?:[ \t][^\n]*\n|\n)*(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>[^\n]*))?")
#: SQLAlchemy's message begins with the exception of the database's driver
INNER = re.compile(r"\((?P<name>psycopg2\.[\w.]+)\) ?")
PLACE = re.compile(r'^  File "([^"\n]+)", line (\d+), in (\S+)$', re.MULTILINE)
#: an address, in which the name, the password and the query may be secret
LOGIN, QUERY = re.compile(r"(?<=://)[^/\s@]+@"), re.compile(r"\?[^\s'\">)]+")
#: arguments of a job that may be shown, by their names, and how short another one is if it says nothing
PUBLIC_NAMES, SHORT = ("id", "name", "package_id", "position", "state"), 4
HIDDEN = "..."
MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class Failure:
    """Why a job failed; the reason is empty unless it is one that passes."""

    exception: str
    message: str
    reason: str
    #: file, line and function of each call
    places: tuple[str, ...]


def of(traceback: str, arguments: object) -> Failure:
    """Return the failure of a job with these arguments. Without a traceback, what RQ says of the worker's end."""
    endings = list(ENDING.finditer(traceback))
    if not endings:
        return Failure("", without_secrets(traceback.strip().partition("\n")[0], arguments), "", ())
    name, message = endings[-1]["name"], endings[-1]["message"] or ""
    inner = INNER.match(message)
    reason = PASSING.get(inner["name"] if inner else name, "")
    places = tuple(f"{file}:{line} {function}" for file, line, function in PLACE.findall(traceback))
    return Failure(name, without_secrets(message, arguments), reason, places)


def without_secrets(message: str, arguments: object) -> str:
    """Return a message without the values of arguments, logins and signatures."""
    for value in sorted(set(_values(arguments)), key=len, reverse=True):
        message = message.replace(value, HIDDEN)
    return without_addresses(message)[:MESSAGE_LENGTH]


def without_addresses(text: str) -> str:
    """Return a text without logins and queries, with signatures among them, of the addresses in it."""
    return QUERY.sub(f"?{HIDDEN}", LOGIN.sub(f"{HIDDEN}@", text))


def _values(arguments: Any) -> Iterator[str]:
    """Give the texts among arguments that are not known to be harmless."""
    if isinstance(arguments, dict):
        for name, value in arguments.items():
            if name not in PUBLIC_NAMES or isinstance(value, (dict, list, tuple)):
                yield from _values(value)
    elif isinstance(arguments, (list, tuple, set)):
        for value in arguments:
            yield from _values(value)
    elif isinstance(arguments, (str, bytes)) and len(arguments) > SHORT:
        yield arguments.decode(errors="replace") if isinstance(arguments, bytes) else arguments
