"""Templates: an admin's text reaches CKAN unchanged, whatever its characters mean in an INI file."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg.answers import settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets, templates
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services import endpoints

ABOUT = "# Our laboratory\n\nWe measure 100% of *cells*.\n; and beads\n  # indented\n"
SIGNS = "".join(f"{name} = {sign}\n" for sign, name in templates.COMMENT_SIGNS.items())


def _read_again(text: str) -> str:
    """Return an option's value as CKAN's own reader of INI files, Python's configparser, finds it."""
    parser = configparser.ConfigParser()
    parser.read_string(f"[DEFAULT]\n{SIGNS}[app:main]\noption = {templates.ini(text)}\nnext = x\n")
    assert parser["app:main"]["next"] == "x"
    return parser["app:main"]["option"]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@given(st.text(st.sampled_from("a b%#;=:[]()\n$")))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert _lines(_read_again(text)) == _lines(text)


def _values(wanted: settings.Settings) -> dict[str, object]:
    return {"settings": wanted, "services": endpoints.of(wanted), "licences": "/x", "core": "ckan"}


def test_the_file_of_the_setting_is_in_ckan_ini(host: Host) -> None:
    host.write("/srv/about.md", ABOUT, Access(0o644))
    for name in ("ckan-secret-key", "ckan-csrf-key", "database-password", "solr-password"):
        host.write(f"/etc/dcor-server/secrets/{name}", "x", Access(0o600))
    for name in ("object-store-key", "object-store-secret"):
        host.write(f"/etc/dcor-server/secrets/{name}", "x", Access(0o600))
    wanted = settings.parse({"about": "/srv/about.md", "hostname": "dcor.example.org"})
    parser = configparser.ConfigParser()
    parser.read_string(templates.render("ckan/templates/ckan.ini", _values(wanted), host))
    assert _lines(parser["app:main"]["ckan.site_about"]) == _lines(ABOUT)


def test_a_missing_file_is_named(host: Host) -> None:
    wanted = settings.parse({"about": "/srv/gone.md"})
    with pytest.raises(DcorError, match=r"/srv/gone.md"):
        templates.render("ckan/templates/ckan.ini", _values(wanted), host)


def test_a_secret_without_reveal_is_an_error(tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "template").write_text("{{ secret('key') }}\n")
    host.write(secrets.path("key"), "hush\n", secrets.ACCESS)
    monkeypatch.setattr(templates._environment().loader, "searchpath", [str(tmp_path)])  # noqa: SLF001 (a template)
    with pytest.raises(TypeError, match="reveal"):
        templates.render("template", {}, host)


def test_a_missing_secret_is_named(host: Host) -> None:
    with pytest.raises(DcorError, match=r"^The secret key is missing\.$") as failed:
        secrets.read(host, "key")
    assert failed.value.hint == "dcor-server converge makes it."
