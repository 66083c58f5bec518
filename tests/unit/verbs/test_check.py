"""`dcor-server check`: its JSON as documented, the known issue of a step, and explanations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.ckan import release
from dcor_pkg.known_issues.catalogue import BY_NAME
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CURRENT
from tests.unit.command_line import CommandLine

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/check-json.md"


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    return dcor_server.converged()


def keys(value: Any, prefix: str = "") -> Iterator[str]:
    """Give the name of each key as the document writes it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{prefix}{key}"
            yield from keys(inner, f"{prefix}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{prefix.removesuffix('.')}[].")


def give_to_root(server: CommandLine) -> None:
    server.machine.host.make_directory("/data/ckan", Access(0o755))


def test_json_has_the_documented_keys_and_no_others(server: CommandLine) -> None:
    server.machine.host.write("/etc/dcor-server/uwsgi.ini", "changed\n", Access(0o644))
    ended = server("check", "--json")
    table = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    documented = {name for line in table for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    assert set(keys(ended.json)) == documented
    assert ended.json["schema"] == 1


def test_what_is_right_says_so_and_ends_with_0(server: CommandLine) -> None:
    ended = server("check", "--json")
    assert (ended.code, ended.json["right"]) == (0, True)
    assert {step["known_issue"] for step in ended.json["steps"]} == {None}
    assert "--explain" not in server("check").out


def test_a_step_that_differs_names_its_known_issue(server: CommandLine) -> None:
    give_to_root(server)
    ended = server("check")
    assert (
        ended.code,
        "Known issue ckan_as_root; to read about it: dcor-server check --explain ckan_as_root" in ended.out,
    ) == (
        3,
        True,
    )
    ended = server("check", "--json")
    assert (ended.code, ended.json["right"]) == (3, False)
    found = {step["step"]: step["known_issue"] for step in ended.json["steps"] if step["reason"]}
    assert found == {"directory /data/ckan": "ckan_as_root"}


def test_a_step_without_a_known_issue_names_none(server: CommandLine) -> None:
    server.machine.host.run("systemctl", "stop", "nginx.service")
    assert server("check").lines.count("~ service nginx.service: is inactive") == 1
    assert "--explain" not in server("check").out


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_without_a_name_all_are_listed(dcor_server: CommandLine, arguments: tuple[str, ...]) -> None:
    ended = dcor_server("check", "--explain", *arguments)
    assert (ended.code, [line.split()[0] for line in ended.lines]) == (0, list(BY_NAME))
    assert [it["name"] for it in dcor_server("check", "--json", "--explain", *arguments).json] == list(BY_NAME)


def test_an_issue_is_explained_in_the_language_of_the_locale(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for locale, words in {"C.UTF-8": "Cause:", "de_DE.UTF-8": "Ursache:"}.items():
        monkeypatch.setenv("LANG", locale)
        ended = dcor_server("check", "--explain", "float_expiry")
        assert (ended.code, words in ended.out, "X-Amz-Expires should be a number" in ended.out) == (0, True, True)
    found = dcor_server("check", "--explain", "float_expiry", "--json").json
    assert sorted(found) == ["name", "package", "since", "symptom", "test", "texts", "until"]
    assert found["texts"]["de"]["cost"].startswith("Keine private Messung")


def test_an_unknown_name_is_one_sentence(dcor_server: CommandLine) -> None:
    ended = dcor_server("check", "--explain", "float-expire")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[0].startswith(
        "dcor-server: There is no known issue 'float-expire'; the nearest names are float_e"
    )
    assert "Traceback" not in ended.err


def test_explaining_needs_no_server_and_changes_nothing(dcor_server: CommandLine) -> None:
    before = dcor_server.machine.state()
    assert dcor_server("check", "--explain", "slow_logs").code == 0
    assert dcor_server.machine.state() == before
    assert release.active(dcor_server.machine.host) is None
    assert not dcor_server.machine.host.exists(CURRENT)
