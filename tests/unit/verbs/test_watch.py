"""`dcor-server watch`: a release that loses its health after the switch gives its place back, and does not flap."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dcor_pkg.ckan import held_release, programs, release, switch, upgrade_backup, watch_state
from dcor_pkg.machine import lock
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.verbs import watch
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.ckan import REVISION, Ckan
from tests.unit.kernel import damages

OLD = "0123456789ab"
LINE = '192.0.2.1 - - [26/Nov/2026:18:00:00 +0000] "GET /dataset/ HTTP/2.0" {} 5120 "-" "probe"\n'


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Let a pause take no time, and return a list of what happens in the pauses, one after the other."""
    now = [time.time()]
    events: list[Callable[[], object]] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if seconds == watch.INTERVAL_SECONDS and events:
            events.pop(0)()

    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return events


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a server on which the release of 2.11.7 has just migrated the database of 2.11.6."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(watch, "WAIT_SECONDS", 0.0)
    server = dcor_server.converged()
    machine = server.machine
    home = release.directory(serving(server))
    schema = machine.host.read(f"{home}/{release.SCHEMA}") or ""
    machine.host.path(f"{home}/{release.SCHEMA}").write_text(schema.replace(REVISION, OLD))
    machine.postgresql.databases[cluster.DATABASE].revision = OLD
    machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    assert server("converge").code == 0
    machine.postgresql.databases[cluster.DATABASE].datasets = machine.ckan.documents = 3
    return server


def serving(server: CommandLine) -> str:
    found = programs.serving(server.machine.host)
    assert found is not None
    return found.release


def fail(server: CommandLine, page: str = "/about") -> None:
    server.machine.ckan.answers[page] = Answer(500, "")


def heal(server: CommandLine) -> None:
    server.machine.ckan.answers.clear()


def test_a_switch_to_another_release_is_watched(server: CommandLine) -> None:
    found = watch_state.read(server.machine.host)
    assert found is not None
    assert (found.release, 590 < found.until - time.time() <= 600) == (serving(server), True)
    assert server.machine.ran("systemctl", "start", "--no-block", "dcor-watch.service")


def test_what_is_no_other_release_is_not_watched(server: CommandLine) -> None:
    watch_state.end(server.machine.host)
    assert server("set", "site-title=Mine").code == 0
    assert watch_state.read(server.machine.host) is None
    assert server("watch").lines == ["There is nothing to watch."]


def test_a_healthy_release_stays(server: CommandLine, clock: list[Callable[[], object]]) -> None:
    before = serving(server)
    clock += [lambda: fail(server), lambda: None, lambda: heal(server)] * 5
    ended = server("watch")
    assert (ended.code, ended.lines) == (0, [f"The release {before} is healthy."])
    assert (serving(server), watch_state.read(server.machine.host)) == (before, None)


