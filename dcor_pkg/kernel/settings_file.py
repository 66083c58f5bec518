"""Read and write the settings file, `/etc/dcor-server/dcor-server.conf` (root only): the one source of truth.

Debconf's answers have no effect until they are saved in it.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import InvalidAnswer, Settings, as_answers, parse
from dcor_pkg.answers.settings_text import HEADER, PATH, PRESERVED_PATH, answers_in, changed, line_of
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.language import _

ACCESS = Access(0o640)


def read(host: Host) -> dict[str, str] | None:
    """Return the answers in the file, or None if there is no file. Raises DcorError naming the line."""
    text = host.read(PATH)
    return None if text is None else answers_in(text)


def read_preserved(host: Host) -> dict[str, str]:
    """Return the answers that a purge has preserved, if any. Raises DcorError naming the line."""
    return answers_in(host.read(PRESERVED_PATH) or HEADER, PRESERVED_PATH)


def load(host: Host) -> Settings:
    """Return the settings of this machine. Raises DcorError if the file is missing, or invalid (naming the line)."""
    answers = read(host)
    if answers is None:
        raise DcorError(
            _("{path} is missing.").format(path=PATH), _("dpkg-reconfigure dcor-server asks for the settings.")
        )
    try:
        return parse(answers)
    except InvalidAnswer as invalid:
        line = line_of(host.read(PATH) or "", invalid.key)
        raise DcorError(f"{PATH}{line}: {invalid.reason}", invalid.hint) from None


def save(host: Host, settings: Settings) -> None:
    """Write the file if that changes it. A new file gets the comments of one that a purge has preserved."""
    before = host.read(PATH)
    text = changed(before or host.read(PRESERVED_PATH) or HEADER, as_answers(settings))
    if before != text or host.access(PATH) != ACCESS:
        host.write(PATH, text, ACCESS)
