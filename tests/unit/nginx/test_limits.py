"""The figures of the limits fit the number of CKAN's workers, and each is applied."""

from __future__ import annotations

import re

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.facts import Facts
from dcor_pkg.nginx import limits
from tests.unit.nginx.nginx_server import NAME, SETTINGS, NginxServer, facts

WORKERS = limits.workers(SETTINGS, facts((1, 22, 1)))


@pytest.mark.parametrize(
    ("cores", "memory", "chosen", "count"),
    [
        *((1, 1536, "auto", 2), (2, 1980, "auto", 3), (1, 4096, "auto", 4), (2, 4096, "auto", 4)),
        *((8, 64_000, "auto", 16), (64, 8000, "auto", 27), (2, 4096, "1", 1), (1, 1536, "8", 8)),
    ],
)
def test_workers_are_as_many_as_chosen_or_as_cores_and_memory_allow(
    cores: int, memory: int, chosen: str, count: int
) -> None:
    machine = Facts("2.11.6", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=cores, memory=memory)
    assert limits.workers(Settings(hostname=NAME, workers=chosen), machine) == count


@pytest.mark.parametrize(("workers", "slots"), [(1, 1), (2, 1), (3, 1), (4, 2), (32, 30)])
def test_two_workers_are_left_where_there_are_more_than_two(workers: int, slots: int) -> None:
    assert limits.slow_slots(workers) == slots
    (shared,) = [limit for limit in limits.concurrencies(workers) if limit.name == "slow"]
    assert shared.count == slots


def test_each_limit_is_applied_in_the_site(server: NginxServer) -> None:
    text = (server.root / "site.conf").read_text()
    rates, concurrencies = limits.rates(WORKERS), limits.concurrencies(WORKERS)
    for name in [*(limit.name for limit in rates), *(limit.name for limit in concurrencies)]:
        assert len(re.findall(rf"zone=dcor_{name}:|limit_(?:req|conn) (?:zone=)?dcor_{name} ", text)) == 2
