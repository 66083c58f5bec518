"""Rules that each unit of ours obeys, whatever it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

DEBIAN = Path(__file__).resolve().parents[2] / "debian"
UNITS = sorted((*DEBIAN.glob("*.service"), *DEBIAN.glob("units/*.service")))
PROXIES = {
    name for scheme in ("http", "https", "ftp", "all", "no") for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper())
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_no_unit_has_a_proxy_that_an_administrator_sets_for_all_services(unit: Path) -> None:
    """systemd.exec(5): what UnsetEnvironment names is removed wherever it comes from, DefaultEnvironment included."""
    (line,) = (line for line in unit.read_text().splitlines() if line.startswith("UnsetEnvironment="))
    assert set(line.partition("=")[2].split()) == PROXIES
