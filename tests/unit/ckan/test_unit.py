"""CKAN's unit knows the directories of this machine, and restarts when what it reads has changed."""

from __future__ import annotations

import configparser
import shlex
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import supervisor, unit
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.paths import PROGRAMS
from dcor_pkg.services.engines import ENGINES
from tests.unit.fake_machine import PUBLIC, Machine
from tests.unit.kernel.damages import LOCAL, converged, plan

ROOT = Path(__file__).resolve().parents[3]
DROP_IN = unit.drop_in(settings.parse({**LOCAL, "data-directory": "/srv/data", "scratch-directory": "/srv/scratch"}))


def test_only_directories_with_data_can_be_written(machine: Machine) -> None:
    text = DROP_IN.text(machine.host)
    assert "\nRequiresMountsFor=/srv/data /srv/scratch\n" in text
    assert "\nReadWritePaths=-/srv/data/ckan -/srv/scratch\n" in text
    assert "\nInaccessiblePaths=-/srv/data/object-store\n" in text
    assert f"\nAfter={' '.join(engine.unit for engine in ENGINES)}\n" in text


def test_its_temporary_files_are_in_the_scratch_directory_and_go_when_it_starts(
    machine: Machine, tmp_path: Path
) -> None:
    """Upstream's lock of a job is one of them: it must not outlive a power cut."""
    place = tmp_path / "scratch"
    changed = unit.drop_in(settings.parse({**LOCAL, "scratch-directory": str(place)}))
    text = changed.text(machine.host)
    assert f"\nEnvironment=TMPDIR={place}/ckan-temporary\n" in text
    (command,) = (line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecStartPre="))
    subprocess.run(shlex.split(command), check=True)
    assert not place.exists(), "a directory of root's is made by a step"
    (place / "ckan-temporary/locks").mkdir(parents=True)
    (place / "ckan-temporary/locks/resource.lock").touch()
    (place / "other").touch()
    subprocess.run(shlex.split(command), check=True)
    assert sorted(it.name for it in place.rglob("*")) == ["ckan-temporary", "other"]


@pytest.mark.parametrize("path", [unit.FILE, unit.SUPERVISORD])
def test_a_new_version_of_what_it_reads_restarts_it(machine: Machine, path: str) -> None:
    DROP_IN.apply(machine.host)
    pending.clear(machine.host, unit.RESTART)
    machine.host.write(path, "new\n", PUBLIC)
    assert DROP_IN.check(machine.host) == "differs from what the settings need"
    DROP_IN.apply(machine.host)
    assert pending.is_pending(machine.host, unit.RESTART)


def test_it_is_enabled_and_restarted_by_the_step_that_proves_its_programs(machine: Machine) -> None:
    steps = plan(machine, LOCAL)
    converged(machine, steps)
    assert (machine.systemd.units[unit.UNIT].active, machine.systemd.units[unit.UNIT].file) == ("active", "enabled")
    pending.request(machine.host, unit.RESTART)
    (step,) = (step for step in steps if isinstance(step, ActiveRelease))
    converged(machine, (step,))
    assert not pending.is_pending(machine.host, unit.RESTART)


def test_the_files_of_the_package_are_those_that_the_code_names() -> None:
    """The names are also in files that are not rendered: one fact, one test."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "dcor_pkg/ckan/files/supervisord.conf")
    assert parser["unix_http_server"]["file"] == supervisor.SOCKET
    assert parser["supervisorctl"]["serverurl"] == f"unix://{supervisor.SOCKET}"
    assert parser["include"]["files"] == f"{PROGRAMS}/*.conf"
    text = (ROOT / "debian/units/dcor-ckan.service").read_text()
    assert f"--configuration={unit.SUPERVISORD}\n" in text
    assert f"RuntimeDirectory={Path(unit.RUNTIME).name}\n" in text
    assert f"ConditionPathExists={DROP_IN.path}\n" in text
    install = (ROOT / "debian/dcor-server.install").read_text()
    assert f"debian/units/{unit.UNIT} {Path(unit.FILE).parent.as_posix().lstrip('/')}\n" in install


def test_needrestart_leaves_it_alone(machine: Machine) -> None:
    (file,) = (step for step in plan(machine, LOCAL) if step.name == "file /etc/needrestart/conf.d/dcor-server.conf")
    assert isinstance(file, ManagedFile)
    text = file.text(machine.host)
    assert r"$nrconf{override_rc}{qr(^dcor-ckan\.service)} = 0;" in text.splitlines()
    assert r"$nrconf{override_rc}{qr(^postgresql\@)} = 0;" in text.splitlines()
    assert "$nrconf{restart} = 'a';" in text.splitlines()
    # needrestart evaluates it, after its own configuration.
    script = f"our %nrconf = (override_rc => {{}});\n{text}\nprint join ' ', sort keys %{{$nrconf{{override_rc}}}};"
    shown = subprocess.run(["perl", "-w", "-e", script], capture_output=True, text=True, check=True)
    assert (len(shown.stdout.split()), shown.stderr) == (5, "")
