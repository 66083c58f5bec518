"""The unit that converges may do what trying an addition needs."""

from __future__ import annotations

from pathlib import Path

from dcor_pkg.nginx.additions import VALIDATE_ADDITIONS

UNIT = Path(__file__).resolve().parents[3] / "debian/dcor-server.dcor-converge.service"


def test_the_unit_that_converges_may_make_a_mount_namespace() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert VALIDATE_ADDITIONS[:2] == ("unshare", "--mount")
    assert "\nRestrictNamespaces=mnt\n" in text
    assert "CAP_SYS_ADMIN" not in text
    assert "@mount" not in text
