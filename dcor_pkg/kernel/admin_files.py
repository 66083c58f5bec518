"""What an admin adds in directories that are for it: read by us, never touched."""

from __future__ import annotations

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host


def texts(host: Host, directory: str, ending: str) -> dict[str, str]:
    """Return the name and the text of each file in a directory whose name ends so, in the order of the names.

    Raises DcorError for one that cannot be read: a link that leads nowhere, a directory.
    """
    found = {}
    for name in host.names(directory):
        if not name.endswith(ending) or name.startswith("."):
            continue
        path = f"{directory}/{name}"
        if not host.path(path).is_file():
            raise DcorError(f"{path} is no file that can be read.", hint="Mend it, or give it another ending.")
        found[name] = host.read(path) or ""
    return found
