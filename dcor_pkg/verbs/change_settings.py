"""Change the settings: the one way for the postinst and for `dcor-server set`.

New answers are judged together, and tried on the machine, before anything is saved; a converge makes them true.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcor_pkg import preflight
from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets, settings_file
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host
from dcor_pkg.services import external


def take(host: Host, answers: Mapping[str, str], given: Mapping[str, Secret], *, tried: bool = True) -> Settings:
    """Save answers and the passwords that came with them, and return the settings.

    What is not among the answers stays as it is in the file, or in one that a purge has put by. `tried`: whether the
    machine can be asked already, which it cannot in a chroot. Raises InvalidAnswer or DcorError before anything is changed.
    """
    kept = settings_file.read(host)
    wanted = settings.parse({**(settings_file.read_preserved(host) if kept is None else kept), **answers})
    for key, password in given.items():
        settings.validate(key, password.reveal())
    before = _settings_or_none(kept)
    if tried and (given or wanted != before):
        preflight.check_change(host, Proposal(before, wanted, {**external.passwords(host), **given}))
    for key, password in given.items():
        secrets.save(host, secrets.external(key), password)
    settings_file.save(host, wanted)
    return wanted


def _settings_or_none(answers: Mapping[str, str] | None) -> Settings | None:
    """Return what the file says; a file with a mistake in it, which new answers may mend, says nothing."""
    try:
        return None if answers is None else settings.parse(answers)
    except DcorError:
        return None
