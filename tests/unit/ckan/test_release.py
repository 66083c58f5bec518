"""A release is named after what it is made of, and is cured of the faults that it has."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from dcor_pkg.ckan import known_issues, release
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import lock
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls.trust_bundle import BUNDLE

FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
SITE = "/site"
S3, AUTHORITIES, MODEL = "dcor_shared/s3.py", "certifi/cacert.pem", "ckan/model/__init__.py"
#: dcor_shared 1.0.4, s3.py, line 301
FAULTY = "def create_time():\n    return time.time()\n"
#: CKAN 2.11.6, model/__init__.py, line 308
UNQUOTED = """\
        alembic_config.set_main_option(
            "sqlalchemy.url", config.get("sqlalchemy.url")
        )
"""
PUBLIC = Access(0o644)


@pytest.mark.parametrize(
    "other",
    [replace(FACTS, ckan="2.11.6-2~deb12u1"), replace(FACTS, release_set="1" * 64), replace(FACTS, python="3.11.3")],
    ids=["ckan", "release_set", "python"],
)
def test_other_parts_make_another_release(other: Facts) -> None:
    assert release.wanted(other) != release.wanted(FACTS)


def test_what_is_no_part_of_it_does_not() -> None:
    assert release.wanted(replace(FACTS, cores=64, memory=1, ipv6=False)) == release.wanted(FACTS)
    assert release.wanted(FACTS).startswith("2.11.6-")


def test_faults_are_found_and_cured(host: Host) -> None:
    host.write(f"{SITE}/{S3}", FAULTY, PUBLIC)
    host.write(f"{SITE}/{AUTHORITIES}", "authorities", PUBLIC)
    host.write(f"{SITE}/{MODEL}", UNQUOTED, PUBLIC)
    assert known_issues.left(host, SITE) == ["float_expiry", "own_certificate", "percent_in_database_url"]
    known_issues.cure(host, SITE)
    assert known_issues.left(host, SITE) == []
    assert host.read(f"{SITE}/{S3}") == "def create_time():\n    return int(time.time())\n"
    quoted = 'config.get("sqlalchemy.url").replace("%", "%%")\n        )\n'
    assert (host.read(f"{SITE}/{MODEL}") or "").endswith(quoted)
    assert host.target(f"{SITE}/{AUTHORITIES}") == BUNDLE


def test_where_the_fault_is_gone_nothing_is_changed(host: Host) -> None:
    mended = "def create_time():\n    return round(time.time())\n"
    host.write(f"{SITE}/{S3}", mended, PUBLIC)
    known_issues.cure(host, SITE)
    assert host.read(f"{SITE}/{S3}") == mended


@pytest.mark.parametrize("state", ["installed", "unpacked", "half-configured", "triggers-pending"])
def test_it_is_made_of_whole_packages_alone(host: Host, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setattr(Host, "run", lambda self, *argv: f"dcor-wheels installed\npython-ckan {state}\n")
    release.require_whole_packages(host)
    monkeypatch.setattr(Host, "run", lambda self, *argv: f"dcor-wheels half-installed\npython-ckan {state}\n")
    with pytest.raises(DcorError, match="dcor-wheels is just being unpacked"):
        release.require_whole_packages(host)


def test_what_a_power_cut_leaves_of_a_release_is_none_and_goes(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (".next", "former", "serving"):
        host.write(f"{release.directory(name)}/{release.SCHEMA}", "revision", PUBLIC)
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(Host, "remove_tree", Mock(side_effect=KeyboardInterrupt))
        release.remove(host, "former")
    assert release.ids(host) == ["serving"]
    assert ReleaseMade("former").check(host) == "former is not made yet"
    host.make_directory("/run", Access(0o755))
    with lock.held(host, 0, lock.RELEASE):
        assert release.left_over(host) == []
    assert release.left_over(host) == [".next", "former"]
    for name in release.left_over(host):
        release.remove(host, name)
    assert host.names(release.DIRECTORY) == ["serving"]


def test_a_release_in_making_is_none_yet(host: Host) -> None:
    for name in (".2.11.6-abc", "2.11.6-def"):
        host.write(f"{release.directory(name)}/{release.SCHEMA}", "revision", PUBLIC)
    assert release.ids(host) == ["2.11.6-def"]
    assert release.active(host) is None
    host.link(release.CURRENT, "releases/2.11.6-def")
    assert release.active(host) == "2.11.6-def"
