"""Machines that are set up otherwise than Debian does it: refused in one sentence before the first change, or served.

So are answers that are not valid.

Two machines: one of which all kinds of oddity are made, one after the other, since what is refused changes nothing; and
a container without a capability, which cannot be given back. Other CKANs are in test_purge.py.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import cases
from dcor_dev import layers
from dcor_dev.machine import Machine
from odd_machines import ALIKE, CONFIGURE, MEMORY, REFUSED, STATE, Kind
from website import CURL, SITE, assert_healthy, serves, wait_for_page

SETTINGS = "/etc/dcor-server"
#: The longest host name that a certificate can have.
CAPITALS = "Dcor.Example.ORG."
NO_PASSWORD = "dcor-server dcor-server/redis-password password\n"
#: What a machine may have, and the server works: supervisor's own socket with a password, a proxy for all services, and
#: the ckan.ini of another CKAN. /var/log is in memory, by an option of the machine.
SERVED = r"""
sed -i '/^chmod=/a username=admin\npassword=hush' /etc/supervisor/supervisord.conf
systemctl restart supervisor
mkdir -p /etc/systemd/system.conf.d /etc/ckan/default
printf '[Manager]\nDefaultEnvironment=http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9\n' \
    >/etc/systemd/system.conf.d/proxy.conf
systemctl daemon-reexec
printf '[app:main]\nsqlalchemy.url = postgresql://production.example.org/ckan\n' >/etc/ckan/default/ckan.ini
"""
#: Makes the certificate as a machine does whose clock is a year ahead.
YEAR_AHEAD = """
import datetime, sys
sys.path.insert(0, "/usr/share/dcor-server")
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.tls.self_signed import SelfSignedCertificate
ahead = clock.now() + datetime.timedelta(days=365)
clock.now = lambda: ahead
SelfSignedCertificate("dcor.example.org").apply(Host())
"""
#: What is installed can be seen; each of the others ends with a sentence.
PIP = "source /usr/lib/ckan/default/bin/activate; "
PIP_REFUSED = "pip: this is a release of dcor-server, which never changes."


@pytest.fixture(scope="module")
def machine(unconfigured: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a machine that only lacks valid answers, and whose /var/log is in memory."""
    with Machine("odd", unconfigured, read_only=package_mounts, options=("--tmpfs=/var/log",)) as machine:
        yield machine


@pytest.fixture(scope="module")
def server(machine: Machine) -> Machine:
    """Return the server that this machine has become, although it is odd in all ways of SERVED."""
    machine.shell(SERVED)
    done = configure(machine, CONFIGURE, f"dcor-server dcor-server/hostname string {CAPITALS}\n")
    assert done.returncode == 0, done.stdout
    return machine


def configure(
    machine: Machine, command: tuple[str, ...] = CONFIGURE, answers: str = ""
) -> subprocess.CompletedProcess[str]:
    """Give valid answers, and continue the installation; standard output has all output."""
    machine.run("debconf-set-selections", text=layers.ANSWERS + NO_PASSWORD + answers)
    done = machine.run(*command, env=layers.NONINTERACTIVE, check=False, timeout=900)
    done.stdout += done.stderr
    return done


def assert_refused(machine: Machine, kind: Kind) -> None:
    """Assert that the installation ends with these words, and that neither settings nor secrets were written."""
    done = configure(machine, kind.command, f"dcor-server dcor-server/{kind.answer}\n" if kind.answer else "")
    assert (done.returncode, "Traceback" in done.stdout, "bug in dcor-server" in done.stdout) == (1, False, False)
    assert [word for word in kind.words if word not in done.stdout] == [], done.stdout
    assert kind.words[0] in machine.path("/var/log/dcor-server/converge.log").read_text()
    assert not machine.path(SETTINGS).exists()


@pytest.mark.parametrize("kind", cases(REFUSED, ALIKE))
def test_what_cannot_work_is_refused_before_the_first_change(machine: Machine, kind: str) -> None:
    it = REFUSED[kind]
    machine.shell(it.before)
    try:
        assert_refused(machine, it)
    finally:
        machine.shell(it.after)


@pytest.mark.long
def test_a_container_without_a_capability_is_refused(
    unconfigured: layers.Stack, package_mounts: dict[Path, str]
) -> None:
    """It needs a machine of its own; tests/unit/services/test_private_network.py refuses a fake one."""
    options = ("--drop-capability=CAP_NET_ADMIN",)
    with Machine("no-network", unconfigured, read_only=package_mounts, options=options) as machine:
        words = ("a network of its own, which systemd cannot make", "--private-network", "LXC")
        assert_refused(machine, Kind("true", words, "true"))


def test_what_others_have_set_up_does_not_disturb(server: Machine) -> None:
    assert server.shell("dcor-server get hostname") == "dcor.example.org\n"
    assert server.path("/etc/ckan/default/ckan.ini.before-dcor-server").exists()
    assert server.shell("systemd-run --quiet --wait --pipe printenv http_proxy") == "http://127.0.0.1:9\n"
    assert_healthy(server)
    assert "0 changed" in server.shell("dcor-server converge")


