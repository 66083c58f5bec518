"""A repository that lives for years: clients with the real apt meet it whole at any time."""

from __future__ import annotations

import dataclasses
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from apt_client import SUITE, Client, package
from dcor_dev import apt_index, durable, publication, repository, signing
from dcor_dev.errors import DevError
from dcor_dev.publication import Suite
from dcor_dev.repository import PUBLIC
from publisher import NAMES, Publisher, fields, missing, pool, state

pytestmark = pytest.mark.upgrades

#: what was cut off, as if the power had gone
CUT = "no power"


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
    version = 1
    while version < 6 or (version < 50 and len(seen) < 6):
        version += 1
        publisher.add(version)
        publisher.refresh()
    ended.set()
    thread.join()
    assert len(seen) >= 6
    assert [each for each in seen if each[0] or each[3]] == []
    assert [each for each in seen if each[1] != each[2] or not each[1]] == []
    assert len({each[1][0] for each in seen}) >= 2
    assert machine.update() == ""
    assert machine.versions(NAMES[0]) == [f"{version - back}.0" for back in range(3)]


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
