"""The law that every step obeys, whatever it does. Each class of steps in the code has a case in `step_cases`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.runner import Outcome, Result, dry_run, run
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import host as host_module
from dcor_pkg.machine.host import Access, Host
from tests.unit import snapshot
from tests.unit.fake_machine import Machine
from tests.unit.kernel.damages import Damage
from tests.unit.kernel.step_cases import CASES
from tests.unit.kernel.step_classes import Case, classes

IDS = [case.kind.__name__ for case in CASES]
DAMAGES = [
    pytest.param(case, do, id=f"{case.kind.__name__}: {name}") for case in CASES for name, do in case.damages.items()
]


def changed_by_dry_run(step: Step, machine: Machine) -> tuple[Outcome, list[str]]:
    """Return the outcome of a dry run, and the paths that it has changed; a changed program is "programs"."""
    before, state = snapshot.files(machine.host), machine.state()
    (outcome,) = dry_run([step], machine.host)
    after = snapshot.files(machine.host)
    paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return outcome, [*paths, *([] if machine.state() == state else ["programs"])]


def test_each_class_of_steps_has_one_case() -> None:
    assert sorted(IDS) == [kind.__name__ for kind in classes()]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_dry_run_says_why_and_changes_nothing_and_a_second_run_changes_nothing(case: Case, machine: Machine) -> None:
    step = case.prepare(machine)
    would, changed = changed_by_dry_run(step, machine)
    assert (would.result, changed) == (Result.WOULD_CHANGE, [])
    assert run([step], machine.host) == [replace(would, result=Result.CHANGED)]
    after, state = snapshot.files(machine.host), machine.state()
    assert run([step], machine.host) == [Outcome(step.name, Result.UNCHANGED)]
    assert (snapshot.files(machine.host), machine.state()) == (after, state)


@pytest.mark.parametrize(("case", "damage"), DAMAGES)
def test_damage_is_named_and_healed(case: Case, damage: Damage, machine: Machine) -> None:
    step = case.prepare(machine)
    run([step], machine.host)
    damage(machine)
    would, changed = changed_by_dry_run(step, machine)
    assert (would.result, changed) == (Result.WOULD_CHANGE, [])
    assert would.reason
    assert "\n" not in would.reason
    assert run([step], machine.host) == [replace(would, result=Result.CHANGED)]
    assert run([step], machine.host) == [Outcome(step.name, Result.UNCHANGED)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_step_that_does_nothing_is_not_believed(
    case: Case, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = case.prepare(machine)
    after = Directory("/scratch", Access(0o755))
    monkeypatch.setattr(case.kind, "apply", lambda self, host: None)
    lied, next_one = run([step, after], machine.host)
    assert lied.result is Result.FAILED
    assert lied.reason.startswith("was applied, and still differs: ")
    assert next_one == Outcome(after.name, Result.NOT_REACHED)
    assert not machine.host.exists("/scratch")


FILE, LINK = "/etc/example.conf", "/etc/example.link"


@dataclass(frozen=True)
class Meddler:
    """A step whose check changes something."""

    meddle: Callable[[Host], object]
    name: str = "meddler"

    def check(self, host: Host) -> str | None:
        self.meddle(host)
        return "differs"

    def apply(self, host: Host) -> None:
        raise AssertionError("A dry run applies nothing.")


@pytest.mark.parametrize(
    "meddle",
    [
        pytest.param(lambda host: host.path(FILE).write_text("other"), id="content"),
        pytest.param(lambda host: host.path(FILE).write_text("text"), id="the same content"),
        pytest.param(lambda host: host.path(FILE).chmod(0o600), id="mode"),
        pytest.param(lambda host: host.append(FILE, "", Access(0o644, "www-data", "adm")), id="owner"),
        pytest.param(lambda host: os.utime(host.path(FILE), (1, 1)), id="time"),
        pytest.param(lambda host: host.link(LINK, "/other"), id="target of a link"),
        pytest.param(lambda host: host.remove(FILE), id="removal"),
        pytest.param(lambda host: host.make_directory("/new", Access(0o755)), id="new directory"),
        pytest.param(lambda host: host.run("systemctl", "stop", "nginx.service"), id="programs"),
    ],
)
def test_a_dry_run_that_changes_something_is_seen(machine: Machine, meddle: Callable[[Host], object]) -> None:
    machine.host.write(FILE, "text", Access(0o644))
    machine.host.link(LINK, "/target")
    time.sleep(0.02)  # file systems count time in steps of a few milliseconds
    outcome, changed = changed_by_dry_run(Meddler(meddle), machine)
    assert (outcome.result, bool(changed)) == (Result.WOULD_CHANGE, True)


@pytest.mark.parametrize(
    ("step", "mode", "kind"),
    [
        (LogFile("/var/log/ckan/web.log"), 0o644, "a regular file"),
        (Directory("/var/log/ckan/web.log", Access(0o755, "www-data", "www-data")), 0o755, "a directory"),
    ],
)
def test_a_fifo_in_its_place_is_named_although_owner_and_mode_are_right(
    host: Host, monkeypatch: pytest.MonkeyPatch, step: Step, mode: int, kind: str
) -> None:
    host.make_directory("/var/log/ckan", Access(0o755, "www-data", "adm"))
    os.mkfifo(host.path("/var/log/ckan/web.log"))
    host.path("/var/log/ckan/web.log").chmod(mode)
    monkeypatch.setattr(host_module, "_owners", lambda found: ("www-data", "adm" if mode == 0o644 else "www-data"))
    assert step.check(host) == f"is a FIFO, not {kind}"
    (outcome,) = run([step], host)
    assert outcome.result is Result.FAILED
    assert "/var/log/ckan/web.log" in outcome.reason


@pytest.mark.parametrize("mode", [0o755, 0o711])
def test_a_directory_that_others_may_use_keeps_its_access(host: Host, mode: int) -> None:
    host.make_directory("/srv/scratch", Access(mode, "root", "staff"))
    step = Directory("/srv/scratch", Access(0o755, "www-data", "www-data"), shared=True)
    assert run([step], host) == [Outcome(step.name, Result.UNCHANGED)]
    assert host.access("/srv/scratch") == Access(mode, "root", "staff")
    host.path("/srv/scratch").rmdir()
    assert run([step], host)[0].result is Result.CHANGED
    assert host.access("/srv/scratch") == step.access


def test_only_a_directory_that_was_missing_has_its_unit_restarted(host: Host) -> None:
    step = Directory("/srv/scratch", Access(0o755, "www-data", "www-data"), then=("restart ckan.service",))
    run([step], host)
    assert pending.is_pending(host, "restart ckan.service")
    pending.clear(host, "restart ckan.service")
    host.path("/srv/scratch").chmod(0o700)
    run([step], host)
    assert not pending.is_pending(host, "restart ckan.service")


def test_a_secret_stays_the_same_when_its_access_is_healed(host: Host) -> None:
    run([RandomSecret("key")], host)
    secret = secrets.read(host, "key")
    host.path(secrets.path("key")).chmod(0o666)
    run([RandomSecret("key")], host)
    assert secrets.read(host, "key") == secret
    assert len(secret.reveal()) == secrets.LENGTH


def test_a_file_that_an_admin_has_changed_is_kept_and_its_new_version_written(host: Host) -> None:
    file = ManagedFile("/etc/redis.conf", "services/redis/templates/redis.conf")
    run([file], host)
    host.path(file.path).write_text("port 6379\n")
    newer = replace(file, template="ckan/templates/uwsgi.ini", values={"workers": 4, "worker_limit": 1024})
    (outcome,) = run([newer], host)
    assert outcome.result is Result.CHANGED
    assert host.read(file.path) == "port 6379\n"
    assert host.read(f"{file.path}.dcor-new") == newer.text(host)
    assert run([newer], host) == [Outcome(newer.name, Result.UNCHANGED)]
