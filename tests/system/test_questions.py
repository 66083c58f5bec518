"""The answers on a real machine: each frontend of debconf, in each situation that apt brings it into.

| frontend       | first installation      | reconfiguration | upgrade       | removed, installed again    |
|----------------|-------------------------|-----------------|---------------|-----------------------------|
| dialog         | whole, in German        | English, German | yes           | with another preseed        |
| readline       | config alone, preseeded | yes             | yes           | as an upgrade: the file is  |
| teletype       | config alone            | yes             | yes           | there, so nothing is asked  |
| noninteractive | whole, no answers       | other preseed   | other preseed | test_lifecycle, same preseed |

By a preseed was installed what the shared machine is; what debconf's own file says is asked of config alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from served import await_page, serves
from terminal import running

pytestmark = pytest.mark.system

Boot = Callable[..., Machine]
README = Path(__file__).resolve().parents[2] / "README.md"
SETTINGS = "/etc/dcor-server/dcor-server.conf"
GERMAN = {"LANG": "de_DE.UTF-8"}
FRONTENDS = ("dialog", "readline", "teletype", "noninteractive")
BACK = ("Tab", "Tab", "Enter")
QUEUE = "redis://127.0.0.1:6399/0"
#: Debian's part of what the frontends need, and nothing that would bring Python.
FOR_DIALOGS = ("tmux", "whiptail", "perl", "locales-all")
#: the package's scripts and templates, as apt takes them out before it unpacks anything
TAKE_OUT = "dpkg-deb --control /srv/dist/dcor-server_*.deb /srv/control"
#: Debconf knows the templates, and no answers.
FORGET = """
echo PURGE | debconf-communicate -fnoninteractive dcor-server
echo 'X_LOADTEMPLATEFILE /srv/control/templates dcor-server' | debconf-communicate -fnoninteractive dcor-server
"""
CONFIG = "debconf --frontend={frontend} --owner=dcor-server /srv/control/config configure"
FILE_OF_DEBCONF = """\
Name: dcor-server/hostname
Template: dcor-server/hostname
Value: file.example.org
Owners: dcor-server
Flags: seen

"""
#: The next version of dcor-server, as /root/next.deb.
NEXT_VERSION = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next /root/next.deb
"""


def debconf_shows(machine: Machine) -> dict[str, str]:
    """Return what debconf-show tells of our questions."""
    lines = machine.run("debconf-show", "dcor-server").stdout.splitlines()
    return dict(line.lstrip("* ").removeprefix("dcor-server/").split(":", 1) for line in lines)


def setting(machine: Machine, key: str) -> str:
    return machine.run("dcor-server", "get", key).stdout.strip()


# The first time


