"""Boot throw-away machines over layers of directories, and run programs in them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from dcor_dev import machine_directories, nspawn
from dcor_dev.errors import DevError
from dcor_dev.notify_socket import NotifySocket

if TYPE_CHECKING:
    from typing_extensions import Self

#: The fully qualified host name of a machine, set before its first boot.
HOSTNAME = "dcor.example.org"
#: Debian's timers that run apt at some time of the day: a test that needs apt at that time would find it locked.
APT_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")


class Machine:
    """A machine that is removed after use: `with Machine("name", stack) as machine: machine.run("true")`.

    With `private_network` the machine has only a loopback interface; without, it uses this computer's network.
    `read_only` maps paths of this computer to the paths in the machine where they are mounted. A `persistent` machine
    keeps running when this process ends, until kill() or remove().
    """

    def __init__(  # noqa: PLR0913 (options, by keyword alone)
        self,
        name: str,
        lower_layers: nspawn.Stack,
        *,
        private_network: bool = True,
        read_only: Mapping[Path, str] | None = None,
        hostname: str = HOSTNAME,
        options: tuple[str, ...] = (),
        persistent: bool = False,
    ) -> None:
        directory = machine_directories.MACHINES / (name if persistent else f"{name}-{os.getpid()}")
        self.container = nspawn.Container(directory, lower_layers, read_only or {}, private_network=private_network)
        self.hostname = hostname
        self._options = options
        self._persistent = persistent
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    # Start and stop

    def start(self, timeout: float = 180) -> None:
        """Boot, and return when all units have started or failed. Raises DevError after `timeout` seconds."""
        machine_directories.remove_abandoned()
        if self.pid:
            raise DevError(f"The machine {self.container.name} is already running.")
        self.container.make()
        self._write_configuration()
        deadline = time.monotonic() + timeout
        try:
            self._boot(deadline)
            self._wait_for_units(deadline)
        except BaseException:
            self.kill()
            raise

    def poweroff(self, timeout: float = 120) -> None:
        """Shut down; the changes are preserved for start() or commit(). Raises DevError after `timeout` seconds."""
        self.run("systemctl", "poweroff", "--no-block")
        self._wait_until_off(timeout)

    def reboot(self, timeout: float = 240) -> None:
        """Reboot, and return when the boot has finished, as start() does."""
        self.run("systemctl", "reboot", "--no-block")
        self._wait_until_off(timeout / 2)
        self.start(timeout / 2)

    def kill(self) -> None:
        """Stop the machine at once, like a power cut; what was written is preserved for start()."""
        if self.pid:
            nspawn.kill(self.pid)
        self._clear_up()

    def remove(self) -> None:
        """Kill the machine and delete its changes."""
        self.kill()
        if self.container.directory.exists():
            machine_directories.remove(self.container.directory)

    def commit(self, to: Path) -> None:
        """Move the changes to `to`, a missing or empty directory, as a layer for other machines."""
        if self.pid:
            raise DevError(f"The machine {self.container.name} must be powered off before it becomes a layer.")
        self.container.upper.rename(to)
        self.remove()

    # Use by tests

    def run(
        self,
        *argv: str,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        text: str = "",
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the machine, with `text` on its standard input, and return its exit code and output.

        A program that runs longer than `timeout` seconds is killed. With `check`, raises DevError when the exit code
        is not 0.
        """
        inside = ["timeout", "--kill-after=10", f"{timeout:.0f}", *argv]
        done = subprocess.run(
            self.enter(user, env or {}) + inside,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout + 60,
        )
        if check and done.returncode:
            raise DevError(
                f"{' '.join(argv)} in {self.container.name} failed with exit code {done.returncode}:\n{_tail(done)}"
            )
        return done

    def shell(self, script: str, user: str = "root", check: bool = True, timeout: float = 600) -> str:
        """Run a bash script in the machine and return its standard output."""
        return self.run("bash", "-euo", "pipefail", "-c", script, user=user, check=check, timeout=timeout).stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in the machine, as root; missing directories are created, links are resolved in the machine."""
        script = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
        self.run("sh", "-euc", script, "sh", path, f"{mode:o}", text=text)

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file or directory into the machine: to `target`, or into that directory if it ends in a slash."""
        if target.endswith("/"):
            target += source.name
        if source.is_dir():
            pack, unpack = ["tar", "-C", str(source), "-c", "."], 'mkdir -p "$1" && tar -C "$1" --no-same-owner -x'
        else:
            pack, unpack = ["cat", str(source)], 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
        with subprocess.Popen(pack, stdout=subprocess.PIPE) as packed:
            argv = [*self.enter("root", {}), "sh", "-euc", unpack, "sh", target, f"{source.stat().st_mode & 0o777:o}"]
            done = subprocess.run(argv, stdin=packed.stdout, capture_output=True, text=True, check=False)
        if done.returncode or packed.returncode:
            raise DevError(f"Copying {source} to {target} in {self.container.name} failed:\n{done.stderr}")

    def path(self, path: str) -> Path:
        """Return the path of a machine's file on this computer; absolute links in it point to this computer's files."""
        return Path(f"/proc/{self.leader}/root") / path.lstrip("/")

    def failed_units(self) -> list[str]:
        """Return the units in the state "failed"."""
        lines = self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full").stdout.splitlines()
        return [line.split()[0] for line in lines if line.strip()]

    def console(self, lines: int = 40) -> str:
        """Return the last lines of the console."""
        text = (self.container.directory / "console.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def pid(self) -> int | None:
        """The pid of systemd-nspawn, or None when the machine is off; from a file, so any process can find it."""
        return nspawn.running(self.container.directory)

    @property
    def leader(self) -> int:
        """The pid of the machine's process 1 on this computer."""
        found = nspawn.leader(self.pid) if self.pid else None
        if not found:
            raise DevError(f"The machine {self.container.name} is not running.")
        return found

    # Implementation

    def _write_configuration(self) -> None:
        """Write the host name, in the form of Debian's installer, and mask APT_TIMERS, before the first boot."""
        etc = self.container.upper / "etc"
        if (etc / "hostname").exists():
            return
        units = etc / "systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        short = self.hostname.partition(".")[0]
        (etc / "hostname").write_text(f"{short}\n")
        (etc / "hosts").write_text(
            f"127.0.0.1 localhost\n127.0.1.1 {self.hostname} {short}\n::1 localhost ip6-localhost\n"
        )
        for timer in APT_TIMERS:
            (units / timer).unlink(missing_ok=True)
            (units / timer).symlink_to(os.devnull)

    def _boot(self, deadline: float) -> None:
        """Start nspawn, and wait until systemd reports through it that it is ready (READY=1)."""
        with (
            NotifySocket(self.container.directory / "notify") as socket,
            (self.container.directory / "console.log").open("w") as log,
        ):
            self._process = self.container.start(
                "--boot",
                "--notify-ready=yes",
                "--console=read-only",
                *self._options,
                persistent=self._persistent,
                notify=socket.path,
                output=log.fileno(),
            )
            try:
                socket.wait_until_ready(self._process.pid, deadline)
            except DevError as error:
                raise DevError(f"The machine {self.container.name} {error}:\n{self.console()}") from None

    def _wait_until_off(self, timeout: float) -> None:
        if self.pid and not nspawn.wait(self.pid, timeout):
            raise DevError(
                f"The machine {self.container.name} did not shut down within {timeout:.0f} s:\n{self.console()}"
            )
        self._clear_up()

    def _wait_for_units(self, deadline: float) -> None:
        """Wait until systemd's job queue is empty."""
        left = max(1.0, deadline - time.monotonic())
        done = self.run("systemctl", "is-system-running", "--wait", check=False, timeout=left)
        if done.stdout.strip() not in ("running", "degraded"):
            raise DevError(f"The machine {self.container.name} is {done.stdout.strip()}:\n{self.console()}")

    def enter(self, user: str, env: Mapping[str, str]) -> list[str]:
        """Return the command prefix that runs a program in the machine as `user`, without the caller's environment.

        The program ends with its caller. nsenter stops itself when its program is stopped, as at a shutdown; if nobody
        continued it, the machine could never end.
        """
        argv = ["setpriv", "--pdeathsig", "KILL", "--", "nsenter", "-t", str(self.leader), "-a", "--", "env", "-i"]
        argv += [f"{name}={value}" for name, value in nspawn.INSIDE.items()]
        if user != "root":
            argv += ["runuser", "-u", user, "--", "env"]
        return argv + [f"{name}={value}" for name, value in env.items()]

    def _clear_up(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.container.clear_up()


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(part[-4000:] for part in (done.stdout, done.stderr) if part.strip())
