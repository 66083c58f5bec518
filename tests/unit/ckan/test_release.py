"""Releases on the disk: which are complete, which is active, and what an interrupted run leaves of one."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from dcor_pkg.ckan import release, release_build, tested_set
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.machine import lock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CURRENT

PUBLIC = Access(0o644)


def test_an_interrupted_removal_leaves_an_incomplete_release_that_can_be_removed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.make_directory("/run", Access(0o755))
    for name in (".next", "former", "serving"):
        host.write(f"{release.directory(name)}/{release.SCHEMA}", "revision", PUBLIC)
    with monkeypatch.context() as cut:
        cut.setattr(Host, "remove_tree", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            release.remove(host, "former")
    assert release.ids(host) == ["serving"]
    assert ReleaseMade("former").check(host) == "the release former does not exist yet"
    assert release.incomplete(host) == [".next", "former"]
    for name in release.incomplete(host):
        release.remove(host, name)
    assert host.names(release.DIRECTORY) == ["serving"]


def test_a_release_that_another_process_makes_is_not_incomplete(host: Host) -> None:
    host.write(f"{release.directory('.next')}/bin/python", "", PUBLIC)
    host.make_directory("/run", Access(0o755))
    with lock.held(host, 0, lock.RELEASE):
        assert release.incomplete(host) == []
    assert release.incomplete(host) == [".next"]


def test_a_release_is_complete_under_its_own_name_only(host: Host) -> None:
    for name in (".2.11.6-abc", "2.11.6-def"):
        host.write(f"{release.directory(name)}/{release.SCHEMA}", "revision", PUBLIC)
    assert release.ids(host) == ["2.11.6-def"]
    assert release.active(host) is None
    host.link(CURRENT, "releases/2.11.6-def")
    assert release.active(host) == "2.11.6-def"


def test_its_programs_run_as_ckans_user_in_its_environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mock(return_value="said")
    monkeypatch.setattr(Host, "run", run)
    assert release.run(host, "2.11.6-abc", "ckan", "db", "init", timeout=5) == "said"
    home = release.directory("2.11.6-abc")
    assert run.call_args.args == (f"{home}/bin/ckan", "db", "init")
    assert run.call_args.kwargs["user"] == "www-data"
    assert run.call_args.kwargs["environment"]["PATH"] == f"{home}/bin:/usr/bin:/bin"
    assert run.call_args.kwargs["timeout"] == 5


def test_what_another_process_has_made_is_not_made_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.make_directory("/run", Access(0o755))
    made: list[str] = []
    monkeypatch.setattr(release_build, "make", lambda host, identity, checkouts: made.append(identity))
    monkeypatch.setattr(tested_set, "require", lambda host: None)
    monkeypatch.setattr(ReleaseMade, "check", lambda self, host: None)
    ReleaseMade("2.11.6-abc").apply(host)
    assert made == []
    monkeypatch.setattr(ReleaseMade, "check", lambda self, host: "the release 2.11.6-abc does not exist yet")
    ReleaseMade("2.11.6-abc").apply(host)
    assert made == ["2.11.6-abc"]
