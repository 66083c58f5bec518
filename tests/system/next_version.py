"""The next version of dcor-server, made inside a machine of the one that it is shown."""

from __future__ import annotations

from dcor_dev.machine import Machine

NEXT = "/root/next.deb"
#: what makes it want another release
OF_RELEASE = "echo '# another' >>/root/next/usr/share/dcor-server/dcor_pkg/runtime/__init__.py"
MAKE = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
{change}
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next {package}
"""


def make_next_version(machine: Machine, change: str = "") -> None:
    """Lay the next version at NEXT; `change` is shell that changes what is unpacked in /root/next."""
    machine.shell(MAKE.format(change=change, package=NEXT))
