"""The index gets what it lacks and loses what is too much, dataset by dataset; one that fails stops nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dcor_pkg.runtime


class Site:
    """Stands for CKAN's model, and for its search: states by the ids of datasets, and what the index has."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.indexed: set[str] = set()
        self.faulty: set[str] = set()
        self.asked = ""
        #: a dataset that is changed so many times while it is indexed, and how often it was indexed
        self.changing, self.changes, self.times = "", 0, 0

    def rollback(self) -> None:
        """Stand for that of the session."""

    def query(self, what: Any) -> Any:
        """Stand for the session's query, of ids or of packages."""
        active = [SimpleNamespace(id=identity) for identity, state in self.states.items() if state == "active"]
        found = {
            identity: SimpleNamespace(state=state, metadata_modified=self.changes if identity == self.changing else 0)
            for identity, state in self.states.items()
        }
        return SimpleNamespace(filter_by=lambda **_: active, get=found.get)

    def search(self, query: str, **options: Any) -> Any:
        self.asked = query
        assert options == {"fl": "id", "rows": 10_000_000}
        return SimpleNamespace(docs=[{"id": identity} for identity in self.indexed])

    def rebuild(self, identity: str) -> None:
        if identity in self.faulty:
            raise ValueError("immense term")
        self.times += 1
        self.changes = max(0, self.changes - 1)
        self.indexed.discard(identity)
        if self.states[identity] == "active":
            self.indexed.add(identity)

    def clear(self, identity: str) -> None:
        self.indexed.discard(identity)


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


@pytest.fixture
def site() -> Site:
    """Return a site without datasets."""
    return Site()


@pytest.fixture
def index(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the module on that site."""
    model = SimpleNamespace(Session=site, Package=SimpleNamespace(id="id"))
    for it in (
        module("ckan", model=model),
        module("ckan.common", config={"ckan.site_id": "default"}),
        module("ckan.lib", search=site),
        module("ckan.lib.search"),
        module("ckan.lib.search.common", make_connection=lambda: site),
        module("dcor_runtime", __path__=dcor_pkg.runtime.__path__, application=SimpleNamespace()),
    ):
        monkeypatch.setitem(sys.modules, it.__name__, it)
    yield importlib.import_module("dcor_runtime.index")
    del sys.modules["dcor_runtime.index"]


def test_what_differs_is_put_right(index: Any, site: Site) -> None:
    site.states = {"missing": "active", "there": "active", "deleted": "deleted", "draft": "draft"}
    site.indexed = {"there", "deleted", "draft", "purged"}
    assert index.complete() == []
    assert site.indexed == {"there", "missing"}
    assert site.asked == '+state:active +dataset_type:dataset +site_id:"default"'


def test_one_that_fails_is_returned_and_the_others_are_indexed(index: Any, site: Site) -> None:
    site.states = dict.fromkeys(("a", "b", "c"), "active")
    site.faulty = {"b"}
    assert index.complete() == ["b"]
    assert site.indexed == {"a", "c"}


def test_others_are_indexed_in_any_case(index: Any, site: Site) -> None:
    site.states = dict.fromkeys(("a", "b"), "active")
    site.indexed = {"a", "b", "purged"}
    assert index.complete({"a", "purged"}) == []
    assert (site.indexed, site.times) == ({"a", "b"}, 1)


@pytest.mark.parametrize(("changes", "times"), [(0, 1), (2, 3), (100, 10)])
def test_a_dataset_that_is_changed_meanwhile_is_indexed_again(index: Any, site: Site, changes: int, times: int) -> None:
    site.states, site.changing, site.changes = {"a": "active"}, "a", changes
    assert index.complete() == []
    assert site.times == times
