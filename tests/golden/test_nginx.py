"""What is rendered for a server is, byte by byte, what lies here. GOLDEN=accept scripts/test golden takes changes over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcor_pkg.host import Host
from dcor_pkg.settings import Settings
from dcor_pkg.steps import nginx
from tests.unit.door import NAME, facts

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "version", "ipv6"), [("1.22", (1, 22, 1), True), ("1.26-without-ipv6", (1, 26, 3), False)]
)
def test_the_site_is_as_expected(tmp_path: Path, name: str, version: tuple[int, ...], ipv6: bool) -> None:
    """A change of the template shows here as nginx will see it."""
    expected = HERE / f"nginx-{name}.conf"
    text = nginx.site(Settings(hostname=NAME), facts(version, ipv6=ipv6)).text(Host(root=tmp_path))
    if os.environ.get("GOLDEN") == "accept":
        expected.write_text(text)
    assert text == expected.read_text()
