"""The example of a program for dns-01: what it sends, what it waits for, and how it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "debian/examples/dns-hook"
NAME, VALUE = "_acme-challenge.dcor.example.org", "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM"
#: what stands for nsupdate, dig and sleep: it notes what is asked, and dig knows the record from the second time on
PROGRAMS = {
    "nsupdate": 'echo "$@" >>calls; cat >>calls; [ ! -e refused ]',
    "dig": '[ ! -e asked ] || echo "\\"{VALUE}\\""; [ -e never ] || : >asked'.replace("{VALUE}", VALUE),
    "sleep": "echo slept >>calls",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with the programs that the example starts."""
    for name, text in PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    return tmp_path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(EXAMPLE), *arguments],
        env={"PATH": f"{directory}:{os.environ['PATH']}"},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_adds_a_record_and_waits_until_each_server_has_it(directory: Path) -> None:
    done = run(directory, "add", NAME, VALUE)
    assert (done.returncode, done.stderr) == (0, "")
    assert (directory / "calls").read_text() == (
        f'-k /etc/dcor-server/acme/tsig.key\nserver ns1.example.org\nupdate add {NAME}. 60 TXT "{VALUE}"\nsend\nslept\n'
    )


def test_it_removes_that_record_alone_and_waits_for_nothing(directory: Path) -> None:
    assert run(directory, "remove", NAME, VALUE).returncode == 0
    assert f'update delete {NAME}. TXT "{VALUE}"\nsend\n' in (directory / "calls").read_text()
    assert not (directory / "asked").exists()


def test_what_the_name_server_refuses_is_a_failure(directory: Path) -> None:
    (directory / "refused").touch()
    assert run(directory, "add", NAME, VALUE).returncode != 0
    assert not (directory / "asked").exists()


def test_a_server_that_never_has_the_record_is_named(directory: Path) -> None:
    (directory / "never").touch()
    done = run(directory, "add", NAME, VALUE)
    assert (done.returncode, "ns1.example.org does not have the record" in done.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("add", NAME), ("show", NAME, VALUE)])
def test_wrong_usage_ends_with_2(directory: Path, arguments: tuple[str, ...]) -> None:
    done = run(directory, *arguments)
    assert (done.returncode, "add" in done.stderr) == (2, True)
    assert not (directory / "calls").exists()
