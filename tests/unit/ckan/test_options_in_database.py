"""Options in the database that ckan.ini sets: found, reported with their values, removed, and recorded."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import additions, options_in_database
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql
from tests.unit.command_line import CommandLine

STEP = "options in the database"
UPDATED = {"ckan.config_update": "1795680000.0"}
FORM = {"ckan.site_title": "It's mine", "ckan.theme": "css/main", "ckan.site_intro_text": "Welcome", **UPDATED}


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    return dcor_server.converged()


def options(server: CommandLine) -> dict[str, str]:
    """Return the options in CKAN's database."""
    return server.machine.postgresql.databases["ckan_default"].options


def save(server: CommandLine, **more: str) -> None:
    """Save the form for administrators, as a CKAN did that offered all options."""
    options(server).update({**FORM, **more})


def removed(server: CommandLine) -> dict[str, str]:
    """Return what is recorded of options that were removed."""
    nothing: dict[str, str] = {}
    return state_file.read(server.machine.host, options_in_database.REMOVED, nothing)


def outcome(server: CommandLine, verb: str) -> dict[str, str]:
    """Return the outcome of the step."""
    (found,) = (one for one in server(verb, "--json").json["steps"] if one["step"] == STEP)
    return dict(found)


def test_check_names_each_option_with_its_value(server: CommandLine) -> None:
    assert outcome(server, "check")["result"] == "unchanged"
    save(server)
    found = outcome(server, "check")
    assert found["reason"] == (
        f"contradict {CKAN_INI}, which applies: ckan.site_title = \"It's mine\", ckan.theme = 'css/main'"
    )
    assert server("check").code == 3
    assert options(server) == FORM


def test_converge_removes_them_records_them_and_lets_programs_read_again(server: CommandLine) -> None:
    save(server)
    assert "It's mine" in outcome(server, "converge")["reason"]
    left = options(server)
    assert set(left) == {"ckan.site_intro_text", "ckan.config_update"}
    assert left["ckan.config_update"] != UPDATED["ckan.config_update"]
    assert removed(server) == {"ckan.site_title": "It's mine", "ckan.theme": "css/main"}
    assert server("check").code == 0


def test_a_long_value_is_shortened_in_the_report_and_recorded_whole(server: CommandLine) -> None:
    text = "We measure cells. " * 100
    host = server.machine.host
    host.write("/srv/about.md", "# About", Access(0o644))
    assert server("set", "about=/srv/about.md").code == 0
    save(server, **{"ckan.site_about": text})
    assert len(outcome(server, "converge")["reason"]) < 300
    assert removed(server)["ckan.site_about"] == text


def test_what_ckan_ini_does_not_set_stays_until_it_does(server: CommandLine) -> None:
    options(server).update({"ckan.site_about": "Ours", "ckan.site_custom_css": "p { }"})
    assert outcome(server, "check")["result"] == "unchanged"
    server.machine.host.write(f"{additions.DIRECTORY}/own.ini", "ckan.site_custom_css = h1 { }\n", Access(0o644))
    assert server("converge").code == 0
    assert options(server) == {"ckan.site_about": "Ours"}


def test_a_database_that_cannot_be_read_is_drift(server: CommandLine) -> None:
    server.machine.postgresql.databases["ckan_default"].revision = None
    assert outcome(server, "check")["reason"] == 'cannot be read: relation "system_info" does not exist'


@pytest.mark.parametrize("text", ["", "no section\nckan.site_title = x\n", "[app:main\nckan.site_title: x\n"])
def test_a_damaged_ckan_ini_is_searched_all_the_same(server: CommandLine, text: str) -> None:
    save(server)
    host = server.machine.host
    host.write(CKAN_INI, text, Access(0o640, "root", "www-data"))
    step = options_in_database.OptionsInDatabase(endpoints.of(settings_file.load(host)).database)
    assert ("ckan.site_title" in (step.check(host) or "")) is bool(text)


def test_sql_in_a_name_is_a_text(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[str] = []
    answers = iter(['{"x\'); DROP TABLE package; --": "1"}', ""])

    def query(_: object, __: object, sql: str) -> str:
        queries.append(sql)
        return next(answers)

    monkeypatch.setattr(psql, "query", query)
    host = server.machine.host
    host.write(CKAN_INI, "x'); DROP TABLE package; -- = 1\n", Access(0o640, "root", "www-data"))
    options_in_database.OptionsInDatabase(None).apply(host)  # type: ignore[arg-type]  # not looked at
    assert "IN ('x''); DROP TABLE package; --')" in queries[1]
