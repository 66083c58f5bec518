"""How much of the server one client, and one kind of request, may take: the figures, each with its reason.

A client is an IPv4 address or an IPv6 network of 64 bits. A class or a clinic is one client, if all its users are
behind one address: no figure limits CLASS users who do the same at the same time. What comes too often is answered
with 429, and what finds too many others in progress with 503, both with Retry-After. The keys are variables of
templates/limits.conf (nginx, "Module ngx_http_limit_req_module" and "Module ngx_http_limit_conn_module").
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.facts import Facts

#: users behind one address who may do the same at the same time
CLASS = 40
#: for answers 429 and 503; dclab tries again after one second already
RETRY_AFTER_SECONDS = 10
#: A request may take that long in CKAN: uWSGI ends it then (its `harakiri`), and nginx waits as long.
SLOW_SECONDS = 500
#: So long CKAN may take to answer /healthz: a load balancer waits for five seconds or so.
HEALTH_SECONDS = 3
#: of memory, for all but CKAN's workers, and for one of them while it reads a measurement
OTHERS_MIB, WORKER_MIB = 1024, 250


@dataclass(frozen=True)
class Rate:
    """At most `rate` requests with the same key; `burst` more are answered at once, or delayed to the rate."""

    name: str
    key: str
    rate: str
    burst: int
    delayed: bool = False


@dataclass(frozen=True)
class Concurrency:
    """At most `count` requests with the same key in progress at once."""

    name: str
    key: str
    count: int


@dataclass(frozen=True)
class Timeouts:
    """Seconds after which a client that neither sends nor receives is disconnected."""

    #: for the whole header, so that it cannot arrive drop by drop
    header: int = 20
    #: between two pieces of a body that CKAN gets; it gets none before the last piece has arrived
    body: int = 20
    #: between two pieces of an answer that the client takes; measurements are read with breaks
    send: int = 30
    send_of_store: int = 60


def workers(settings: Settings, facts: Facts) -> int:
    """Return how many requests CKAN answers at once: they wait for the database more than they compute."""
    if settings.workers != "auto":
        return int(settings.workers)
    return max(2, min(max(4, 2 * facts.cores), (facts.memory - OTHERS_MIB) // WORKER_MIB))


def rates(count: int) -> tuple[Rate, ...]:
    """Return the limits of rates for a server with `count` workers."""
    slots = slow_slots(count)
    return (
        # Of 40 passwords that are tried within 4 seconds 29 are looked at; a class signs in within 10 seconds.
        Rate("sign_in", "$dcor_sign_in_client", "2r/s", CLASS // 2),
        # In the long run 10 passwords a minute, after a class whose every second user has mistyped one.
        Rate("sign_in_sustained", "$dcor_sign_in_client", "10r/m", 3 * CLASS // 2),
        # Each sends a mail or makes a user: a whole class at once, and then 4 a minute.
        Rate("account", "$dcor_account_client", "4r/m", CLASS),
        # They arrive at the pace at which they can be answered in 0.1 s each. None waits for more than half a second:
        # dclab's first timeout is one second; to 429 it tries again.
        Rate("dcserv", "$dcor_dcserv", f"{10 * slots}r/s", 5 * slots, delayed=True),
        # The same for people, whose pages take longer: a class that looks at the same page waits five seconds at most
        # where there are two slots.
        Rate("view", "$dcor_view", f"{4 * slots}r/s", CLASS, delayed=True),
    )


def concurrencies(count: int) -> tuple[Concurrency, ...]:
    """Return the limits of concurrent requests for a server with `count` workers."""
    return (
        # What reads a measurement or sends a mail may take minutes: it never occupies all workers.
        Concurrency("slow", "$dcor_slow", slow_slots(count)),
        # A mail relay that does not answer occupies one worker.
        Concurrency("reset", "$dcor_reset", 1),
        # CKAN's queue has 1024 places: one client cannot fill it, and a class may have two requests each in progress.
        Concurrency("ckan_client", "$dcor_ckan_client", 2 * CLASS),
        # As many connections as a browser opens at most, for each user of a class: up- and downloads take long.
        Concurrency("store_client", "$dcor_store_client", 6 * CLASS),
    )


def slow_slots(count: int) -> int:
    """Return how many of `count` workers slow requests may occupy: all but two, and at least one."""
    return max(1, count - 2)
