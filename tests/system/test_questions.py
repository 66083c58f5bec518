"""The questions on an installed server, with each frontend of debconf; see the table in debconf_frontends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from debconf_frontends import BACK, GERMAN, SETTINGS, debconf_answers, install_command, install_frontends, setting
from next_version import NEXT, make_next_version
from terminal import running
from website import serves, wait_for_page, wait_for_upgrade

pytestmark = pytest.mark.upgrades

README = Path(__file__).resolve().parents[2] / "README.md"
FRONTENDS = ("dialog", "readline", "teletype", "noninteractive")
QUEUE = "redis://127.0.0.1:6399/0"
#: which versions have a release that is kept
VERSIONS = "/var/lib/dcor-server/versions"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with preseeded answers and debconf's frontends; each test restores the settings."""
    with Machine("answers", installed, read_only=package_mounts) as machine:
        install_frontends(machine)
        wait_for_page(machine)
        yield machine


def test_saved_answers_are_not_marked_as_seen(machine: Machine) -> None:
    answers = machine.run("debconf-show", "dcor-server").stdout
    assert "dcor-server/hostname: dcor.example.org" in answers
    assert "* " not in answers


def test_a_reconfiguration_with_dialogs_and_a_password(machine: Machine) -> None:
    machine.write("/srv/queue.conf", 'port 6399\nbind 127.0.0.1\nrequirepass hush-queue\nsave ""\n')
    machine.shell("systemd-run --quiet --unit=queue redis-server /srv/queue.conf")
    with running(machine, "dpkg-reconfigure dcor-server") as terminal:
        terminal.answer("Name of the server:", "C-u", "my.example.org")
        terminal.answer("my.example.org____", *BACK)
        terminal.answer("dcor.example.org____", "C-u", "no host", "Enter")
        refusal = terminal.answer("Invalid answer", "Enter")
        terminal.answer("no host____", "C-u", "dcor.example.org", "Enter")
        terminal.answer("Email address of the administrator:", "Enter")
        terminal.answer("Certificate of the server:", "Down", "Enter")
        terminal.answer("File with your own certificate:", *BACK)
        terminal.answer("Certificate of the server:", "Up", "Enter")
        terminal.answer("Directory for the measurements:", "Enter")
        terminal.answer("Directory for temporary files:", "Enter")
        terminal.answer("Title of the site:", "C-u", "Cells & Beads", "Enter")
        terminal.answer("Database (PostgreSQL):", "Enter")
        terminal.answer("Job queue (Redis):", "C-u", QUEUE, "Enter")
        terminal.answer("Password of Redis:", "hush-queue", "Enter")
        terminal.answer("Search engine (Solr):", "Enter")
        terminal.answer("Object store for the measurements (S3):", "Enter")
        terminal.answer("Mail relay:", "Enter")
        assert "is up" in terminal.wait_for_exit()
    assert (setting(machine, "site-title"), setting(machine, "redis")) == ("Cells & Beads", QUEUE)
    _assert_password_stored(machine)
    assert all(line in README.read_text() for line in refusal.splitlines()), refusal


def _assert_password_stored(machine: Machine) -> None:
    """Assert that the password is in its file, and not in debconf's database, logs or settings."""
    assert machine.path("/etc/dcor-server/secrets/external-redis-password").read_text() == "hush-queue\n"
    assert machine.run("grep", "-r", "hush", "/var/cache/debconf", "/var/log", SETTINGS, check=False).returncode == 1
    assert "hush" not in machine.run("debconf-show", "dcor-server").stdout


def test_a_reconfiguration_with_text_frontends_changes_nothing_and_an_empty_password_keeps_the_old_one(
    machine: Machine,
) -> None:
    before = machine.path(SETTINGS).read_text()
    for frontend in ("readline", "teletype"):
        with running(machine, f"dpkg-reconfigure --frontend={frontend} dcor-server") as terminal:
            for line in ("", "", "1", *[""] * 9):
                terminal.type(line, "Enter")
            assert "0 changed" in terminal.wait_for_exit()
        assert machine.path(SETTINGS).read_text() == before
        _assert_password_stored(machine)
    with running(machine, "dpkg-reconfigure --frontend=teletype dcor-server") as terminal:
        for line in ("", "", "1", "", "", "DCOR", "", "local", "", "", ""):
            terminal.type(line, "Enter")
        assert "is up" in terminal.wait_for_exit()
    assert (setting(machine, "site-title"), setting(machine, "redis")) == ("DCOR", "local")


