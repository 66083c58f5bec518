"""The directories of logs, without which programs do not start, also those of Debian's packages.

Where /var/log is in memory it is empty after each boot; systemd makes them anew then, by the same file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dcor_pkg.machine.host import Host

#: from debian/dcor-server.tmpfiles (tmpfiles.d(5))
FILE, PREFIX = "/usr/lib/tmpfiles.d/dcor-server.conf", "/var/log"
DECLARED = re.compile(rf"^[df] ({PREFIX}/\S+)", re.MULTILINE)


@dataclass(frozen=True)
class LogDirectories:
    """Directories with the access that their packages give them; existing ones keep theirs."""

    name: str = "log directories"

    def check(self, host: Host) -> str | None:
        declared = DECLARED.findall(host.read(FILE) or "")
        missing = [path for path in declared if not host.exists(path)]
        return f"{missing[0]} is missing" if missing else None

    def apply(self, host: Host) -> None:
        host.run("systemd-tmpfiles", "--create", f"--prefix={PREFIX}", FILE)
