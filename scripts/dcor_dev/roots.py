"""Create root directories of Debian to boot and to build in, and run programs in them without booting.

A root is a minimal Debian from the mirror, of the current week. It is never changed after its creation: each user of
it works in a layer above it.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dcor_dev import cache, machine_directories, nspawn, tools
from dcor_dev.errors import DevError

SUITES = ("bookworm", "trixie")

#: The packages that a machine needs to boot, to use https and to be inspected; without python3, like a minimal Debian.
BASE_PACKAGES = ("ca-certificates", "dbus", "iproute2", "procps", "systemd", "systemd-sysv")

#: Packages for building ours (dpkg-buildpackage checks Build-Depends).
BUILD_PACKAGES = (
    "build-essential",
    "debhelper",
    "dh-python",
    "fakeroot",
    "libpq-dev",
    "libpcre2-dev",
    "lintian",
    "po-debconf",
    "python3",
    "python3-dev",
    "python3-venv",
)

#: A new root is created each week, so that it gets updates. A constant, so that it does not change in one process.
WEEK = int(time.time() // (7 * 86400))


def base(suite: str) -> Path:
    """Return a minimal Debian that boots, with the package lists of the archive, its updates and security updates."""
    return _root(suite, BASE_PACKAGES)


def build_root(suite: str) -> Path:
    """Return a Debian with all packages that building ours needs."""
    return _root(suite, (*BASE_PACKAGES, *BUILD_PACKAGES))


def root_key(suite: str, packages: Sequence[str], week: int) -> str:
    """Return the name of a root: its suite, and a hash of its inputs."""
    return f"{suite}-{cache.key(suite, *sorted(packages), str(week))}"


def _root(suite: str, packages: Sequence[str]) -> Path:
    if suite not in SUITES:
        raise DevError(f"{suite} is not a supported Debian release; supported are: {', '.join(SUITES)}")
    name = root_key(suite, packages, WEEK)
    return cache.directory("roots", name, lambda target: _bootstrap(suite, packages, target))


def _bootstrap(suite: str, packages: Sequence[str], target: Path) -> None:
    """Let mmdebstrap fill `target`; without a given mirror it uses the archive, its updates and security updates.

    It has a mount namespace of its own, so no mount remains when it fails. The package lists are not removed, since a
    machine without a network needs them to resolve dependencies.
    """
    tools.need_root()
    tools.need("mmdebstrap")
    argv = ["unshare", "--mount", "--propagation", "private", "mmdebstrap", "--mode=root", "--variant=minbase"]
    argv += ["--quiet", "--skip=cleanup/apt/lists", f"--include={','.join(packages)}", suite, str(target)]
    tools.run(f"Creating a root of {suite} failed", *argv)
    # mmdebstrap copies those of this computer; Machine writes the machine's own host name.
    for name in ("etc/hostname", "etc/resolv.conf"):
        (target / name).unlink(missing_ok=True)


def chroot_run(  # noqa: PLR0913 (options, by keyword alone)
    stack: Path | nspawn.Stack,
    *argv: str,
    private_network: bool = True,
    read_only: Mapping[Path, str] | None = None,
    writable: Mapping[Path, str] | None = None,
    env: Mapping[str, str] | None = None,
    directory: str = "/",
    log: Path | None = None,
    keep: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program as root in a root directory (or a stack of layers, the lowest first) without booting it.

    Its changes are discarded, except in `writable` directories; with `keep`, they become a layer in that empty
    directory. Its output goes to the file `log`, or is returned. With `check`, raises DevError when the exit code is
    not 0.
    """
    layers = (stack,) if isinstance(stack, Path) else stack
    with machine_directories.scratch("run") as scratch:
        container = nspawn.Container(scratch, layers, read_only or {}, writable or {}, private_network)
        settings = {**nspawn.INSIDE, **({} if private_network else nspawn.https_environment()), **(env or {})}
        arguments = ["--as-pid2", "--console=pipe", f"--chdir={directory}"]
        arguments += [f"--setenv={name}={value}" for name, value in settings.items()]
        done = _run(container, [*arguments, "--", *argv], log)
        if check and done.returncode:
            output = done.stdout if log is None else log.read_text(errors="replace")
            raise DevError(f"{' '.join(argv)} failed with exit code {done.returncode}:\n{output[-4000:]}")
        if keep is not None:
            container.upper.rename(keep)
    return done


def _run(container: nspawn.Container, arguments: Sequence[str], log: Path | None) -> subprocess.CompletedProcess[str]:
    with contextlib.ExitStack() as stack:
        target = subprocess.PIPE if log is None else stack.enter_context(log.open("w")).fileno()
        process = container.start(*arguments, output=target)
        try:
            output, _ = process.communicate()
        except BaseException:
            nspawn.kill(process.pid)
            process.wait()
            raise
        finally:
            container.clear_up()
    return subprocess.CompletedProcess(arguments, process.returncode, output or "", "")
