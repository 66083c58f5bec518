"""Roots and layers are named by their inputs; the directory of a running machine is not removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
from dcor_dev import layers, machine_directories, nspawn, roots
from dcor_dev.errors import DevError
from dcor_dev.machine import Machine

CONTROL = (
    "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: d\n{more}"
)


def deb(directory: Path, name: str, version: str, more: str = "") -> Path:
    """Build an empty package."""
    tree = directory / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL.format(name=name, version=version, more=more))
    made = directory / f"{name}_{version}.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(made)], check=True, capture_output=True)
    return made


def test_the_name_of_a_root_depends_on_its_suite_packages_and_week() -> None:
    names = {
        roots.root_key("bookworm", ["a"], 1),
        roots.root_key("trixie", ["a"], 1),
        roots.root_key("bookworm", ["a", "b"], 1),
        roots.root_key("bookworm", ["a"], 2),
    }
    assert len(names) == 4
    assert roots.root_key("bookworm", ["b", "a"], 1) in names
    assert all(name.startswith(("bookworm-", "trixie-")) for name in names)


def test_an_unknown_suite_is_an_error() -> None:
    with pytest.raises(DevError, match=r"buster is not a supported Debian release.*bookworm, trixie"):
        roots.base("buster")


def test_debian_packages_are_fetched_again_only_when_our_dependencies_change(tmp_path: Path) -> None:
    first = layers.relations([deb(tmp_path, "one", "1", "Depends: x\n")])
    assert layers.relations([deb(tmp_path, "one", "2", "Depends: x\n")]) == first
    assert layers.relations([deb(tmp_path, "one", "3", "Depends: x, y\n")]) != first
    assert layers.relations([deb(tmp_path, "one", "4", "Recommends: x\n")]) != first


def test_the_installed_layer_depends_on_the_content_of_each_package(tmp_path: Path) -> None:
    one, two = deb(tmp_path, "one", "1"), deb(tmp_path, "two", "1")
    assert layers.contents([two, one]) == layers.contents([one, two])
    assert one in layers.contents([one])


def test_a_server_is_installed_without_what_it_does_not_need(tmp_path: Path) -> None:
    wheels, test = (deb(tmp_path, name, "1", "Depends: x\n") for name in ("dcor-wheels", "dcor-wheels-test"))
    assert layers.paths_inside([wheels, test]) == [f"{layers.PACKAGES}/{wheels.name}"]
    assert layers.contents([wheels, test]) == layers.contents([wheels])
    assert layers.relations([wheels, test]) == layers.relations([wheels])
    assert set(layers.package_mounts([wheels, test])) == {wheels, test}


def test_a_layer_without_packages_is_an_error() -> None:
    with pytest.raises(DevError, match="no packages"):
        layers.relations([])


def test_the_error_names_a_file_that_is_not_a_package(tmp_path: Path) -> None:
    (tmp_path / "one.deb").write_text("no package")
    with pytest.raises(DevError, match=r"one\.deb is not a Debian package"):
        layers.relations([tmp_path / "one.deb"])


def machine_directory(parent: Path, maker: int, process: int) -> Path:
    directory = parent / f"test-{maker}"
    directory.mkdir()
    (directory / "nspawn.pid").write_text(str(process))
    return directory


def test_the_directory_of_a_machine_whose_process_was_killed_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = machine_directory(tmp_path, gone.pid, gone.pid)
    mine = machine_directory(tmp_path, os.getpid(), gone.pid)
    named = tmp_path / "dcor-try"
    named.mkdir()
    machine_directories.remove_abandoned(tmp_path)
    machine_directories.wait_for_removals()
    assert not stale.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dcor-try", mine.name]
    assert mine.exists()
    assert named.exists()


def test_the_directory_of_a_running_machine_is_not_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    directory = tmp_path / f"test-{gone.pid}"
    program = "print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program, str(directory)], stdin=PIPE, stdout=PIPE) as runs:
        assert runs.stdout is not None
        runs.stdout.readline()
        machine_directory(tmp_path, gone.pid, runs.pid)
        machine_directories.remove_abandoned(tmp_path)
        assert nspawn.running(directory) == runs.pid
        assert directory.exists()
        runs.kill()
    assert nspawn.running(directory) is None


def test_a_recorded_pid_of_another_process_is_not_taken_for_a_machine(tmp_path: Path) -> None:
    assert nspawn.running(machine_directory(tmp_path, os.getpid(), os.getpid())) is None


def test_a_running_machine_cannot_be_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_directories, "MACHINES", tmp_path)
    monkeypatch.setattr(nspawn, "running", lambda _: 1)
    with pytest.raises(DevError, match="already running"):
        Machine("one", ()).start()
