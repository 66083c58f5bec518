"""Build the next version of dcor-server in a machine, from the package that is mounted there."""

from __future__ import annotations

from dcor_dev.machine import Machine

NEXT = "/root/next.deb"
#: A change for make_next_version() that leads to another release.
OF_RELEASE = "echo '# another' >>/root/next/usr/share/dcor-server/dcor_pkg/runtime/__init__.py"
MAKE = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
{change}
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next {package}
"""


def make_next_version(machine: Machine, change: str = "") -> None:
    """Write the next version to NEXT; `change` is a shell command that changes the unpacked package in /root/next."""
    machine.shell(MAKE.format(change=change, package=NEXT))
