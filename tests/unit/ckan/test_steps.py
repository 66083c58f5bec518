"""The steps of CKAN follow the settings: what CKAN reads at its start, and how many requests it answers at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import programs, release_id, steps
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access

FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
SETTINGS = settings.parse({"hostname": "dcor.example.org", "data-directory": "/srv/data"})


@pytest.mark.parametrize(
    ("workers", "cores", "memory", "expected"),
    [("auto", 1, 4000, 4), ("auto", 8, 100_000, 16), ("auto", 8, 3000, 7), ("auto", 8, 1000, 2), ("3", 8, 100_000, 3)],
    ids=["four for one core", "two for each core", "as memory allows", "at least two", "as set"],
)
def test_the_number_of_workers(workers: str, cores: int, memory: int, expected: int) -> None:
    facts = replace(FACTS, cores=cores, memory=memory)
    found = steps.release_steps(settings.parse({"workers": workers}), facts)
    (uwsgi,) = (step for step in found if isinstance(step, ManagedFile) and step.path == programs.UWSGI_INI)
    assert uwsgi.values["workers"] == expected


def test_all_steps_are_for_the_release_that_the_facts_ask_for() -> None:
    found: tuple[Step, ...] = (
        *steps.release_steps(SETTINGS, FACTS),
        *steps.activation_steps(SETTINGS, FACTS),
        *steps.index_steps(SETTINGS, FACTS),
    )
    assert isinstance(found[1], ReleaseMade)
    assert {step.release for step in found if hasattr(step, "release")} == {release_id.wanted(FACTS)}


def test_a_named_file_is_read_when_ckan_starts() -> None:
    named = settings.parse({"licences": "/srv/licences.json", "resource-supplements": "/srv/supplements"})
    reads = {}
    for each in (SETTINGS, named):
        (active,) = (step for step in steps.activation_steps(each, FACTS) if isinstance(step, ActiveRelease))
        reads[each] = active.reads
    assert reads[SETTINGS][:2] == ("/etc/ckan/default/ckan.ini", "/etc/dcor-server/uwsgi.ini")
    assert reads[named] == (*reads[SETTINGS], "/srv/licences.json", "/srv/supplements")


def test_ckan_owns_what_it_writes_and_its_logs_are_not_for_all() -> None:
    found = {step.path: step.access for step in steps.prepare_steps(SETTINGS, FACTS) if isinstance(step, Directory)}
    own = Access(0o755, "www-data", "www-data")
    assert found["/srv/data/ckan"] == found["/srv/data/ckan/storage"] == found["/var/lib/ckan/webassets"] == own
    assert found["/var/log/ckan"] == Access(0o750, "www-data", "adm")
    assert found["/var/cache/dcor-server/ckan-temporary"] == Access(0o700, "www-data", "www-data")
    assert found["/var/lib/dcor-server/programs"] == Access(0o755)
    assert found["/var/log/dcor-server"] == Access(0o750, "root", "adm")
