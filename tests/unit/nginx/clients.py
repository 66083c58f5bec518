"""Many clients at once, each with an address of its own or all with the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.unit.nginx.nginx_server import ADDRESS_HEADER, Answer

#: Each test uses addresses of its own, because nginx counts for as long as it runs.
_NUMBERS = count(1)


def new_address() -> dict[str, str]:
    """Return the headers of a client whose address no other test has used."""
    number = next(_NUMBERS)
    return {ADDRESS_HEADER: f"192.0.{number // 250}.{number % 250 + 1}"}


def at_once(requests: Iterable[Callable[[], Answer]]) -> list[Answer]:
    """Send all requests at the same time, and return their answers."""
    calls = list(requests)
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def statuses(answers: Iterable[Answer]) -> Counter[int]:
    """Count the answers by their status."""
    return Counter(answer.status for answer in answers)
