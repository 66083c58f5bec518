"""The admin's own options for CKAN take precedence, and what they do not name stays as it is."""

from __future__ import annotations

import configparser
import logging.config
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dcor_pkg.answers import settings
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan.additions import DIRECTORY, BadAddition, Option, merged, parse
from dcor_pkg.ckan.ckan_ini import CkanIni, ckan_ini
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Access, Host

SETTINGS = settings.parse({"hostname": "dcor.example.org", "site-title": "Beads"})
SECRETS = ("ckan-secret-key", "ckan-csrf-key", "database-password", "solr-password", "object-store-key")
TEMPLATE = """\
# a comment
[DEFAULT]
debug = false

[app:main]
use = egg:ckan
## Site
ckan.site_title = DCOR
ckan.site_about = We

    measure
      cells

# plugins
ckan.plugins = stats

# levels
[logger_ckan]
level = WARNING
"""


class Ckans(configparser.ConfigParser):
    """What CKAN 2.11 reads its file with (ckan/cli/__init__.py, CKANConfigLoader)."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def as_ckan_reads(text: str, default: str = "DEFAULT") -> dict[tuple[str, str], str]:
    """Return all options with their values, before interpolation; those of `default` are in each section."""
    parser = Ckans(default_section=default)
    parser.read_string(text)
    return {(section, name): value for section in parser.sections() for name, value in parser.items(section, raw=True)}


def add(host: Host, name: str, text: str) -> str:
    """Write an addition and return its path."""
    host.write(f"{DIRECTORY}/{name}", text, Access(0o600))
    return f"{DIRECTORY}/{name}"


@pytest.fixture
def ini(host: Host) -> CkanIni:
    """Return the file of a server with its secrets."""
    for name in (*SECRETS, "object-store-secret"):
        host.write(f"/etc/dcor-server/secrets/{name}", f"hush-{name}\n", Access(0o600))
    return ckan_ini(SETTINGS)


def test_an_addition_is_in_the_file_with_the_name_of_its_own_file(host: Host, ini: CkanIni) -> None:
    before = ini.text(host)
    file = add(host, "10.ini", "ckan.site_title = Cells\nckan.datasets_per_page = 7\n")
    text = ini.text(host)
    assert f"# From {file}:\nckan.site_title = Cells\n" in text
    assert f"# From {file}:\nckan.datasets_per_page = 7\n\n## Log levels" in text
    assert "ckan.site_title = Beads" not in text
    expected = as_ckan_reads(before)
    changed = {("app:main", "ckan.site_title"): "Cells", ("app:main", "ckan.datasets_per_page"): "7"}
    assert as_ckan_reads(text) == expected | changed


def test_without_additions_the_text_is_that_of_the_template(host: Host, ini: CkanIni) -> None:
    assert ini.text(host) == templates.render("ckan/templates/ckan.ini", ini.values, host)
    add(host, "note.txt", "no addition")
    add(host, "empty.ini", "# nothing yet\n")
    assert ini.text(host) == templates.render("ckan/templates/ckan.ini", ini.values, host)


def test_of_two_files_the_later_by_name_takes_precedence(host: Host, ini: CkanIni) -> None:
    add(host, "20.ini", "ckan.site_title = Later\n")
    add(host, "10.ini", "ckan.site_title = Earlier\n")
    assert as_ckan_reads(ini.text(host))["app:main", "ckan.site_title"] == "Later"


def test_other_sections_are_merged_too_and_python_reads_the_loggers(host: Host, ini: CkanIni, tmp_path: Path) -> None:
    add(
        host,
        "log.ini",
        "[loggers]\nkeys = root, ckan, ckanext, werkzeug, mine\n"
        "[logger_mine]\nlevel = DEBUG\nhandlers = console\nqualname = mine\n[logger_ckan]\nlevel = ERROR\n",
    )
    ini.validate(host)
    (tmp_path / "ckan.ini").write_text(ini.text(host))
    logging.config.fileConfig(str(tmp_path / "ckan.ini"), disable_existing_loggers=False)
    levels = [logging.getLogger(name).level for name in ("mine", "ckan")]
    for name in ("", "mine", "ckan", "ckanext", "werkzeug"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    assert levels == [logging.DEBUG, logging.ERROR]


def test_a_value_of_several_lines_takes_the_place_of_one(host: Host) -> None:
    added = parse("x.ini", "ckan.site_about = They\n\n  # a comment\n    count\nckan.plugins = stats\n  mine\n")
    text = merged(TEMPLATE, added)
    assert as_ckan_reads(text)["app:main", "ckan.site_about"] == "They\n\ncount"
    assert as_ckan_reads(text)["app:main", "ckan.plugins"] == "stats\nmine"
    assert "measure" not in text
    assert "# plugins\n" in text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("ckan.site_title\n", 1, "neither OPTION = VALUE nor"),
        ("[app:main\nx = 1\n", 1, "neither OPTION = VALUE nor"),
        ("\n[app:main]\nx = 1\nhush hush\n", 4, "neither OPTION = VALUE nor"),
        ("# mine\nx = 1\ny = 2\nx = 3\n", 4, "x is set twice"),
        ("[app:main]\nx = 1\n\n[app:main]\n", 4, "the section [app:main] occurs twice"),
        ("x = 1\n\nckan.site_title = 100% hush\n", 3, "the value of ckan.site_title has a % that"),
        ("ckan.site_title = %(ckan.nowhere)s\n", 1, "the value of ckan.site_title has a % that"),
        ("[DEFAULT]\na = hush%\n", 2, "the value of a has a % that"),
        ("x = 1\nsecret_key = hush\n", 2, "secret_key differs from SECRET_KEY only in upper and lower case"),
        ("x = 1\ny = \udce9\n", 2, "is not valid UTF-8"),
    ],
)
def test_an_invalid_addition_is_reported_with_its_line_and_without_its_value(
    host: Host, ini: CkanIni, text: str, line: int, words: str
) -> None:
    file = add(host, "mine.ini", text)
    with pytest.raises(BadAddition) as raised:
        ini.validate(host)
    assert raised.value.reason.startswith(f"{file}, line {line}: ")
    assert words in raised.value.reason
    assert "hush" not in raised.value.reason + raised.value.hint


def test_an_addition_that_cannot_be_read_is_reported(host: Host, ini: CkanIni) -> None:
    host.link(f"{DIRECTORY}/gone.ini", "/nowhere")
    with pytest.raises(DcorError, match=r"ckan.d/gone.ini is not a readable file"):
        ini.validate(host)


def test_signs_with_a_meaning_may_be_used_in_values(host: Host, ini: CkanIni) -> None:
    add(host, "a.ini", "[DEFAULT]\nclinic = Ours\n[app:main]\nx = %(clinic)s at %(ckan.site_url)s, 100%%, %(here)s\n")
    ini.validate(host)
    parser = Ckans()
    parser.read_string(ini.text(host))
    assert parser.get("app:main", "x") == "Ours at https://dcor.example.org, 100%, /etc/ckan/default"


def test_a_contradiction_is_reported_with_the_overridden_value_and_no_secret(host: Host, ini: CkanIni) -> None:
    add(host, "a.ini", "ckan.site_title = Cells\nSECRET_KEY = mine\ndebug = true\nckan.locale_default = en_US\nx = 1\n")
    found = {str(option): (option.line, overridden) for option, overridden in ini.contradictions(host)}
    assert found == {
        "ckan.site_title": (1, "Beads"),
        "SECRET_KEY": (2, templates.HIDDEN),
        "debug": (3, "false"),
    }


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,6}", fullmatch=True)
SECTIONS = st.sampled_from(["app:main", "DEFAULT", "logger_ckan", "mine"])
VALUES = st.text(st.sampled_from("ab%#;=:[]()\n \t$\x0b\x85é")).map(lambda text: text.replace("\n", "\n  "))


@given(st.dictionaries(st.tuples(SECTIONS, NAMES | st.sampled_from(["debug", "ckan.plugins", "level"])), VALUES))
def test_any_addition_takes_effect_and_all_else_stays(added: dict[tuple[str, str], str]) -> None:
    sections = {section for section, _ in added}
    lines = {
        section: "".join(f"{name} = {value}\n" for (place, name), value in added.items() if place == section)
        for section in sections
    }
    text = "".join(f"[{section}]\n{content}" for section, content in lines.items())
    try:
        theirs = as_ckan_reads(text, default="")
    except configparser.Error:
        assume(False)
    found = parse("x.ini", text)
    assert {(option.section, option.name): option.value for option in found} == theirs
    assert all(text.split("\n")[option.line - 1].startswith(option.name) for option in found)
    assert as_ckan_reads(merged(TEMPLATE, found), default="") == as_ckan_reads(TEMPLATE, default="") | theirs
    seen = as_ckan_reads(merged(TEMPLATE, found))
    assert {place: seen[place] for place in theirs if place[0] != "DEFAULT"} == {
        place: value for place, value in theirs.items() if place[0] != "DEFAULT"
    }


def test_an_option_knows_its_section() -> None:
    assert str(Option("logger_ckan", "level", "INFO", "x.ini", 3)) == "level in [logger_ckan]"
    assert ckan_additions.MAIN == "app:main"
