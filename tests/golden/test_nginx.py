"""Rendered files are, byte by byte, the ones in this directory.

`GOLDEN=accept scripts/test golden` writes the new texts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import site as nginx
from tests.unit.nginx.nginx_server import NAME, facts

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "version", "openssl", "ipv6"),
    [("1.22", (1, 22, 1), (3, 0, 17), True), ("1.26-without-ipv6", (1, 26, 3), (3, 5, 4), False)],
)
def test_the_site_is_as_expected(
    tmp_path: Path, name: str, version: tuple[int, ...], openssl: tuple[int, ...], ipv6: bool
) -> None:
    """A change of the template shows here as nginx is going to read it."""
    expected = HERE / f"nginx-{name}.conf"
    text = nginx.site(Settings(hostname=NAME), facts(version, ipv6=ipv6, openssl=openssl)).text(Host(root=tmp_path))
    if os.environ.get("GOLDEN") == "accept":
        expected.write_text(text)
    assert text == expected.read_text()
