"""The command `dcor-server`: a table of verbs. Arguments in, text and exit code out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from dcor_pkg.machine import error_boundary, language, output
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.verbs import (
    certificate,
    check,
    circle,
    converge,
    get_settings,
    jobs,
    mail,
    mail_health,
    mail_test,
    mail_updates,
    make_release,
    move_data,
    nightly,
    release,
    set_settings,
    status,
    test_instance,
    tokens,
    unknown_objects,
    upgrade_database_cluster,
    upstream_commands,
    user,
    watch,
    withdraw,
)
from dcor_pkg.verbs.run_report import message
from dcor_pkg.verbs.verb import FAILED, Console, Parser, Verb

EPILOG = "exit codes: 0 all is right, 1 failed, 2 wrong usage, 3 not as it should be (drift, unhealthy)"
VERBS: tuple[Verb, ...] = (
    status.VERB,
    check.VERB,
    converge.VERB,
    get_settings.VERB,
    set_settings.VERB,
    certificate.VERB,
    move_data.VERB,
    make_release.VERB,
    release.VERB,
    upgrade_database_cluster.VERB,
    user.VERB,
    circle.VERB,
    tokens.VERB,
    withdraw.VERB,
    unknown_objects.VERB,
    jobs.VERB,
    nightly.VERB,
    watch.VERB,
    test_instance.VERB,
    mail_test.VERB,
    mail.VERB,
    mail_updates.VERB,
    mail_health.VERB,
    *upstream_commands.VERBS,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. Raises SystemExit(2) for wrong usage, as argparse does."""
    output.replace_missing_characters()
    options = parser().parse_args(arguments)
    os.umask(0o022)
    verb: Verb = options.verb
    is_translated = verb.translated and not options.json
    with language.spoken(language.of(os.environ) if is_translated else language.ENGLISH):
        return _run(verb, options)


def _run(verb: Verb, options: argparse.Namespace) -> int:
    """Run a verb and return its exit code."""
    if os.geteuid() != 0:
        hint = _("Run: sudo dcor-server {verb} ...").format(verb=verb.name)
        return _failed(_("`dcor-server {verb}` has to be run by root.").format(verb=verb.name), hint)
    if verb.changes_machine:
        signal.signal(signal.SIGTERM, _interrupt)
    host, console = Host(), Console(_out, _err)
    try:
        return error_boundary.guard(host, lambda: verb.run(host, options, console), _failed)
    except KeyboardInterrupt:
        text = _("`dcor-server {verb}` was interrupted before it ended.")
        return _failed(text.format(verb=verb.name), _after_interruption(verb))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    command = Parser(prog="dcor-server", epilog=EPILOG)
    verbs = command.add_subparsers(title="verbs", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add_to(verbs)
    return command


def _interrupt(*_given: object) -> NoReturn:
    """End as Ctrl+C does, which undoes a half migration: systemd ends a unit by SIGTERM."""
    raise KeyboardInterrupt


def _after_interruption(verb: Verb) -> str:
    return _("To complete what it had begun, run: dcor-server converge") if verb.changes_machine else ""


def _failed(reason: str, hint: str) -> int:
    _err(message(reason, hint))
    return FAILED


def _out(line: str) -> None:
    print(line, flush=True)


def _err(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
