"""The directories of root's on the way to what CKAN, nginx and the engines read.

Programs that run do not notice that they cannot pass any more: they would not start again.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from dcor_pkg.kernel.directory import Directory
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI, CONFIGURATION, STATE

#: each after those that lead to it
DIRECTORIES = (
    CONFIGURATION,
    f"{CONFIGURATION}/tls",
    *(str(it) for it in reversed(PurePosixPath(CKAN_INI).parents) if len(it.parts) > 2),
    STATE,
    f"{STATE}/releases",
    f"{STATE}/configurations",
)


def steps() -> tuple[Directory, ...]:
    """Return the steps that let everybody pass; what is open already keeps its access."""
    return tuple(Directory(path, Access(0o755), shared=True) for path in DIRECTORIES)
