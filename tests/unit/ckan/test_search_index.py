"""The search index: rebuilt when it is lost, outdated, or of another database; otherwise left alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from unittest.mock import Mock

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import release, search_index
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import local as solr

USED = endpoints.of(settings.Settings())
EXTERNAL = endpoints.of(settings.parse({"database": "postgresql://dcor@db.example.org/archive"}))
STEP = SearchIndex("2.11.6-abc", USED.database, USED.solr)
REBUILT = ("ckan", "search-index", "rebuild", "--force")
CLEARED = (*REBUILT, "--clear")
COMPLETED = ("python", "-m", "dcor_runtime.index")


@dataclass
class Site:
    """Stands for database, Solr and CKAN: so many datasets, so many documents, and the commands that were run."""

    datasets: int = 0
    documents: int = 0
    #: the ids of datasets that CKAN cannot index
    faulty: list[str] = field(default_factory=list)
    run: list[tuple[str, ...]] = field(default_factory=list)

    def command(self, *argv: str) -> str:
        """Make the index as CKAN does, or complete it."""
        self.run.append(argv)
        self.documents = self.datasets - len(self.faulty)
        return f"a warning of a library\n{json.dumps(self.faulty)}\n"


@pytest.fixture
def site(host: Host, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return the site of a machine."""
    site = Site()
    secrets.save(host, solr.PASSWORD, Secret("x"))
    monkeypatch.setattr(search_index, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(search_index, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(psql, "query", lambda *_: str(site.datasets))
    monkeypatch.setattr(solr, "unit_state", lambda *_: {"ActiveState": "active"})
    monkeypatch.setattr(
        http_request, "ask", lambda *_: Answer(200, json.dumps({"response": {"numFound": site.documents}}))
    )
    monkeypatch.setattr(release, "run", lambda _host, _release, *argv, **_options: site.command(*argv))
    return site


@pytest.mark.parametrize(("datasets", "documents"), [(0, 0), (3, 3), (3, 0), (3, 2), (3, 4)])
def test_the_index_of_an_earlier_installation_is_completed(
    host: Host, site: Site, datasets: int, documents: int
) -> None:
    site.datasets, site.documents = datasets, documents
    run([STEP], host)
    assert site.run == [COMPLETED]
    assert run([STEP], host) == [Outcome(STEP.name, Result.UNCHANGED)]


@pytest.mark.parametrize("documents", [0, 2, 4])
def test_an_index_with_another_number_of_datasets_is_completed(host: Host, site: Site, documents: int) -> None:
    site.datasets = site.documents = 3
    run([STEP], host)
    site.documents = documents
    assert STEP.check(host) == f"has {documents} datasets, and the database has 3"
    run([STEP], host)
    assert site.run == [COMPLETED, COMPLETED]
    assert run([STEP], host) == [Outcome(STEP.name, Result.UNCHANGED)]


def test_a_dataset_that_cannot_be_indexed_is_no_drift_and_is_named(host: Host, site: Site) -> None:
    """Else one user could make each converge fail."""
    site.datasets, site.faulty = 3, ["4711"]
    run([STEP], host)
    assert run([STEP], host) == [Outcome(STEP.name, Result.UNCHANGED)]
    (notice,) = search_index.notices(host)
    assert "datasets that CKAN cannot index, so that no search finds them (1, such as 4711)" in str(notice)
    assert "search-index rebuild 4711" in str(notice)
    site.documents, site.faulty = 3, []
    assert STEP.check(host) == "has 3 datasets, and the database has 3"
    run([STEP], host)
    assert search_index.notices(host) == []


def test_an_index_is_rebuilt_after_a_change_of_the_database(host: Host, site: Site) -> None:
    site.datasets = site.documents = 3
    run([STEP], host)
    pending.request(host, pending.REBUILD_INDEX)
    run([STEP], host)
    assert site.run == [COMPLETED, REBUILT, COMPLETED]
    assert not pending.is_pending(host, pending.REBUILD_INDEX)


def test_an_index_of_another_database_is_cleared_first(host: Host, site: Site) -> None:
    """Also where that one has no datasets: what is found must exist."""
    site.documents = 3
    run([STEP], host)
    other = SearchIndex(STEP.release, EXTERNAL.database, EXTERNAL.solr)
    (outcome,) = run([other], host)
    assert outcome.reason == f"was built from {USED.database.address} in {USED.solr.address}"
    assert site.run[-2:] == [CLEARED, COMPLETED]
    assert run([other], host) == [Outcome(STEP.name, Result.UNCHANGED)]


def test_an_index_cannot_be_examined_without_its_services(
    host: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([STEP], host)
    monkeypatch.setattr(http_request, "ask", lambda *_: Answer(401, "Bad credentials\n"))
    assert STEP.check(host) == "cannot be read: Solr answers with status 401 (Bad credentials)"
    monkeypatch.setattr(psql, "query", Mock(side_effect=CommandFailed(("psql",), 1, "no table")))
    assert STEP.check(host) == "cannot be built yet: the database has no tables"


def test_a_dataset_that_is_being_made_is_no_drift(host: Host, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the database a moment before it is in the index."""
    run([STEP], host)
    counts = iter([1, 1, 0])
    monkeypatch.setattr(psql, "query", lambda *_: str(next(counts)))
    assert STEP.check(host) is None


def test_an_index_without_a_record_is_drift(host: Host, site: Site) -> None:
    assert STEP.check(host) == "its database has not been recorded yet"
