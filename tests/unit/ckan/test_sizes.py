"""CKAN fits the memory: fewer job workers, and smaller web workers, where there is little of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg.ckan import sizes
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Host

FACTS = Facts("2.11.6", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
ONE = ("dcor-short,dcor-normal,dcor-long,default",)


@pytest.mark.parametrize(("memory", "queues"), [(1980, ONE), (3583, ONE), (3584, sizes.QUEUES), (64_000, sizes.QUEUES)])
def test_one_job_at_a_time_is_done_where_there_is_little_memory(
    host: Host, memory: int, queues: tuple[str, ...]
) -> None:
    assert sizes.job_workers(replace(FACTS, memory=memory)) == queues
    text = Programs("A", "0123abcd").file("/data", queues).text(host)
    assert f"-m dcor_runtime.workers jobs worker {' '.join(queues)}\n" in text


@pytest.mark.parametrize(("memory", "limit"), [(1980, 512), (2047, 512), (4096, 1024), (64_000, 2048)])
def test_a_web_worker_may_grow_to_about_a_quarter_of_the_memory(memory: int, limit: int) -> None:
    assert sizes.worker_limit(replace(FACTS, memory=memory)) == limit
