"""The machines of the other tests: their methods work, and no remains are left of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dcor_dev import machine_directories, nspawn, roots
from dcor_dev.errors import DevError
from dcor_dev.machine import APT_TIMERS, Machine

from tests.conftest import Boot


@pytest.fixture
def machine(suite: str, boot: Boot) -> Machine:
    """Return a running minimal Debian."""
    return boot("plain", (roots.base(suite),))


def test_a_machine_boots_and_has_a_host_name(machine: Machine, suite: str) -> None:
    assert machine.failed_units() == []
    assert machine.run("hostname", "-f").stdout == "dcor.example.org\n"
    assert f"VERSION_CODENAME={suite}\n" in machine.run("cat", "/etc/os-release").stdout


def test_no_timer_locks_apt_at_some_time_of_the_day(machine: Machine) -> None:
    for timer in APT_TIMERS:
        assert machine.run("systemctl", "is-enabled", timer, check=False).stdout == "masked\n"


def test_process_1_does_not_block_on_notifications(machine: Machine) -> None:
    """Each daemon-reload sends a notification; with the socket still open, the eleventh unread one blocked systemd."""
    machine.shell("for i in $(seq 15); do systemctl daemon-reload; done", timeout=60)


def test_a_machine_has_only_a_loopback_interface(machine: Machine) -> None:
    assert machine.shell("ls /sys/class/net").split() == ["lo"]


def test_run_returns_exit_code_and_output(machine: Machine) -> None:
    done = machine.run("sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    with pytest.raises(DevError, match=r"failed with exit code 7:\nwords"):
        machine.run("sh", "-c", "echo words; exit 7")


def test_a_script_fails_at_its_first_failing_command(machine: Machine) -> None:
    with pytest.raises(DevError):
        machine.shell("false | cat; true")


def test_a_program_is_killed_after_its_timeout(machine: Machine) -> None:
    assert machine.run("sleep", "60.5", check=False, timeout=1).returncode == 124
    assert machine.run("pgrep", "-f", "^sleep 60.5", check=False).stdout == ""


def test_run_sets_user_environment_and_input(machine: Machine) -> None:
    assert machine.run("id", "-un", user="www-data").stdout == "www-data\n"
    assert machine.run("sh", "-c", 'echo "$HOME $A"; cat', env={"A": "b"}, text="in").stdout == "/root b\nin"
    assert machine.run("sh", "-c", 'echo "$HOME $A"', user="www-data", env={"A": "b"}).stdout == "/var/www b\n"


def test_programs_do_not_inherit_the_callers_environment(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CKAN_INI", "/tmp/mine")
    assert "CKAN_INI" not in machine.run("env").stdout
    assert "CKAN_INI" not in machine.run("env", user="www-data").stdout


def test_files_can_be_copied_written_and_read(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("#!/bin/sh\necho run\n")
    (tmp_path / "program").chmod(0o755)
    machine.copy_in(tmp_path / "program", "/srv/deep/")
    machine.copy_in(tmp_path, "/srv/tree")
    machine.write("/srv/secret", "text\n", 0o600)
    assert machine.run("/srv/deep/program").stdout == machine.run("/srv/tree/program").stdout == "run\n"
    assert machine.path("/srv/secret").read_text() == "text\n"
    assert machine.shell("stat -c '%a %U' /srv/secret") == "600 root\n"
    with pytest.raises(DevError):
        machine.copy_in(tmp_path, "/etc/hostname/below-a-file")


def test_files_survive_reboots_and_power_cuts(machine: Machine) -> None:
    machine.write("/srv/file", "kept")
    first = machine.run("cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat").stdout
    machine.reboot()
    assert machine.run("cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat").stdout != first
    machine.kill()
    machine.start()
    machine.poweroff()
    assert machine.pid is None
    machine.start()
    assert machine.run("cat", "/srv/file").stdout == "kept"


def test_a_machine_can_be_committed_as_a_layer(machine: Machine, suite: str, boot: Boot, tmp_path: Path) -> None:
    with pytest.raises(DevError, match="powered off"):
        machine.commit(tmp_path / "layer")
    machine.write("/srv/file", "from the layer")
    machine.run("rm", "/etc/debian_version")
    machine.poweroff()
    machine.commit(tmp_path / "layer")
    second = boot("second", (roots.base(suite), tmp_path / "layer"))
    assert second.run("cat", "/srv/file").stdout == "from the layer"
    assert second.run("test", "-e", "/etc/debian_version", check=False).returncode == 1


def test_a_machine_does_not_change_its_layers(machine: Machine, suite: str) -> None:
    machine.shell("echo changed > /etc/debian_version; rm -r /usr/share/doc")
    assert (roots.base(suite) / "etc/debian_version").read_text() != "changed\n"
    assert (roots.base(suite) / "usr/share/doc").is_dir()


def test_the_error_of_a_failed_boot_contains_the_console(suite: str, tmp_path: Path) -> None:
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system/default.target").symlink_to("/nowhere.target")
    with (
        pytest.raises(DevError, match=r"is maintenance:[\s\S]*Rescue Mode"),
        Machine("broken", (roots.base(suite), tmp_path)) as machine,
    ):
        pytest.fail(f"{machine.container.name} booted without a target")
    assert not machine_traces(f"broken-{os.getpid()}")


def test_no_traces_of_a_machine_are_left(suite: str) -> None:
    with Machine("leaves", (roots.base(suite),)) as machine:
        assert machine_traces(machine.container.name)
    assert machine_traces(machine.container.name) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_traces_of_a_machine_are_left_when_its_process_is_killed(suite: str, how: signal.Signals) -> None:
    program = f"""
