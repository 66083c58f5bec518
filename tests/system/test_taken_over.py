"""What a taken-over CKAN can do in its unit, how well each unit is confined, and Debian's supervisor.

All tests share a machine; the last one begins with the layout of former versions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from availability import measure_availability
from cases import cases
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import upload_measurements
from website import CURL, SITE, assert_healthy, serves, wait_for_page, wait_until_idle

CLIENT = Path(__file__).with_name("clients") / "taken_over.py"
UNIT = "dcor-ckan.service"
PROGRAMS = "/var/lib/dcor-server/programs"
SUPERVISORCTL = "supervisorctl -c /usr/share/dcor-server/files/supervisord.conf"
#: The highest exposure of a unit, as `systemd-analyze security` computes it from 0 (none) to 10.
MAX_EXPOSURE = 2.0
#: Units that run as root, for a while, to change the machine: what they change cannot be kept from them. They do not
#: listen, and read what strangers have sent only as far as CKAN's commands do, which they run as CKAN's user.
OF_ROOT = {
    "dcor-converge.service": "writes /etc and /var, restarts services, runs programs as the users of engines",
    "dcor-retry.service": "asks each part of the server, and starts dcor-converge.service",
    "dcor-metrics.service": "asks each part of the server, and writes what it found into one file",
    "dcor-watch.service": "asks CKAN's pages, and converges where it goes back to a former release",
    "dcor-nightly.service": "runs CKAN's commands as CKAN's user, restarts CKAN",
    "dcor-mail@test.service": "reads the settings, which are root's, and the journal; connects to the mail relay",
}
#: The highest exposure of those.
MAX_EXPOSURE_OF_ROOT = 4.5
#: Units with instances, and the instance that is measured.
INSTANCES = {"dcor-mail@.service": ("test",), "dcor-store-door@.service": ("s3", "filer")}
#: Writes what came of each attempt where CKAN may write.
PROBE = """
[program:dcor-probe]
command = /bin/sh -c "exec /usr/bin/python3 /usr/local/share/taken_over.py {nginx} /data >/var/log/ckan/probe.json"
autorestart = false
startsecs = 0
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server that only these tests converge."""
    with Machine("confinement", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


@pytest.fixture(scope="module")
def results(machine: Machine) -> dict[str, str]:
    """Return what came of each attempt of a process in CKAN's unit, by the name of the attempt."""
    machine.copy_in(CLIENT, "/usr/local/share/taken_over.py")
    nginx = machine.shell("pgrep --uid www-data nginx | head -1").strip()
    machine.write(f"{PROGRAMS}/dcor-probe.conf", PROBE.format(nginx=nginx))
    machine.shell(f"{SUPERVISORCTL} update")
    machine.shell(f'until [[ "$({SUPERVISORCTL} status dcor-probe)" == *EXITED* ]]; do sleep 0.2; done', timeout=120)
    found: dict[str, str] = json.loads(machine.path("/var/log/ckan/probe.json").read_text())
    machine.shell(f"rm {PROGRAMS}/dcor-probe.conf; {SUPERVISORCTL} update; rm -f /data/ckan/storage/taken")
    return found


def test_a_taken_over_ckan_is_refused_all_but_what_it_needs(results: dict[str, str]) -> None:
    assert len(results) > 120
    allowed = {name for name, result in results.items() if result == "allowed"}
    needed = {name for name in results if name.startswith("needed: ")}
    assert len(needed) == 7
    assert allowed == needed


def test_the_memory_of_nginx_is_kept_from_ckan_by_more_than_one_means(results: dict[str, str]) -> None:
    """It has the key of the certificate and the token of the object store, and runs as the same user."""
    for name in ("ptrace attach to nginx", "process_vm_readv of nginx", "take a descriptor of nginx"):
        assert "Operation not permitted" in results[name]
    assert "No such file or directory" in results["memory of nginx"]
    assert "No such file or directory" in results["see nginx's worker"]


def test_user_namespaces_alone_keep_the_memory_of_nginx_from_a_process_of_the_same_user(machine: Machine) -> None:
    """Without the unit's other means. The same process outside reads it, so this is not a test of the kernel's LSM."""
    nginx = machine.shell("pgrep --uid www-data nginx | head -1").strip()
    read = f"systemd-run --quiet --pipe --wait --collect --property=User=www-data {{}} head --bytes=1 /proc/{nginx}/environ"
    assert machine.run("sh", "-c", read.format(""), check=False).returncode == 0
    refused = machine.run("sh", "-c", read.format("--property=PrivateUsers=yes"), check=False)
    assert (refused.returncode, "Permission denied" in refused.stderr) == (1, True)


