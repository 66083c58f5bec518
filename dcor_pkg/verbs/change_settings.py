"""Change the settings: the one way for the postinst and for `dcor-server set`.

New answers are validated together and tried on the machine before anything is saved; the next converge applies them.
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


def take(host: Host, answers: Mapping[str, str], passwords: Mapping[str, Secret], *, probe: bool = True) -> Settings:
    """Save answers and passwords, and return the settings.

    Settings without an answer stay as they are in the file, or in one that a purge has preserved. `probe`: whether to
    try the new settings on the machine, which is impossible in a chroot. Raises InvalidAnswer or DcorError before
    anything is changed.
    """
    saved = settings_file.read(host)
    wanted = settings.parse({**(settings_file.read_preserved(host) if saved is None else saved), **answers})
    for key, password in passwords.items():
        settings.validate(key, password.reveal())
    before = _settings_or_none(saved)
    if probe and (passwords or wanted != before):
        preflight.check_change(host, Proposal(before, wanted, {**external.passwords(host), **passwords}))
    for key, password in passwords.items():
        secrets.save(host, secrets.external(key), password)
    settings_file.save(host, wanted)
    external.forget_consent(host, wanted)
    return wanted


def _settings_or_none(answers: Mapping[str, str] | None) -> Settings | None:
    """Return the saved settings; None for a file with an error, which the new answers may fix."""
    try:
        return None if answers is None else settings.parse(answers)
    except DcorError:
        return None
