"""Updates that nobody has to watch: what Debian's unattended-upgrades is told of repository, administrator and reboots.

Sources: unattended-upgrades 2.9.1, README.md ("Supported options reference"), and apt.conf(5): the files of apt.conf.d
are read in the order of their names, a later value replaces an earlier one, and lists are appended to.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine import package_manager, packages, paths
from dcor_pkg.machine.host import Host

#: its number is below those that Debian's packages and administrators use, so that theirs win
PATH = "/etc/apt/apt.conf.d/02dcor-server"
#: what apt calls before dpkg; the script is dcor_pkg/kernel/files/keep-packages
KEEP = "/usr/share/dcor-server/files/keep-packages"
#: Exists where apt has rejected a signature when it last looked for updates. It then goes on with the former index,
#: warns nobody who would read it, and ends with 0 (apt 2.6, apt-pkg/acquire-item.cc, CheckStopAuthentication).
REJECTED = f"{paths.STATE}/signature-rejected"


def steps(settings: Settings) -> tuple[ManagedFile, ...]:
    """Return the step that configures them. Where the package is not installed, nobody reads the file."""
    values = {"settings": settings, "keep": KEEP, "kept": packages.KEPT, "rejected": REJECTED}
    return (ManagedFile(PATH, "kernel/templates/updates.conf", values),)


def keep_given(host: Host) -> str:
    """Keep the packages of ours that a first installation is given as files, and return what there is to say of it.

    apt has read its configuration before it unpacked the package, so that it does not call the script this time.
    """
    given = "".join(f"{path}\n" for path in package_manager.given_files())
    try:
        return host.run(KEEP, text=given).strip() if given else ""
    except CommandFailed as error:
        return f"The packages are not kept for a repair. {error.reason}"
