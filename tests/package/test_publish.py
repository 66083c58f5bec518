"""A repository that lives for years: clients with the real apt meet it whole at any time, and reject what differs."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from apt_client import SUITE, Client, client, package, secret_key, web_server
from dcor_dev import apt_index, durable, keyring, publication, repository, signing
from dcor_dev.errors import DevError
from dcor_dev.publication import Suite
from dcor_dev.repository import PUBLIC, Policy

NAMES = ("dcor-server", "python-ckan")
#: what was cut off, as if the power had gone
CUT = "no power"


@dataclass
class Publisher:
    """Somebody who publishes versions of two packages, with some of their keys."""

    directory: Path
    keys: list[Path] = field(default_factory=list)
    policy: Policy = PUBLIC

    @property
    def apt(self) -> Path:
        return self.directory / "apt"

    def add(self, version: int, *others: Path, suite: str = SUITE, content: bytes = b"") -> bool:
        """Publish this version of each package."""
        place = self.directory / f"{version}-{len(list(self.directory.iterdir()))}"
        debs = [package(place, name, f"{version}.0", content) for name in NAMES]
        return self.publish(*debs, *others, suite=suite)

    def publish(self, *debs: Path, suite: str = SUITE) -> bool:
        with signing.signer(*self.keys) as signer, repository.locked(self.apt, signer, self.policy) as apt:
            return apt.add(suite, debs)

    def refresh(self) -> None:
        with signing.signer(*self.keys) as signer, repository.locked(self.apt, signer, self.policy) as apt:
            apt.refresh(SUITE)

    def public(self) -> bytes:
        with signing.signer(*self.keys) as signer:
            return signer.public_key()

    def keyring(self, version: str) -> Path:
        """Return a package of the keyring with the present keys."""
        return package(self.directory / f"keyring-{version}", keyring.PACKAGE, version, self.public())


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
def machines(publisher: Publisher, tmp_path: Path) -> Iterator[Callable[[bytes], Client]]:
    """Return a function that makes clients of the repository, by http, which trust these keys."""
    publisher.apt.mkdir()
    with web_server(publisher.apt) as address:
        made: list[Client] = []

        def make(keys: bytes) -> Client:
            made.append(client(tmp_path / f"client-{len(made)}", address, keys))
            return made[-1]

        yield make


@pytest.fixture
def machine(machines: Callable[[bytes], Client], publisher: Publisher) -> Client:
    """Return a client that has the test key."""
    return machines(publisher.public())


@pytest.fixture(scope="module")
def release_keys(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two private keys, in files."""
    top = tmp_path_factory.mktemp("keys")
    return [secret_key(top / name) for name in ("former", "next")]


def fields(publisher: Publisher) -> dict[str, str]:
    text = (Suite(publisher.apt, SUITE).link / "Release").read_text()
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def pool(publisher: Publisher) -> set[str]:
    return {path.name for path in publisher.apt.glob("pool/**/*.deb")}


def test_the_words_that_apt_knows_the_repository_by_never_change(publisher: Publisher) -> None:
    publisher.add(1)
    fixed = {"Origin": "DCOR", "Label": "DCOR", "Suite": SUITE, "Codename": SUITE, "Components": "main"}
    assert {name: fields(publisher)[name] for name in fixed} == fixed
    assert "Valid-Until" in fields(publisher)


def test_a_client_that_updates_all_the_time_sees_one_publication_or_the_next(
    publisher: Publisher, machine: Client
) -> None:
    publisher.add(1)
    ended = threading.Event()
    seen: list[tuple[str, list[str], list[str], str]] = []

    def look() -> None:
        while not ended.is_set():
            problem = machine.update()
            both = [machine.versions(name) for name in NAMES]
            seen.append((problem, both[0], both[1], machine.download(NAMES[0])))

    thread = threading.Thread(target=look)
    thread.start()
    for version in range(2, 7):
        publisher.add(version)
        publisher.refresh()
    ended.set()
    thread.join()
    assert len(seen) >= 3
    assert [each for each in seen if each[0] or each[3]] == []
    assert [each for each in seen if each[1] != each[2] or not each[1]] == []
    assert len({each[1][0] for each in seen}) >= 2
    assert machine.update() == ""
    assert machine.versions(NAMES[0]) == ["6.0", "5.0", "4.0"]


