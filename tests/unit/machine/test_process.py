"""Programs that the host runs: what they are given, how they may fail, and how that is said."""

from __future__ import annotations

import signal
import subprocess

import pytest

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine.host import Host


def test_a_program_gets_its_input_and_a_clean_environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    assert host.run("/bin/cat", text="input\n") == "input\n"
    assert host.run("/usr/bin/env", "-0", environment={"LANG": "C"}).split("\0")[:-1] == [
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C",
        "HOME=/root",
    ]
    assert host.run("/bin/pwd", directory="/usr") == "/usr\n"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (
            ("/bin/sh", "-c", "echo broken >&2; exit 3"),
            "`/bin/sh -c 'echo broken >&2; exit 3'` failed with exit code 3",
        ),
        (("/bin/sh", "-c", "kill -9 $$"), "`/bin/sh -c 'kill -9 $$'` was ended by the signal SIGKILL"),
        (("/no/such", "--option"), "`/no/such --option` cannot be started: No such file or directory"),
    ],
)
def test_a_program_that_fails_is_named_by_its_whole_line(host: Host, argv: tuple[str, ...], reason: str) -> None:
    with pytest.raises(DcorError) as failed:
        host.run(*argv)
    assert failed.value.reason == reason


def test_a_programs_output_is_the_hint(host: Host) -> None:
    for script, hint in (("echo out; echo error >&2; exit 1", "error"), ("echo out; exit 1", "out")):
        with pytest.raises(CommandFailed) as failed:
            host.run("/bin/sh", "-c", script)
        assert (failed.value.hint, failed.value.code) == (hint, 1)


def test_a_program_that_takes_too_long_is_stopped(host: Host) -> None:
    with pytest.raises(DcorError, match=r"^`/bin/sleep 20` did not end within 0 s$") as failed:
        host.run("/bin/sleep", "20", timeout=0.1)
    assert failed.value.hint


def test_a_program_runs_beside_its_caller_until_it_gets_its_input(host: Host) -> None:
    script = "echo ready; read line; echo got $line $LANG"
    with host.started("/bin/sh", "-c", script, environment={"LANG": "C"}) as program:
        program.await_output("ready", 60)
        assert program.process.poll() is None
        assert program.finish("input\n", 60) == "ready\ngot input C\n"


def test_a_program_that_runs_beside_its_caller_ends_with_it(host: Host) -> None:
    with host.started("/bin/sh", "-c", "read line; exec sleep 60") as program:
        pass
    assert program.process.returncode == -signal.SIGKILL


def test_a_program_that_runs_beside_its_caller_may_fail_before_it_gets_its_input(host: Host) -> None:
    with host.started("/bin/sh", "-c", "echo broken >&2; exit 3") as program:
        with pytest.raises(CommandFailed, match=r"failed with exit code 3$") as failed:
            program.await_output("ready", 60)
        assert failed.value.hint == "broken"
    with pytest.raises(CommandFailed, match=r"exit code 4$"), host.started("/bin/sh", "-c", "read line; exit 4") as it:
        it.finish("input\n", 60)
    with pytest.raises(DcorError, match=r"was not ready within 0 s$"), host.started("/bin/cat") as program:
        program.await_output("ready", 0.1)
    with pytest.raises(DcorError, match=r"did not end within 0 s$"), host.started("/bin/sleep", "60") as program:
        program.finish("", 0.1)
    with pytest.raises(DcorError, match="cannot be started"), host.started("/no/such"):
        pass


def test_yes_and_no_are_exit_codes(host: Host) -> None:
    assert (host.succeeds("/bin/true"), host.succeeds("/bin/false")) == (True, False)
    with pytest.raises(DcorError, match="cannot be started"):
        host.succeeds("/no/such")


def test_a_program_runs_as_a_user_with_the_users_groups(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def run(argv: tuple[str, ...], **options: object) -> object:
        given.update(options)
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    host.run("id", user="daemon")
    assert (given["user"], given["group"], given["extra_groups"]) == (1, 1, [1])
    with pytest.raises(DcorError, match=r"^There is no user dcor-nobody\.$"):
        host.run("id", user="dcor-nobody")
