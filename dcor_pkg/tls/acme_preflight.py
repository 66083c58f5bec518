"""What is refused before a certificate comes from an authority by ACME: in one sentence, before anything is changed.

In a first installation neither the authority nor the DNS need be reached: the server begins with a self-signed one.
"""

from __future__ import annotations

import json
import secrets

from dcor_pkg.answers import server_names
from dcor_pkg.answers.settings import ACME, DNS_01, ROWS, InvalidAnswer, Settings, as_answers
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import preserved
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import http_request, paths
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import acme_authority
from dcor_pkg.tls.acme_client import HOOK

#: what the authority and the DNS depend on
KEYS = ("certificate", "hostname", "certificate-names", "acme-directory", "acme-challenge", "acme-authority")
HOOK_SECONDS = 600.0
HOOK_HINT = (
    f"The program {HOOK} is called as root with add or remove, the name of a TXT record, and its value. An example for "
    "nsupdate: /usr/share/doc/dcor-server/examples/dns-hook"
)


def check(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer for the first reason why no authority could issue a certificate with the wanted settings."""
    wanted, before = proposal.wanted, proposal.before
    if wanted.certificate != ACME or (before is not None and _relevant(before) == _relevant(wanted)):
        return
    _check_names(wanted)
    authority = _authority(host, wanted)
    if wanted.acme_challenge == DNS_01:
        _check_hook(host, wanted, is_tried=before is not None)
    if before is not None:
        _check_directory(wanted, authority)


def _relevant(settings: Settings) -> list[str]:
    answers = as_answers(settings)
    return [answers[key] for key in KEYS]


def _invalid(settings: Settings, key: str, reason: str, hint: str = "") -> InvalidAnswer:
    return InvalidAnswer(f"dcor-server/{key}", as_answers(settings)[key], reason, hint or ROWS[key].hint)


def _check_names(wanted: Settings) -> None:
    if wanted.hostname == "localhost":
        raise _invalid(wanted, "hostname", "is the name of every machine, so no authority issues a certificate for it")
    if server_names.addresses(wanted.certificate_names):
        reason = "contains an IP address, for which certbot asks for no certificate"
        raise _invalid(wanted, "certificate-names", reason, "Remove it, or use another kind of certificate.")


def _authority(host: Host, wanted: Settings) -> str:
    """Return the certificates of the admin's own authority; nothing where there is none. Raises InvalidAnswer."""
    if not wanted.acme_authority:
        return ""
    try:
        text = _read(host, wanted.acme_authority)
    except DcorError as error:  # a directory, or a link that others may exchange
        reason = error.reason.removeprefix(f"{wanted.acme_authority} ")
        raise _invalid(wanted, "acme-authority", reason, error.hint or acme_authority.HINT) from None
    if (wrong := acme_authority.unusable(text)) is not None:
        raise _invalid(wanted, "acme-authority", wrong, acme_authority.HINT)
    return text or ""


def _read(host: Host, path: str) -> str | None:
    """Return the text of a file, also of one that a purge has preserved."""
    text, inside = host.read(path), path.partition(f"{paths.CONFIGURATION}/")[2]
    return preserved.read(host, inside) if text is None and inside else text


def _check_hook(host: Host, wanted: Settings, *, is_tried: bool) -> None:
    access = host.access(HOOK)
    if access is None and _read(host, HOOK) is not None:
        return
    if access is None:
        raise _invalid(wanted, "acme-challenge", f"requires {HOOK}, which does not exist", HOOK_HINT)
    if access.owner != "root" or access.mode & 0o022 or not access.mode & 0o100:
        reason = f"requires {HOOK}, which is {access}: only root may write it, and it has to be executable"
        raise _invalid(wanted, "acme-challenge", reason, f"chown root:root {HOOK}; chmod 0700 {HOOK}")
    host.require_trusted(HOOK)
    if is_tried:
        _try_hook(host, wanted)


def _try_hook(host: Host, wanted: Settings) -> None:
    """Make a record as the authority is going to look for it, and remove it again."""
    name, value = f"_acme-challenge.{wanted.hostname}", f"trial-{secrets.token_hex(8)}"
    try:
        for act in ("add", "remove"):
            host.run(HOOK, act, name, value, timeout=HOOK_SECONDS)
    except CommandFailed as failure:
        words = failure.hint.strip().splitlines()
        reason = f"{failure.reason}{f' ({words[-1]})' if words else ''}"
        raise _invalid(wanted, "acme-challenge", reason, HOOK_HINT) from None


def _check_directory(wanted: Settings, authority: str) -> None:
    answer = http_request.get(wanted.acme_directory, authority)
    if answer.status != 200:
        words = answer.body if answer.status == 0 else f"it answers {answer.status}"
        hint = "Is the address right, and reached from this machine? An authority of your own needs acme-authority."
        raise _invalid(wanted, "acme-directory", f"cannot be reached ({words})", hint)
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "newOrder" not in found:
        raise _invalid(wanted, "acme-directory", "is not the directory of an ACME server (RFC 8555)")
