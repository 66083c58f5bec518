"""A throw-away machine: a Debian that boots over layers of folders, and all that a test does with it."""

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
from dcor_dev.notices import Notices

if TYPE_CHECKING:
    from typing_extensions import Self

#: A machine has lived up to this name from the first boot on, as a server has that an admin hands us.
HOSTNAME = "dcor.example.org"


class Machine:
    """Boot, use, and leave nothing of: `with Machine("name", stack) as machine: machine.run("true")`.

    With `private_network` there is nothing but a loopback interface inside; without, it has this computer's network.
    `read_only` shows folders of this computer inside. What `persistent` its maker ends only by kill().
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
        folder = machine_directories.MACHINES / (name if persistent else f"{name}-{os.getpid()}")
        self.container = nspawn.Container(folder, lower_layers, read_only or {}, private_network=private_network)
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

    # Life and death

    def start(self, timeout: float = 180) -> None:
        """Boot, and return when all units that boot starts have come up or failed."""
        machine_directories.remove_abandoned()
        if self.pid:
            raise DevError(f"The machine {self.container.name} is running already.")
        self.container.make()
        self._name_it()
        deadline = time.monotonic() + timeout
        try:
            self._boot(deadline)
            self._await_units(deadline)
        except BaseException:
            self.kill()
            raise

    def poweroff(self, timeout: float = 120) -> None:
        """Shut down as an admin does; what was changed stays for another start() or commit()."""
        self.run("systemctl", "poweroff", "--no-block")
        self._await_end(timeout)

    def reboot(self, timeout: float = 240) -> None:
        """Reboot as an admin does, and return when it has come up again."""
        self.run("systemctl", "reboot", "--no-block")
        self._await_end(timeout / 2)
        self.start(timeout / 2)

    def kill(self) -> None:
        """End it at once, as a power cut would; what was written stays for another start()."""
        if self.pid:
            nspawn.kill(self.pid)
        self._ended()

    def remove(self) -> None:
        """Kill it and forget what it wrote."""
        self.kill()
        if self.container.folder.exists():
            machine_directories.remove(self.container.folder)

    def commit(self, to: Path) -> None:
        """Make of what was changed inside a layer for other machines: the folder `to`, which may be there but empty."""
        if self.pid:
            raise DevError(f"The machine {self.container.name} must be powered off before it becomes a layer.")
        self.container.upper.rename(to)
        self.remove()

    # What a test does with it

    def run(
        self,
        *argv: str,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        text: str = "",
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside, with `text` on its standard input, and return its exit code and words.

        A program that runs longer than `timeout` is ended inside, so that it does not go on behind our back.
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
            raise DevError(f"{' '.join(argv)} in {self.container.name} ended with {done.returncode}:\n{_tail(done)}")
        return done

    def shell(self, script: str, user: str = "root", check: bool = True, timeout: float = 600) -> str:
        """Run a bash script inside and return what it printed."""
        return self.run("bash", "-euo", "pipefail", "-c", script, user=user, check=check, timeout=timeout).stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside, as root; its folder is made. Links are followed as the machine sees them."""
        script = 'mkdir -p "${1%/*}" && cat > "$1" && chmod "$2" "$1"'
        self.run("sh", "-euc", script, "sh", path, f"{mode:o}", text=text)

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this computer inside: to `target`, or into it if it ends in a slash."""
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
            raise DevError(f"{source} cannot be copied to {target} in {self.container.name}:\n{done.stderr}")

    def path(self, path: str) -> Path:
        """Return where a file inside can be read from here; an absolute link in it leads to this computer's files."""
        return Path(f"/proc/{self.leader}/root") / path.lstrip("/")

    def failed_units(self) -> list[str]:
        """Return the units that systemd calls failed."""
        lines = self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full").stdout.splitlines()
        return [line.split()[0] for line in lines if line.strip()]

    def console(self, lines: int = 40) -> str:
        """Return the end of what the console showed."""
        text = (self.container.folder / "console.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def pid(self) -> int | None:
        """The process that is the machine; None when it is off. Read from a file: another command may have made it."""
        return nspawn.running(self.container.folder)

    @property
    def leader(self) -> int:
        """The machine's process number 1, as this computer counts."""
        found = nspawn.leader(self.pid) if self.pid else None
        if not found:
            raise DevError(f"The machine {self.container.name} is not running.")
        return found

    # How

    def _name_it(self) -> None:
        """Give it its name before its first boot, laid out as Debian's installer does."""
        etc = self.container.upper / "etc"
        if (etc / "hostname").exists():
            return
        etc.mkdir(exist_ok=True)
        short = self.hostname.partition(".")[0]
        (etc / "hostname").write_text(f"{short}\n")
        (etc / "hosts").write_text(
            f"127.0.0.1 localhost\n127.0.1.1 {self.hostname} {short}\n::1 localhost ip6-localhost\n"
        )

    def _boot(self, deadline: float) -> None:
        """Start nspawn and wait for the READY that systemd sends through it."""
        with (
            Notices(self.container.folder / "notify") as notices,
            (self.container.folder / "console.log").open("w") as log,
        ):
            self._process = self.container.start(
                "--boot",
                "--notify-ready=yes",
                "--console=read-only",
                *self._options,
                persistent=self._persistent,
                notify=notices.path,
                output=log.fileno(),
            )
            try:
                notices.await_ready(self._process.pid, deadline)
            except DevError as error:
                raise DevError(f"The machine {self.container.name} {error}:\n{self.console()}") from None

    def _await_end(self, timeout: float) -> None:
        if self.pid and not nspawn.wait(self.pid, timeout):
            raise DevError(
                f"The machine {self.container.name} does not shut down within {timeout:.0f} s:\n{self.console()}"
            )
        self._ended()

    def _await_units(self, deadline: float) -> None:
        """Wait for systemd's job queue to be empty."""
        left = max(1.0, deadline - time.monotonic())
        done = self.run("systemctl", "is-system-running", "--wait", check=False, timeout=left)
        if done.stdout.strip() not in ("running", "degraded"):
            raise DevError(f"The machine {self.container.name} is {done.stdout.strip()}:\n{self.console()}")

    def enter(self, user: str, env: Mapping[str, str]) -> list[str]:
        """Return what runs a program inside as that user, with that user's home and nothing of the caller's."""
        argv = ["nsenter", "-t", str(self.leader), "-a", "--", "env", "-i"]
        argv += [f"{name}={value}" for name, value in nspawn.INSIDE.items()]
        if user != "root":
            argv += ["runuser", "-u", user, "--", "env"]
        return argv + [f"{name}={value}" for name, value in env.items()]

    def _ended(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.container.clear_up()


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(part[-4000:] for part in (done.stdout, done.stderr) if part.strip())
