"""Make Debian trees to boot and to build in, and run commands in them without booting.

A root is a plain Debian as its mirror gives it this week. It is never changed once it is made: whoever
works in one gets a layer of his own over it.
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

#: What a machine needs to boot, to speak https and to be looked at. No python3: a bare Debian has none.
BASE_PACKAGES = ("ca-certificates", "dbus", "iproute2", "procps", "systemd", "systemd-sysv")

#: What building any of our packages needs besides (Build-Depends are checked by dpkg-buildpackage).
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

#: A root is made anew each week, so that it is neither stale for ever nor made each day; one process sees one week.
WEEK = int(time.time() // (7 * 86400))


def base(suite: str) -> Path:
    """Return a bare Debian that boots; its package lists know the archive, its updates and security updates."""
    return _root(suite, BASE_PACKAGES)


def build_root(suite: str) -> Path:
    """Return a Debian in which all our packages can be built without a network."""
    return _root(suite, (*BASE_PACKAGES, *BUILD_PACKAGES))


def root_key(suite: str, packages: Sequence[str], week: int) -> str:
    """Return the name of a root: its suite for the reader's eye, and what it was made of."""
    return f"{suite}-{cache.key(suite, *sorted(packages), str(week))}"


def _root(suite: str, packages: Sequence[str]) -> Path:
    if suite not in SUITES:
        raise DevError(f"{suite} is none of the Debian releases that we build for: {', '.join(SUITES)}")
    name = root_key(suite, packages, WEEK)
    return cache.folder("roots", name, lambda target: _bootstrap(suite, packages, target))


def _bootstrap(suite: str, packages: Sequence[str], target: Path) -> None:
    """Let mmdebstrap fill `target`; without a mirror it takes the archive, updates and security by itself.

    Its mounts live in a namespace of their own, so none is left however it ends. The lists stay: a machine
    without a network needs them to resolve dependencies.
    """
    tools.need_root()
    tools.need("mmdebstrap")
    argv = ["unshare", "--mount", "--propagation", "private", "mmdebstrap", "--mode=root", "--variant=minbase"]
    argv += ["--quiet", "--skip=cleanup/apt/lists", f"--include={','.join(packages)}", suite, str(target)]
    tools.run(f"The root of {suite} cannot be made", *argv)
    # mmdebstrap hands on this computer's own; a machine gets its names from Machine.
    for name in ("etc/hostname", "etc/resolv.conf"):
        (target / name).unlink(missing_ok=True)


def chroot_run(  # noqa: PLR0913 (options, by keyword alone)
    stack: Path | nspawn.Stack,
    *argv: str,
    private_network: bool = True,
    read_only: Mapping[Path, str] | None = None,
    writable: Mapping[Path, str] | None = None,
    env: Mapping[str, str] | None = None,
    folder: str = "/",
    log: Path | None = None,
    keep: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program as root in a root (or layers, the lowest first) that is not booted.

    What it changes there is forgotten; results come out through `writable` folders, or as a layer if `keep` names
    an empty folder for it. `log` takes its words while it runs; without, they are returned.
    """
    layers = (stack,) if isinstance(stack, Path) else stack
    with machine_directories.scratch("run") as scratch:
        container = nspawn.Container(scratch, layers, read_only or {}, writable or {}, private_network)
        settings = {**nspawn.INSIDE, **({} if private_network else nspawn.https_environment()), **(env or {})}
        arguments = ["--as-pid2", "--console=pipe", f"--chdir={folder}"]
        arguments += [f"--setenv={name}={value}" for name, value in settings.items()]
        done = _talk(container, [*arguments, "--", *argv], log)
        if check and done.returncode:
            said = done.stdout if log is None else log.read_text(errors="replace")
            raise DevError(f"{' '.join(argv)} ended with {done.returncode}:\n{said[-4000:]}")
        if keep is not None:
            container.upper.rename(keep)
    return done


def _talk(container: nspawn.Container, arguments: Sequence[str], log: Path | None) -> subprocess.CompletedProcess[str]:
    with contextlib.ExitStack() as stack:
        target = subprocess.PIPE if log is None else stack.enter_context(log.open("w")).fileno()
        process = container.start(*arguments, output=target)
        try:
            said, _ = process.communicate()
        except BaseException:
            nspawn.kill(process.pid)
            process.wait()
            raise
        finally:
            container.clear_up()
    return subprocess.CompletedProcess(arguments, process.returncode, said or "", "")
