"""What apt runs before dpkg: packages of ours that come from files are kept, and nothing that fails there ends apt."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.kernel import updates
from dcor_pkg.machine import packages
from dcor_pkg.machine.host import Access, Host

SCRIPT = Path(updates.__file__).parent / "files/keep-packages"
DEBIAN = Path(__file__).parents[3] / "debian"


def test_the_scripts_know_the_packages_of_this_repository_and_those_that_are_upgraded_together() -> None:
    """They are shell, so that they run whatever has happened to dcor-server, and repeat the names."""
    built = re.findall(r"(?m)^Package: (.+)$", (DEBIAN / "control").read_text())
    lines = re.findall(r"(?m)^ +(.+)\) return 0 ;;$", SCRIPT.read_text())
    assert sorted(name for line in lines for name in line.split(" | ")) == sorted(built)
    (line,) = re.findall(r"(?m)^ours='\\\((.+)\\\)'$", SCRIPT.with_name("end-interrupted-upgrade").read_text())
    assert line.split(r"\|") == list(packages.TOGETHER)


class Computer:
    """A directory with a server's state and the packages that apt is about to install."""

    def __init__(self, root: Path) -> None:
        self.root, self.host = root, Host(root)
        (root / "var/lib/dcor-server").mkdir(parents=True)
        text = SCRIPT.read_text()
        assert packages.KEPT in text
        self.script = root / "keep-packages"
        self.script.write_text(re.sub(r"(?m)^(kept|fetched)=", rf"\1={root}", text))
        self.script.write_text(self.script.read_text().replace("reserve=1048576", "reserve=0"))

    def build(self, name: str, directory: str = "media/a b") -> str:
        """Build a package, and return its path."""
        control = self.root / "build" / name / "DEBIAN/control"
        control.parent.mkdir(parents=True, exist_ok=True)
        control.write_text(f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n")
        (self.root / directory).mkdir(parents=True, exist_ok=True)
        path = self.root / directory / f"{name}_1_all.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(control.parents[1]), str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return str(path)

    def install(self, *paths: str) -> str:
        """Run the script as apt does, and return what it says."""
        given = "".join(f"{path}\n" for path in paths)
        run = subprocess.run(["sh", str(self.script)], input=given, capture_output=True, text=True, check=True)
        assert run.stderr == ""
        return run.stdout

    def kept(self) -> list[list[str]]:
        """Return the names of the packages of each set that is kept, the oldest first."""
        sets = sorted((self.root / packages.KEPT[1:]).glob("*"))
        return [sorted(path.name for path in it.iterdir()) for it in sets]

    def age(self, day: int) -> None:
        """Let the newest set be of this day of a former month."""
        newest = max((self.root / packages.KEPT[1:]).iterdir())
        newest.rename(newest.with_name(f"2020010{day}T000000"))


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_packages_of_ours_that_come_from_files_are_kept_for_root_alone(computer: Computer) -> None:
    ours, other = computer.build("python-ckan"), computer.build("hello")
    fetched = computer.build("dcor-wheels", "var/cache/apt/archives")
    assert computer.install(other, fetched, ours, computer.build("dcor-server")) == ""
    assert computer.kept() == [["dcor-server_1_all.deb", "python-ckan_1_all.deb"]]
    assert (computer.root / packages.KEPT[1:]).stat().st_mode & 0o777 == 0o700
    (place,) = computer.host.names(packages.KEPT)
    assert packages.kept(computer.host, "python-ckan") == f"{packages.KEPT}/{place}/python-ckan_1_all.deb"


def test_what_apt_has_fetched_can_be_fetched_again(computer: Computer) -> None:
    computer.install(computer.build("dcor-server", "var/cache/apt/archives"))
    assert computer.kept() == []
    assert packages.kept(computer.host, "dcor-server") is None


def test_the_last_two_sets_stay_and_a_half_one_goes(computer: Computer) -> None:
    for day, name in enumerate(("dcor-server", "python-ckan", "dcor-solr"), 1):
        computer.install(computer.build(name))
        computer.age(day)
        computer.host.make_directory(f"{packages.KEPT}/.new", Access(0o700))
    computer.install(computer.build("dcor-wheels"))
    assert computer.kept() == [["dcor-solr_1_all.deb"], ["dcor-wheels_1_all.deb"]]


def test_without_room_it_says_so_and_keeps_nothing(computer: Computer) -> None:
    computer.script.write_text(computer.script.read_text().replace("reserve=0", "reserve=999999999999"))
    assert "has no room for a copy of the packages" in computer.install(computer.build("dcor-server"))
    assert computer.kept() == []


def test_without_a_server_there_is_nothing_to_repair(computer: Computer) -> None:
    (computer.root / "var/lib/dcor-server").rmdir()
    assert computer.install(computer.build("dcor-server")) == ""
    assert not (computer.root / "var/lib/dcor-server").exists()


@pytest.mark.parametrize("text", [None, "exit 1", "cat >/dev/null; exit 77"])
def test_apt_goes_on_whatever_happens_to_the_script(tmp_path: Path, host: Host, text: str | None) -> None:
    """A command of Pre-Install-Pkgs that fails ends apt, security updates included."""
    (step,) = updates.steps(settings.parse({"email": "admin@example.org"}))
    conf = tmp_path / "apt.conf"
    conf.write_text(step.text(host).replace(updates.KEEP, str(tmp_path / "keep")))
    if text is not None:
        (tmp_path / "keep").write_text(text)
    listed = ["apt-config", "dump", "--no-empty", "--format=%v%n", "DPkg::Pre-Install-Pkgs"]
    environment = {**os.environ, "APT_CONFIG": str(conf)}
    read = subprocess.run(listed, capture_output=True, text=True, check=True, env=environment).stdout
    command = next(line for line in read.splitlines() if str(tmp_path) in line)
    run = subprocess.run(["sh", "-c", command], input="/a.deb\n", capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert ("not kept" in run.stdout) == (text is not None)
