"""Known issues: found and cured, gone, or reported where upstream's code is not as expected."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import known_issues, release, release_contents
from dcor_pkg.ckan.known_issues import notices, registry
from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceByLink, ReplaceText, ReplaceTexts, State, Versions
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CURRENT
from dcor_pkg.status import notices as admin_notices
from tests.unit.ckan import upstream
from tests.unit.ckan.upstream import SUITES
from tests.unit.fake_programs.faults import replacements

TREE = Path(__file__).resolve().parents[3]
SITE = "/site"
PUBLIC = Access(0o644)
ISSUES = {issue.name: issue for issue in registry.ISSUES}


@dataclass(frozen=True)
class Texts:
    """A file with an issue, the cured one, and two made-up ones from before and after upstream changed it."""

    faulty: str
    cured: str
    older: str
    newer: str


TEXTS = {
    "float_expiry": Texts(
        # dcor_shared 1.0.4, s3.py, line 301
        faulty="def create_time():\n    return time.time()\n",
        cured="def create_time():\n    return int(time.time())\n",
        older="def create_presigned_url(expiration=3600):\n    expires_at = time.time() + expiration\n",
        newer="def create_time() -> int:\n    return round(time.time())\n",
    ),
    "own_certificate": Texts(faulty="-----BEGIN CERTIFICATE-----\n", cured="", older="", newer=""),
    "percent_in_database_url": Texts(
        # CKAN 2.11.6, model/__init__.py, line 308
        faulty="""\
        alembic_config.set_main_option(
            "sqlalchemy.url", config.get("sqlalchemy.url")
        )
""",
        cured="""\
        alembic_config.set_main_option(
            "sqlalchemy.url", config.get("sqlalchemy.url").replace("%", "%%")
        )
""",
        older='        alembic_config.set_main_option("sqlalchemy.url", str(self.metadata.bind.url))\n',
        newer='        alembic_config.set_main_option("sqlalchemy.url", config["sqlalchemy.url"])\n',
    ),
}


def made_of(name: str) -> Texts:
    """Return files that consist of what the cure of an issue replaces: upstream's own are in the pinned wheels."""
    texts = replacements(ISSUES[name].cure)
    return Texts(
        faulty="\n".join(text.faulty for text in texts),
        cured="\n".join(text.fixed for text in texts),
        older="",
        newer="\n".join(text.faulty.upper() for text in texts),
    )


TEXTS = {name: TEXTS[name] if name in TEXTS else made_of(name) for name in ISSUES}
BY_TEXT = {name: texts for name, texts in TEXTS.items() if replacements(ISSUES[name].cure)}
both = pytest.mark.parametrize("name", BY_TEXT)


def faulty(host: Host, site: str = SITE) -> None:
    """Write every file with all its faults."""
    for name, texts in TEXTS.items():
        file = f"{site}/{ISSUES[name].cure.file}"
        host.write(file, (host.read(file) or "") + texts.faulty, PUBLIC)


def replaced(host: Host, name: str, before: str, after: str, site: str) -> None:
    """Replace a text in the file of an issue, which other issues may have as well."""
    file = f"{site}/{ISSUES[name].cure.file}"
    host.write(file, (host.read(file) or "").replace(before, after), PUBLIC)


def written(host: Host, name: str, text: str, site: str = SITE) -> Issue:
    """Write the file of an issue, and return the issue."""
    host.write(f"{site}/{ISSUES[name].cure.file}", text, PUBLIC)
    return ISSUES[name]


def test_each_issue_is_described_and_has_a_name_of_its_own() -> None:
    assert len(ISSUES) == len(registry.ISSUES)
    empty = [
        (issue.name, one.name) for issue in registry.ISSUES for one in fields(issue) if not getattr(issue, one.name)
    ]
    assert empty == []


def test_each_file_with_an_issue_is_registered() -> None:
    files = sorted(Path(known_issues.__file__).parent.glob("*.py"))
    described = [file.stem for file in files if "\nISSUE = " in file.read_text(encoding="utf-8")]
    assert described == sorted(ISSUES)


@pytest.mark.parametrize("name", ISSUES)
def test_the_proof_is_a_test_that_exists(name: str) -> None:
    assert (TREE / ISSUES[name].proof.partition(":")[0]).is_file()


def test_faults_are_found_and_cured(host: Host) -> None:
    faulty(host)
    assert registry.in_state(host, SITE, State.FAULTY) == list(registry.ISSUES)
    registry.cure(host, SITE)
    assert registry.in_state(host, SITE, State.GONE) == list(registry.ISSUES)
    for name, texts in BY_TEXT.items():
        assert texts.cured in (host.read(f"{SITE}/{ISSUES[name].cure.file}") or "")
    assert host.target(f"{SITE}/certifi/cacert.pem") == "/etc/dcor-server/tls/bundle.pem"


@both
@pytest.mark.parametrize("version", ["older", "newer"])
def test_another_text_of_upstream_is_not_as_expected_and_stays(host: Host, name: str, version: str) -> None:
    text = getattr(BY_TEXT[name], version)
    issue = written(host, name, text)
    assert issue.cure.state(host, SITE) is State.UNEXPECTED
    registry.cure(host, SITE)
    assert host.read(f"{SITE}/{issue.cure.file}") == text


