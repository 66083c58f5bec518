"""A first installation asks its questions with each frontend of debconf; see the table in debconf_frontends."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from debconf_frontends import BACK, GERMAN, SETTINGS, debconf_answers, install_command, install_frontends, setting
from terminal import running
from website import serves, wait_for_page

from tests.conftest import Boot

#: Extract the package's scripts and templates, as apt does before it unpacks packages.
EXTRACT = "dpkg-deb --control /srv/dist/dcor-server_*.deb /srv/control"
#: Delete all answers from debconf's database, and load the templates.
RESET = """
echo PURGE | debconf-communicate -fnoninteractive dcor-server
echo 'X_LOADTEMPLATEFILE /srv/control/templates dcor-server' | debconf-communicate -fnoninteractive dcor-server
"""
CONFIG = "debconf --frontend={frontend} --owner=dcor-server /srv/control/config configure"
DATABASE_FILE = """\
Name: dcor-server/hostname
Template: dcor-server/hostname
Value: file.example.org
Owners: dcor-server
Flags: seen

"""


@pytest.mark.long
def test_a_first_installation_with_dialogs_in_german(
    boot: Boot, bare: layers.Stack, debs: list[Path], package_mounts: dict[Path, str]
) -> None:
    """On a machine without Python, where config cannot ask, so the postinst does."""
    machine = boot("german", bare, read_only=package_mounts)
    install_frontends(machine, "--no-install-recommends")
    _assert_config_does_nothing_without_python(machine)
    with running(machine, install_command(debs), GERMAN) as terminal:
        terminal.answer("Name des Servers:", "C-u", "kein Name", "Enter")
        refusal = terminal.answer("Ungültige Antwort", "Enter")
        assert "Name des Servers: kein Name" in refusal
        assert "Die Antwort ist kein Rechnername (Kleinbuchstaben, Ziffern und" in refusal
        assert "Zum Beispiel dcor.example.org." in refusal
        assert "The answer" not in refusal
        assert "For example" not in refusal
        terminal.answer("Name des Servers:", "C-u", "dcor.example.org", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", *BACK)
        terminal.answer("Name des Servers:", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", "C-u", "admin@example.org", "Enter")
        assert "selbstsigniert" in terminal.answer("Zertifikat des Servers:", "Enter")
        terminal.answer("Verzeichnis für die Messdaten:", "Enter")
        assert "https://dcor.example.org/ is up" in terminal.wait_for_exit()
    wait_for_page(machine)
    assert serves(machine)
    assert setting(machine, "email") == "admin@example.org"
    _run_config_alone(machine)


def _assert_config_does_nothing_without_python(machine: Machine) -> None:
    machine.shell(EXTRACT)
    machine.shell(RESET)
    assert machine.run("sh", "-c", "command -v python3", check=False).returncode
    done = machine.run("sh", "-c", CONFIG.format(frontend="noninteractive"))
    assert done.stdout + done.stderr == ""


def _run_config_alone(machine: Machine) -> None:
    """Run config like apt before it unpacks packages: without dcor_pkg and the settings' file."""
    machine.shell(f"mv {SETTINGS} /srv/settings; chmod 0 /usr/share/dcor-server")
    _answer_with_teletype(machine)
    _answer_with_readline_and_preseed(machine)
    _answer_with_priority_critical(machine)
    _answer_with_database_file(machine)
    machine.shell(f"mv /srv/settings {SETTINGS}; chmod 755 /usr/share/dcor-server")


def _answer_with_teletype(machine: Machine) -> None:
    machine.shell(RESET)
    with running(machine, CONFIG.format(frontend="teletype")) as terminal:
        for line in ("no host", "lab.example.org", "", "own", "", "/srv/chain.pem", "/srv/key.pem", "/srv/data"):
            terminal.type(line, "Enter")
        output = terminal.wait_for_exit()
    assert output.count("Invalid answer") == 2
    assert "The answer is missing, but your own certificate requires it." in output
    found = debconf_answers(machine)
    assert (found["hostname"], found["certificate"]) == (" lab.example.org", " own")
    assert (found["certificate-key"], found["data-directory"]) == (" /srv/key.pem", " /srv/data")


def _answer_with_readline_and_preseed(machine: Machine) -> None:
    machine.shell(RESET)
    machine.write("/srv/preseed", "dcor-server dcor-server/hostname string my host\n")
    machine.run("debconf-set-selections", "/srv/preseed")
    with running(machine, CONFIG.format(frontend="readline")) as terminal:
        for line in ("root", "me@example.org", "1", ""):
            terminal.type(line, "Enter")
        output = terminal.wait_for_exit()
    assert "Name of the server:" not in output
    assert output.count("Invalid answer") == 1
    found = debconf_answers(machine)
    assert (found["hostname"], found["email"], found["data-directory"]) == (" my host", " me@example.org", " /data")


def _answer_with_priority_critical(machine: Machine) -> None:
    machine.shell(RESET)
    machine.run("debconf-set-selections", text="dcor-server dcor-server/certificate select bought\n")
    with running(machine, CONFIG.format(frontend="dialog"), {"DEBIAN_PRIORITY": "critical"}) as terminal:
        assert terminal.wait_for_exit().split() == ["The", "program", "exited", "with", "0"]
    found = debconf_answers(machine)
    assert (found["hostname"], found["email"]) == (" dcor.example.org", " root@dcor.example.org")
    assert found["certificate"] == " bought"


def _answer_with_database_file(machine: Machine) -> None:
    machine.shell(RESET)
    machine.write("/srv/answers.dat", DATABASE_FILE)
    override = {"DEBCONF_DB_OVERRIDE": "File{/srv/answers.dat readonly:true}"}
    done = machine.run("sh", "-c", CONFIG.format(frontend="noninteractive"), env=override)
    assert done.stdout + done.stderr == ""
    assert "* dcor-server/hostname: file.example.org" in machine.run("debconf-show", "dcor-server", env=override).stdout


@pytest.mark.long
def test_a_first_installation_without_answers_uses_the_defaults(
    boot: Boot, bare: layers.Stack, debs: list[Path], package_mounts: dict[Path, str]
) -> None:
    machine = boot("lab", bare, read_only=package_mounts, hostname="lab")
    done = machine.run(*layers.INSTALL, *layers.paths_inside(debs), env=layers.NONINTERACTIVE, timeout=900)
    assert "lab is a host name without a domain" in done.stdout + done.stderr
    assert "https://lab/ is up" in done.stdout + done.stderr
    assert (setting(machine, "hostname"), setting(machine, "certificate")) == ("lab", "self-signed")
    wait_for_page(machine)
    machine.run("dcor-server", "status")
