"""The file of the settings: `/etc/dcor-server/dcor-server.conf` (root only), the one source of truth.

The answers of debconf become settings only by being saved here.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import InvalidAnswer, Settings, as_answers, parse
from dcor_pkg.answers.settings_text import HEADER, KEPT, PATH, answers_in, changed, line_of
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host

ACCESS = Access(0o640)


def read(host: Host) -> dict[str, str] | None:
    """Return the answers that the file holds, or None where there is none. Raises DcorError naming the line."""
    text = host.read(PATH)
    return None if text is None else answers_in(text)


def read_preserved(host: Host) -> dict[str, str]:
    """Return the answers of an installation that was purged. Raises DcorError naming the line."""
    return answers_in(host.read(KEPT) or HEADER, KEPT)


def load(host: Host) -> Settings:
    """Return the settings of this machine. Raises DcorError where there are none, or bad ones, naming the line."""
    answers = read(host)
    if answers is None:
        raise DcorError(f"{PATH} is missing.", hint="dpkg-reconfigure dcor-server asks for the settings.")
    try:
        return parse(answers)
    except InvalidAnswer as refused:
        line = line_of(host.read(PATH) or "", refused.question.partition("/")[2])
        raise DcorError(f"{PATH}{line}: {refused.reason}", refused.hint) from None


def save(host: Host, settings: Settings) -> None:
    """Write the file, if that changes it; where there is none, with the comments of one that a purge has put by."""
    before = host.read(PATH)
    text = changed(before or host.read(KEPT) or HEADER, as_answers(settings))
    if before != text or host.access(PATH) != ACCESS:
        host.write(PATH, text, ACCESS)
