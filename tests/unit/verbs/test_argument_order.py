"""Each verb and each action takes `--json` before, between and after its other arguments, and understands the same."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from dcor_pkg import cli

PASSING_ON = {verb.name for verb in cli.VERBS if verb.passes_arguments_on}
#: how many words to try, by how many an argument takes
NUMBERS = {"*": 2, "+": 2}


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give the parsers of all verbs and actions below a parser that are followed by no action."""
    below = [it for it in parser._actions if isinstance(it, argparse._SubParsersAction)]  # noqa: SLF001 (no other way)
    if not below:
        yield parser
    for actions in below:
        for found in actions.choices.values():
            yield from leaves(found)


def words(argument: argparse.Action) -> list[str]:
    """Return what an argument may be given."""
    if argument.choices:
        return [str(next(iter(argument.choices)))]
    return [f"word{number}" for number in range(NUMBERS.get(str(argument.nargs), 1))]


def arguments(parser: argparse.ArgumentParser) -> tuple[list[str], list[str]]:
    """Return all arguments that are no options, and the options that have to be given."""
    every = parser._actions  # noqa: SLF001
    positional = [word for it in every if not it.option_strings for word in words(it)]
    required = [
        word for it in every if it.option_strings and it.required for word in (it.option_strings[0], *words(it))
    ]
    return positional, required


LEAVES = {it.prog.partition(" ")[2]: it for it in leaves(cli.parser())}
#: a command, its other arguments, and where among them `--json` is
ORDERS = [
    pytest.param(name, place, id=f"{name}-{place}")
    for name, parser in LEAVES.items()
    if name not in PASSING_ON
    for place in range(len(arguments(parser)[0]) + 1)
]


def understood(*given: str) -> dict[str, object]:
    return vars(cli.parser().parse_args(given))


@pytest.mark.parametrize(("name", "place"), ORDERS)
def test_json_may_have_each_place(name: str, place: int) -> None:
    positional, required = arguments(LEAVES[name])
    found = understood(*name.split(), *positional[:place], "--json", *positional[place:], *required)
    assert found["json"] is True
    assert found == understood(*name.split(), "--json", *required, *positional)
    assert found == {**understood(*name.split(), *required, *positional), "json": True}


@pytest.mark.parametrize("name", [it for it in LEAVES if " " in it])
def test_json_may_be_before_an_action(name: str) -> None:
    positional, required = arguments(LEAVES[name])
    verb, action = name.split()
    assert understood(verb, "--json", action, *positional, *required) == understood(
        verb, action, *positional, *required, "--json"
    )


@pytest.mark.parametrize("given", [("--json", "all"), ("all", "--json")])
def test_what_is_behind_two_dashes_is_no_option_of_ours(given: tuple[str, ...]) -> None:
    found = understood("test-instance", "run", *given, "--", "-k", "word", "--json")
    assert (found["json"], found["suite"], found["pytest"]) == (True, "all", ["-k", "word", "--json"])
    assert understood("test-instance", "run", "all", "--", "--json")["json"] is False


def test_options_of_a_verb_that_takes_several_words_have_no_value() -> None:
    """The options are put before these words, without what follows them."""
    for parser in LEAVES.values():
        if any(it.nargs in NUMBERS for it in parser._actions):  # noqa: SLF001
            assert [it.dest for it in parser._actions if it.option_strings and it.nargs != 0] == []  # noqa: SLF001


@pytest.mark.parametrize("word", ["-", "-1"])
def test_what_is_no_option_stays_in_its_place(word: str) -> None:
    found = understood("test-instance", "run", "all", word, "--json")
    assert (found["suite"], found["pytest"], found["json"]) == ("all", [word], True)


def test_each_verb_is_tried() -> None:
    assert {name.partition(" ")[0] for name in LEAVES} == {verb.name for verb in cli.VERBS}
    assert len(ORDERS) > 50
