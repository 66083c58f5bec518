"""What a verb of the command `dcor-server` is: a row of the table in cli.py, defined in one file of this directory."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import examples

#: exit codes; argparse ends with WRONG_USAGE as well
OK, FAILED, WRONG_USAGE, DRIFT = 0, 1, 2, 3
#: how argparse is told that there may be several words
SEVERAL = ("+", "*")
#: a century
MAX_DAYS = 36500.0


@dataclass(frozen=True)
class Console:
    """Where a verb writes lines: to standard output and standard error. Verbs themselves never print."""

    out: Callable[[str], None]
    err: Callable[[str], None]


class Parser(argparse.ArgumentParser):
    """A parser that takes options between arguments of which there may be several (nargs + or *).

    argparse gives such an argument the words before the first option, and rejects those after it. So the options come
    first, up to `--`: none of them takes a value where an argument has several.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, the options first."""
        if args is not None and any(it.nargs in SEVERAL for it in self._get_positional_actions()):
            end = args.index("--") if "--" in args else len(args)
            args = sorted(args[:end], key=lambda word: word not in self._option_string_actions) + args[end:]
        return super().parse_known_args(args, namespace)


#: adds itself to the parser of a verb
Argument = Callable[[argparse.ArgumentParser], object]


def argument(*names: str, **options: Any) -> Argument:
    """Return an argument of a verb, declared as for argparse's add_argument."""
    return lambda parser: parser.add_argument(*names, **options)


def days_argument(summary: str, default: float) -> Argument:
    """Return the argument `--days`: a number that is not negative."""
    return argument("--days", type=_days, default=default, metavar="N", help=f"{summary} (default {default:g})")


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days from 0 to {MAX_DAYS:g}")
    return days


JSON = argument("--json", action="store_true", help="print the result as JSON")
#: the same after an action; there it must not undo what was given before it
JSON_TOO = argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the result as JSON")


@dataclass(frozen=True)
class Verb:
    """One thing that an administrator asks for by name."""

    name: str
    #: one line for --help
    summary: str
    #: does the work and returns the exit code; may raise DcorError
    run: Callable[[Host, argparse.Namespace, Console], int]
    arguments: tuple[Argument, ...] = (JSON,)
    #: whether an interruption may leave the machine half changed
    changes_machine: bool = False
    #: whether it speaks the language of the terminal, but in JSON; what others say is English
    translated: bool = False
    #: whether everything after the verb, --help included, belongs to another program
    passes_arguments_on: bool = False

    def add_to(self, verbs: argparse._SubParsersAction[Parser]) -> None:
        """Add the verb's own parser to the command's."""
        parser = verbs.add_parser(
            self.name,
            help=self.summary,
            description=self.summary,
            add_help=not self.passes_arguments_on,
            # No argument contains a NUL character, so nothing looks like an option.
            prefix_chars="\0" if self.passes_arguments_on else "-",
        )
        parser.epilog = examples.ending(parser.prog)
        parser.set_defaults(verb=self)
        for add in self.arguments:
            add(parser)


@dataclass(frozen=True)
class Action:
    """One of several things that a verb does, chosen by the word after it: `user create`."""

    name: str
    #: one line for --help
    summary: str
    #: as in Verb
    run: Callable[[Host, argparse.Namespace, Console], int]
    arguments: tuple[Argument, ...] = ()

    def add_to(self, actions: argparse._SubParsersAction[Any]) -> None:
        """Add the action's own parser to the verb's."""
        parser = actions.add_parser(self.name, help=self.summary, description=self.summary)
        parser.epilog = examples.ending(parser.prog)
        parser.set_defaults(action=self)
        for add in (JSON_TOO, *self.arguments):
            add(parser)


def says(report: Callable[[Host, argparse.Namespace], str]) -> Callable[[Host, argparse.Namespace, Console], int]:
    """Return what runs a verb that writes one line about what it has done."""

    def run(host: Host, options: argparse.Namespace, console: Console) -> int:
        done = report(host, options)
        console.out(json.dumps({"message": done}, indent=1) if options.json else done)
        return OK

    return run


def verb_of(name: str, summary: str, *actions: Action, options: tuple[Argument, ...] = (), **more: bool) -> Verb:
    """Return a verb that has to be followed by one of these actions.

    `options`: more that may be before it. `more`: what else Verb has, such as `changes_machine`.
    """

    def add(parser: argparse.ArgumentParser) -> None:
        chosen = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
        for action in actions:
            action.add_to(chosen)

    def run(host: Host, options: argparse.Namespace, console: Console) -> int:
        action: Action = options.action
        return action.run(host, options, console)

    return Verb(name, summary, run, (JSON, *options, add), **more)
