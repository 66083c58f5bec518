"""Files that settings name are validated as CKAN will read them."""

from __future__ import annotations

import json

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.ckan import named_files, unit
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Access, Host

SUPPLEMENT = {"key": "patient", "name": "Patient", "requires": {}, "items": []}


@pytest.fixture
def as_current_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as the user who runs the test, and in its directory: only root may read as another one."""
    monkeypatch.setattr(named_files, "USER", None)
    monkeypatch.setattr(unit, "HIDDEN", ())  # where tests have their files


def _proposal(answers: dict[str, str]) -> Proposal:
    return Proposal(None, settings.parse(answers), {})


def _validate(host: Host, key: str, path: str) -> None:
    named_files.check(host, _proposal({key: str(host.path(path))}))


@pytest.mark.parametrize(
    ("key", "path", "text", "reason"),
    [
        ("about", "/srv/about.md", " \n", "is empty"),
        ("about", "/srv/other.md", "# About", "cannot read it"),
        ("licences", "/srv/licences.json", "[", "is not a JSON list of licences"),
        ("licences", "/srv/licences.json", '[{"id": "x"}]', "is not a JSON list of licences"),
        ("licences", "/srv/licences.json", "[]", "is not a JSON list of licences"),
        ("resource-supplements", "/srv/supplements", "", "cannot read it"),
        ("resource-supplements", "/srv", "[]", "a_patient.json is not a JSON object"),
        ("resource-supplements", "/srv/.empty", "", "does not contain a file"),
        ("resource-supplements", "/srv", "{}", "a_patient.json is not a JSON object"),
    ],
)
def test_an_invalid_file_is_reported_with_its_question(
    host: Host, as_current_user: None, key: str, path: str, text: str, reason: str
) -> None:
    place = {
        "/srv/other.md": "/srv/about.md",
        "/srv": "/srv/a_patient.json",
        "/srv/supplements": "/srv/x",
        "/srv/.empty": "/srv/.empty/note.txt",
    }.get(path, path)
    host.write(place, text, Access(0o644))
    with pytest.raises(InvalidAnswer, match=reason) as raised:
        _validate(host, key, path)
    assert raised.value.question == f"dcor-server/{key}"


def test_a_supplement_has_its_key_in_its_name(host: Host, as_current_user: None) -> None:
    host.write("/srv/1_clinic.json", json.dumps(SUPPLEMENT), Access(0o644))
    with pytest.raises(InvalidAnswer, match=r"has to end in _patient\.json"):
        _validate(host, "resource-supplements", "/srv")


@pytest.mark.parametrize(
    ("key", "path", "text"),
    [
        ("about", "/srv/about.md", "# About\n"),
        ("licences", "/srv/licences.json", '[{"id": "x", "title": "X"}]'),
        ("resource-supplements", "/srv/1_patient.json", json.dumps(SUPPLEMENT)),
    ],
)
def test_valid_files_are_accepted(host: Host, as_current_user: None, key: str, path: str, text: str) -> None:
    host.write(path, text, Access(0o644))
    _validate(host, key, "/srv" if key == "resource-supplements" else path)


def test_default_settings_name_no_file(host: Host) -> None:
    named_files.check(host, _proposal({}))


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("about", "/srv/curator/file.json"),
        ("licences", "/srv/curator/file.json"),
        ("resource-supplements", "/srv/curator"),
    ],
)
def test_a_file_is_refused_that_a_user_could_exchange_for_one_of_root(
    host: Host, monkeypatch: pytest.MonkeyPatch, key: str, path: str
) -> None:
    monkeypatch.setattr(Host, "run", lambda *_, **__: "file.json\n")
    host.write("/etc/shadow", "root:hash\n", Access(0o644))
    host.make_directory("/srv/curator", Access(0o755, "curator", "curator"))
    host.path("/srv/curator/file.json").symlink_to("/etc/shadow")
    with pytest.raises(InvalidAnswer, match=r"file\.json is a link of curator") as raised:
        named_files.check(host, _proposal({key: path}))
    assert raised.value.question == f"dcor-server/{key}"


@pytest.mark.parametrize("key", ["licences", "resource-supplements"])
@pytest.mark.parametrize("place", unit.HIDDEN)
def test_a_file_that_the_confined_ckan_does_not_see_is_invalid(host: Host, key: str, place: str) -> None:
    with pytest.raises(InvalidAnswer) as raised:
        named_files.check(host, _proposal({key: f"{place}/admin/files"}))
    assert f"CKAN, which is confined, does not see {place}" in str(raised.value)