@pytest.mark.parametrize("page", ["/about", "/dataset/beads"])
def test_health_that_is_lost_three_times_in_a_row_brings_release_and_database_back(
    server: CommandLine, clock: list[Callable[[], object]], page: str
) -> None:
    bad, machine = serving(server), server.machine
    clock += [lambda: None, lambda: fail(server, page), lambda: None, lambda: None]
    original = switch.switch_to

    def switch_to(*arguments: object) -> None:
        heal(server)  # the former release is healthy
        original(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as context:
        context.setattr(switch, "switch_to", switch_to)
        ended = server("watch")
    assert ended.code == 3, ended
    assert f"answers {page} with status 500" in ended.err
    database = machine.postgresql.databases[cluster.DATABASE]
    assert (serving(server)[:7], database.revision, database.datasets) == ("2.11.6-", OLD, 0)
    (dumped,) = (name for name in upgrade_backup.ids(machine.host) if name.endswith("-left"))
    held = held_release.read(machine.host)
    assert held is not None
    assert (held.release, f"what was written meanwhile is in {upgrade_backup.DIRECTORY}/{dumped}" in held.reason) == (
        bad,
        True,
    )
    assert held.reason in server("status").out
    assert server("converge").code == 0
    assert serving(server).startswith("2.11.6-")


def test_many_failing_requests_are_a_loss(server: CommandLine) -> None:
    host = server.machine.host
    found = watch_state.read(host)
    assert found is not None
    host.write(watch_state.LOG, LINE.format(200) * 70 + LINE.format(500) * 30, Access(0o640))
    assert watch.find_problem(host, found) == (
        "30% of the last requests were answered with 5xx, and 0% before the switch"
    )
    host.write(watch_state.LOG, LINE.format(200) * 70 + LINE.format(503) * 90 + LINE.format(404) * 30, Access(0o640))
    assert watch.find_problem(host, found) is None
    host.write(watch_state.LOG, LINE.format(500) * 19, Access(0o640))
    assert watch.find_problem(host, found) is None


@pytest.mark.parametrize(
    "blame",
    [
        damages.fall_silent("redis-server@dcor.service"),
        damages.stop_ckan,
        damages.write(nginx.MAINTENANCE, ""),
    ],
    ids=["service", "stopped", "maintenance"],
)
def test_a_release_is_not_blamed_for_others(server: CommandLine, blame: damages.Damage) -> None:
    found = watch_state.read(server.machine.host)
    assert found is not None
    fail(server)
    assert watch.find_problem(server.machine.host, found) is not None
    blame(server.machine)
    assert watch.find_problem(server.machine.host, found) is None


def no_job(ckan: Ckan) -> None:
    ckan.results["deep_health"]["problems"] = ["takes no job of the queue default"]


def no_command(ckan: Ckan) -> None:
    ckan.fault["deep_health"] = (
        "Traceback (most recent call last):\n  File\nsqlalchemy.exc.OperationalError: no connection\n"
    )


def no_write(ckan: Ckan) -> None:
    ckan.answers["/api/3/action/vocabulary_create"] = Answer(500, "Internal Server Error")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_job, "takes no job of the queue default"),
        (no_command, "cannot run dcor_runtime.deep_health: sqlalchemy.exc.OperationalError: no connection"),
        (no_write, "answers vocabulary_create with status 500"),
    ],
    ids=["job", "command", "write"],
)
def test_what_no_page_shows_is_tried_each_minute_and_after_a_loss(
    server: CommandLine, clock: list[Callable[[], object]], damage: Callable[[Ckan], None], words: str
) -> None:
    ckan = server.machine.ckan
    clock += [lambda: None, lambda: damage(ckan)]
    ended = server("watch")
    assert words in ended.err
    assert [command[0] for command in ckan.commands].count("deep_health") == watch.LOSSES
    database = server.machine.postgresql.databases[cluster.DATABASE]
    assert database.tokens == set()


def test_what_a_trial_that_was_cut_off_has_left_is_no_loss(server: CommandLine) -> None:
    host, ckan = server.machine.host, server.machine.ckan
    found = watch_state.read(host)
    assert found is not None
    ckan.vocabularies.add("dcor-server-trial")
    assert watch.find_problem(host, found, deep=True) is None
    assert ckan.vocabularies == set()


def test_a_dataset_that_guests_may_not_see_is_no_loss(server: CommandLine) -> None:
    found = watch_state.read(server.machine.host)
    assert found is not None
    server.machine.ckan.answers["/dataset/beads"] = Answer(403, "")
    assert watch.find_problem(server.machine.host, found) is None


def test_where_there_is_no_way_back_the_reason_is_said_and_the_watch_ends(
    server: CommandLine, clock: list[Callable[[], object]]
) -> None:
    before = serving(server)
    for name in [it for it in server.machine.postgresql.databases if "_before_" in it]:
        del server.machine.postgresql.databases[name]
    fail(server)
    ended = server("watch")
    assert (ended.code, serving(server), watch_state.read(server.machine.host)) == (1, before, None)
    assert "the health of the server was lost after the switch: answers /about with status 500" in ended.err
    assert "The server cannot go back: " in ended.err


def test_it_waits_for_another_command(server: CommandLine, clock: list[Callable[[], object]]) -> None:
    fail(server)
    with lock.held(server.machine.host):
        ended = server("watch")
    assert ended.code == 1
    assert "Another dcor-server command is running" in ended.err
