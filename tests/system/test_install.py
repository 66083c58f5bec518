"""The ways to install work, and an installation that cannot succeed fails before it changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from dcor_dev import layers, roots
from postgresql_cluster import LET_START, STOP_FOR_GOOD
from website import assert_healthy, wait_for_page

from tests.conftest import Boot

TREE = Path(__file__).resolve().parents[2]

#: The commands of the README for a directory or medium.
FROM_A_MEDIUM = """
apt-get install -y $(find /media/dcor/pool -name 'dcor-archive-keyring_*.deb')
echo "deb [signed-by=/usr/share/keyrings/dcor-archive-keyring.gpg] file:/media/dcor $1 main" \
    >/etc/apt/sources.list.d/dcor-medium.list
apt-get update
apt-get install -y dcor-server
"""

#: The commands of the README for the repository: the keyring makes its source from the address that is answered.
FROM_THE_REPOSITORY = """
echo "dcor-archive-keyring dcor-archive-keyring/repository string file:/media/dcor" | debconf-set-selections
apt-get install -y $(find /media/dcor/pool -name 'dcor-archive-keyring_*.deb')
grep -q "^Suites: $1$" /etc/apt/sources.list.d/dcor.sources
apt-get update
apt-get install -y dcor-server
"""


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(FROM_A_MEDIUM, id="medium", marks=pytest.mark.long),
        pytest.param(FROM_THE_REPOSITORY, id="repository"),
    ],
)
def test_installation_without_a_network_from(
    way: str, boot: Boot, bare: layers.Stack, suite: str, debs: list[Path]
) -> None:
    assert debs
    machine = boot("way", bare, read_only={TREE / "dist" / suite / "apt": "/media/dcor"})
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    machine.run("bash", "-euxc", way, "way", suite, env=layers.NONINTERACTIVE, timeout=900)
    assert_healthy(machine)
    # A unit has made the release while dpkg configured other packages; the postinst only had to wait for it.
    assert "* release: " in machine.shell("journalctl --unit=dcor-release --output=cat")


def test_an_installation_in_a_chroot_is_completed_at_the_first_boot(
    boot: Boot, bare: layers.Stack, debs: list[Path], tmp_path: Path
) -> None:
    script = 'debconf-set-selections; exec apt-get install -y -o Dpkg::Use-Pty=0 "$@"'
    done = roots.chroot_run(
        bare,
        *("sh", "-euc", f"printf '%s' \"$ANSWERS\" | {script}", "sh", *layers.paths_inside(debs)),
        read_only=layers.package_mounts(debs),
        env={**layers.NONINTERACTIVE, "ANSWERS": layers.ANSWERS},
        keep=tmp_path,
    )
    assert "at its first boot" in done.stdout
    machine = boot("image", (*bare, tmp_path))
    wait_for_page(machine)
    assert_healthy(machine)


@dataclass(frozen=True)
class Failure:
    """An answer or a state of the machine with which an installation fails, and the words of the message."""

    words: tuple[str, ...]
    answer: str = ""
    before: str = "true"
    after: str = "true"


HOLD_443 = """
systemd-run --unit=holder python3 -m http.server 443
until ss --no-header --listening --tcp --numeric sport = :443 | grep -q .; do sleep 0.1; done
"""
NO_PASSWORD = "dcor-server dcor-server/redis-password password\n"
FAILURES = (
    Failure(
        ("dcor-server/hostname", "'no host'", "not a host name", "debconf-set-selections"), "hostname string no host"
    ),
    Failure(("dcor-server/certificate", "'bought'", "not one of the choices"), "certificate select bought"),
    Failure(("dcor-server/redis-password", "contains spaces"), "redis-password password two words"),
    Failure(("dcor-server/data-directory", "'data'", "not an absolute path"), "data-directory string data"),
    Failure(("/srv/file is not a directory",), "data-directory string /srv/file/data", before="touch /srv/file"),
    Failure(
        ("/full/data has", "MiB of free space", "df -h"),
        "data-directory string /full/data",
        before="mkdir /full && mount -t tmpfs -o size=10M,mode=755 tmpfs /full",
        after="umount /full && rmdir /full",
    ),
    Failure(
        ("Port 443 is held by python3", "Stop that program"),
        before=HOLD_443,
        after="systemctl stop holder",
    ),
    Failure(
        ("PostgreSQL does not accept connections", "start.conf says that it does not start by itself", "postgresql@"),
        before=STOP_FOR_GOOD,
        after=LET_START,
    ),
)


def test_an_installation_fails_before_it_changes_anything_and_dpkg_configure_continues(
    boot: Boot, unconfigured: layers.Stack, package_mounts: dict[Path, str]
) -> None:
    machine = boot("unconfigured", unconfigured, read_only=package_mounts)
    for failure in FAILURES:
        machine.shell(failure.before)
        machine.run("debconf-set-selections", text=layers.ANSWERS + NO_PASSWORD)
        if failure.answer:
            machine.run("debconf-set-selections", text=f"dcor-server dcor-server/{failure.answer}\n")
        done = machine.run("dpkg", "--configure", "-a", env=layers.NONINTERACTIVE, check=False)
        assert (failure.words, done.returncode) == (failure.words, 1)
        output = done.stdout + done.stderr
        assert all(word in output for word in failure.words), output
        assert "Traceback" not in output
        assert failure.words[0] in machine.shell("cat /var/log/dcor-server/converge.log")
        assert not machine.path("/data").exists()
        assert not machine.path("/etc/dcor-server").exists()
        machine.shell(failure.after)
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    machine.run("dpkg", "--configure", "-a", env=layers.NONINTERACTIVE)
    assert_healthy(machine)