def test_reconfigurations_in_german_with_priorities(machine: Machine) -> None:
    with running(machine, "dpkg-reconfigure --priority=high dcor-server", GERMAN) as terminal:
        terminal.answer("Name des Servers:", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", "C-u", "niemand", "Enter")
        refusal = terminal.answer("Ungültige Antwort", "Enter")
        assert "Die Antwort ist keine E-Mail-Adresse. Zum Beispiel admin@example.org." in refusal
        terminal.answer("niemand____", "C-u", "admin@example.org", "Enter")
        terminal.answer("Zertifikat des Servers:", "Enter")
        terminal.answer("Verzeichnis für die Messdaten:", "Enter")
        assert "0 changed" in terminal.wait_for_exit()
    with running(machine, "dpkg-reconfigure --priority=critical dcor-server") as terminal:
        assert "0 changed" in terminal.wait_for_exit()


def test_a_preseed_on_an_installed_server_is_reported_and_has_no_effect(machine: Machine) -> None:
    preseed(machine, "other.example.org")
    done = machine.run("dpkg-reconfigure", "--frontend=noninteractive", "dcor-server")
    assert done.stderr.count("dcor-server/hostname is preseeded as 'other.example.org'") == 1
    assert "0 changed" in done.stdout + done.stderr
    again = machine.run("dpkg-reconfigure", "--frontend=noninteractive", "dcor-server")
    assert "preseeded" not in again.stdout + again.stderr


def preseed(machine: Machine, hostname: str) -> None:
    machine.run("debconf-set-selections", text=f"dcor-server dcor-server/hostname string {hostname}\n")


def test_an_upgrade_asks_no_question_with_any_frontend(machine: Machine) -> None:
    make_next_version(machine)
    edited = machine.path(SETTINGS).read_text().replace("= DCOR\n", "= DCOR   (a  lab)\n")
    machine.write(SETTINGS, edited, 0o640)
    for frontend in FRONTENDS:
        with running(machine, f"dpkg --install {NEXT}", {"DEBIAN_FRONTEND": frontend}) as terminal:
            output = terminal.wait_for_exit()
        wait_for_upgrade(machine)
        assert "Title" not in output
        assert "preseeded" not in output
        assert machine.path(SETTINGS).read_text() == edited
    preseed(machine, "other.example.org")
    output = machine.shell(f"DEBIAN_FRONTEND=noninteractive dpkg --install {NEXT} 2>&1")
    assert output.count("dcor-server/hostname is preseeded as 'other.example.org'") == 1
    wait_for_upgrade(machine)
    assert debconf_answers(machine)["hostname"] == " dcor.example.org"
    assert debconf_answers(machine)["site-title"] == " DCOR (a lab)"
    machine.run("dcor-server", "set", "site-title=DCOR")


def test_an_invalid_settings_file_is_reported_with_its_line(machine: Machine) -> None:
    text = machine.path(SETTINGS).read_text()
    machine.write(SETTINGS, text.replace("\n\n[dcor-server]\n", "\n\n[dcor-server]\nno equals sign\n"), 0o640)
    broken = machine.path(SETTINGS).read_text()
    with running(machine, "dpkg-reconfigure dcor-server") as terminal:
        output = terminal.wait_for_exit(1)
    assert "[line 6]: 'no equals sign" in output
    upgraded = machine.run("dpkg", "--install", NEXT, env=layers.NONINTERACTIVE)
    assert "[line 6]: 'no equals sign" in upgraded.stderr
    wait_for_upgrade(machine)
    assert machine.path(SETTINGS).read_text() == broken
    machine.write(SETTINGS, text, 0o640)


def test_a_former_version_is_refused_before_it_is_unpacked(machine: Machine) -> None:
    """Where its release is kept, it may follow (test_crash.py)."""
    machine.shell(f"mv {VERSIONS} {VERSIONS}.aside")
    refused = machine.run(
        "sh", "-c", "dpkg --install /srv/dist/dcor-server_*.deb", env=layers.NONINTERACTIVE, check=False
    )
    machine.shell(f"mv {VERSIONS}.aside {VERSIONS}")
    assert (refused.returncode, "restore a backup from before" in refused.stderr) == (1, True)
    assert machine.shell("dpkg-query --show --showformat '${Version}' dcor-server").endswith("+next")
    assert machine.shell("dpkg --audit") == ""
    assert serves(machine)


@pytest.mark.long
def test_the_settings_file_counts_after_a_removal_and_a_new_installation(machine: Machine, debs: list[Path]) -> None:
    machine.shell("dcor-server set site-title=Kept; rm /var/lib/dcor-server/version")
    machine.run("apt-get", "remove", "-qq", "dcor-server", env=layers.NONINTERACTIVE)
    preseed(machine, "other.example.org")
    with running(machine, install_command(debs), {"DEBIAN_FRONTEND": "teletype"}) as terminal:
        assert "is preseeded as 'other.example.org'" in terminal.wait_for_exit()
    assert setting(machine, "site-title") == "Kept"
    assert serves(machine)
    machine.shell("dcor-server set site-title=DCOR")
