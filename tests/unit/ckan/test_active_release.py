"""The release in service: what is wrong with it, what becomes of others, and what stays when a switch fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import database_schema, programs, release, supervisor, switch, unit
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.ckan.sizes import QUEUES
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.systemd_service import Service
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CURRENT, PROGRAMS
from dcor_pkg.nginx import upstream
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store.ownership import StoreMark

PUBLIC = Access(0o644)
FORMER, NEXT = Programs("1.0", "aaaaaaaa"), Programs("2.0", "bbbbbbbb")
SERVICES = endpoints.of(settings.Settings())
MARK = StoreMark(SERVICES.object_store, SERVICES.database)
STEP = ActiveRelease("2.0", "dcor.example.org", "/data", (CKAN_INI,), QUEUES, SERVICES.database, MARK)


@pytest.fixture
def states(host: Host, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return supervisor's programs with their states; a switch starts the programs and points nginx at them."""
    states: dict[str, str] = {}

    def switched(host: Host, wanted: Programs, hostname: str, turned: Callable[[], object]) -> None:
        states.update({wanted.web: "RUNNING", wanted.jobs: "STARTING"})
        host.write(upstream.PATH, wanted.upstream, PUBLIC)
        host.link(CURRENT, f"releases/{wanted.release}")
        turned()
        for socket in wanted.sockets:
            host.write(socket, "", PUBLIC)

    host.write(CKAN_INI, "[app:main]\n", PUBLIC)
    host.write(programs.UWSGI_INI, "[uwsgi]\n", PUBLIC)
    host.write(f"{release.directory('2.0')}/{release.SCHEMA}", "revision", PUBLIC)
    host.make_directory("/run", Access(0o755))
    host.write(supervisor.SOCKET, "", PUBLIC)
    monkeypatch.setattr(switch, "switch_to", switched)
    monkeypatch.setattr(database_schema, "is_migrated_by_switch", lambda *_: False)
    monkeypatch.setattr(switch, "probe_search", lambda *_: None)
    monkeypatch.setattr(Service, "check", lambda service, host: states.get(service.unit))
    monkeypatch.setattr(Service, "apply", lambda service, host: states.pop(service.unit))
    monkeypatch.setattr(supervisor, "states", lambda host: dict(states))
    monkeypatch.setattr(supervisor, "update", lambda host: None)
    return states


def test_a_release_is_put_in_service_and_the_former_one_is_removed(host: Host, states: dict[str, str]) -> None:
    host.write(f"{release.directory('1.0')}/{release.SCHEMA}", "revision", PUBLIC)
    host.write(f"{release.directory('.3.0')}/bin/ckan", "", PUBLIC)
    host.write(f"{PROGRAMS}/dcor-{FORMER.id}.conf", "", PUBLIC)
    host.write(f"{FORMER.directory}/ckan.ini", "", PUBLIC)
    host.link(CURRENT, "releases/1.0")
    assert STEP.check(host) == "the active release is 1.0, not 2.0"
    STEP.apply(host)
    assert STEP.check(host) is None
    wanted = programs.wanted(host, "2.0", STEP.reads)
    assert host.names(release.DIRECTORY) == ["2.0"]
    assert host.names(PROGRAMS) == [f"dcor-{wanted.id}.conf"]
    assert host.names(programs.CONFIGURATIONS) == [wanted.id]


def test_a_restart_of_the_unit_is_followed_by_a_proof_of_its_programs(host: Host, states: dict[str, str]) -> None:
    STEP.apply(host)
    wanted = programs.wanted(host, "2.0", STEP.reads)
    states.clear()
    states[unit.UNIT] = "its restart is pending"
    assert STEP.check(host) == "dcor-ckan.service its restart is pending"
    STEP.apply(host)
    assert states == {wanted.web: "RUNNING", wanted.jobs: "STARTING"}
    assert STEP.check(host) is None


