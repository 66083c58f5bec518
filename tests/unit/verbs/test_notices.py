"""Notices about additions and changed files: which file, what it means, and the command that undoes it."""

from __future__ import annotations

import pytest

from dcor_pkg.answers import settings_text
from dcor_pkg.ckan import additions
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.nginx import additions as nginx_additions
from tests.unit.command_line import CommandLine

REDIS = "/etc/dcor-server/redis.conf"
LOGROTATE = "/etc/logrotate.d/dcor-server"
OWN = f"{additions.DIRECTORY}/own.ini"
PUBLIC = Access(0o644)


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    return dcor_server.converged()


def notices(server: CommandLine, verb: str = "status") -> list[dict[str, str]]:
    """Return the notices of a verb, which change no exit code of a healthy server."""
    found: list[dict[str, str]] = server(verb, "--json").json["notices"]
    return found


def write(server: CommandLine, path: str, text: str) -> None:
    """Edit a file as an administrator does, who keeps its access."""
    server.machine.host.write(path, text, server.machine.host.access(path) or PUBLIC)


def test_a_server_without_changes_has_none(server: CommandLine) -> None:
    assert notices(server) == notices(server, "check") == []


@pytest.mark.parametrize("verb", ["status", "check", "converge"])
def test_pages_without_a_text_are_named_with_the_command_and_change_no_exit_code(
    server: CommandLine, verb: str
) -> None:
    server("set", "imprint=", "privacy=")
    (notice,) = notices(server, verb)
    assert notice["file"] == "/etc/dcor-server/dcor-server.conf"
    assert notice["message"].startswith("names no text for the pages /imprint, /privacy; they show the administrator's")
    command = "dcor-server set imprint=/etc/dcor-server/imprint.md privacy=/etc/dcor-server/privacy.md"
    assert command in notice["hint"]
    assert command in server(verb).out
    assert server(verb).code == 0


@pytest.mark.parametrize("verb", ["status", "check", "converge"])
def test_settings_of_a_newer_version_are_named_and_change_no_exit_code(server: CommandLine, verb: str) -> None:
    text = server.machine.host.read(settings_text.PATH) or ""
    written = text.replace("Written by a version with ", "colour = blue\n# Written by a version with 1")
    write(server, settings_text.PATH, written.replace("# colour", "colour"))
    (notice,) = notices(server, verb)
    assert notice["message"] == "has settings of a newer version, which are kept and have no effect: colour"
    assert server(verb).code == 0


@pytest.mark.parametrize("verb", ["status", "check", "converge"])
def test_little_memory_is_told_and_changes_no_exit_code(server: CommandLine, verb: str) -> None:
    server.machine.host.write("/proc/meminfo", "MemTotal: 2027520 kB\nMemAvailable: 1000000 kB\n", PUBLIC)
    server("converge")
    (notice,) = notices(server, verb)
    assert "this machine has 1980 MiB of memory" in notice["message"]
    assert "2 GiB" in notice["hint"]


@pytest.mark.parametrize("verb", ["status", "check", "converge"])
def test_a_changed_file_is_named_with_the_command_for_the_new_version(server: CommandLine, verb: str) -> None:
    write(server, REDIS, "port 6379\n")
    (notice,) = notices(server, verb)
    assert notice["file"] == REDIS
    assert "was changed by an administrator, so dcor-server does not update it" in server(verb).out
    if verb == "converge":
        assert server("status").code == 0
        assert f"mv {REDIS}.dcor-new {REDIS}; dcor-server converge" in server(verb).out


def test_before_the_new_version_exists_the_command_removes_the_file(server: CommandLine) -> None:
    write(server, LOGROTATE, "weekly\n")
    assert f"rm {LOGROTATE}; dcor-server converge" in notices(server)[0]["hint"]
    server("converge")
    new = managed_file.new_version(LOGROTATE)
    assert new.startswith("/etc/dcor-server/")
    assert f"mv {new} {LOGROTATE}; dcor-server converge" in notices(server)[0]["hint"]


def test_an_addition_that_overrides_an_option_is_named_with_both_values(server: CommandLine) -> None:
    write(server, OWN, "[app:main]\nckan.locale_default = de\n")
    server("converge")
    (notice,) = notices(server)
    assert notice["file"] == OWN
    assert "sets ckan.locale_default, which dcor-server sets to 'en_US'" in str(notice)
    assert "remove line 2" in notice["hint"]


def test_a_changed_ckan_ini_makes_additions_ineffective_which_is_said_once(server: CommandLine) -> None:
    write(server, OWN, "[app:main]\nckan.locale_default = de\n")
    write(server, CKAN_INI, f"{server.machine.host.read(CKAN_INI)}\n# changed\n")
    (notice,) = notices(server)
    assert notice["file"] == CKAN_INI
    assert f"the options in {additions.DIRECTORY} have no effect" in str(notice)


def test_an_addition_that_is_invalid_is_named_with_its_line_or_nginxs_words(server: CommandLine) -> None:
    write(server, OWN, "[app:main]\nsmtp.user\n")
    write(server, f"{nginx_additions.DIRECTORY}/own.conf", "nonsense on;\n")
    ckan, nginx = notices(server)
    assert (ckan["file"], nginx["file"]) == (additions.DIRECTORY, nginx_additions.DIRECTORY)
    assert f"is not in effect: {OWN}, line 2" in str(ckan)
    assert 'unknown directive "nonsense"' in str(nginx)


def test_no_secret_is_in_a_notice(server: CommandLine) -> None:
    write(server, OWN, "[app:main]\nsqlalchemy.url = postgresql://hush\nSECRET_KEY = hush\n")
    server("converge")
    secret = "ckan-secret-key"
    text = server.machine.host.read(f"/etc/dcor-server/secrets/{secret}") or ""
    found = str(notices(server))
    assert text.strip()
    assert text.strip() not in found
    assert "hush" not in found