def services(machine: Machine) -> list[str]:
    """Return the services that our packages bring or write."""
    files = machine.shell(
        "ls /usr/lib/systemd/system /etc/systemd/system | grep -E '^dcor-.*[.]service$' | sort --unique"
    ).split()
    return [*(name for file in files for name in _instances(file)), "redis-server@dcor.service"]


def _instances(file: str) -> list[str]:
    return [file.replace("@", f"@{instance}") for instance in INSTANCES.get(file, ("",))]


def exposure(machine: Machine, unit: str) -> float:
    """Return how exposed a unit is."""
    output = machine.run("systemd-analyze", "security", "--no-pager", unit).stdout
    return float(re.findall(r"Overall exposure level for \S+: ([0-9.]+)", output)[0])


def test_each_unit_is_confined(machine: Machine) -> None:
    found = {unit: exposure(machine, unit) for unit in services(machine)}
    assert {UNIT, "dcor-solr.service", "dcor-object-store.service", "dcor-store-door@s3.service"} < set(found)
    assert set(OF_ROOT) < set(found)
    assert {unit: score for unit, score in found.items() if unit not in OF_ROOT and score > MAX_EXPOSURE} == {}
    assert {unit: score for unit, score in found.items() if score > MAX_EXPOSURE_OF_ROOT} == {}


def test_each_unit_that_ends_has_a_limit_of_time(machine: Machine) -> None:
    for unit in OF_ROOT:
        shown = machine.run("systemctl", "show", "--property=Type,TimeoutStartUSec", unit).stdout
        assert "Type=oneshot" in shown
        assert "infinity" not in shown


def test_the_unit_that_converges_can_do_what_the_command_can(machine: Machine) -> None:
    """It tries an addition in a mount namespace."""
    machine.write("/etc/dcor-server/nginx.d/unit.conf", "location = /unit { return 204; }\n")
    machine.shell("systemctl start dcor-converge.service", timeout=600)
    assert machine.shell(f"{CURL} --write-out '%{{http_code}}' {SITE}/unit") == "204"
    assert_healthy(machine)


@pytest.mark.long
def test_the_unit_that_converges_can_make_a_release(machine: Machine) -> None:
    """It does so in test_crash.py, too, after power cuts."""
    before = machine.path("/var/lib/dcor-server/current").readlink()
    machine.shell("echo 'ANOTHER = 1' >>/usr/share/dcor-server/dcor_pkg/runtime/__init__.py")
    machine.shell("systemctl start dcor-converge.service", timeout=600)
    assert machine.path("/var/lib/dcor-server/current").readlink() != before
    assert_healthy(machine)


def test_debians_own_redis_does_not_run(machine: Machine) -> None:
    assert machine.run("systemctl", "is-active", "redis-server", check=False).stdout == "inactive\n"
    assert machine.run("systemctl", "is-enabled", "redis-server", check=False).stdout == "disabled\n"
    assert ":6379 " not in machine.shell("ss --no-header --listening --tcp --numeric")


def processes(machine: Machine) -> set[str]:
    """Return the processes of all releases."""
    return set(machine.shell("pgrep --uid www-data --full /var/lib/dcor-server/releases").split())


def test_no_program_outlives_its_supervisor(machine: Machine) -> None:
    before = processes(machine)
    machine.shell(f"systemctl kill --signal=KILL --kill-who=main {UNIT}")
    wait_for_page(machine)
    machine.shell(f"until [ $({SUPERVISORCTL} status | grep --count RUNNING) = 2 ]; do sleep 0.2; done", timeout=60)
    assert processes(machine) & before == set()
    for process in processes(machine):
        assert UNIT in machine.path(f"/proc/{process}/cgroup").read_text()
    assert_healthy(machine)


#: In this order; each leaves what it has changed to the next one. An end is like a stop, after which it starts again.
DISTURBANCES = {
    "a broken file": "echo '[program:x' >/etc/supervisor/conf.d/x.conf; ! supervisorctl update; systemctl restart supervisor",
    "a password": "rm /etc/supervisor/conf.d/x.conf; systemctl restart supervisor; "
    "sed -i '/^chmod=/a username=admin\\npassword=hush' /etc/supervisor/supervisord.conf; systemctl restart supervisor",
    "an end": "systemctl kill --signal=KILL supervisor",
    "a stop": "systemctl stop supervisor",
    "an upgrade": "sed -i '/^username=/d; /^password=/d' /etc/supervisor/supervisord.conf; "
    "DEBIAN_FRONTEND=noninteractive apt-get install --yes --reinstall supervisor; systemctl start supervisor",
}


