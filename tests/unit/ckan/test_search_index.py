"""The search index: made anew when it is lost, old, or of another database; otherwise left alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import release
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import local as solr

USED = endpoints.of(settings.Settings())
THERE = endpoints.of(settings.parse({"database": "postgresql://dcor@db.example.org/archive"}))
OURS = SearchIndex("2.11.6-abc", USED.database, USED.solr)
REBUILT = ("ckan", "search-index", "rebuild")


@dataclass
class Site:
    """Stands for database, Solr and CKAN: so many datasets, so many documents, and the commands that were run."""

    datasets: int = 0
    documents: int = 0
    run: list[tuple[str, ...]] = field(default_factory=list)

    def command(self, *argv: str) -> None:
        """Make the index as CKAN does."""
        self.run.append(argv)
        self.documents = self.datasets


@pytest.fixture
def site(host: Host, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return the site of a machine."""
    site = Site()
    secrets.save(host, solr.PASSWORD, Secret("x"))
    monkeypatch.setattr(psql, "query", lambda *_: str(site.datasets))
    monkeypatch.setattr(
        http_request, "ask", lambda *_: Answer(200, json.dumps({"response": {"numFound": site.documents}}))
    )
    monkeypatch.setattr(release, "run", lambda _host, _release, *argv, **_options: site.command(*argv))
    return site


@pytest.mark.parametrize(("datasets", "documents", "commands"), [(0, 0, []), (3, 3, []), (3, 0, [REBUILT])])
def test_an_index_that_is_found_is_believed_if_it_is_full(
    host: Host, site: Site, datasets: int, documents: int, commands: list[tuple[str, ...]]
) -> None:
    site.datasets, site.documents = datasets, documents
    run([OURS], host)
    assert site.run == commands
    assert run([OURS], host) == [Outcome(OURS.name, Result.UNCHANGED)]


def test_what_it_is_made_from_has_changed(host: Host, site: Site) -> None:
    site.datasets = site.documents = 3
    run([OURS], host)
    pending.request(host, pending.REBUILD_INDEX)
    run([OURS], host)
    assert site.run == [REBUILT]
    assert not pending.is_pending(host, pending.REBUILD_INDEX)


def test_an_index_of_another_database_is_cleared_first(host: Host, site: Site) -> None:
    """Also where that one has no datasets: what is found must be there."""
    site.documents = 3
    run([OURS], host)
    other = SearchIndex(OURS.release, THERE.database, THERE.solr)
    (outcome,) = run([other], host)
    assert outcome.reason == "was made from another database, or elsewhere"
    assert site.run[-1] == (*REBUILT, "--clear")
    assert run([other], host) == [Outcome(OURS.name, Result.UNCHANGED)]
