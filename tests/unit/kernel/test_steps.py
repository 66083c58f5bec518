"""The law that every step obeys, whatever it does; each new step joins by one line in CASES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.postgresql.local import DatabaseLogin
from dcor_pkg.tls.self_signed import PAIR as SERVED
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.trust_bundle import BUNDLE, TrustBundle

DATABASE = endpoints.of(Settings()).database
DAILY = Access(0o755, "www-data", "www-data")
REDIS = ManagedFile(
    "/etc/redis/redis-dcor.conf", "services/redis/templates/redis.conf", access=Access(0o640, "redis", "redis")
)


@dataclass(frozen=True)
class Case:
    """A step, and the ways in which the thing it cares for gets damaged."""

    step: Step
    damages: tuple[Callable[[Host], object], ...]


def _remove(path: str) -> Callable[[Host], object]:
    return lambda host: host.remove(path)


def _chmod(path: str, mode: int) -> Callable[[Host], object]:
    return lambda host: host.path(path).chmod(mode)


def _prepare(host: Host) -> None:
    """Write what steps find that others have made."""
    host.write(AUTHORITIES, "authorities\n", Access(0o644))
    host.write(secrets.path(DATABASE.secret), "password\n", secrets.ACCESS)


CASES = [
    Case(Directory("/scratch", DAILY), (lambda host: host.path("/scratch").rmdir(), _chmod("/scratch", 0o777))),
    Case(RandomSecret("key"), (_remove(secrets.path("key")), _chmod(secrets.path("key"), 0o644))),
    Case(REDIS, (_remove(REDIS.path), _chmod(REDIS.path, 0o666))),
    Case(DataDirectory("/data"), (_chmod("/data", 0o777),)),
    Case(
        SelfSignedCertificate("dcor.example.org"),
        (
            _remove(SERVED.key),
            _chmod(SERVED.key, 0o644),
            lambda host: host.write(SERVED.certificate, "no certificate", Access(0o644)),
            lambda host: SelfSignedCertificate("other.example.org").apply(host),
        ),
    ),
    Case(TrustBundle(SERVED), (_remove(BUNDLE),)),
    Case(DatabaseLogin(DATABASE), (_remove(psql.PASSFILE), _chmod(psql.PASSFILE, 0o644))),
]
IDS = [case.step.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_second_run_changes_nothing(case: Case, host: Host) -> None:
    _prepare(host)
    assert [outcome.result for outcome in run([case.step], host)] == [Result.CHANGED]
    assert run([case.step], host) == [Outcome(case.step.name, Result.UNCHANGED)]


@pytest.mark.parametrize(
    ("step", "damage"),
    [pytest.param(c.step, d, id=f"{c.step.name}-{i}") for c in CASES for i, d in enumerate(c.damages)],
)
def test_damage_is_named_and_healed(step: Step, damage: Callable[[Host], object], host: Host) -> None:
    _prepare(host)
    run([step], host)
    damage(host)
    (outcome,) = run([step], host)
    assert outcome.result is Result.CHANGED
    assert outcome.reason
    assert step.check(host) is None


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_dry_run_says_why_and_touches_nothing(case: Case, host: Host) -> None:
    _prepare(host)
    before = sorted(host.root.rglob("*"))
    (outcome,) = run([case.step], host, dry_run=True)
    assert (outcome.result, bool(outcome.reason)) == (Result.WOULD_CHANGE, True)
    assert sorted(host.root.rglob("*")) == before


@dataclass(frozen=True)
class Liar:
    """Says that it worked, and did nothing."""

    name: str = "liar"

    def check(self, host: Host) -> str | None:
        return "nothing was done"

    def apply(self, host: Host) -> None:
        pass


def test_a_step_is_not_believed(host: Host) -> None:
    after = Directory("/scratch", DAILY)
    lied, untouched = run([Liar(), after], host)
    assert lied.result is Result.FAILED
    assert untouched == Outcome(after.name, Result.NOT_REACHED)
    assert host.access("/scratch") is None


def test_a_secret_is_kept_when_its_access_is_healed(host: Host) -> None:
    run([RandomSecret("key")], host)
    secret = secrets.read(host, "key")
    host.path(secrets.path("key")).chmod(0o666)
    run([RandomSecret("key")], host)
    assert secrets.read(host, "key") == secret
    assert len(secret.reveal()) == 40


def test_a_link_in_place_of_the_directory_is_refused(host: Host, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "scratch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DcorError, match="no plain directory"):
        host.make_directory("/scratch", DAILY)
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("argv", "words"),
    [(("/bin/sh", "-c", "echo broken >&2; exit 3"), "exit code 3"), (("/no/such",), "cannot be started")],
)
def test_a_failing_program_is_one_sentence(host: Host, argv: tuple[str, ...], words: str) -> None:
    with pytest.raises(DcorError, match=words):
        host.run(*argv)


def test_what_an_admin_changed_is_kept_and_the_new_text_laid_beside_it(host: Host) -> None:
    run([REDIS], host)
    host.path(REDIS.path).write_text("port 6379\n")
    newer = replace(REDIS, template="ckan/templates/uwsgi.ini", values={"workers": 4})
    (outcome,) = run([newer], host)
    assert outcome.result is Result.CHANGED
    assert host.read(REDIS.path) == "port 6379\n"
    assert host.read(f"{REDIS.path}.dcor-new") == newer.text(host)
    assert run([newer], host) == [Outcome(newer.name, Result.UNCHANGED)]
