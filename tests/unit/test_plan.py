"""The plan is pure, in order, and names each step once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.machine.facts import Facts
from dcor_pkg.plan import build_plan
from dcor_pkg.services.engines import ENGINES

PACKAGE = Path(__file__).resolve().parents[2] / "dcor_pkg"
#: how code and templates read a setting, by the names that they give to settings
READ = re.compile(r"\b(?:settings|wanted|before|self)\.([a-z_]+)\b")
FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
ANSWERS = {"hostname": "dcor.example.org", "email": "admin@example.org"}
SETTINGS = settings.parse(ANSWERS)
#: each before the next, for the reason that stands in the name
ORDER = (
    "preserved settings",
    "data directory",
    "start of dcor-solr.service",
    "postgresql database",
    "no migration under way",
    "certificate",
    "release",
    "file /etc/ckan/default/ckan.ini",
    "backup before the upgrade",
    "database schema",
    "service dcor-solr.service",
    "active release",
    "nginx site",
    "service nginx.service",
    "mark of the object store",
    "search index",
)


#: what is not set up, and what stops instead, when a service is elsewhere
STOPS = {
    "database": ("postgresql://dcor@db.example.org/dcor", "postgresql database", "postgresql cluster"),
    "redis": ("rediss://redis.example.org", "file /etc/dcor-server/redis.conf", "service redis-server@dcor.service"),
    "solr": ("https://ckan@solr.example.org/solr/ckan", "solr core", "service dcor-solr.service"),
    "object-store": ("https://AKID@s3.example.org", "filer token of nginx", "service dcor-object-store.service"),
}


def names(answers: Mapping[str, str] | None = None) -> list[str]:
    return [step.name for step in build_plan(settings.parse({**ANSWERS, **(answers or {})}), FACTS)]


def test_each_step_has_a_name_of_its_own() -> None:
    assert sorted(set(names())) == sorted(names())


def test_what_rests_on_another_comes_after_it() -> None:
    places = [names().index(name) for name in ORDER]
    assert places == sorted(places)


def test_the_same_settings_and_facts_give_the_same_plan() -> None:
    assert build_plan(SETTINGS, FACTS) == build_plan(SETTINGS, FACTS)


@pytest.mark.parametrize("key", STOPS)
def test_what_is_elsewhere_is_not_set_up_here_but_stopped_at_the_end(key: str) -> None:
    answer, set_up, stopped = STOPS[key]
    here, there = names(), names({key: answer})
    assert sorted(set(there)) == sorted(there)
    assert (set_up in here, set_up in there) == (True, False)
    assert there.index(stopped) > there.index("service nginx.service")
    others = {name for other, it in STOPS.items() if other != key for name in it[1:]}
    assert others <= set(there)


def test_a_store_elsewhere_has_no_door_here() -> None:
    there = names({"object-store": STOPS["object-store"][0]})
    assert there.index("socket activation of the object store") > there.index("service nginx.service")


def test_each_setting_is_used() -> None:
    """A row that no code reads would be an answer without effect; an engine's row is read by the engine's key."""
    files = [file for file in PACKAGE.rglob("*") if file.suffix != ".pyc" and file.is_file()]
    read = {name.replace("_", "-") for file in files for name in READ.findall(file.read_text(encoding="utf-8"))}
    assert set(settings.KEYS) - read <= {engine.key for engine in ENGINES}
