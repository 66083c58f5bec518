"""Settings reach ckan.ini as CKAN's own reader of INI files, Python's configparser, reads them."""

from __future__ import annotations

import configparser

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Access, Host

#: an answer, and the option of ckan.ini that it gives another value, with that value
OPTIONS = {
    ("hostname", "cells.example.org"): ("ckan.site_url", "https://cells.example.org"),
    ("site-title", "Cells & Beads 100%"): ("ckan.site_title", "Cells & Beads 100%"),
    ("data-directory", "/srv/data"): ("ckan.storage_path", "/srv/data/ckan"),
    ("scratch-directory", "/srv/scratch"): ("ckanext.dc_serve.tmp_dir", "/srv/scratch/ckanext-dc_serve"),
    ("registration", "yes"): ("ckan.auth.create_user_via_web", "true"),
    ("public-datasets", "no"): ("ckanext.dcor_schemas.allow_public_datasets", "false"),
    ("anonymous-listing", "no"): ("ckanext.dcor_schemas.allow_content_listing_for_anon", "false"),
    ("upload-limit", "5"): ("ckan.max_resource_size", "5"),
    ("licences", "/srv/licences.json"): ("licenses_group_url", "file:///srv/licences.json"),
    ("resource-supplements", "/srv/own"): ("ckanext.dcor_schemas.json_resource_schema_dir", "/srv/own"),
    ("mail-relay", "mail.example.org:25"): ("smtp.server", "mail.example.org:25"),
}


def read(answers: dict[str, str], host: Host, section: str = "app:main") -> dict[str, str]:
    """Return the options of ckan.ini on a server with these answers, in lower case; a word stands for each secret."""
    file = ckan_ini(settings.parse(answers))
    parser = configparser.ConfigParser()
    parser.read_string(templates.render(file.template, file.values, host, hidden=True))
    return dict(parser[section])


@pytest.mark.parametrize(("answer", "expected"), OPTIONS.items(), ids=[key for key, _ in OPTIONS])
def test_an_answer_changes_its_option(answer: tuple[str, str], expected: tuple[str, str], host: Host) -> None:
    key, value = answer
    option, text = expected[0].lower(), expected[1]
    assert read({}, host).get(option) != text
    assert read({key: value}, host)[option] == text


@pytest.mark.parametrize("page", settings.PAGES)
def test_the_text_of_a_page_is_in_it_as_it_is_in_the_file(page: str, host: Host) -> None:
    text = "# Impressum\n\nKlinik 100% & Partner\n\n; Telefon\n[x]: y"
    host.write("/srv/page.md", text, Access(0o644))
    assert f"dcor_server.{page}" not in read({}, host)
    assert read({page: "/srv/page.md"}, host)[f"dcor_server.{page}"] == text


def test_pages_without_a_text_name_the_administrators_address(host: Host) -> None:
    assert read({"email": "admin@example.org"}, host)["dcor_server.email"] == "admin@example.org"


def test_the_plugin_whose_templates_count_is_the_first(host: Host) -> None:
    """CKAN looks for a template in the first plugin first (ckan/plugins/core.py, `_reverse_iteration_order`)."""
    plugins = read({}, host)["ckan.plugins"].split()
    assert plugins[0] == "dcor_server_pages"
    assert "dcor_theme" in plugins


def test_the_log_level_is_that_of_ckan_and_its_extensions(host: Host) -> None:
    levels = {read({"log-level": "info"}, host, f"logger_{name}")["level"] for name in ("ckan", "ckanext")}
    assert levels == {"INFO"}
    assert read({"log-level": "info"}, host, "logger_root")["level"] == "WARNING"