import signal
import subprocess
from dcor_dev import roots
from dcor_dev.machine import Machine
# Where the tests run in the background of a shell, they inherit that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Machine("orphan", (roots.base("{suite}"),)) as machine:
    argv = [*machine.enter("root", {{}}), "sh", "-c", "echo; exec sleep 60"]
    inside = subprocess.Popen(argv, stdout=subprocess.PIPE)
    inside.stdout.readline()
    print(machine.pid, flush=True)
    inside.wait()
"""
    maker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment())
    assert maker.stdout is not None
    pid = int(maker.stdout.readline())
    maker.send_signal(how)
    maker.communicate()
    assert nspawn.wait(pid, 30)
    machine_directories.remove_abandoned()
    assert machine_traces(f"orphan-{maker.pid}") == []


def test_a_program_runs_in_a_root_that_is_not_booted(suite: str, tmp_path: Path) -> None:
    base = roots.base(suite)
    done = roots.chroot_run(base, "sh", "-c", "echo words; exit 5", check=False)
    assert (done.returncode, done.stdout) == (5, "words\n")
    roots.chroot_run(
        base, "sh", "-c", "ls /sys/class/net > /out/nets; rm -r /usr/share/doc", writable={tmp_path: "/out"}
    )
    assert (tmp_path / "nets").read_text() == "lo\n"
    assert (base / "usr/share/doc").is_dir()
    with pytest.raises(DevError, match="Read-only"):
        roots.chroot_run(base, "touch", "/in/file", read_only={tmp_path: "/in"})
    roots.chroot_run(base, "touch", "/srv/made", keep=tmp_path / "layer")
    assert (tmp_path / "layer/srv/made").exists()


def environment() -> dict[str, str]:
    """Return an environment in which another Python finds the modules of this one."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def machine_traces(name: str) -> list[str]:
    """Return the traces of a machine on this computer: mounts, control groups, directories, processes."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}" in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/dcor-{name}*")]
    directories = [str(path) for path in machine_directories.MACHINES.glob(f"{name}*")]
    commands = [command(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    processes = [output for output in commands if "systemd-nspawn" in output and name in output]
    return [*mounts, *groups, *directories, *processes]


def command(path: Path) -> str:
    """Return the command line of a process; it may end at any moment."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text(errors="replace")
    return ""
