"""A release is named after what it is made of, and is cured of the faults that it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg import release
from dcor_pkg.facts import Facts
from dcor_pkg.host import Access, Host
from dcor_pkg.steps import known_issues
from dcor_pkg.steps.certificate import BUNDLE
from dcor_pkg.steps.known_issues import float_expiry, own_certificate, percent_in_database_url

FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
SITE = "/site"
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
    [{"ckan": "2.11.6-2~deb12u1"}, {"release_set": "1" * 64}, {"python": "3.11.3"}],
    ids=lambda other: next(iter(other)),
)
def test_other_parts_make_another_release(other: dict[str, str]) -> None:
    assert release.wanted(replace(FACTS, **other)) != release.wanted(FACTS)  # type: ignore[arg-type]


def test_what_is_no_part_of_it_does_not() -> None:
    assert release.wanted(replace(FACTS, cores=64, memory=1, ipv6=False)) == release.wanted(FACTS)
    assert release.wanted(FACTS).startswith("2.11.6-")


def test_faults_are_found_and_cured(host: Host) -> None:
    host.write(f"{SITE}/{float_expiry.FILES[0]}", FAULTY, PUBLIC)
    host.write(f"{SITE}/{own_certificate.CERTIFI}", "authorities", PUBLIC)
    host.write(f"{SITE}/{percent_in_database_url.FILES[0]}", UNQUOTED, PUBLIC)
    assert known_issues.left(host, SITE) == ["float_expiry", "own_certificate", "percent_in_database_url"]
    known_issues.cure(host, SITE)
    assert known_issues.left(host, SITE) == []
    assert host.read(f"{SITE}/{float_expiry.FILES[0]}") == "def create_time():\n    return int(time.time())\n"
    quoted = 'config.get("sqlalchemy.url").replace("%", "%%")\n        )\n'
    assert (host.read(f"{SITE}/{percent_in_database_url.FILES[0]}") or "").endswith(quoted)
    assert host.target(f"{SITE}/{own_certificate.CERTIFI}") == BUNDLE


def test_where_the_fault_is_gone_nothing_is_changed(host: Host) -> None:
    mended = "def create_time():\n    return round(time.time())\n"
    host.write(f"{SITE}/{float_expiry.FILES[0]}", mended, PUBLIC)
    known_issues.cure(host, SITE)
    assert host.read(f"{SITE}/{float_expiry.FILES[0]}") == mended


def test_a_release_in_making_is_none_yet(host: Host) -> None:
    host.make_folder(f"{release.FOLDER}/.2.11.6-abc", Access(0o755))
    host.make_folder(f"{release.FOLDER}/2.11.6-def", Access(0o755))
    assert release.ids(host) == ["2.11.6-def"]
    assert release.active(host) is None
    host.link(release.CURRENT, "releases/2.11.6-def")
    assert release.active(host) == "2.11.6-def"