def test_every_reader_of_a_file_finds_a_whole_publication_at_any_moment(publisher: Publisher) -> None:
    """Read faster than any client: InRelease is always there, and so are the files that it leads to."""
    publisher.add(1)
    ended, lost = threading.Event(), []

    def look() -> None:
        while not ended.is_set():
            lost.append(missing(publisher))

    thread = threading.Thread(target=look)
    thread.start()
    for version in range(2, 8):
        publisher.add(version)
    ended.set()
    thread.join()
    assert set(lost) == {""}
    assert len(lost) > 100


def missing(publisher: Publisher) -> str:
    """Return what a client that reads InRelease now does not find, or nothing."""
    link = Suite(publisher.apt, SUITE).link
    try:
        text = (link / "InRelease").read_text()
        hashes = [line.split()[0] for line in text.splitlines() if line.endswith(("Packages", ".gz", ".xz"))]
        indices = [(link / publication.INDEX / "by-hash/SHA256" / name).read_bytes() for name in hashes]
        lost = [
            entry.filename
            for entry in apt_index.parse(indices[0].decode())
            if not (publisher.apt / entry.filename).exists()
        ]
        return ", ".join(lost) if len(hashes) == 3 else text
    except OSError as error:
        return str(error)


def test_the_last_three_versions_can_be_installed_and_a_client_with_a_former_index_goes_on(
    publisher: Publisher, machine: Client
) -> None:
    publisher.add(1)
    assert machine.update() == ""
    for version in range(2, 6):
        publisher.add(version)
    assert machine.download(f"{NAMES[0]}=1.0") == ""
    assert machine.update() == ""
    assert machine.versions(NAMES[0]) == ["5.0", "4.0", "3.0"]
    assert [machine.download(f"{NAMES[0]}={version}.0") for version in (5, 4, 3)] == [""] * 3
    assert f"{NAMES[0]}_1.0_all.deb" in pool(publisher)


def test_what_no_client_can_have_read_any_more_is_removed(publisher: Publisher, machine: Client) -> None:
    for version in range(1, 5):
        publisher.add(version)
    suite = Suite(publisher.apt, SUITE)
    # As if the first two had been replaced 31 days ago, and the third one 29.
    for path, name in zip(suite.publications(), ages(62, 32, 31, 29)):
        path.rename(path.with_name(name))
    suite.show(suite.publications()[-1])
    publisher.add(5)
    names = [path.name for path in suite.publications()]
    assert len(names) == 3
    assert {int(name.split("_")[1][0]) for name in pool(publisher)} == {1, 2, 3, 4, 5}
    publisher.policy = dataclasses.replace(PUBLIC, former=timedelta(0))
    publisher.refresh()
    assert len(suite.publications()) == 1
    assert {int(name.split("_")[1][0]) for name in pool(publisher)} == {3, 4, 5}
    assert machine.update() == ""
    assert machine.download(f"{NAMES[0]}=3.0") == ""


def ages(*days: int) -> list[str]:
    return [time.strftime("%Y%m%dT%H%M%S.000000Z", time.gmtime(time.time() - 86400 * each)) for each in days]


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


def state(top: Path) -> dict[str, bytes | str]:
    files = {str(path): path.read_bytes() for path in top.rglob("*") if path.is_file() and not path.is_symlink()}
    return {**files, **{str(path): str(path.readlink()) for path in top.rglob("*") if path.is_symlink()}}


def test_a_version_with_other_content_is_refused_in_one_sentence(publisher: Publisher) -> None:
    publisher.add(1)
    before = state(publisher.apt)
    with pytest.raises(DevError, match=r"^dcor-server 1\.0 is published with other content; [^\n]*raise its version"):
        publisher.add(1, content=b"other")
    with pytest.raises(DevError, match="is published with other content"):
        publisher.add(1, content=b"other", suite="trixie")
    assert state(publisher.apt) == before


def test_an_older_version_is_refused_and_one_that_is_published_is_not(publisher: Publisher) -> None:
    for version in (1, 3):
        publisher.add(version)
    before = state(publisher.apt)
    with pytest.raises(DevError, match=r"dcor-server 2\.0 is older than 3\.0, which is published"):
        publisher.add(2)
    assert not publisher.add(1)
    assert state(publisher.apt) == before