def test_a_first_installation_in_a_dialogue_in_german(
    boot: Boot, bare: layers.Stack, debs: list[Path], shown: dict[Path, str]
) -> None:
    """On a machine without Python, so that the postinst asks, in the midst of apt's work."""
    machine = boot("german", bare, read_only=shown)
    machine.run("apt-get", "install", "-qq", "--no-install-recommends", *FOR_DIALOGS, env=layers.QUIET)
    _without_python_config_leaves_quietly(machine)
    with running(machine, f"apt-get install --yes {' '.join(layers.inside(debs))}", GERMAN) as terminal:
        terminal.answer("Name des Servers:", "C-u", "kein Name", "Enter")
        refusal = terminal.answer("Diese Antwort ist nicht verwendbar", "Enter")
        assert "Name des Servers: kein Name" in refusal
        assert "Die Antwort ist kein Rechnername (Kleinbuchstaben, Ziffern und" in refusal
        assert "Zum Beispiel dcor.example.org." in refusal
        assert "The answer" not in refusal and "For example" not in refusal
        terminal.answer("Name des Servers:", "C-u", "dcor.example.org", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", *BACK)
        terminal.answer("Name des Servers:", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", "C-u", "admin@example.org", "Enter")
        assert "selbstsigniert" in terminal.answer("Zertifikat des Servers:", "Enter")
        terminal.answer("Verzeichnis für die Messdaten:", "Enter")
        assert "https://dcor.example.org/ is up" in terminal.ends()
    await_page(machine)
    assert serves(machine)
    assert setting(machine, "email") == "admin@example.org"
    _config_alone(machine)


def _without_python_config_leaves_quietly(machine: Machine) -> None:
    machine.shell(TAKE_OUT)
    machine.shell(FORGET)
    assert machine.run("sh", "-c", "command -v python3", check=False).returncode
    said = machine.run("sh", "-c", CONFIG.format(frontend="noninteractive"))
    assert said.stdout + said.stderr == ""


def _config_alone(machine: Machine) -> None:
    """Ask by the package's config as apt does it before it unpacks anything; the toolkit and settings are out of its sight."""
    machine.shell(f"mv {SETTINGS} /srv/settings; chmod 0 /usr/share/dcor-server")
    _teletype(machine)
    _readline_and_a_preseed(machine)
    _critical(machine)
    _file_of_debconf(machine)
    machine.shell(f"mv /srv/settings {SETTINGS}; chmod 755 /usr/share/dcor-server")


def _teletype(machine: Machine) -> None:
    machine.shell(FORGET)
    with running(machine, CONFIG.format(frontend="teletype")) as terminal:
        for line in ("no host", "lab.example.org", "", "own", "", "/srv/chain.pem", "/srv/key.pem", "/srv/data"):
            terminal.type(line, "Enter")
        said = terminal.ends()
    assert said.count("This answer cannot be used") == 2
    assert "The answer is missing, and the certificate is your own." in said
    found = debconf_shows(machine)
    assert (found["hostname"], found["certificate"]) == (" lab.example.org", " own")
    assert (found["certificate-key"], found["data-directory"]) == (" /srv/key.pem", " /srv/data")


def _readline_and_a_preseed(machine: Machine) -> None:
    machine.shell(FORGET)
    machine.write("/srv/preseed", "dcor-server dcor-server/hostname string my host\n")
    machine.run("debconf-set-selections", "/srv/preseed")
    with running(machine, CONFIG.format(frontend="readline")) as terminal:
        for line in ("root", "me@example.org", "1", ""):
            terminal.type(line, "Enter")
        said = terminal.ends()
    assert "Name of the server:" not in said
    assert said.count("This answer cannot be used") == 1
    found = debconf_shows(machine)
    assert (found["hostname"], found["email"], found["data-directory"]) == (" my host", " me@example.org", " /data")


def _critical(machine: Machine) -> None:
    machine.shell(FORGET)
    machine.run("debconf-set-selections", text="dcor-server dcor-server/certificate select bought\n")
    with running(machine, CONFIG.format(frontend="dialog"), {"DEBIAN_PRIORITY": "critical"}) as terminal:
        assert terminal.ends().split() == ["ended", "with", "0"]
    found = debconf_shows(machine)
    assert (found["hostname"], found["email"]) == (" dcor.example.org", " root@dcor.example.org")
    assert found["certificate"] == " bought"


def _file_of_debconf(machine: Machine) -> None:
    machine.shell(FORGET)
    machine.write("/srv/answers.dat", FILE_OF_DEBCONF)
    override = {"DEBCONF_DB_OVERRIDE": "File{/srv/answers.dat readonly:true}"}
    said = machine.run("sh", "-c", CONFIG.format(frontend="noninteractive"), env=override)
    assert said.stdout + said.stderr == ""
    assert "* dcor-server/hostname: file.example.org" in machine.run("debconf-show", "dcor-server", env=override).stdout


def test_a_first_installation_without_any_answer(
    boot: Boot, bare: layers.Stack, debs: list[Path], shown: dict[Path, str]
) -> None:
    machine = boot("lab", bare, read_only=shown, hostname="lab")
    said = machine.run(*layers.INSTALL, *layers.inside(debs), env=layers.QUIET, timeout=900)
    assert "lab is a host name without a domain" in said.stdout + said.stderr
    assert "https://lab/ is up" in said.stdout + said.stderr
    assert (setting(machine, "hostname"), setting(machine, "certificate")) == ("lab", "self-signed")
    await_page(machine)
    machine.run("dcor-server", "status")


# A server that is there


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, shown: dict[Path, str]) -> Iterator[Machine]:
    """Return a server that was preseeded, with what dialogs need; each test leaves the settings as it found them."""
    with Machine("answers", installed, read_only=shown) as machine:
        machine.run("apt-get", "install", "-qq", *FOR_DIALOGS, env=layers.QUIET)
        await_page(machine)
        yield machine


def test_what_was_taken_is_not_seen_any_more(machine: Machine) -> None:
    told = machine.run("debconf-show", "dcor-server").stdout
    assert "dcor-server/hostname: dcor.example.org" in told
    assert "* " not in told


def test_reconfigured_in_a_dialogue_with_a_password(machine: Machine) -> None:
    machine.write("/srv/queue.conf", 'port 6399\nbind 127.0.0.1\nrequirepass hush-queue\nsave ""\n')
    machine.shell("systemd-run --quiet --unit=queue redis-server /srv/queue.conf")
    with running(machine, "dpkg-reconfigure dcor-server") as terminal:
        terminal.answer("Name of the server:", "C-u", "my.example.org")
        terminal.answer("my.example.org____", *BACK)
        terminal.answer("dcor.example.org____", "C-u", "no host", "Enter")
        refusal = terminal.answer("This answer cannot be used", "Enter")
        terminal.answer("no host____", "C-u", "dcor.example.org", "Enter")
        terminal.answer("Mail address of the administrator:", "Enter")
        terminal.answer("Certificate of the server:", "Down", "Enter")
        terminal.answer("File with your own certificate:", *BACK)
        terminal.answer("Certificate of the server:", "Up", "Enter")
        terminal.answer("Folder for the measurements:", "Enter")
        terminal.answer("Folder for temporary files:", "Enter")
        terminal.answer("Title of the site:", "C-u", "Cells & Beads", "Enter")
        terminal.answer("Database (PostgreSQL):", "Enter")
        terminal.answer("Queue of the jobs (Redis):", "C-u", QUEUE, "Enter")
        terminal.answer("Password of Redis:", "hush-queue", "Enter")
        terminal.answer("Search engine (Solr):", "Enter")
        terminal.answer("Store of the measurements (S3):", "Enter")
        terminal.answer("Mail relay:", "Enter")
        assert "is up" in terminal.ends()
    assert (setting(machine, "site-title"), setting(machine, "redis")) == ("Cells & Beads", QUEUE)
    _is_kept(machine)
    assert all(line in README.read_text() for line in refusal.splitlines()), refusal


def _is_kept(machine: Machine) -> None:
    """Assert that the password lies in its file, and debconf does not know it."""
    assert machine.path("/etc/dcor-server/secrets/external-redis-password").read_text() == "hush-queue\n"
    assert machine.run("grep", "-r", "hush", "/var/cache/debconf", "/var/log", SETTINGS, check=False).returncode == 1
    assert "hush" not in machine.run("debconf-show", "dcor-server").stdout


def test_reconfigured_by_lines_nothing_changes_and_a_password_left_empty_stays(machine: Machine) -> None:
    before = machine.path(SETTINGS).read_text()
    for frontend in ("readline", "teletype"):
        with running(machine, f"dpkg-reconfigure --frontend={frontend} dcor-server") as terminal:
            for line in ("", "", "1", *[""] * 9):
                terminal.type(line, "Enter")
            assert "0 changed" in terminal.ends()
        assert machine.path(SETTINGS).read_text() == before
        _is_kept(machine)
    with running(machine, "dpkg-reconfigure --frontend=teletype dcor-server") as terminal:
        for line in ("", "", "1", "", "", "DCOR", "", "local", "", "", ""):
            terminal.type(line, "Enter")
        assert "is up" in terminal.ends()
    assert (setting(machine, "site-title"), setting(machine, "redis")) == ("DCOR", "local")


def test_reconfigured_in_german_by_priority_and_by_nobody(machine: Machine) -> None:
    with running(machine, "dpkg-reconfigure --priority=high dcor-server", GERMAN) as terminal:
        terminal.answer("Name des Servers:", "Enter")
        terminal.answer("E-Mail-Adresse des Administrators:", "C-u", "niemand", "Enter")
        refusal = terminal.answer("Diese Antwort ist nicht verwendbar", "Enter")
        assert "Die Antwort ist keine E-Mail-Adresse. Zum Beispiel admin@example.org." in refusal
        terminal.answer("niemand____", "C-u", "admin@example.org", "Enter")
        terminal.answer("Zertifikat des Servers:", "Enter")
        terminal.answer("Verzeichnis für die Messdaten:", "Enter")
        assert "0 changed" in terminal.ends()
    with running(machine, "dpkg-reconfigure --priority=critical dcor-server") as terminal:
        assert "0 changed" in terminal.ends()


def test_a_preseed_after_the_file_is_told_and_does_not_count(machine: Machine) -> None:
    preseed(machine, "other.example.org")
    said = machine.run("dpkg-reconfigure", "--frontend=noninteractive", "dcor-server")
    assert said.stderr.count("dcor-server/hostname is preseeded as 'other.example.org'") == 1
    assert "0 changed" in said.stdout + said.stderr
    again = machine.run("dpkg-reconfigure", "--frontend=noninteractive", "dcor-server")
    assert "preseeded" not in again.stdout + again.stderr


def preseed(machine: Machine, hostname: str) -> None:
    machine.run("debconf-set-selections", text=f"dcor-server dcor-server/hostname string {hostname}\n")


def test_an_upgrade_asks_nothing_in_whatever_frontend(machine: Machine) -> None:
    machine.shell(NEXT_VERSION)
    edited = machine.path(SETTINGS).read_text().replace("= DCOR\n", "= DCOR   (a  lab)\n")
    machine.write(SETTINGS, edited, 0o640)
    packages = ("/root/next.deb", "/srv/dist/dcor-server_*.deb") * 2
    for frontend, package in zip(FRONTENDS, packages):
        with running(machine, f"dpkg --install {package}", {"DEBIAN_FRONTEND": frontend}) as terminal:
            said = terminal.ends()
        assert "Title" not in said and "preseeded" not in said
        assert machine.path(SETTINGS).read_text() == edited
    preseed(machine, "other.example.org")
    said = machine.shell("DEBIAN_FRONTEND=noninteractive dpkg --install /srv/dist/dcor-server_*.deb 2>&1")
    assert said.count("dcor-server/hostname is preseeded as 'other.example.org'") == 1
    assert debconf_shows(machine)["hostname"] == " dcor.example.org"
    assert debconf_shows(machine)["site-title"] == " DCOR (a lab)"
    machine.run("dcor-server", "set", "site-title=DCOR")


def test_a_file_that_cannot_be_read_is_told_with_its_line(machine: Machine) -> None:
    text = machine.path(SETTINGS).read_text()
    machine.write(SETTINGS, text.replace("\n\n[dcor-server]\n", "\n\n[dcor-server]\nno equals sign\n"), 0o640)
    broken = machine.path(SETTINGS).read_text()
    with running(machine, "dpkg-reconfigure dcor-server") as terminal:
        said = terminal.ends(1)
    assert "[line 6]: 'no equals sign" in said
    upgraded = machine.run("sh", "-c", "dpkg --install /srv/dist/dcor-server_*.deb", env=layers.QUIET)
    assert "[line 6]: 'no equals sign" in upgraded.stderr
    assert machine.path(SETTINGS).read_text() == broken
    machine.write(SETTINGS, text, 0o640)


def test_removed_and_installed_again_the_file_counts(machine: Machine, debs: list[Path]) -> None:
    machine.shell("dcor-server set site-title=Kept")
    machine.run("apt-get", "remove", "-qq", "dcor-server", env=layers.QUIET)
    preseed(machine, "other.example.org")
    with running(machine, f"apt-get install --yes {' '.join(layers.inside(debs))}") as terminal:
        assert "is preseeded as 'other.example.org'" in terminal.ends()
    assert setting(machine, "site-title") == "Kept"
    assert serves(machine)
    machine.shell("dcor-server set site-title=DCOR")
