"""A repository that cannot be trusted changes nothing, `status` says so, and what is repaired is taken.

The tests share a machine, which the last one upgrades.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from apt_client import secret_key
from dcor_dev import layers, repository, signing
from dcor_dev.machine import Machine
from next_set import MOUNTED, NIGHT, TOGETHER, next_versions, use, versions
from survival import assert_apt_works
from website import WAIT_FOR_UPGRADE, assert_healthy, serves, wait_until_idle

from dcor_pkg.kernel import updates
from dcor_pkg.machine import packages

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

ADDRESS = "http://127.0.0.1:8099"
#: By http, as from another computer: apt reads indices in a directory of its own machine in their place, and later. The
#: key of the first publication stays the machine's.
TRUST = f"""
systemd-run --quiet --unit=repository python3 -m http.server --bind 127.0.0.1 --directory {MOUNTED} 8099
until curl --silent --fail --output /dev/null {ADDRESS}/{repository.PUBLIC_KEYS}; do sleep 0.1; done
cp {MOUNTED}/{repository.PUBLIC_KEYS} /etc/apt/next.gpg
sed -i 's,signed-by=[^]]*,signed-by=/etc/apt/next.gpg,; s,file:{MOUNTED},{ADDRESS},' /etc/apt/sources.list.d/next.list
apt-get update
"""
#: Neither timer of apt starts twice a day.
AGAIN = "rm -f /var/lib/apt/periodic/*"
#: as if that night had been some days ago
DAYS_AGO = f"touch --date='3 days ago' {packages.LISTS}"


@dataclass(frozen=True)
class Published:
    """A repository, whose content changes while machines use it."""

    top: Path
    suite: str
    former: list[Path]
    following: list[Path]
    other_key: Path

    def fill(self, debs: list[Path], *keys: Path, valid: timedelta | None = None) -> None:
        """Let it consist of these packages; what a test has damaged is made anew, since it has others in between."""
        policy = dataclasses.replace(repository.BUILT, valid=valid)
        others = self.former if debs is self.following else self.following
        with signing.signer(*keys) as signer, repository.locked(self.top, signer, policy) as apt:
            for content in (others, debs):
                apt.fill(self.suite, content)

    def expire(self) -> None:
        """Offer a Release file that has expired."""
        self.fill(self.following, valid=timedelta(seconds=1))
        time.sleep(2)

    def change_key(self) -> None:
        """Offer what another key has signed."""
        self.fill(self.following, self.other_key)

    def tamper_with_release(self) -> None:
        """Offer a Release file that was changed after it was signed."""
        self.fill(self.following)
        file = self.top / "dists" / self.suite / "InRelease"
        file.write_text(file.read_text().replace("Origin: DCOR", "Origin: Evil"))

    def tamper_with_package(self) -> None:
        """Offer a package that was changed after it was listed."""
        self.fill(self.following)
        (deb,) = self.top.glob("pool/**/dcor-server_*.deb")
        content = deb.read_bytes()
        deb.unlink()
        deb.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.fixture(scope="module")
def published(suite: str, debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Return a repository that offers what is installed."""
    top = tmp_path_factory.mktemp("published")
    former = [deb for deb in debs if deb.name.partition("_")[0] in TOGETHER]
    made = Published(top / "apt", suite, former, next_versions(debs, top), secret_key(top / "other"))
    made.fill(former)
    return made


@pytest.fixture(scope="module")
def machine(
    installed: layers.Stack, published: Published, package_mounts: dict[Path, str], suite: str
) -> Iterator[Machine]:
    """Return a running server that has looked for updates once."""
    mounts = {**package_mounts, published.top: MOUNTED}
    with Machine("rejected-updates", installed, read_only=mounts) as machine:
        wait_until_idle(machine)
        use(machine, suite)
        machine.shell(TRUST)
        yield machine


def notices(machine: Machine) -> dict[str, str]:
    """Return what `status` says of updates that were not installed, by the file that it is about."""
    found = json.loads(machine.run("dcor-server", "status", "--json").stdout)["notices"]
    about = (updates.REJECTED, packages.LISTS, packages.UNATTENDED_LOG)
    return {notice["file"]: notice["message"] for notice in found if notice["file"] in about}


#: what is offered, the file that the notice is about, and words of it
OFFERS: dict[str, tuple[Callable[[Published], None], str, str]] = {
    "expired": (Published.expire, packages.LISTS, "it has looked for updates in vain"),
    "another key": (Published.change_key, updates.REJECTED, "has rejected the signature"),
    "Release file that was tampered with": (
        Published.tamper_with_release,
        updates.REJECTED,
        "has rejected the signature",
    ),
    "package that was tampered with": (
        Published.tamper_with_package,
        packages.UNATTENDED_LOG,
        "says that updates were not installed",
    ),
}


@pytest.mark.parametrize("offer", OFFERS)
def test_what_cannot_be_trusted_is_refused_and_status_says_so(
    machine: Machine, published: Published, offer: str
) -> None:
    make, file, words = OFFERS[offer]
    before = versions(machine)
    make(published)
    machine.shell(f"{AGAIN}; {NIGHT}; {WAIT_FOR_UPGRADE}", timeout=600)
    assert versions(machine) == before
    if file == packages.LISTS:
        machine.shell(DAYS_AGO)
    assert words in notices(machine)[file]
    assert serves(machine)
    assert_apt_works(machine)


def test_what_was_repaired_is_taken_in_the_next_night_and_nothing_is_said_any_more(
    machine: Machine, published: Published
) -> None:
    before = versions(machine)
    published.fill(published.following)
    machine.shell(f"{AGAIN}; {NIGHT}; {WAIT_FOR_UPGRADE}", timeout=900)
    assert before & versions(machine) == set()
    assert_healthy(machine)
    assert notices(machine) == {}