def test_a_release_is_shown_by_pip_and_not_changed(server: Machine) -> None:
    before = server.shell(f"find {STATE}/current/ -newer {SETTINGS}/dcor-server.conf -printf '%p %T@\\n' | sort")
    for command in ("pip install urllib3==2.8.0", "python -m pip uninstall -y ckan", "pip3 install --upgrade pip"):
        done = server.run("bash", "-c", PIP + command, check=False)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), command
        assert done.stderr.startswith(PIP_REFUSED)
    assert PIP_REFUSED in server.run("/usr/lib/ckan/default/bin/pip", "install", "x", check=False).stderr
    assert "ckan " in server.shell(f"{PIP} pip list")
    assert "No broken requirements" in server.shell(f"{PIP} pip check")
    after = server.shell(f"find {STATE}/current/ -newer {SETTINGS}/dcor-server.conf -printf '%p %T@\\n' | sort")
    assert after == before


def test_upstreams_command_shows_its_modules_and_updates_nothing(server: Machine) -> None:
    done = server.run("dcor-server", "dcor", "status")
    assert "Permission denied" not in done.stdout + done.stderr
    modules = re.findall(r"^Module (\S+) +(\S+)$", done.stdout, re.MULTILINE)
    assert len(modules) == 9
    assert [name for name, version in modules if not re.match(r"\d+\.\d+", version)] == []
    done = server.run("dcor-server", "dcor", "update", "--yes", check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "New versions come with the package dcor-wheels" in done.stderr


def test_ckan_fits_little_memory(server: Machine) -> None:
    server.shell(MEMORY.format(2_000_000))
    try:
        server.run("dcor-server", "converge")
        assert "processes = 3\n" in server.path(f"{SETTINGS}/uwsgi.ini").read_text()
        jobs = server.shell("pgrep --full 'dcor_runtime.workers jobs worker dcor-short,dcor-normal,dcor-long,default$'")
        assert len(jobs.split()) == 2, "the process, and its one worker"
        assert {server.path(f"/proc/{it}/oom_score_adj").read_text() for it in jobs.split()} == {"500\n"}
        status = server.run("dcor-server", "status").stdout
        assert "of 1953 MiB are available" in status
        assert "this machine has 1953 MiB of memory" in status
        assert "0 changed" in server.shell("dcor-server converge")
    finally:
        server.shell("umount /proc/meminfo")
    server.run("dcor-server", "converge")
    assert_healthy(server)


@pytest.mark.long
def test_a_certificate_of_a_clock_that_was_ahead_is_valid(server: Machine) -> None:
    server.run("python3", "-c", YEAR_AHEAD)
    server.run("dcor-server", "converge")
    assert serves(server)
    server.run("dcor-server", "check")
    assert "0 changed" in server.shell("dcor-server converge")


@pytest.mark.long
def test_a_terminal_without_a_character_shows_the_others(server: Machine) -> None:
    server.shell("localedef -i de_DE -f ISO-8859-1 de_DE.ISO-8859-1; dcor-server set 'site-title=Zellen für 細胞'")
    shown = server.run(
        "env",
        "LC_ALL=de_DE.ISO-8859-1",
        "sh",
        "-c",
        "dcor-server get site-title | iconv --from-code=ISO-8859-1 --to-code=UTF-8",
    )
    assert shown.stdout == "Zellen für ??\n"
    server.shell("dcor-server set site-title=")


#: longer than nginx's table of names takes with the size that the test gives it
LONG_NAME = f"{'-'.join(['measurements'] * 4)}.example.org"


def test_a_name_with_which_nginx_does_not_accept_the_site_changes_nothing(server: Machine) -> None:
    server.shell("echo 'server_names_hash_bucket_size 64;' >/etc/nginx/conf.d/own.conf")
    try:
        done = server.run("dcor-server", "set", f"hostname={LONG_NAME}", check=False)
    finally:
        server.shell("rm /etc/nginx/conf.d/own.conf")
    assert done.returncode == 1
    assert "nginx does not accept its configuration with these settings" in done.stderr
    assert server.shell("dcor-server get hostname") == "dcor.example.org\n"
    assert serves(server)
    assert "0 changed" in server.shell("dcor-server converge")


def test_a_boot_with_an_empty_directory_of_logs_is_served(server: Machine) -> None:
    """Last: what is in memory is lost."""
    server.reboot()
    wait_for_page(server)
    assert_healthy(server)
    assert server.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {SITE}/trust") == "200"
    assert server.shell("stat --format='%U:%G %a' /var/log/nginx /var/log/redis /var/log/ckan").splitlines() == [
        "root:adm 755",
        "redis:adm 2750",
        "www-data:adm 750",
    ]
    server.shell("while systemctl is-active --quiet dcor-converge; do sleep 0.5; done", timeout=300)
    assert "0 changed" in server.shell("dcor-server converge")
