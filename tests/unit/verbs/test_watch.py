"""`dcor-server watch`: a release that loses its health after the switch gives its place back, and does not flap."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from dcor_pkg.ckan import held_release, programs, release, switch, upgrade_backup, watch_state
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk, lock
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx import workers as nginx_workers
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.verbs import watch
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.ckan import REVISION, Ckan
from tests.unit.kernel import damages

OLD = "0123456789ab"
#: a time, and a status
LINE = '192.0.2.1 - {} [{}] "GET /dataset/ HTTP/2.0" {} 5120 "-" "probe"\n'


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


def requests(status: int, number: int, seconds: float = 1.0, user: str = "-") -> str:
    """Return nginx's lines of requests so many seconds after now."""
    moment = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() + seconds))
    return LINE.format(user, moment, status) * number


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


def test_a_switch_that_cannot_be_completed_is_watched_as_well(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new release serves, and the former programs cannot be stopped, for one."""
    machine, start = server.machine, ("systemctl", "start", "--no-block", "dcor-watch.service")
    machine.packages.versions["python-ckan"] = "2.11.8-1~deb12u1"

    def fail_to_end(*_: object) -> None:
        raise DcorError("nginx has old workers.")

    monkeypatch.setattr(nginx_workers, "await_end", fail_to_end)
    before = len(machine.ran(*start))
    assert server("converge").code == 1
    assert serving(server).startswith("2.11.8-")
    assert len(machine.ran(*start)) == before + 1


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
    for log, problem in {
        requests(200, 70)
        + requests(500, 30): "30% of the last requests were answered with 5xx, and 0% before the switch",
        requests(200, 70) + requests(503, 90) + requests(404, 30): None,
        requests(500, 19): None,
        # the former release's, and times that a client has as its name
        requests(500, 90, -60.0) + requests(200, 30): None,
        requests(500, 90, -60.0, "[31/Feb/2026:25:00:00 +0000]") + requests(200, 30): None,
    }.items():
        host.write(watch_state.LOG, log, Access(0o640))
        assert watch.find_problem(host, found) == problem


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
    assert [command[0] for command in ckan.commands].count("deep_health") == watch.LOSSES + 1
    database = server.machine.postgresql.databases[cluster.DATABASE]
    assert database.tokens == set()


def test_what_a_trial_that_was_cut_off_has_left_is_no_loss(server: CommandLine) -> None:
    host, ckan = server.machine.host, server.machine.ckan
    found = watch_state.read(host)
    assert found is not None
    ckan.vocabularies.add("dcor-server-trial")
    assert watch.find_problem(host, found, deep=True) is None
    assert ckan.vocabularies == set()


def test_a_release_is_not_blamed_for_a_full_disk(server: CommandLine) -> None:
    """Nothing can be stored then, by the former release neither, and what was written since would be lost."""
    found = watch_state.read(server.machine.host)
    assert found is not None
    fail(server)
    server.machine.free = 300 * disk.MIB
    assert watch.find_problem(server.machine.host, found) is None


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


def during_the_wait(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Let something happen before the watch gets the lock, as another command does that holds it for hours."""
    held = lock.held
    events = [event]

    def waited(*arguments: Any, **named: Any) -> Any:
        if events:
            events.pop()()
        return held(*arguments, **named)

    monkeypatch.setattr(lock, "held", waited)


def test_health_that_is_back_when_the_lock_is_free_is_no_reason_to_go_back(
    server: CommandLine, clock: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = serving(server)
    fail(server)
    during_the_wait(monkeypatch, lambda: heal(server))
    ended = server("watch")
    assert (ended.code, ended.lines) == (0, [f"The release {before} is healthy."])
    assert (serving(server), held_release.read(server.machine.host)) == (before, None)


def test_what_another_command_has_switched_to_is_not_gone_back_from(
    server: CommandLine, clock: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator went back by hand meanwhile: the way back from there leads to the release that is broken."""
    fail(server)

    def go_back() -> None:
        heal(server)
        assert server("release", "rollback", "--with-database").code == 0
        fail(server)

    during_the_wait(monkeypatch, go_back)
    assert server("watch").code == 0
    assert serving(server).startswith("2.11.6-")


def test_a_release_that_follows_during_the_watch_is_watched_as_well(
    server: CommandLine, clock: list[Callable[[], object]]
) -> None:
    """systemd starts no second run of a unit that runs."""
    first, machine = serving(server), server.machine

    def upgrade() -> None:
        machine.packages.versions["python-ckan"] = "2.11.8-1~deb12u1"
        assert server("converge").code == 0
        fail(server)

    def go_back(*arguments: object) -> None:
        heal(server)
        original(*arguments)  # type: ignore[arg-type]

    original = switch.switch_to
    with pytest.MonkeyPatch.context() as context:
        clock += [upgrade, lambda: context.setattr(switch, "switch_to", go_back)]
        ended = server("watch")
    assert (ended.code, serving(server)) == (3, first)


def test_a_clock_that_is_put_back_ends_the_watch(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails a year later may be gone back from as little as what fails after the ten minutes."""
    found = watch_state.read(server.machine.host)
    assert found is not None
    monkeypatch.setattr(time, "time", lambda: found.begun - 3600)
    fail(server)
    assert server("watch").code == 0
    assert serving(server) == found.release


def test_what_cannot_be_asked_is_no_loss_and_the_watch_goes_on(
    server: CommandLine, clock: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an upgrade executes systemd anew, for one, systemctl fails."""
    problems = iter([DcorError("systemd does not answer")] * 5)

    def find(*_: object, **__: object) -> None:
        if (problem := next(problems, None)) is not None:
            raise problem

    monkeypatch.setattr(watch, "find_problem", find)
    ended = server("watch")
    assert (ended.code, ended.err.count("the release cannot be examined: systemd does not answer")) == (0, 5)


def test_it_waits_for_another_command(server: CommandLine, clock: list[Callable[[], object]]) -> None:
    fail(server)
    with lock.held(server.machine.host):
        ended = server("watch")
    assert ended.code == 1
    assert "Another dcor-server command is running" in ended.err
