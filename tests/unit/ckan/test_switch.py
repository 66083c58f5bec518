"""A switch to other programs: they are proven before nginx is pointed at them, and the old ones stop after that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from dcor_pkg.ckan import log, supervisor, switch
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CURRENT
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import upstream
from dcor_pkg.nginx import workers as nginx_workers

FORMER, NEXT = Programs("1.0", "aaaaaaaa"), Programs("2.0", "bbbbbbbb")
FOUND = Answer(200, json.dumps({"success": True}))


@dataclass
class Site:
    """Stands for supervisor, nginx and the web server of the next release."""

    host: Host
    #: what a search is answered with, one after the other; the last one always
    searches: list[Answer] = field(default_factory=lambda: [FOUND])
    pages: dict[str, Answer] = field(default_factory=dict)
    #: the process ids of the web server, one after the other; the last one always
    processes: list[int] = field(default_factory=lambda: [1])
    #: what was done, in order
    done: list[str] = field(default_factory=list)

    def get(self, socket: str, target: str, hostname: str, user: str) -> Answer:
        """Answer as the web server does."""
        assert (socket, hostname, user) == (str(self.host.path(NEXT.probe)), "dcor.example.org", "www-data")
        if target == switch.SEARCH:
            return self.searches.pop(0) if len(self.searches) > 1 else self.searches[0]
        return self.pages.get(target, Answer(200, "<html>"))

    def process(self) -> int:
        """Return the web server's process id."""
        return self.processes.pop(0) if len(self.processes) > 1 else self.processes[0]


@pytest.fixture
def site(host: Host, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site that FORMER serves."""
    site = Site(host)
    running = dict.fromkeys((FORMER.web, FORMER.jobs, NEXT.web, NEXT.jobs), "RUNNING")
    monkeypatch.setattr(unix_http, "get", site.get)
    monkeypatch.setattr(supervisor, "states", lambda host: running)
    monkeypatch.setattr(supervisor, "process", lambda host, program: site.process())
    for name in ("start", "stop"):
        monkeypatch.setattr(supervisor, name, lambda host, program, name=name: site.done.append(f"{name} {program}"))
    monkeypatch.setattr(supervisor, "update", lambda host: site.done.append("update"))
    monkeypatch.setattr(Host, "run", lambda _, *argv: site.done.append(" ".join(argv)))
    monkeypatch.setattr(log, "size", lambda host: 7)
    monkeypatch.setattr(log, "last_exception", lambda host, before: f"KeyError: 'since {before}'")
    monkeypatch.setattr(nginx_workers, "current", lambda host: ["12"])
    monkeypatch.setattr(nginx_workers, "await_end", lambda host, workers: site.done.append(f"await {workers}"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return site


def test_the_old_programs_stop_when_nginx_has_left_them(host: Host, site: Site) -> None:
    switch.switch_to(host, NEXT, "dcor.example.org")
    assert site.done == [
        "update",
        f"start {NEXT.web}",
        "systemctl reload nginx.service",
        f"start {NEXT.jobs}",
        "await ['12']",
        f"stop {FORMER.jobs}",
        f"stop {FORMER.web}",
    ]
    assert host.read(upstream.PATH) == NEXT.upstream
    assert host.target(CURRENT) == "releases/2.0"


def test_a_web_server_that_is_held_may_use_its_database(host: Host, site: Site) -> None:
    host.write(NEXT.hold, "", Access(0o640))
    switch.start(host, NEXT, "dcor.example.org")
    assert not host.exists(NEXT.hold)


def test_nginx_is_not_reloaded_where_it_does_not_run(host: Host, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_workers, "current", lambda host: [])
    switch.switch_to(host, NEXT, "dcor.example.org")
    assert "systemctl reload nginx.service" not in site.done


def test_a_release_may_take_a_while_to_answer(host: Host, site: Site) -> None:
    site.searches = [Answer(0, "Connection refused"), Answer(500, "starting"), FOUND]
    site.processes = [0, 1]
    switch.prove(host, NEXT, "dcor.example.org")


@pytest.mark.parametrize(
    ("searches", "processes", "reason"),
    [
        ([Answer(500, "Solr")], [1], r"package_search answers with status 500 \(Solr\)"),
        ([Answer(200, '{"success": false}')], [1], "package_search does not succeed"),
        ([Answer(0, "Connection refused")], [0, 1, 2, 3], "its web server ends while it starts"),
    ],
    ids=["error", "no success", "ends"],
)
def test_a_release_that_does_not_answer_is_not_switched_to(
    host: Host,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    searches: list[Answer],
    processes: list[int],
    reason: str,
) -> None:
    site.searches, site.processes = searches, processes
    if len(processes) == 1:
        monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    with pytest.raises(
        DcorError, match=f"^The release 2.0 does not answer .*: {reason}. KeyError: 'since 7'$"
    ) as raised:
        switch.switch_to(host, NEXT, "dcor.example.org")
    assert "/var/log/ckan/web.log" in raised.value.hint
    assert site.done == ["update", f"start {NEXT.web}"]
    assert host.read(upstream.PATH) is None


def test_each_page_has_to_be_right(host: Host, site: Site) -> None:
    site.pages["/about"] = Answer(404, "")
    with pytest.raises(DcorError, match=r"^The release 2.0 answers /about with status 404."):
        switch.switch_to(host, NEXT, "dcor.example.org")
    assert host.target(CURRENT) is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (FOUND.body, None),
        ('{"success": false}', "package_search does not succeed"),
        ("<html>", "package_search does not answer in JSON"),
    ],
)
def test_the_answer_of_a_search_is_read(body: str, problem: str | None) -> None:
    assert switch.search_problem(body) == problem