@pytest.mark.parametrize("name", ISSUES)
def test_a_missing_file_is_not_as_expected_and_is_not_made(host: Host, name: str) -> None:
    assert ISSUES[name].cure.state(host, SITE) is State.UNEXPECTED
    registry.cure(host, SITE)
    assert host.names(SITE) == []
    assert registry.python_files(host, SITE) == []


def test_the_bytecode_of_what_cures_change_is_outdated(host: Host) -> None:
    written(host, "float_expiry", "")
    written(host, "own_certificate", "")
    assert set(registry.python_files(host, SITE)) == {f"{SITE}/dcor_shared/s3.py"}


def test_a_fix_of_upstream_is_accepted(host: Host) -> None:
    cure = ReplaceText("x.py", faulty="f()\n", fixed="g()\n", accepted=("h()\n",))
    host.write(f"{SITE}/x.py", "h()\n", PUBLIC)
    assert cure.state(host, SITE) is State.GONE


def test_several_texts_of_a_file_are_replaced_together_or_not_at_all(host: Host) -> None:
    cure = ReplaceTexts((ReplaceText("x.py", "f()", "g()"), ReplaceText("x.py", "h()", "i()")))
    for text, state in {"f() h()": State.FAULTY, "g() h()": State.FAULTY, "g() i()": State.GONE}.items():
        host.write(f"{SITE}/x.py", text, PUBLIC)
        assert cure.state(host, SITE) is state
        cure.apply(host, SITE)
        assert host.read(f"{SITE}/x.py") == "g() i()"
    host.write(f"{SITE}/x.py", "f() j()", PUBLIC)
    assert cure.state(host, SITE) is State.UNEXPECTED
    assert cure.change == ("text", "x.py", "f()", "g()", "text", "x.py", "h()", "i()")
    assert {text.file for name in ISSUES for text in replacements(ISSUES[name].cure)} == {
        ISSUES[name].cure.file for name in BY_TEXT
    }


@both
def test_no_fixed_text_contains_the_fault(name: str) -> None:
    for text in replacements(ISSUES[name].cure):
        assert not any(text.faulty in fixed for fixed in (text.fixed, *text.accepted))


@pytest.fixture(params=SUITES)
def pinned(request: pytest.FixtureRequest, host: Host, tmp_path: Path) -> Host:
    """Return a machine with the files that cures change, as they are in the pinned wheels."""
    upstream.unpack(request.param, tmp_path / "wheels", host.path(SITE))
    return host


def test_every_issue_is_as_expected_in_the_pinned_packages(pinned: Host) -> None:
    assert registry.in_state(pinned, SITE, State.UNEXPECTED) == []
    registry.cure(pinned, SITE)
    assert registry.in_state(pinned, SITE, State.GONE) == list(registry.ISSUES)


def test_the_versions_of_an_issue_say_whether_upstream_has_fixed_it(pinned: Host) -> None:
    faulty = [issue.name for issue in registry.in_state(pinned, SITE, State.FAULTY)]
    assert faulty == [issue.name for issue in registry.ISSUES if not issue.versions.until]


@pytest.fixture
def unexpected(host: Host, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the site-packages directory of an active release that has one issue not as expected, and no others."""
    site = f"{release.directory('2.11.6-abc')}/lib/python3.11/site-packages"
    faulty(host, site)
    registry.cure(host, site)
    replaced(host, "float_expiry", TEXTS["float_expiry"].cured, TEXTS["float_expiry"].newer, site)
    host.write(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}", "revision", PUBLIC)
    host.link(CURRENT, "releases/2.11.6-abc")
    host.write("/proc/meminfo", "MemTotal: 4194304 kB\n", PUBLIC)
    monkeypatch.setattr(release_contents, "difference", lambda *_: None)
    return site


def test_what_is_not_as_expected_is_reported_but_is_not_drift(host: Host, unexpected: str) -> None:
    (notice,) = notices.collect(host)
    assert str(notice).startswith(f"{unexpected}/dcor_shared/s3.py is not as expected by the known issue float_expiry")
    assert "X-Amz-Expires should be a number" in str(notice)
    assert notice in admin_notices.collect(host, settings.Settings())
    assert ReleaseMade("2.11.6-abc").check(host) is None


def test_a_fault_that_is_left_in_a_release_is_drift(host: Host, unexpected: str) -> None:
    replaced(host, "float_expiry", TEXTS["float_expiry"].newer, TEXTS["float_expiry"].faulty, unexpected)
    assert ReleaseMade("2.11.6-abc").check(host) == "the release 2.11.6-abc has the known issue float_expiry"
    assert notices.collect(host) == []


def test_without_a_complete_active_release_there_is_nothing_to_report(host: Host, unexpected: str) -> None:
    host.remove(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}")
    assert notices.collect(host) == []
    host.remove(CURRENT)
    assert notices.collect(host) == []


def test_what_a_cure_changes_is_all_that_tells_two_releases_apart() -> None:
    assert ReplaceText("x.py", "f", "g", accepted=("h",)).change == ReplaceText("x.py", "f", "g").change
    assert ReplaceText("x.py", "f", "g").change != ReplaceText("x.py", "f", "h").change
    assert ReplaceByLink("x", "/a").change != ReplaceByLink("x", "/b").change
    assert Versions("ckan", "2.11.6").until == ""
