"""The index is compared with the database dataset by dataset, and what cannot be compared is left to others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import release, search_index
from dcor_pkg.ckan.index_difference import IndexDocuments
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine import http_request, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CURRENT
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr import local as solr

USED = endpoints.of(settings.Settings())
STEP = IndexDocuments(USED.database, USED.solr)


@dataclass
class Site:
    """The ids in the database and in the index, and what was asked of Solr."""

    stored: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    indexed: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def ask(self, address: str, *_: object) -> Answer:
        """Answer as Solr does."""
        self.asked.append(address)
        documents = [] if "&rows=0" in address else [{"id": it} for it in self.indexed]
        return Answer(self.status, json.dumps({"response": {"numFound": len(self.indexed), "docs": documents}}))


@pytest.fixture
def site(host: Host, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site whose index is that of its database."""
    site = Site()
    secrets.save(host, solr.PASSWORD, Secret("x"))
    state_file.write(host, search_index.STATE_FILE, {"database": "d", "solr": "s", search_index.UNINDEXED: []})
    monkeypatch.setattr(search_index, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(search_index, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(psql, "query", lambda *_: "\n".join(site.stored))
    monkeypatch.setattr(solr, "unit_state", lambda *_: {"ActiveState": "active"})
    monkeypatch.setattr(http_request, "ask", site.ask)
    return site


@pytest.mark.parametrize(
    ("indexed", "drift"),
    [
        (["a", "b", "c"], None),
        (["a", "c"], "lacks 1 (such as b)"),
        (["c"], "lacks 2 (such as a)"),
        (["a", "b", "c", "x"], "has left over 1 (such as x)"),
        (["a", "b", "x"], "lacks 1 (such as c) and has left over 1 (such as x)"),
    ],
)
def test_what_differs_is_named(host: Host, site: Site, indexed: list[str], drift: str | None) -> None:
    site.indexed = indexed
    assert STEP.check(host) == drift


def test_all_documents_are_asked_for(host: Host, site: Site) -> None:
    site.stored = site.indexed = [f"dataset-{number}" for number in range(5000)]
    assert STEP.check(host) is None
    assert site.asked[-1].endswith("&fl=id&rows=6000&wt=json")


@pytest.mark.parametrize("core", cores.CORES)
def test_the_core_in_use_is_asked(host: Host, site: Site, core: str) -> None:
    host.write(CKAN_INI, f"solr_url = {cores.ORIGIN}/{core}\n", Access(0o640))
    assert STEP.check(host) is None
    assert {address.partition("/select")[0] for address in site.asked} == {f"{cores.ORIGIN}/{core}"}


def test_what_ckan_cannot_index_does_not_differ(host: Host, site: Site) -> None:
    site.indexed = ["a", "b"]
    state_file.write(host, search_index.STATE_FILE, {"database": "d", "solr": "s", search_index.UNINDEXED: ["c"]})
    assert STEP.check(host) is None


def test_a_difference_that_goes_by_itself_is_none(host: Host, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """CKAN writes into the database a moment before it tells Solr."""
    monkeypatch.setattr(search_index, "PATIENCE_SECONDS", 60.0)
    answers = iter(["a\nb", "a\nb", "a\nb\nc"])
    monkeypatch.setattr(psql, "query", lambda *_: next(answers))
    assert STEP.check(host) is None
    assert list(answers) == []


def test_what_cannot_be_compared_is_left_to_the_step_of_the_whole_index(
    host: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.indexed = []
    site.status = 503
    assert STEP.check(host) is None
    site.status = 200
    pending.request(host, pending.REBUILD_INDEX)
    assert STEP.check(host) is None
    pending.clear(host, pending.REBUILD_INDEX)
    assert STEP.check(host) is not None
    host.remove(search_index.STATE_FILE)
    assert STEP.check(host) is None

    def fail(*_: object) -> str:
        raise CommandFailed(("psql",), 2, "no tables")

    state_file.write(host, search_index.STATE_FILE, {"database": "d", "solr": "s"})
    monkeypatch.setattr(psql, "query", fail)
    assert STEP.check(host) is None


def test_the_repair_touches_single_datasets_and_records_what_cannot_be_indexed(
    host: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(_: Host, identity: str, *argv: str, **__: object) -> str:
        commands.append((identity, *argv))
        return 'a warning of a library\n["c"]\n'

    monkeypatch.setattr(release, "run", run)
    with pytest.raises(DcorError, match="without a release"):
        STEP.apply(host)
    host.link(CURRENT, "releases/2.11.6-abc")
    STEP.apply(host)
    assert commands == [("2.11.6-abc", "python", "-m", "dcor_runtime.index")]
    recorded = state_file.read(host, search_index.STATE_FILE, None)
    assert recorded == {"database": "d", "solr": "s", search_index.UNINDEXED: ["c"]}
