"""Let nginx try a site before anything is changed, in a mount namespace that ends with the command."""

from __future__ import annotations

from dataclasses import replace

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import additions
from dcor_pkg.nginx.site import ENABLED, READ, SITE, SITES, UNREAD, UNREAD_HINT, is_read, site
from dcor_pkg.services.object_store.local import TOKEN
from dcor_pkg.tls.pair import PAIRS

HINT = "Nothing was changed. Look for what contradicts it in the other files of nginx: nginx -T"


def check(host: Host, proposal: Proposal) -> None:
    """Raise DcorError if nginx would not read, or not accept, the site that is proposed."""
    if not host.exists(SITES):
        raise DcorError(UNREAD, f"mkdir {SITES}. {UNREAD_HINT}")
    if SITE in managed_file.changed_by_admin(host):
        return  # it stays as it is, and the new text is written next to it
    if host.exists(SITE) and host.target(ENABLED) == SITE:
        _try_text(host, proposal)
    elif not is_read(_run(host, f"mount -t tmpfs tmpfs {SITES}; : >{ENABLED}; exec {' '.join(READ)}")):
        raise DcorError(UNREAD, UNREAD_HINT)


def _try_text(host: Host, proposal: Proposal) -> None:
    """Try the text of the proposed site in the place of the present one."""
    wanted = proposal.wanted
    if proposal.before is not None and None in PAIRS[wanted.certificate].read(host):
        wanted = replace(wanted, certificate=proposal.before.certificate)  # the other one is made by a step
    with host.private_file(site(wanted, facts.read(host)).text(host)) as path:
        script = f"{_without_token(host)}mount --bind {host.path(path)} {SITE}; exec {' '.join(additions.VALIDATE)}"
        _run(host, script)


def _without_token(host: Host) -> str:
    """Return commands for a machine without the file with nginx's token, which a step of the local store makes."""
    directory, _, name = TOKEN.rpartition("/")
    return "" if host.exists(TOKEN) else f"mount -t tmpfs -o mode=700 tmpfs {directory}; : >{directory}/{name}; "


def _run(host: Host, script: str) -> str:
    try:
        return host.run("unshare", "--mount", "sh", "-ec", script)
    except CommandFailed as failure:
        words = additions.with_admin_paths(failure.hint).splitlines()
        reason = f"nginx does not accept its configuration with these settings: {words[0] if words else failure.reason}"
        raise DcorError(reason, HINT) from None
