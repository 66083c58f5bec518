"""Start systemd-nspawn over layers of directories, so that nothing is left behind however it ends.

The overlay is mounted in a mount namespace that lives as long as nspawn, and on a computer without systemd
the processes get control groups of their own, which go with them.
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

#: Where this computer's own certificate authorities are shown to who may use its network.
AUTHORITIES = "/run/authorities.crt"
HOST_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

#: Unified: as real servers have had it since Debian 11, whatever this computer's own hierarchy is. /tmp on disk:
#: a build or an upload may be larger than what nspawn's own tmpfs allows.
ENVIRONMENT = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}

#: All that a program inside has of an environment: nothing of the caller's reaches it.
INSIDE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}

#: Nspawn keeps notes in /run and refuses to remove them where that is no tmpfs.
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


@dataclass(frozen=True)
class Container:
    """A directory that holds what one machine or one command changes."""

    directory: Path
    stack: Stack
    read_only: Mapping[Path, str] = field(default_factory=dict)
    writable: Mapping[Path, str] = field(default_factory=dict)
    private_network: bool = True

    @property
    def name(self) -> str:
        """Return what the machine is called, and its control groups."""
        return self.directory.name

    @property
    def upper(self) -> Path:
        """Return the directory that takes what is changed."""
        return self.directory / "upper"

    def make(self) -> None:
        """Make the empty directories; what the upper one holds already (after a reboot) stays."""
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
        """Remove the control groups, once nothing runs in them."""
        (self.directory / "nspawn.pid").unlink(missing_ok=True)
        for top in _group_paths(self.name):
            for directory, _, _ in os.walk(top, topdown=False):
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
    """Return the process that runs a room, as its file says it; numbers are used again, so look who has it now."""
    with suppress(FileNotFoundError, ProcessLookupError):
        number = (directory / "nspawn.pid").read_text()
        if str(directory).encode() in Path(f"/proc/{number}/cmdline").read_bytes():
            return int(number)
    return None


def https_environment() -> dict[str, str]:
    """Return what makes pip, curl and requests in a machine trust whom this computer trusts."""
    names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return dict.fromkeys(names, AUTHORITIES) if HOST_AUTHORITIES.exists() else {}


def leader(pid: int) -> int | None:
    """Return the process that is number 1 inside, the only child of nspawn; None when it has ended."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(children) == 1:
            return int(children[0])
    return None


def wait(pid: int, timeout: float) -> bool:
    """Wait until a process has ended, whoever's child it is; say whether it has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


def kill(pid: int) -> None:
    """End all that runs inside at once; nspawn then clears up and ends by itself.

    Killing nspawn itself would leave its machine running.
    """
    inside = leader(pid)
    with suppress(ProcessLookupError):
        os.kill(inside or pid, signal.SIGKILL if inside else signal.SIGTERM)
    if not wait(pid, 30):
        raise DevError(f"systemd-nspawn (process {pid}) does not end")


def _host_has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _scope(name: str) -> list[str]:
    """Let systemd, where it runs, make the control group of a machine."""
    if not _host_has_systemd():
        return []
    return ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes", f"--unit=dcor-{name}", "--"]


def _group_paths(name: str) -> list[Path]:
    """Return the control groups that we make for a machine, where there is no systemd to do it.

    Two machines in the same group would fight over its inside.
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
