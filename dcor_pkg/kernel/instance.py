"""Which server this is: an id, made once, by which it recognises what is its own, and which a purge looks for.

The marker in the data directory has it, and the marks of the database and its roles. What lacks it may be another
program's, whatever its name.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcor_pkg.answers.settings import default
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

#: holds the id of this instance
INSTANCE = f"{paths.STATE}/instance"
#: the id of the instance that a purge has preserved; it is restored last, so until then nothing counts as restored
PRESERVED_INSTANCE = f"{paths.PRESERVED}/instance"
#: the setting that names the directory with the marker
DATA_DIRECTORY = "data-directory"
ACCESS = Access(0o644)
#: the name of the marker in the data directory; it holds the id of the instance whose data these are
MARKER = ".dcor-server"
#: exists while a purge deletes the data, and lists the directories whose data are gone (debian/dcor-server.postrm)
DELETION, DELETED = f"{paths.STATE}/deletion", f"{paths.STATE}/deleted"


def known(host: Host) -> str | None:
    """Return the text of the id's file, also of one that the next converge restores; None in a first installation.

    Where that file is lost, or empty, the marker in the data directory of the settings has the same text. Raises
    DcorError for settings that cannot be read then.
    """
    return next((text for text in map(host.read, _places(host)) if text and text.strip()), None)


def _places(host: Host) -> Iterator[str]:
    """Yield the files that have the id; the settings are read only by whoever comes to the last."""
    yield from (INSTANCE, PRESERVED_INSTANCE)
    if (answers := settings_file.read(host)) is not None:
        yield marker(answers.get(DATA_DIRECTORY, default(DATA_DIRECTORY)))


def marker(path: str) -> str:
    """Return the path of the marker in a data directory."""
    return f"{path}/{MARKER}"


def become(host: Host, text: str) -> None:
    """Be an instance from now on. What a purge has recorded of a former one concerns that one only."""
    host.remove(DELETION)
    host.remove(DELETED)
    host.write(INSTANCE, text, ACCESS)


def take_up_command(key: str) -> str:
    """Return the command by which an administrator says so, also before the first installation."""
    return f"mkdir -p {paths.CONFIGURATION} && touch {take_up(key)}"


def take_up(key: str) -> str:
    """Return the file by which an administrator lets this server have the content of a service: a setting's name."""
    return f"{paths.CONFIGURATION}/take-up-{key}"


def mark(host: Host) -> str | None:
    """Return the comment in PostgreSQL on what is this instance's; None where there is no instance yet."""
    text = known(host)
    return None if text is None else f"dcor-server instance {text.strip()}"


def check_deletion(host: Host, _: Proposal) -> None:
    """Raise DcorError where a purge was interrupted that had begun to delete the data: half of them may be left."""
    if host.exists(DELETION) and host.exists(INSTANCE):
        raise DcorError(
            "A purge that deletes all data of this server was interrupted.",
            f"apt purge dcor-server completes it. To use what is left of the data instead: rm {DELETION}",
        )
