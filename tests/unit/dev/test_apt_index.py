"""Which versions of a package stay in a repository, and which are rejected; real clients are in tests/package."""

from __future__ import annotations

import pytest
from dcor_dev import apt_index
from dcor_dev.apt_index import Entry
from dcor_dev.errors import DevError

#: in Debian's order, which is not that of texts
VERSIONS = ("1.9-1~deb12u1", "1.9-1", "1.9-2", "1.10-1~deb12u1", "1:1.0")


def entry(version: str, package: str = "a", content: str = "x") -> Entry:
    return Entry(f"Package: {package}\nVersion: {version}\nFilename: pool/{package}_{version}.deb\nSHA256: {content}")


def versions(entries: list[Entry]) -> list[str]:
    return [each.version for each in entries]


@pytest.mark.parametrize("keep", [3, 4, 9])
def test_the_newest_versions_stay_in_debians_order(keep: int) -> None:
    published = [entry(version) for version in sorted(VERSIONS[:-1])]
    merged = apt_index.merged(published, [entry(VERSIONS[-1])], keep)
    assert versions(merged) == list(reversed(VERSIONS))[:keep]


def test_each_package_has_its_own_versions() -> None:
    published = [entry(version, package) for package in "ba" for version in ("1", "2", "3")]
    merged = apt_index.merged(published, [entry("4", "b")], 3)
    assert [each.package + each.version for each in merged] == ["a3", "a2", "a1", "b4", "b3", "b2"]


def test_what_is_published_can_be_published_again_also_when_there_is_a_newer_one() -> None:
    published = [entry("2"), entry("1")]
    assert apt_index.merged(published, [entry("1")], 3) == published


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (entry("1", content="y"), "a 1 is published with other content"),
        (entry("1~rc1"), "a 1~rc1 is older than 2, which is published"),
    ],
)
def test_a_version_that_machines_would_not_get_is_rejected(new: Entry, reason: str) -> None:
    with pytest.raises(DevError, match=f"^{reason}"):
        apt_index.merged([entry("2"), entry("1")], [new], 3)


def test_an_index_is_read_as_it_was_written() -> None:
    entries = [entry("2"), entry("1", "b")]
    assert apt_index.parse(apt_index.render(entries)) == entries
    assert apt_index.parse("") == []


def test_an_entry_without_a_field_is_an_error() -> None:
    with pytest.raises(DevError, match="has no field SHA256"):
        _ = Entry("Package: a\nVersion: 1").sha256
