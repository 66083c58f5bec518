"""Start systemd-nspawn over layers of directories, without any remains after it ends or is killed.

The overlay is mounted in a mount namespace that ends with nspawn. On a computer without systemd, the processes get
control groups of their own, which are removed afterwards.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dcor_dev import tools
from dcor_dev.errors import DevError

#: Directories that are mounted over each other, the lowest first.
Stack = Sequence[Path]

#: The path in containers with network access where this computer's certificate authorities are mounted.
AUTHORITIES = "/run/authorities.crt"
HOST_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

#: The unified hierarchy of control groups, as on Debian since version 11, whatever this computer has. /tmp on disk,
#: since a build or an upload may be larger than nspawn's tmpfs.
ENVIRONMENT = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}

#: The environment of programs in a container, which do not inherit the caller's.
INSIDE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}

#: Nspawn stores state in /run, and fails to remove it where that is not a tmpfs.
LAUNCH = """
overlay=$1 merged=$2
shift 2
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done
shift
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 dcor /run/systemd/nspawn
mount -t overlay dcor -o "$overlay" "$merged"
exec "$@"
"""


#: The longest wait for nspawn after its container was killed.
KILL_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Container:
    """A container of systemd-nspawn, with the directory that receives its changes."""

    directory: Path
    stack: Stack
    read_only: Mapping[Path, str] = field(default_factory=dict)
    writable: Mapping[Path, str] = field(default_factory=dict)
    private_network: bool = True

    @property
    def name(self) -> str:
        """Return the name of the container and its control groups."""
        return self.directory.name

    @property
    def upper(self) -> Path:
        """Return the directory that receives the changes, the upper layer of the overlay."""
        return self.directory / "upper"

    def make(self) -> None:
        """Create the missing directories; after a reboot, the upper layer already has content."""
        for name in ("upper", "work", "merged"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)

    def start(
        self, *arguments: str, persistent: bool = False, notify: Path | None = None, output: int
    ) -> subprocess.Popen[str]:
        """Start nspawn with these arguments; unless `persistent`, it shuts down when this process ends."""
        tools.need_root()
        tools.need("systemd-nspawn", "nsenter")
        self.make()
        argv = [] if persistent else ["setpriv", "--pdeathsig", "TERM", "--"]
        argv += [
            *_scope(self.name),
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-euc",
            LAUNCH,
            "sh",
            self._overlay(),
        ]
        argv += [str(self.directory / "merged"), *map(str, _make_groups(self.name)), "--", *self._nspawn(), *arguments]
        environment = {**os.environ, **ENVIRONMENT, **({"NOTIFY_SOCKET": str(notify)} if notify else {})}
        process = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        (self.directory / "nspawn.pid").write_text(str(process.pid))
        return process

    def clear_up(self) -> None:
        """Remove the control groups, when no process is left in them; another process may do the same."""
        (self.directory / "nspawn.pid").unlink(missing_ok=True)
        for top in _group_paths(self.name):
            for directory, _, _ in os.walk(top, topdown=False):
                with suppress(FileNotFoundError):
                    Path(directory).rmdir()

    def _overlay(self) -> str:
        lower = ":".join(str(layer) for layer in reversed(self.stack))
        return f"lowerdir={lower},upperdir={self.upper},workdir={self.directory / 'work'}"

    def _nspawn(self) -> list[str]:
        argv = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            f"--machine={self.name}",
            "-D",
            str(self.directory / "merged"),
        ]
        argv += ["--keep-unit", "--link-journal=no", "--timezone=off"]
        argv += ["--private-network", "--resolv-conf=off"] if self.private_network else ["--resolv-conf=replace-host"]
        if not self.private_network and HOST_AUTHORITIES.exists():
            argv.append(f"--bind-ro={HOST_AUTHORITIES}:{AUTHORITIES}")
        argv += [f"--bind-ro={source}:{target}" for source, target in self.read_only.items()]
        return argv + [f"--bind={source}:{target}" for source, target in self.writable.items()]


def running(directory: Path) -> int | None:
    """Return the recorded pid of a container, or None when that process is not its nspawn (pids are reused)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        number = (directory / "nspawn.pid").read_text()
        if str(directory).encode() in Path(f"/proc/{number}/cmdline").read_bytes():
            return int(number)
    return None


def https_environment() -> dict[str, str]:
    """Return environment variables that make pip, curl and requests trust this computer's certificate authorities."""
    names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return dict.fromkeys(names, AUTHORITIES) if HOST_AUTHORITIES.exists() else {}


def leader(pid: int) -> int | None:
    """Return the pid of the container's process 1, the only child of nspawn, or None when it has ended."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(children) == 1:
            return int(children[0])
    return None


def wait(pid: int, timeout: float) -> bool:
    """Wait up to `timeout` seconds for the end of a process, which need not be a child; return whether it ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


def kill(pid: int) -> None:
    """Kill the container's process 1, and with it all its processes; nspawn then cleans up and ends.

    A kill of nspawn itself would leave the container running. Raises DevError when nspawn does not end.
    """
    inside = leader(pid)
    with suppress(ProcessLookupError):
        os.kill(inside or pid, signal.SIGKILL if inside else signal.SIGTERM)
    if not wait(pid, KILL_TIMEOUT_SECONDS):
        raise DevError(f"systemd-nspawn (process {pid}) did not end within {KILL_TIMEOUT_SECONDS} s")


def _host_has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _scope(name: str) -> list[str]:
    """Return the command prefix that lets systemd, if it runs, create the control group of a container."""
    if not _host_has_systemd():
        return []
    return ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes", f"--unit=dcor-{name}", "--"]


def _group_paths(name: str) -> list[Path]:
    """Return the control groups that have to be created for a container when systemd does not run.

    Two containers in the same group would conflict.
    """
    if _host_has_systemd():
        return []
    top = Path("/sys/fs/cgroup")
    tops = [top] if (top / "cgroup.procs").exists() else [top / "systemd", top / "unified"]
    return [each / f"dcor-{name}" for each in tops if (each / "cgroup.procs").exists()]


def _make_groups(name: str) -> list[Path]:
    groups = _group_paths(name)
    for group in groups:
        group.mkdir(exist_ok=True)
    return groups
