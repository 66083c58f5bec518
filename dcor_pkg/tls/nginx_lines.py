"""Lines for nginx that depend on the served certificate: files that the site includes where they exist."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host
from dcor_pkg.tls.pair import DIRECTORY, PUBLIC, Pair


def path(name: str) -> str:
    """Return the file with the lines of this name."""
    return f"{DIRECTORY}/{name}.conf"


def included(name: str) -> str:
    """Return what the site includes: nginx accepts that nothing matches it, while a file without * has to exist."""
    return f"{DIRECTORY}/{name}*.conf"


@dataclass(frozen=True)
class NginxLines(abc.ABC):
    """A step that has a file for nginx there where the served certificate allows it, and nowhere else."""

    served: Pair
    file: ClassVar[str]
    text: ClassVar[str]

    @abc.abstractmethod
    def allowed(self, host: Host) -> bool:
        """Return whether the served certificate allows the lines. Raises DcorError where none is served."""

    def check(self, host: Host) -> str | None:
        found, wanted = host.read(self.file), self._wanted(host)
        if found is not None and wanted is None:
            return f"{self.file} is there, and the certificate does not allow it"
        if found != wanted:
            return f"{self.file} {'is missing' if found is None else 'has another text'}"
        drift = None if found is None else host.access_drift(self.file, PUBLIC)
        return None if drift is None else f"{self.file} {drift}"

    def apply(self, host: Host) -> None:
        pending.request(host, pending.RELOAD_NGINX)
        if (wanted := self._wanted(host)) is None:
            host.remove(self.file)
        else:
            host.write(self.file, wanted, PUBLIC)

    def _wanted(self, host: Host) -> str | None:
        """Return the text of the file, None for no file."""
        try:
            return self.text if self.allowed(host) else None
        except DcorError:
            return None  # the step of the certificate reports it
