"""Roots and layers have names that say what they are made of; what belongs to a running machine is not taken away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
from dcor_dev import layers, nspawn, rooms, roots
from dcor_dev.errors import DevError
from dcor_dev.machine import Machine

CONTROL = (
    "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: d\n{more}"
)


def deb(folder: Path, name: str, version: str, more: str = "") -> Path:
    """Build an empty package."""
    tree = folder / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL.format(name=name, version=version, more=more))
    made = folder / f"{name}_{version}.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(made)], check=True, capture_output=True)
    return made


def test_a_root_is_named_after_its_suite_packages_and_week() -> None:
    names = {
        roots.root_key("bookworm", ["a"], 1),
        roots.root_key("trixie", ["a"], 1),
        roots.root_key("bookworm", ["a", "b"], 1),
        roots.root_key("bookworm", ["a"], 2),
    }
    assert len(names) == 4
    assert roots.root_key("bookworm", ["b", "a"], 1) in names
    assert all(name.startswith(("bookworm-", "trixie-")) for name in names)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(DevError, match=r"buster is none of the Debian releases.*bookworm, trixie"):
        roots.base("buster")


def test_debians_packages_are_fetched_again_only_when_ours_ask_for_others(tmp_path: Path) -> None:
    first = layers.relations([deb(tmp_path, "one", "1", "Depends: x\n")])
    assert layers.relations([deb(tmp_path, "one", "2", "Depends: x\n")]) == first
    assert layers.relations([deb(tmp_path, "one", "3", "Depends: x, y\n")]) != first
    assert layers.relations([deb(tmp_path, "one", "4", "Recommends: x\n")]) != first


def test_a_server_is_installed_again_when_a_package_has_other_bytes(tmp_path: Path) -> None:
    one, two = deb(tmp_path, "one", "1"), deb(tmp_path, "two", "1")
    assert layers.contents([two, one]) == layers.contents([one, two])
    assert one in layers.contents([one])


def test_no_packages_make_no_layer() -> None:
    with pytest.raises(DevError, match="no packages"):
        layers.relations([])


def test_what_is_no_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.deb").write_text("no package")
    with pytest.raises(DevError, match=r"one\.deb is no Debian package"):
        layers.relations([tmp_path / "one.deb"])


def room(rooms: Path, maker: int, process: int) -> Path:
    folder = rooms / f"test-{maker}"
    folder.mkdir()
    (folder / "nspawn.pid").write_text(str(process))
    return folder


def test_the_room_of_a_killed_maker_goes(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = room(tmp_path, gone.pid, gone.pid)
    mine = room(tmp_path, os.getpid(), gone.pid)
    named = tmp_path / "dcor-try"
    named.mkdir()
    rooms.remove_abandoned(tmp_path)
    rooms.await_removals()
    assert not stale.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dcor-try", mine.name]
    assert mine.exists()
    assert named.exists()


def test_the_room_of_a_machine_that_still_runs_stays(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    folder = tmp_path / f"test-{gone.pid}"
    program = "print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdin=PIPE, stdout=PIPE) as runs:
        assert runs.stdout is not None
        runs.stdout.readline()
        room(tmp_path, gone.pid, runs.pid)
        rooms.remove_abandoned(tmp_path)
        assert nspawn.running(folder) == runs.pid
        assert folder.exists()
        runs.kill()
    assert nspawn.running(folder) is None


def test_a_number_that_another_process_has_by_now_is_no_machine(tmp_path: Path) -> None:
    assert nspawn.running(room(tmp_path, os.getpid(), os.getpid())) is None


def test_a_machine_that_runs_is_not_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "ROOMS", tmp_path)
    monkeypatch.setattr(nspawn, "running", lambda _: 1)
    with pytest.raises(DevError, match="running already"):
        Machine("one", ()).start()
