"""The plan is pure, in order, and names each step once."""

from __future__ import annotations

from dcor_pkg import settings
from dcor_pkg.facts import Facts
from dcor_pkg.plan import build_plan

FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
SETTINGS = settings.parse({"hostname": "dcor.example.org", "email": "admin@example.org"})
#: each before the next, for the reason that stands in the name
ORDER = (
    "kept settings",
    "secret database-password",
    "data directory",
    "start of dcor-solr.service",
    "postgresql database",
    "release",
    "file /etc/ckan/default/ckan.ini",
    "database schema",
    "service dcor-solr.service",
    "active release",
    "search index",
    "nginx site",
    "service nginx.service",
)


def names() -> list[str]:
    return [step.name for step in build_plan(SETTINGS, FACTS)]


def test_each_step_has_a_name_of_its_own() -> None:
    assert sorted(set(names())) == sorted(names())


def test_what_rests_on_another_comes_after_it() -> None:
    places = [names().index(name) for name in ORDER]
    assert places == sorted(places)


def test_the_same_settings_and_facts_give_the_same_plan() -> None:
    assert build_plan(SETTINGS, FACTS) == build_plan(SETTINGS, FACTS)
