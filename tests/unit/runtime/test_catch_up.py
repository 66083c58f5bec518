"""A core of Solr gets what another one has and it lacks, and what was indexed there since a time."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dcor_pkg.runtime

OWN, OTHER = "http://127.0.0.1:8983/solr/ckan_b", "http://127.0.0.1:8983/solr/ckan"
SINCE = "2026-11-27T08:00:00Z"
ALL = '+entity_type:package +site_id:"default"'


class Settings:
    """Stands for CKAN's SolrSettings."""

    now = (OWN, "ckan", "secret")

    @classmethod
    def get(cls) -> tuple[str, ...]:
        return cls.now

    @classmethod
    def init(cls, *settings: str) -> None:
        cls.now = settings  # type: ignore[assignment]


class Solr:
    """Stands for two cores: what each has, and what was indexed in the other one since."""

    def __init__(self) -> None:
        self.documents: dict[str, set[str]] = {OWN: set(), OTHER: set()}
        self.changed: set[str] = set()
        self.completed: set[str] = set()
        self.faulty: list[str] = []

    def connection(self) -> Any:
        """Stand for make_connection."""
        address, user, password = Settings.now
        assert (user, password) == ("ckan", "secret")
        found = {ALL: self.documents[address], f"{ALL} +indexed_ts:[{SINCE} TO *]": self.changed}
        return SimpleNamespace(
            search=lambda query, **_: SimpleNamespace(docs=[{"id": identity} for identity in found[query]])
        )

    def complete(self, others: set[str]) -> list[str]:
        """Stand for that of dcor_runtime.index."""
        self.completed = others
        return self.faulty


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


@pytest.fixture
def solr() -> Solr:
    """Return a Solr with two empty cores."""
    return Solr()


@pytest.fixture
def catch_up(solr: Solr, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the module with that Solr."""
    parts = {"application": SimpleNamespace(), "index": SimpleNamespace(complete=solr.complete, ALL=10)}
    for it in (
        module("ckan"),
        module("ckan.common", config={"ckan.site_id": "default"}),
        module("ckan.lib"),
        module("ckan.lib.search"),
        module("ckan.lib.search.common", SolrSettings=Settings, make_connection=solr.connection),
        module("dcor_runtime", __path__=dcor_pkg.runtime.__path__, **parts),
    ):
        monkeypatch.setitem(sys.modules, it.__name__, it)
    yield importlib.import_module("dcor_runtime.catch_up")
    del sys.modules["dcor_runtime.catch_up"]


def test_what_was_indexed_since_and_what_only_one_of_them_has_is_indexed(catch_up: Any, solr: Solr) -> None:
    solr.documents = {OWN: {"same", "changed", "deleted"}, OTHER: {"same", "changed", "made"}}
    solr.changed = {"changed", "made"}
    assert catch_up.run(OTHER, SINCE) == {"failed": [], "lost": []}
    assert solr.completed == {"changed", "made", "deleted"}
    assert Settings.now == (OWN, "ckan", "secret")


def test_what_cannot_be_indexed_is_lost_only_if_the_other_one_has_it(catch_up: Any, solr: Solr) -> None:
    solr.documents[OTHER] = {"found"}
    solr.faulty = ["found", "never found"]
    assert catch_up.run(OTHER, SINCE) == {"failed": ["found", "never found"], "lost": ["found"]}
