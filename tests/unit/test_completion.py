"""In bash, dcor-server's verbs and the arguments of each are completed, by what the command itself says of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dcor_pkg import cli
from dcor_pkg.answers import settings

TREE = Path(__file__).resolve().parents[2]
FILE = TREE / "debian/completion/dcor-server"
PASSING_ON = [verb.name for verb in cli.VERBS if verb.passes_arguments_on]
#: the command as far as its --help, which anybody may ask for; and `get`, as root
COMMAND = f"""\
#!{sys.executable}
import sys, types
sys.path.insert(0, {str(TREE)!r})
sys.modules["debconf"] = types.ModuleType("debconf")
sys.modules["debconf"].DebconfError = Exception
if sys.argv[1:] == ["get"]:
    sys.exit(print("hostname = dcor.example.org\\nhealth-from = all = x"))
from dcor_pkg import cli
assert sys.argv[-1] == "--help", sys.argv
cli.main()
"""
#: sets what bash does before it calls the function
COMPLETE = """
compopt() { :; }
source "$1"; shift
COMP_WORDS=(dcor-server "$@"); COMP_CWORD=$#
_dcor_server
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a directory with the command."""
    command = tmp_path / "dcor-server"
    command.write_text(COMMAND)
    command.chmod(0o755)
    return tmp_path


def completed(programs: Path, *words: str) -> list[str]:
    """Return the words that bash proposes for the last one."""
    bash = shutil.which("bash")
    assert bash
    argv = [bash, "-euo", "pipefail", "-c", COMPLETE, "bash", str(FILE), *words]
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


def test_each_verb_is_proposed(programs: Path) -> None:
    assert completed(programs, "") == ["--help", *(verb.name for verb in cli.VERBS)]
    assert completed(programs, "upg") == ["upgrade-database-cluster"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("jobs", ""), ["list", "show", "retry", "forget"]),
        (("jobs", "r"), ["retry"]),
        (("release", ""), ["list", "rollback"]),
        (("release", "rollback", "--w"), ["--with-database"]),
        (("release", "list", "--w"), []),
        (("jobs", "--json", "f"), ["forget"]),
        (("jobs", "retry", ""), []),
        (("certificate", ""), ["show", "renew", "import"]),
        (("certificate", "renew", "--"), ["--help", "--json", "--new-key"]),
        (("withdraw", "blood", "--p"), ["--purge"]),
        (("converge", "--d"), ["--dry-run"]),
        (("jobs", "--"), ["--help", "--json"]),
        (("get", "host"), ["hostname"]),
        (("get", ""), ["hostname", "health-from"]),
        (("set", "h"), ["hostname=", "health-from="]),
        (("move-data", "/"), []),
        (("conferge", ""), []),
    ],
)
def test_what_can_follow_a_verb_is_proposed(programs: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(programs, *words) == expected


@pytest.mark.parametrize("verb", PASSING_ON)
@pytest.mark.parametrize("word", ["", "--", "user"])
def test_what_belongs_to_another_program_is_not_asked_for(programs: Path, verb: str, word: str) -> None:
    (programs / "dcor-server").write_text("#!/bin/sh\necho called >&2\n")
    assert completed(programs, verb, word) == []


def test_the_keys_are_those_that_get_prints() -> None:
    assert {"hostname", "health-from"} <= set(settings.KEYS)


def test_the_file_is_installed_where_bash_looks_for_it() -> None:
    installed = (TREE / "debian/dcor-server.install").read_text().splitlines()
    assert "debian/completion/dcor-server usr/share/bash-completion/completions" in installed