def test_each_way_to_differ_is_named(host: Host, states: dict[str, str]) -> None:
    assert STEP.check(host) == "the active release is none, not 2.0"
    STEP.apply(host)
    wanted = programs.wanted(host, "2.0", STEP.reads)
    incomplete = f"{release.directory('.3.0')}/bin/ckan"
    host.write(incomplete, "", PUBLIC)
    assert STEP.check(host) == (
        f"the directory {release.directory('.3.0')} of an incomplete release has not been removed yet"
    )
    states[FORMER.jobs] = "STOPPED"
    assert STEP.check(host) == (
        f"the program {FORMER.jobs} of a former release or configuration has not been removed yet"
    )
    states[wanted.jobs] = "FATAL"
    assert STEP.check(host) == f"the program {wanted.jobs} is FATAL"
    del states[wanted.web]
    assert STEP.check(host) == f"the program {wanted.web} is unknown to supervisor"
    host.remove(f"{wanted.directory}/uwsgi.ini")
    assert STEP.check(host) == f"{wanted.directory} does not hold the present configuration"
    host.remove(wanted.file("/data", QUEUES).path)
    assert STEP.check(host) == f"{wanted.file('/data', QUEUES).path} is missing"
    host.write(CKAN_INI, "[app:main]\nckan.site_title = DCOR\n", PUBLIC)
    assert STEP.check(host) == "the configuration of CKAN has changed since its programs were started"


def test_a_web_server_that_runs_and_does_not_serve_is_restarted(
    host: Host, states: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost socket at once; silence when it lasts longer than a start may take; an error is no silence."""
    STEP.apply(host)
    wanted = programs.wanted(host, "2.0", STEP.reads)
    host.remove(wanted.socket)
    monkeypatch.setattr(switch, "answers", lambda *_: True)
    assert STEP.check(host) == f"the socket {wanted.socket} of {wanted.web} is gone"
    STEP.apply(host)
    assert pending.is_pending(host, unit.RESTART)
    assert STEP.check(host) is None
    pending.clear(host, unit.RESTART)
    monkeypatch.setattr(switch, "probe_search", lambda *_: "answers with status 500")
    assert STEP.check(host) == "answers with status 500"
    STEP.apply(host)
    assert not pending.is_pending(host, unit.RESTART)
    monkeypatch.setattr(switch, "answers", lambda *_: False)
    STEP.apply(host)
    assert pending.is_pending(host, unit.RESTART)


def test_the_link_to_the_active_release_is_there_before_its_programs_start(
    host: Host, states: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CKAN reads files by this path."""
    STEP.apply(host)
    host.remove(CURRENT)
    found: list[str | None] = []
    monkeypatch.setattr(switch, "switch_to", lambda host, *_: found.append(host.target(CURRENT)))
    STEP.apply(host)
    assert found == ["releases/2.0"]


def test_the_new_version_beside_a_changed_file_of_the_programs_stays(host: Host, states: dict[str, str]) -> None:
    STEP.apply(host)
    path = programs.wanted(host, "2.0", STEP.reads).file("/data", QUEUES).path
    host.write(path, "[program:mine]\n", PUBLIC)
    assert STEP.check(host) == f"{path} was changed locally, so its new version goes to {path}.dcor-new"
    STEP.apply(host)
    assert STEP.check(host) is None
    assert host.read(path) == "[program:mine]\n"
    assert host.exists(f"{path}.dcor-new")


@pytest.mark.parametrize(
    ("pointed_at", "remaining"), [(FORMER, [FORMER]), (NEXT, [FORMER, NEXT])], ids=["before", "after"]
)
def test_a_switch_that_fails_before_or_after_the_change_of_nginx(
    host: Host, states: dict[str, str], monkeypatch: pytest.MonkeyPatch, pointed_at: Programs, remaining: list[Programs]
) -> None:
    def fail(host: Host, wanted: Programs, *_: object) -> None:
        host.write(upstream.PATH, pointed_at.upstream, PUBLIC)
        raise DcorError("systemctl reload nginx.service ended with 1")

    for each in (FORMER, NEXT):
        host.write(f"{PROGRAMS}/dcor-{each.id}.conf", "", PUBLIC)
    host.write(upstream.PATH, FORMER.upstream, PUBLIC)
    monkeypatch.setattr(programs, "wanted", lambda host, release, reads: NEXT)
    monkeypatch.setattr(Programs, "file", lambda self, data, queues: Settled())
    monkeypatch.setattr(switch, "switch_to", fail)
    with pytest.raises(DcorError):
        STEP.apply(host)
    assert host.names(PROGRAMS) == [f"dcor-{each.id}.conf" for each in remaining]


class Settled:
    """A file that is as it should be."""

    def check(self, host: Host) -> None:
        return None