def test_another_suite_shares_the_packages_and_keeps_its_own(publisher: Publisher, machine: Client) -> None:
    publisher.policy = dataclasses.replace(PUBLIC, former=timedelta(0))
    for version in range(1, 4):
        publisher.add(version)
    publisher.add(3, suite="trixie")
    for version in range(4, 8):
        publisher.add(version, suite="trixie")
    assert [suite.name for suite in publication.suites(publisher.apt)] == [SUITE, "trixie"]
    assert machine.update() == ""
    assert [machine.download(f"{NAMES[0]}={version}.0") for version in (1, 2, 3)] == [""] * 3


def test_a_lost_package_is_named_and_nothing_is_published(publisher: Publisher) -> None:
    publisher.add(1)
    (deb,) = publisher.apt.glob(f"pool/main/{NAMES[0]}/*.deb")
    deb.unlink()
    with pytest.raises(DevError, match=r"dcor-server_1.0_all.deb is missing or damaged"):
        publisher.add(2)
    assert fields(publisher)["Suite"] == SUITE
    assert [path.name for path in Suite(publisher.apt, SUITE).publications()] == [
        Suite(publisher.apt, SUITE).link.resolve().name
    ]


def test_a_publisher_without_power_at_any_moment_leaves_it_whole_and_goes_on(
    publisher: Publisher, machine: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is built anew after each, so it differs, and no client has ever got the one of before."""
    publisher.add(1)
    synced, cut = [0], 0
    whole = durable.sync

    def sync(path: Path) -> None:
        synced[0] += 1
        if synced[0] == cut:
            raise KeyboardInterrupt(CUT)
        whole(path)

    monkeypatch.setattr(durable, "sync", sync)
    suite, cuts = Suite(publisher.apt, SUITE), 0
    with signing.signer() as signer, repository.locked(publisher.apt, signer, PUBLIC) as apt:
        while apt_index.newest(suite.entries(), NAMES[0]).version != "2.0":  # type: ignore[union-attr]
            cut, synced[0], cuts = cut + 1, 0, cuts + 1
            place = publisher.directory / f"cut-{cut}"
            debs = [package(place, name, "2.0", str(cut).encode()) for name in NAMES]
            with suppress(KeyboardInterrupt):
                apt.add(SUITE, debs)
            assert missing(publisher) == ""
        synced[0] = -100
        apt.add(SUITE, debs)
    assert cuts > 10
    assert machine.update() == ""
    assert machine.download(NAMES[0]) == ""
    assert list(publisher.apt.rglob(f"{durable.TEMPORARY}*")) == []


def test_two_publishers_follow_one_another(publisher: Publisher, machine: Client) -> None:
    """Both publish the same versions; the lock lets one of them do so, and the other one find it done."""
    debs = [[package(publisher.directory / f"{n}", name, f"{n}.0") for name in NAMES] for n in range(1, 6)]
    results: list[bool] = []

    def publish() -> None:
        results.extend(publisher.publish(*each) for each in debs)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 5 + [True] * 5
    assert machine.update() == ""


def test_a_repository_of_a_former_build_is_taken_over(publisher: Publisher, machine: Client) -> None:
    publisher.add(1)
    link = Suite(publisher.apt, SUITE).link
    plain = link.resolve().rename(publisher.directory / "plain")
    link.unlink()
    plain.rename(link)
    assert machine.update() == ""
    publisher.add(2)
    assert link.is_symlink()
    assert machine.download(f"{NAMES[0]}=1.0") == ""
    assert machine.update() == ""
    assert machine.versions(NAMES[0]) == ["2.0", "1.0"]


def test_a_lost_link_costs_no_package(publisher: Publisher) -> None:
    for version in (1, 2):
        publisher.add(version)
    Suite(publisher.apt, SUITE).link.unlink()
    publisher.add(3)
    assert versions(publisher) == ["3.0", "2.0", "1.0"]
    Suite(publisher.apt, SUITE).current().rename(publisher.directory / "lost")  # type: ignore[union-attr]
    publisher.add(4)
    assert versions(publisher) == ["4.0", "2.0", "1.0"]
    assert missing(publisher) == ""


def versions(publisher: Publisher) -> list[str]:
    return [each.version for each in Suite(publisher.apt, SUITE).entries() if each.package == NAMES[0]]


def test_a_clock_that_went_back_is_reported(publisher: Publisher) -> None:
    publisher.add(1)
    suite = Suite(publisher.apt, SUITE)
    later = suite.publications()[0].rename(suite.directory / ages(-1)[0])
    suite.show(later)
    with pytest.raises(DevError, match=r"The clock shows .* before the last publication"):
        publisher.add(2)
