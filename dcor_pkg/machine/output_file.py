"""Let a program write into a file that its user could not open: root opens it, in a directory of root's."""

from __future__ import annotations

import os

from dcor_pkg.machine import process
from dcor_pkg.machine.file_errors import explained
from dcor_pkg.machine.followed_file import Report, followed
from dcor_pkg.machine.host import Access, Host

ACCESS = Access(0o600)


def run_into(host: Host, path: str, *argv: str, user: str | None, timeout: float, report: Report | None = None) -> None:
    """Run a program to its end, for at most `timeout` seconds, with a new file as its standard output.

    `report` is called with each line as it comes.

    Raises CommandFailed and DcorError; then the file is not complete.
    """
    host.require_trusted(path)
    host.write(path, "", ACCESS)
    with explained(host.root, path, "written"):
        descriptor = os.open(host.path(path), os.O_WRONLY | os.O_NOFOLLOW)
    try:
        with followed(host.path(path), report):
            process.run_into(argv, descriptor, user=user, environment=host.environment, timeout=timeout)
    finally:
        os.close(descriptor)
