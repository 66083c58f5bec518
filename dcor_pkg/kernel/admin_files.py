"""Files that an admin adds in directories meant for that: dcor-server reads them and never changes them."""

from __future__ import annotations

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host


def texts(host: Host, directory: str, ending: str) -> dict[str, str]:
    """Return the texts of the files in a directory whose names have this ending, by name and in its order.

    Hidden files are left out. Raises DcorError for one that cannot be read: a dangling link, a directory.
    """
    found = {}
    for name in host.names(directory):
        if not name.endswith(ending) or name.startswith("."):
            continue
        path = f"{directory}/{name}"
        if not host.path(path).is_file():
            raise DcorError(f"{path} is not a readable file.", hint=f"Fix it, or give it a name without {ending}.")
        found[name] = host.read(path) or ""
    return found
