"""What a purge has preserved is restored whole, once, and not over what was given since."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.instance import INSTANCE, PRESERVED_INSTANCE
from dcor_pkg.kernel.preserved import DIRECTORIES, PreservedSettings
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import PRESERVED
from dcor_pkg.services import external

SECRET = Access(0o600)
QUEUE = secrets.external("redis-password")
STEP = PreservedSettings()


@pytest.fixture
def purged(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a machine on which dcor-server was purged; programs work on its files."""
    kept = {"secrets/ckan-secret-key": "key\n", f"secrets/{QUEUE}": "old\n", "tls/certificate.pem": "certificate\n"}
    for name, text in {**kept, "instance": "id\n"}.items():
        host.write(f"{PRESERVED}/{name}", text, SECRET)

    def run(self: Host, *argv: str, environment: Mapping[str, str] | None = None) -> str:
        inside = [str(self.path(part)) if part.startswith("/") else part for part in argv]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout

    monkeypatch.setattr(Host, "run", run)
    return host


def test_a_purge_preserves_each_directory_that_is_restored() -> None:
    postrm = (Path(__file__).parents[3] / "debian/dcor-server.postrm").read_text(encoding="utf-8")
    preserved = postrm.partition("copy_to_kept() {")[2].partition("sync")[0].split()
    assert {f"/etc/dcor-server/{name}" for name in DIRECTORIES} <= {word.rstrip(";") for word in preserved}


def test_everything_is_restored_except_what_was_given_again(purged: Host) -> None:
    secrets.save(purged, QUEUE, Secret("new"))
    assert STEP.check(purged)
    STEP.apply(purged)
    assert STEP.check(purged) is None
    assert (secrets.read(purged, "ckan-secret-key"), secrets.read(purged, QUEUE)) == (
        Secret("key"),
        Secret("new"),
    )
    assert purged.access(secrets.path("ckan-secret-key")) == SECRET
    assert purged.names("/etc/dcor-server") == ["secrets", "tls"]
    assert purged.read(INSTANCE) == "id\n"


def test_a_copy_that_a_power_cut_has_left_half_done_is_made_again(purged: Host) -> None:
    purged.write(f"{secrets.DIRECTORY}.kept/ckan-secret-key", "", SECRET)
    assert STEP.check(purged)
    STEP.apply(purged)
    assert secrets.read(purged, "ckan-secret-key") == Secret("key")


def test_it_is_not_restored_twice(purged: Host) -> None:
    STEP.apply(purged)
    purged.remove("/etc/dcor-server/tls/certificate.pem")
    assert STEP.check(purged) is None


def test_a_preserved_password_is_used_before_it_is_restored(purged: Host) -> None:
    assert external.passwords(purged) == {"redis-password": Secret("old")}
    secrets.save(purged, QUEUE, Secret("new"))
    assert external.passwords(purged) == {"redis-password": Secret("new")}
    purged.remove(secrets.path(QUEUE))
    purged.write(INSTANCE, purged.read(PRESERVED_INSTANCE) or "", SECRET)
    assert external.passwords(purged) == {}
