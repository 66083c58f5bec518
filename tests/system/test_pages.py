"""The pages of a site: texts that are settings, options of which the settings win, and one language for each page.

All tests share a machine, in their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import User, make_user, run_client
from website import CURL, SITE, wait_for_page

PAGES = ("contact", "imprint", "privacy")
SHOTS = "/srv/shots"
#: pages of which each exists in both languages
LISTS = ("/", "/dataset/", "/organization/", "/group/", "/contact", "/imprint", "/privacy", "/about")
FORMS = ("/organization/new", "/group/new", "/dashboard/organizations", "/ckan-admin/trash")
#: what the menu and the foot of each page show, by the language's place in the address
NAMES = {
    "": ("Datasets", "Circles", "Collections", "Contact", "Imprint", "Privacy"),
    "/de": ("Datensätze", "Kreise", "Sammlungen", "Kontakt", "Impressum", "Datenschutz"),
}


@pytest.fixture(scope="module")
def machine(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server with a browser."""
    with Machine("pages", layers.with_browser(suite, debs), read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


@pytest.fixture(scope="module")
def admin(machine: Machine) -> User:
    """Return a sysadmin."""
    return make_user(machine, "admin", sysadmin=True)


def browse(machine: Machine, *arguments: str, user: User | None = None) -> dict[str, Any]:
    """Run clients/site_pages.py."""
    login = ("--user", user.name, "--password", user.password) if user else ()
    return run_client(machine, "site_pages", *login, *arguments, python="/usr/bin/python3")


def look(machine: Machine, *pages: str, user: User | None = None) -> dict[str, Any]:
    """Return what a browser shows of pages."""
    asked = [argument for page in pages for argument in ("--page", page)]
    return browse(machine, *asked, "--screenshots", f"{SHOTS}/{user.name[:5] if user else 'guest'}", user=user)


def page(machine: Machine, target: str) -> str:
    """Return a page as CKAN makes it now: a guest might get one that nginx has kept for a minute."""
    return machine.shell(f"{CURL} --cookie dcor=x {SITE}{target}")


def title(machine: Machine) -> str:
    """Return the title of the start page."""
    return page(machine, "/").partition("<title>")[2].partition("</title>")[0].strip()


def notices(machine: Machine) -> list[str]:
    """Return the notices of `status`, which succeeds."""
    found = json.loads(machine.run("dcor-server", "status", "--json").stdout)["notices"]
    return [f"{notice['file']} {notice['message']}" for notice in found]


def steps(machine: Machine, exit_code: int) -> dict[str, str]:
    """Return the reasons of steps that `check` finds to differ."""
    done = machine.run("dcor-server", "check", "--json", check=False)
    assert done.returncode == exit_code
    return {one["step"]: one["reason"] for one in json.loads(done.stdout)["steps"] if one["reason"]}


def sql(machine: Machine, text: str) -> str:
    """Run SQL in CKAN's database."""
    return machine.shell(
        f'cd / && runuser -u postgres -- psql --tuples-only --no-align ckan_default --command "{text}"'
    )


def test_a_page_without_a_text_says_whom_to_ask_in_the_language_of_the_page(machine: Machine) -> None:
    for name in PAGES:
        english, german = page(machine, f"/{name}"), page(machine, f"/de/{name}")
        assert "This page has no text yet. Please write to the administrator of this server:" in english
        assert "Diese Seite hat noch keinen Text. Bitte schreiben Sie der Administration dieses Servers:" in german
        for text in (english, german):
            assert '<a href="mailto:admin@example.org">admin@example.org</a>' in text
            assert "CKAN template" not in text
    assert any("names no text for the pages /contact, /imprint, /privacy" in notice for notice in notices(machine))


def test_texts_are_settings_and_a_changed_file_is_read_by_the_next_converge(machine: Machine) -> None:
    for name in PAGES:
        text = f"# {name} of the clinic\n\n100% of *cells*\n\n; and beads\n\n<script>alert(1)</script>\n"
        machine.write(f"/etc/dcor-server/{name}.md", text)
    machine.run("dcor-server", "set", *(f"{name}=/etc/dcor-server/{name}.md" for name in PAGES))
    for name in PAGES:
        text = page(machine, f"/{name}")
        assert f"<h1>{name} of the clinic</h1>" in text
        assert "100% of <em>cells</em>" in text
        assert "; and beads" in text
        assert "<script>alert(1)" not in text
        assert "has no text yet" not in text
    assert not any("names no text" in notice for notice in notices(machine))
    machine.write("/etc/dcor-server/imprint.md", "# Impressum\n\nKlinik am Berg\n")
    assert next(iter(steps(machine, 3))) == "file /etc/ckan/default/ckan.ini"
    machine.run("dcor-server", "converge")
    assert "Klinik am Berg" in page(machine, "/de/imprint")


def test_the_form_for_administrators_shows_what_the_server_decides_and_cannot_change_it(
    machine: Machine, admin: User
) -> None:
    shown = look(machine, "/ckan-admin/config", "/de/ckan-admin/config", user=admin)
    english, german = shown["/ckan-admin/config"]["text"], shown["/de/ckan-admin/config"]["text"]
    assert "What is grey here is set on the server" in english
    assert "Set on the server: dcor-server set site-title=..." in english
    assert "Was hier grau ist, wird auf dem Server eingestellt" in german
    saved = browse(machine, "--save", "ckan.site_description=Cells and beads", user=admin)["form"]
    assert (set(saved["disabled"]), saved["errors"]) == ({"ckan.site_title", "ckan.theme"}, [])
    assert (
        sql(machine, "SELECT value FROM system_info WHERE key = 'ckan.site_description'").strip() == "Cells and beads"
    )
    forced = browse(machine, "--save", "ckan.site_title=Forced", user=admin)["form"]
    assert forced["errors"], forced["text"]
    assert "ckan.site_title" in forced["errors"][0]
    steps(machine, 0)
    machine.run("dcor-server", "set", "site-title=Cells & Beads")
    assert "Cells &amp; Beads" in title(machine)
    assert "Forced" not in title(machine)


def test_an_option_that_a_database_brings_is_reported_and_removed_and_the_setting_counts(machine: Machine) -> None:
    sql(
        machine,
        "INSERT INTO system_info (key, value, state) VALUES ('ckan.site_title', 'Old form', 'active'), "
        "('ckan.theme', 'css/main', 'active'), ('ckan.site_about', 'Ours', 'active') "
        # The form has saved all fields that it has.
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    sql(machine, "UPDATE system_info SET value = '1' WHERE key = 'ckan.config_update'")
    reason = steps(machine, 3)["options in the database"]
    assert "ckan.site_title = 'Old form', ckan.theme = 'css/main'" in reason
    assert "site_about" not in reason
    assert "Old form" in machine.run("dcor-server", "converge").stdout
    assert json.loads(machine.path("/var/lib/dcor-server/removed-options.json").read_text()) == {
        "ckan.site_title": "Old form",
        "ckan.theme": "css/main",
    }
    assert "Cells &amp; Beads" in title(machine)
    assert "dcor_main" in page(machine, "/")
    assert "Ours" in page(machine, "/about")
    machine.write("/etc/dcor-server/about.md", "# About the clinic\n")
    assert "ckan.site_about = 'Ours'" in machine.run("dcor-server", "set", "about=/etc/dcor-server/about.md").stdout
    assert "<h1>About the clinic</h1>" in page(machine, "/about")
    steps(machine, 0)


@pytest.mark.parametrize(("prefix", "words"), NAMES.items(), ids=["english", "german"])
def test_pages_call_circles_and_collections_by_one_name(
    machine: Machine, admin: User, prefix: str, words: tuple[str, ...]
) -> None:
    guest = look(machine, *(f"{prefix}{one}" for one in LISTS))
    signed_in = look(machine, *(f"{prefix}{one}" for one in (*FORMS, f"/user/{admin.name}")), user=admin)
    for target, shown in {**guest, **signed_in}.items():
        assert [word for word in words if word not in shown["text"]] == [], target
        assert re.findall("organisation|gruppe", shown["text"], re.IGNORECASE) == [], target
        assert shown["console"] == [], target


def test_links_keep_the_language(machine: Machine) -> None:
    german = page(machine, "/de/contact")
    assert {'href="/de/dataset/"', 'href="/de/organization/"', 'href="/de/group/"'} <= set(
        re.findall(r'href="[^"]*"', german)
    )
