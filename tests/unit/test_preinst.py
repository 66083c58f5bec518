"""The preinst: what cannot follow the version of a machine is refused before anything is unpacked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.kernel import served_version
from tests.unit.command_line import CommandLine

PREINST = Path(__file__).resolve().parents[2] / "debian/dcor-server.preinst"


def preinst(tmp_path: Path, *arguments: str, served: str | None = None) -> tuple[int, str]:
    """Run the script as dpkg does, and return its exit code and what it says."""
    record = tmp_path / "version"
    if served is not None:
        record.write_text(f"{served}\n")
    text = PREINST.read_text()
    assert text.count(served_version.PATH) == 1
    script = text.replace(served_version.PATH, str(record)).replace("#DEBHELPER#", "echo debhelper")
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
