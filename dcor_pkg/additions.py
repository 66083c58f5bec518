"""What an admin adds in folders that are for it: read by us, never touched."""

from __future__ import annotations

from dcor_pkg.errors import DcorError
from dcor_pkg.host import Host


def texts(host: Host, folder: str, ending: str) -> dict[str, str]:
    """Return the name and the text of each file in a folder whose name ends so, in the order of the names.

    Raises DcorError for one that cannot be read: a link that leads nowhere, a folder.
    """
    found = {}
    for name in host.names(folder):
        if not name.endswith(ending) or name.startswith("."):
            continue
        path = f"{folder}/{name}"
        if not host.path(path).is_file():
            raise DcorError(f"{path} is no file that can be read.", hint="Mend it, or give it another ending.")
        found[name] = host.read(path) or ""
    return found