@pytest.mark.parametrize("name", cases(DISTURBANCES, alike=["an end"]))
def test_what_happens_to_debians_supervisor_does_not_disturb(machine: Machine, name: str) -> None:
    before = processes(machine)
    availability = measure_availability(machine, f"{DISTURBANCES[name]}; dcor-server converge >/run/output")
    assert availability.failed == ()
    assert "0 changed" in machine.path("/run/output").read_text()
    assert processes(machine) == before
    assert serves(machine)


def test_a_switch_needs_nothing_of_debians_supervisor(machine: Machine) -> None:
    machine.shell("echo '[program:x' >/etc/supervisor/conf.d/x.conf; systemctl stop supervisor")
    machine.shell("dcor-server set site-title=Undisturbed")
    assert serves(machine)
    machine.shell("dcor-server set site-title=; rm /etc/supervisor/conf.d/x.conf; systemctl start supervisor")
    assert_healthy(machine)


@pytest.mark.long
def test_another_scratch_directory_can_be_written_by_ckan(machine: Machine) -> None:
    machine.shell("dcor-server set scratch-directory=/srv/scratch")
    assert serves(machine)
    upload_measurements(machine)
    machine.shell("dcor-server set scratch-directory=")
    assert_healthy(machine)
    assert "0 changed" in machine.shell("dcor-server converge")


#: Writes the uwsgi.ini of a former version, as dcor-server does.
FORMER_UWSGI = """
import sys
sys.path.insert(0, "/usr/share/dcor-server")
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Access, Host
host, path = Host(), "/etc/dcor-server/uwsgi.ini"
text = host.read(path) + "; of a former version\\n"
managed_file.record(host, path, text)
host.write(path, text, Access(0o644))
"""
#: Puts the programs that run into the place where former versions had them: below Debian's supervisor, on sockets in
#: another directory, with the drop-in of that time.
FORMER_LAYOUT = """
id=$(basename /var/lib/dcor-server/programs/dcor-*.conf .conf)
id=${id#dcor-}
former=${id%.*}.0123abcd
python3 /root/former_uwsgi.py
cp -a /var/lib/dcor-server/configurations/$id /var/lib/dcor-server/configurations/$former
install -d -o www-data -g www-data -m 0750 /run/dcor-server/web
sed "s/$id/$former/g; s,/run/dcor-ckan/,/run/dcor-server/web/,g; s/^directory = .*/&\\nuser = www-data/
    s,^environment = ,&RUNTIME_DIRECTORY=\\"/run/dcor-server/web\\"\\,," /var/lib/dcor-server/programs/dcor-$id.conf \
    >/etc/supervisor/conf.d/dcor-$former.conf
mkdir -p /etc/systemd/system/supervisor.service.d
printf '[Unit]\\nAfter=dcor-solr.service\\n[Service]\\nRestartSec=5s\\n' \
    >/etc/systemd/system/supervisor.service.d/dcor-server.conf
supervisorctl update
until [ -S /run/dcor-server/web/$former.sock ]; do sleep 0.2; done
sed -i "s,/run/dcor-ckan/$id,/run/dcor-server/web/$former,g" /var/lib/dcor-server/nginx/upstream.conf
systemctl reload nginx
rm -r /var/lib/dcor-server/programs /var/lib/dcor-server/configurations/$id
systemctl disable --quiet --now dcor-ckan
rm -r /etc/systemd/system/dcor-ckan.service.d
systemctl daemon-reload
chmod 0755 /var/log/ckan
"""


def test_no_request_fails_in_an_upgrade_from_programs_below_debians_supervisor(machine: Machine) -> None:
    machine.write("/root/former_uwsgi.py", FORMER_UWSGI)
    machine.shell(FORMER_LAYOUT, timeout=900)
    wait_for_page(machine)
    machine.write("/etc/supervisor/conf.d/own.conf", "[program:own]\ncommand = sleep infinity\n")
    machine.shell("supervisorctl update")
    own = machine.shell("pgrep --full '^sleep infinity'")
    assert len(machine.run("supervisorctl", "status", check=False).stdout.splitlines()) == 3
    availability = measure_availability(machine, "dcor-server converge")
    assert availability.failed == ()
    assert availability.requests > 20
    assert machine.shell("ls /etc/supervisor/conf.d").split() == ["own.conf"]
    assert machine.shell("pgrep --full '^sleep infinity'") == own
    assert len(machine.shell(f"{SUPERVISORCTL} status").splitlines()) == 2
    assert not machine.path("/etc/systemd/system/supervisor.service.d/dcor-server.conf").exists()
    assert "0 changed" in machine.shell("dcor-server converge")
    assert_healthy(machine)
