"""`dcor-server certificate show | renew | import CERT KEY`: the certificate that nginx serves."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
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
from dcor_pkg.verbs.verb import DRIFT, FAILED, OK, Action, Console, argument, verb_of


def show(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Show the certificate; 3 where it should not be served, or its chain is incomplete."""
    found = describe(host, settings_file.load(host))
    console.out(json.dumps(asdict(found), indent=1) if options.json else "\n".join(found.lines()))
    return OK if found.chain_complete and not found.problem else DRIFT


def renew(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Renew the certificate, which for one of the administrator's own is to read its files again."""

    def change() -> None:
        settings = settings_file.load(host)
        if settings.certificate == OWN:
            _require_renewable(host, settings, new_key=options.new_key)
        elif settings.certificate == ACME:
            _ask_authority(host, new_key=options.new_key)
        else:
            self_signed.step(settings).renew(host, new_key=options.new_key)

    code = converge_after(host, options, console, change, partial(_served, host))
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


def import_(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Take up a certificate of the administrator's own."""
    given = Pair(str(Path.cwd() / options.cert), str(Path.cwd() / options.key))
    answers = {
        "certificate": OWN,
        own_certificate.CERTIFICATE_FILE: imported.FILES.certificate,
        own_certificate.CERTIFICATE_KEY: imported.FILES.key,
    }

    def change() -> None:
        with imported.replaced(host, given, settings_file.load(host).hostname):
            change_settings.take(host, answers, {})

    return converge_after(host, options, console, change, partial(_served, host))


def _served(host: Host) -> dict[str, object]:
    """Return for JSON what is served now, as `show` does; null where there is none, and the steps say why."""
    try:
        return {"certificate": asdict(describe(host, settings_file.load(host)))}
    except DcorError:
        return {"certificate": None}


VERB = verb_of(
    "certificate",
    "show the certificate, renew it, or import your own",
    Action("show", "show what is served", show),
    Action(
        "renew",
        "make a self-signed one anew, ask the authority for another one, or read your own again",
        renew,
        (argument("--new-key", action="store_true", help="with another key; not for your own certificate"),),
    ),
    Action(
        "import",
        "take up your own",
        import_,
        (
            argument("cert", metavar="CERT", help="the file with the certificate, then those of its issuers (PEM)"),
            argument("key", metavar="KEY", help="the file with the private key (PEM, without a passphrase)"),
        ),
    ),
    changes_machine=True,
    translated=True,
)
