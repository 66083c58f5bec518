"""What a client rejects: an expired Release file, what was tampered with, another key. How a key follows another."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from apt_client import SUITE, Client, secret_key
from dcor_dev import keyring, publication
from dcor_dev.errors import DevError
from dcor_dev.publication import Suite
from dcor_dev.repository import PUBLIC
from publisher import NAMES, Publisher, pool, state

pytestmark = pytest.mark.upgrades

CONFIGURATION = Path(__file__).resolve().parents[2] / "dcor_pkg/kernel/templates/updates.conf"


@pytest.fixture(scope="module")
def release_keys(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two private keys, in files."""
    top = tmp_path_factory.mktemp("keys")
    return [secret_key(top / name) for name in ("former", "next")]


def test_an_expired_release_file_is_refused_and_a_refresh_helps(publisher: Publisher, machine: Client) -> None:
    publisher.policy = dataclasses.replace(PUBLIC, valid=timedelta(seconds=1))
    publisher.add(1)
    time.sleep(2)
    assert "is expired" in machine.update()
    publisher.policy = PUBLIC
    before = pool(publisher)
    publisher.refresh()
    assert machine.update() == ""
    assert pool(publisher) == before
    assert machine.versions(NAMES[0]) == ["1.0"]


def test_a_package_that_was_tampered_with_is_refused(publisher: Publisher, machine: Client) -> None:
    publisher.add(1)
    assert machine.update() == ""
    (deb,) = publisher.apt.glob(f"pool/main/{NAMES[0]}/*.deb")
    deb.write_bytes(deb.read_bytes().replace(b"Description: x", b"Description: y"))
    assert "Hash Sum mismatch" in machine.download(NAMES[0])
    assert machine.download(NAMES[1]) == ""


def test_an_index_or_release_file_that_was_tampered_with_is_refused(publisher: Publisher, machine: Client) -> None:
    publisher.add(1)
    assert machine.update() == ""
    publisher.add(2)
    current = Suite(publisher.apt, SUITE).link
    release = (current / "InRelease").read_text()
    (current / "InRelease").write_text(release.replace("Origin: DCOR", "Origin: Evil"))
    assert machine.update() != ""
    (current / "InRelease").write_text(release)
    for path in (current / publication.INDEX).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes() + b"\n")
    assert machine.update() != ""
    assert machine.versions(NAMES[0]) == ["1.0"]


def test_another_key_is_refused_and_what_the_client_has_stays(
    publisher: Publisher, machine: Client, release_keys: list[Path]
) -> None:
    publisher.add(1)
    assert machine.update() == ""
    publisher.keys = release_keys[:1]
    publisher.add(2)  # without a package of the keyring nothing is known about the servers' keys
    assert "NO_PUBKEY" in machine.update()
    assert machine.versions(NAMES[0]) == ["1.0"]


def test_a_key_follows_another_without_a_hand_on_any_machine(
    publisher: Publisher, machines: Callable[[bytes], Client], release_keys: list[Path]
) -> None:
    former, following = release_keys
    publisher.keys = [former]
    old = machines(publisher.public())
    publisher.add(1, publisher.keyring("1"))
    publisher.keys = [following]
    new = machines(publisher.public())
    assert old.update() == ""
    assert new.update() != ""
    publisher.keys = [former, following]
    publisher.add(2, publisher.keyring("2"))
    assert (old.update(), new.update()) == ("", "")
    assert old.download(keyring.PACKAGE) == ""
    (taken,) = old.top.glob(f"{keyring.PACKAGE}_2_*.deb")
    publisher.keys = [following]
    publisher.add(3, publisher.keyring("3"))
    assert new.update() == ""
    assert "NO_PUBKEY" in old.update()
    (old.top / "keys.gpg").write_bytes(keyring.keys(taken))
    assert old.update() == ""
    assert old.versions(NAMES[0])[0] == "3.0"


def test_nothing_is_signed_with_keys_that_the_servers_do_not_have(
    publisher: Publisher, release_keys: list[Path]
) -> None:
    former, following = release_keys
    publisher.keys = [former]
    publisher.add(1, publisher.keyring("1"))
    before = state(publisher.apt)
    publisher.keys = [following]
    for act in (lambda: publisher.add(2, publisher.keyring("2")), publisher.refresh):
        with pytest.raises(DevError, match=r"dcor-archive-keyring_1_all.deb, which the servers have, has none of the"):
            act()
    with_next = publisher.keyring("3")
    publisher.keys = [former]
    with pytest.raises(DevError, match=r"dcor-archive-keyring_3_all.deb, which is published now, has none of the keys"):
        publisher.add(2, with_next)
    assert state(publisher.apt) == before


def test_a_rejected_signature_is_noted_though_apt_ends_well(
    publisher: Publisher, machine: Client, release_keys: list[Path], tmp_path: Path
) -> None:
    """By the hooks of our configuration: `status` tells it."""
    marker = tmp_path / "signature-rejected"
    hooks = [line for line in CONFIGURATION.read_text().splitlines() if line.startswith("APT::Update::")]
    text = (machine.top / "apt.conf").read_text().replace('APT::Update::Error-Mode "any";', "")
    (machine.top / "apt.conf").write_text(text + "\n".join(hooks).replace("{{ rejected }}", str(marker)))
    publisher.add(1)
    assert (machine.update(), marker.exists()) == ("", False)
    publisher.keys = release_keys[:1]
    publisher.add(2)
    assert (machine.update(), marker.exists()) == ("", True)
    assert machine.versions(NAMES[0]) == ["1.0"]
    publisher.keys = []
    publisher.add(3)
    assert (machine.update(), marker.exists()) == ("", False)
    assert machine.versions(NAMES[0])[0] == "3.0"
