"""The next version of dcor-server, made in a machine from the package that is installed there."""

from __future__ import annotations

from dcor_dev.machine import Machine

NEXT = "/root/next.deb"
#: a change that makes another release; a comment would not
OF_RELEASE = "echo 'ANOTHER = 1' >>/root/next/usr/share/dcor-server/dcor_pkg/runtime/__init__.py"
MAKE = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
{change}
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next {package}
"""


def make_next_version(machine: Machine, change: str = "") -> None:
    """Make the next version, the file NEXT; `change` is a shell command that edits its unpacked files in /root/next."""
    machine.shell(MAKE.format(change=change, package=NEXT))
