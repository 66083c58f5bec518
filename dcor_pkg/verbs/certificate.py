"""`dcor-server certificate show | renew | import CERT KEY`: the certificate that nginx serves."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from dcor_pkg.answers.settings import ACME, OWN, SELF_SIGNED, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending, settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.status import fingerprint
from dcor_pkg.tls import acme_state, imported, own_certificate, self_signed
from dcor_pkg.tls.description import describe
from dcor_pkg.tls.pair import Pair
from dcor_pkg.verbs import change_settings
from dcor_pkg.verbs.converge import converge_after
from dcor_pkg.verbs.run_report import message
from dcor_pkg.verbs.verb import DRIFT, FAILED, JSON, OK, WRONG_USAGE, Console, Verb, argument


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Show the certificate, renew it, or take up another one."""
    if (wrong := _wrong_usage(options)) is not None:
        console.err(f"dcor-server certificate {options.action}: {wrong}")
        return WRONG_USAGE
    return ACTIONS[options.action](host, options, console)


def _wrong_usage(options: argparse.Namespace) -> str | None:
    if options.action == "import" and options.key is None:
        return _("give the file with the certificate, and the one with its key")
    if options.action != "import" and options.cert is not None:
        return _("only import takes a file, such as {file}").format(file=options.cert)
    return _("only renew makes a new key") if options.new_key and options.action != "renew" else None


def _show(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Show the certificate; 3 where it should not be served, or its chain is incomplete."""
    found = describe(host, settings_file.load(host))
    console.out(json.dumps(asdict(found), indent=1) if options.json else "\n".join(found.lines()))
    return OK if found.chain_complete and not found.problem else DRIFT


def _renew(host: Host, options: argparse.Namespace, console: Console) -> int:
    def change() -> None:
        settings = settings_file.load(host)
        if settings.certificate == OWN:
            _require_renewable(host, settings, new_key=options.new_key)
        elif settings.certificate == ACME:
            _ask_authority(host, new_key=options.new_key)
        else:
            self_signed.step(settings).renew(host, new_key=options.new_key)

    code = converge_after(host, options, console, change)
    settings = settings_file.load(host)
    if settings.certificate == ACME and (failed := acme_state.read(host)).failures:
        console.err(message(str(failed.reason), str(failed.hint)))
        return FAILED
    if settings.certificate == SELF_SIGNED and not options.json:
        console.out(fingerprint.to_tell(settings, fingerprint.fingerprint(host, settings)))
    return code


def _ask_authority(host: Host, *, new_key: bool) -> None:
    """Let the converge ask the authority at once."""
    acme_state.forget_failures(host)
    for action in (pending.RENEW_CERTIFICATE, *((pending.NEW_KEY,) if new_key else ())):
        pending.request(host, action)


def _require_renewable(host: Host, settings: Settings, *, new_key: bool) -> None:
    """Raise DcorError where the admin's files cannot be served; the converge copies those that can."""
    if new_key:
        raise DcorError(
            _("dcor-server makes no key for a certificate of your own."),
            _("Let your authority sign another key, then: dcor-server certificate import CERT KEY"),
        )
    own_certificate.validate(host, own_certificate.source(settings), settings.hostname)


def _import(host: Host, options: argparse.Namespace, console: Console) -> int:
    given = Pair(str(Path.cwd() / options.cert), str(Path.cwd() / options.key))
    answers = {
        "certificate": OWN,
        own_certificate.CERTIFICATE_FILE: imported.FILES.certificate,
        own_certificate.CERTIFICATE_KEY: imported.FILES.key,
    }

    def change() -> None:
        with imported.replaced(host, given, settings_file.load(host).hostname):
            change_settings.take(host, answers, {})

    return converge_after(host, options, console, change)


ACTIONS: dict[str, Callable[[Host, argparse.Namespace, Console], int]] = {
    "show": _show,
    "renew": _renew,
    "import": _import,
}
ACTION = argument("action", choices=tuple(ACTIONS), metavar="show|renew|import", help="what to do")
CERTIFICATE = argument(
    "cert", nargs="?", metavar="CERT", help="import: the file with the certificate, then those of its issuers (PEM)"
)
KEY = argument(
    "key", nargs="?", metavar="KEY", help="import: the file with the private key (PEM, without a passphrase)"
)
NEW_KEY = argument("--new-key", action="store_true", help="renew: make a new key, except for your own certificate")
VERB = Verb(
    "certificate",
    "show the certificate, renew it, or import your own",
    run,
    (JSON, NEW_KEY, ACTION, CERTIFICATE, KEY),
    changes_machine=True,
    translated=True,
)
