"""The Python of a virtual environment, by its own name, python3.11: python3 is another one after Debian's upgrade.

Debian keeps the former Python as long as a package depends on it, so what was made with it goes on until its successor
is proven. Modules and libraries of an environment are for one version of Python only.
"""

from __future__ import annotations

import re

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host

#: in pyvenv.cfg (Python's documentation, "venv")
VERSION = re.compile(r"^version = (\d+\.\d+)", re.MULTILINE)


def name(host: Host, home: str) -> str:
    """Return the name of the Python that the environment in `home` was made with. Raises DcorError."""
    if (found := find(host, home)) is None:
        reason = f"{home}/pyvenv.cfg does not say with which Python the environment was made."
        raise DcorError(reason, "apt install --reinstall python-ckan, then: dcor-server converge")
    return found


def find(host: Host, home: str) -> str | None:
    """Return that name; where a damaged file does not say it, by the directory of its modules; or None."""
    if (found := VERSION.search(host.read(f"{home}/pyvenv.cfg") or "")) is not None:
        return f"python{found[1]}"
    libraries = [name for name in host.names(f"{home}/lib") if name.startswith("python3")]
    return libraries[0] if len(libraries) == 1 else None


def program(host: Host, home: str) -> str:
    """Return the path of that Python. Raises DcorError where it is not installed."""
    path = f"/usr/bin/{name(host, home)}"
    if not host.exists(path):
        raise DcorError(f"{path} is missing, which {home} was made with.", f"apt install {name(host, home)}")
    return path


def site_packages(host: Host, home: str) -> str:
    """Return the directory of its modules. There may be those of another Python beside, which are not used."""
    return f"{home}/lib/{name(host, home)}/site-packages"
