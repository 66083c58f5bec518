"""The help of each verb, and of each action, ends with an example that the command understands."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcor_pkg import cli
from dcor_pkg.known_issues import catalogue
from dcor_pkg.verbs.examples import EXAMPLES

#: their --help is that of another program
PASSING_ON = {verb.name for verb in cli.VERBS if verb.passes_arguments_on}


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give the parsers of all verbs and actions below a parser."""
    for action in parser._actions:  # noqa: SLF001 (there is no other way to the parsers below one)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for found in action.choices.values():
                yield found
                yield from parsers(found)


def command(parser: argparse.ArgumentParser) -> str:
    return parser.prog.partition(" ")[2]


ALL = {command(it): it for it in parsers(cli.parser()) if command(it) not in PASSING_ON}


def test_each_verb_and_each_action_has_an_example_and_there_is_no_other() -> None:
    assert {verb.name for verb in cli.VERBS} - PASSING_ON <= set(ALL)
    assert set(EXAMPLES) == set(ALL)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_shown_by_help_and_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = ALL[name].format_help().splitlines()[-1]
    assert shown == f"example: sudo dcor-server {EXAMPLES[name]}"
    words = shlex.split(EXAMPLES[name])
    assert words[: len(name.split())] == name.split()
    assert cli.parser().parse_args(words).verb.name == name.partition(" ")[0]


def test_the_commands_of_readme_debian_are_understood() -> None:
    text = (Path(__file__).parents[3] / "debian/README.Debian").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines()[:-1])) < 80
    for line in re.findall(r"^ {4}sudo dcor-server (.+)$", text, re.MULTILINE):
        assert cli.parser().parse_args(shlex.split(line)).verb.name in line
    named = re.findall(r'"dcor-server\s([a-z-]+)', text)
    assert len(named) >= 5
    assert set(named) <= {verb.name for verb in cli.VERBS}


def test_the_known_issue_of_an_example_is_one() -> None:
    explained = EXAMPLES["check"].rpartition(" ")[2]
    assert catalogue.find(explained).name == explained
