"""The preinst: what cannot follow the version of a machine is refused before anything is unpacked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.ckan import programs, release
from dcor_pkg.kernel import served_version
from dcor_pkg.machine.paths import CURRENT, STATE
from tests.unit.command_line import CommandLine

PREINST = Path(__file__).resolve().parents[2] / "debian/dcor-server.preinst"


def preinst(tmp_path: Path, *arguments: str, served: str | None = None) -> tuple[int, str]:
    """Run the script as dpkg does, and return its exit code and what it says."""
    if served is not None:
        (tmp_path / "version").write_text(f"{served}\n")
    text = PREINST.read_text()
    assert all(
        f"={path}\n" in text for path in (served_version.PATH, served_version.RELEASES, release.DIRECTORY, CURRENT)
    )
    assert f'schema="{release.SCHEMA}"\n' in text
    script = text.replace(STATE, str(tmp_path)).replace("#DEBHELPER#", "echo debhelper")
    done = subprocess.run(["sh", "-c", script, "preinst", *arguments], capture_output=True, text=True, check=False)
    assert ("debhelper" in done.stdout) is (done.returncode == 0)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "served"),
    [
        (("install",), None),
        (("install", "1.0.0", "1.0.0"), "1.0.0"),
        (("upgrade", "1.0.0", "1.0.1"), "1.0.0"),
        (("upgrade", "1.0.0", "1.0.0"), "1.0.0"),
        (("upgrade", "0.1.0", "9.0.0"), None),
        (("abort-upgrade", "2.0.0"), "2.0.0"),
    ],
)
def test_what_can_follow_is_unpacked(tmp_path: Path, arguments: tuple[str, ...], served: str | None) -> None:
    assert preinst(tmp_path, *arguments, served=served) == (0, "")


@pytest.mark.parametrize("action", ["upgrade", "install"])
def test_an_older_version_than_the_one_that_serves_is_refused_with_the_way_to_go(tmp_path: Path, action: str) -> None:
    code, words = preinst(tmp_path, action, "1.0.1", "1.0.0", served="1.0.1")
    assert code == 1
    assert words.startswith("dcor-server: version 1.0.0 cannot follow 1.0.1, which has changed the database")
    assert "restore a backup" in words


def test_the_former_version_may_come_back_while_its_release_serves(tmp_path: Path) -> None:
    """The newer one was unpacked, and its release failed."""
    assert preinst(tmp_path, "upgrade", "1.0.1", "1.0.0", served="1.0.0") == (0, "")
    assert preinst(tmp_path, "upgrade", "1.0.1", "0.9.0", served="1.0.0")[0] == 1


def kept(tmp_path: Path, **tables: str) -> None:
    """Make releases with these tables, the last one in service; version 1.0.N has had those with the letters so far."""
    versions = []
    for number, (name, revision) in enumerate(tables.items()):
        home = tmp_path / "releases" / name
        home.mkdir(parents=True)
        (home / release.SCHEMA).write_text(revision)
        versions.append(f"1.0.{number} {name}\n")
        (tmp_path / "current").unlink(missing_ok=True)
        (tmp_path / "current").symlink_to(f"releases/{name}")
    (tmp_path / "versions").write_text("".join(reversed(versions)))


def test_an_older_version_may_follow_while_a_release_of_it_is_there(tmp_path: Path) -> None:
    kept(tmp_path, a="4a5e", b="4a5e", c="4a5e")
    for older in ("1.0.1", "1.0.0"):
        assert preinst(tmp_path, "upgrade", "1.0.2", older, served="1.0.2") == (0, "")
    assert preinst(tmp_path, "upgrade", "1.0.2", "0.9.9", served="1.0.2")[0] == 1
    (tmp_path / "releases/b" / release.SCHEMA).unlink()
    code, words = preinst(tmp_path, "upgrade", "1.0.2", "1.0.1", served="1.0.2")
    assert (code, "no release of\n    1.0.1 is kept any more" in words) == (1, True)


def test_an_older_version_may_not_follow_before_its_tables_are_those_in_service(tmp_path: Path) -> None:
    kept(tmp_path, a="4a5e", b="6313")
    code, words = preinst(tmp_path, "upgrade", "1.0.1", "1.0.0", served="1.0.1")
    assert (code, "dcor-server release rollback a\n" in words) == (1, True)
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("releases/a")
    assert preinst(tmp_path, "upgrade", "1.0.1", "1.0.0", served="1.0.1") == (0, "")


def test_a_version_that_cannot_be_skipped_is_named(tmp_path: Path) -> None:
    (oldest,) = re.findall(r"^oldest=(\S+)~$", PREINST.read_text(), re.MULTILINE)
    code, words = preinst(tmp_path, "upgrade", "0.0.1", "9.0.0")
    assert (code, f"apt install dcor-server={oldest}, then again" in words) == (1, True)


def test_a_converge_that_succeeds_records_the_version_and_one_that_fails_does_not(dcor_server: CommandLine) -> None:
    host = dcor_server.converged().machine.host
    assert host.read(served_version.PATH) == "1.0.0\n"
    dcor_server.machine.packages.versions["dcor-server"] = "1.0.1"
    dcor_server.machine.systemd.units["nginx.service"].active = "failed"
    dcor_server.machine.systemd.broken["nginx.service"] = "no\n"
    assert dcor_server("converge").code == 1
    assert host.read(served_version.PATH) == "1.0.0\n"
    del dcor_server.machine.systemd.broken["nginx.service"]
    assert dcor_server("converge").code == 0
    assert host.read(served_version.PATH) == "1.0.1\n"


def test_the_releases_of_a_version_are_recorded_as_long_as_they_are_kept(dcor_server: CommandLine) -> None:
    machine = dcor_server.converged().machine
    lines: list[str] = []
    for number in range(1, 5):
        assert (machine.host.read(served_version.RELEASES) or "").splitlines()[1:] == lines[:2]
        serving = programs.serving(machine.host)
        assert serving is not None
        lines.insert(0, f"1.0.{number - 1} {serving.release}")
        assert (machine.host.read(served_version.RELEASES) or "").splitlines()[0] == lines[0]
        machine.packages.versions.update(
            {"dcor-server": f"1.0.{number}", "python-ckan": f"2.11.{number + 6}-1~deb12u1"}
        )
        assert dcor_server("converge").code == 0
