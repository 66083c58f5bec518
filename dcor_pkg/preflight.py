"""Refuse, with a reason, before the first change: a tuple of checks, each in the room of the thing that it looks at.

A check takes the machine and a proposal, and raises DcorError, mostly InvalidAnswer, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import checkouts, ckan_ini, named_files, release, release_room, sizes, temporary_directories
from dcor_pkg.kernel import data_directory, instance
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import service as nginx
from dcor_pkg.nginx import trial
from dcor_pkg.services import external, mail_relay
from dcor_pkg.services import preflight as services_preflight
from dcor_pkg.tls import acme_preflight, own_certificate

Check = Callable[[Host, Proposal], None]

#: before each converge
MACHINE: tuple[Check, ...] = (
    instance.check_deletion,
    sizes.check_memory,
    data_directory.check_trusted,
    data_directory.check_path,
    release.check_programs,
    release_room.check,
    nginx.check_ports,
    services_preflight.check,
    ckan_ini.check_additions,
)
#: before new settings are saved
CHANGE: tuple[Check, ...] = (
    named_files.check,
    checkouts.check,
    *MACHINE,
    data_directory.check_owner,
    temporary_directories.check,
    own_certificate.check_own_certificate,
    acme_preflight.check,
    mail_relay.check_mail_relay,
    trial.check,
)


def check(host: Host, settings: Settings) -> None:
    """Raise DcorError for the first reason why a converge would be useless."""
    proposal = Proposal(settings, settings, external.passwords(host))
    for one in (*MACHINE, external.check):
        one(host, proposal)


def check_change(host: Host, proposal: Proposal) -> None:
    """Raise DcorError for the first reason why the wanted settings cannot be used on this machine."""
    for one in (*CHANGE, external.check):
        one(host, proposal)
