"""The one way to the machine: no other module writes files, and programs are run through it.

All methods take absolute paths and put `root` before them, so that a test, or the build of an image, can give the
same code another tree. What the system refuses becomes a DcorError that names the path and says what to do.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import atomic, process, trusted_path
from dcor_pkg.machine.file_errors import KINDS, explained, regular_file
from dcor_pkg.machine.language import _
from dcor_pkg.machine.trusted_path import ANYBODY, ROOT, Place, Tree

#: Programs get nothing of the caller's environment: an admin's virtual environment, proxy or locale must not change
#: what an upgrade at night does.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
#: let a block end where something does not exist, or is of a process that has ended after it was opened (proc(5))
MISSING = contextlib.suppress(FileNotFoundError, NotADirectoryError, ProcessLookupError)


@dataclass(frozen=True)
class Access:
    """Who owns a file, and who may do what with it."""

    mode: int
    owner: str = "root"
    group: str = "root"

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode:04o}"

    @property
    def lets_pass(self) -> bool:
        """Whether a directory is root's, nobody else writes in it, and everybody may reach what is below it."""
        return self.owner == "root" and self.mode & 0o022 == 0 and self.mode & 0o011 == 0o011


@dataclass(frozen=True)
class Host:
    """A machine, or a tree that looks like one. Only root may be able to change the way to a file, or its new owner."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))
    #: when each program has to have ended (time.monotonic), however much time its caller gives it; None: never
    deadline: float | None = None

    def path(self, path: str) -> Path:
        """Return the real path of `path`, below `root`."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a regular file, or None where it does not exist. Raises DcorError."""
        with explained(self.root, path, "read"), MISSING, self._opened(path, ANYBODY, follow=True) as place:
            descriptor = place.open(os.O_RDONLY)
            with regular_file(path, "read", descriptor) as file:
                return file.read()
        return None

    def exists(self, path: str) -> bool:
        """Tell whether a name exists, also that of a dangling link. Raises DcorError."""
        return self._stat(path) is not None

    def names(self, directory: str) -> list[str]:
        """Return the sorted names in a directory, or none where it does not exist. Raises DcorError."""
        with explained(self.root, directory, "listed"), contextlib.suppress(FileNotFoundError):
            return sorted(path.name for path in self.path(directory).iterdir())
        return []

    def target(self, link: str) -> str | None:
        """Return the target of a symbolic link, or None where there is no link. Raises DcorError."""
        with explained(self.root, link, "read"):
            try:
                return os.readlink(self.path(link))  # noqa: PTH115 (a Path would change "./target")
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                if error.errno == errno.EINVAL:  # something that is not a link (readlink(2))
                    return None
                raise

    def access(self, path: str) -> Access | None:
        """Return the access of a file or directory (of a link itself, not of its target). Raises DcorError."""
        found = self._stat(path)
        return None if found is None else _access(found)

    def access_drift(self, path: str, wanted: Access, kind: int = stat.S_IFREG) -> str | None:
        """Return how the access of a file (or of another kind, S_IFDIR) differs from the wanted one, or None."""
        found = self._stat(path)
        if found is None:
            return _("is missing")
        text = _("is {found}, not {wanted}")
        if (it := stat.S_IFMT(found.st_mode)) != kind:
            return text.format(found=_(KINDS[it]), wanted=_(KINDS[kind]))
        access = _access(found)
        return None if access == wanted else text.format(found=access, wanted=wanted)

    def write(self, path: str, text: str, access: Access) -> None:
        """Replace a file in one step: readers, and the disk after a power cut, have the old or the new one, whole.

        The new file has its access before it has its content, so a secret is never readable by others. Missing
        parent directories are made (0755). A symbolic link is replaced, not followed. Raises DcorError.
        """
        with explained(self.root, path, "written"), self._opened(path, access.owner, make=True) as place:
            replacement = atomic.new_file(place)
            with replacement as descriptor, regular_file(path, "written", descriptor) as file:
                _grant(descriptor, access)
                file.write(text)
                file.flush()
                os.fsync(descriptor)

    @contextlib.contextmanager
    def private_file(self, text: str) -> Iterator[str]:
        """Give the path of a file in /run (in memory) that only root can read, while a program needs it."""
        directory = self.path("/run")
        with explained(self.root, "/run", "written to"):
            directory.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="dcor-server.", dir=directory)
        try:
            with explained(self.root, name, "written"), regular_file(name, "written", descriptor) as file:
                file.write(text)
            yield f"/run/{Path(name).name}"
        finally:
            Path(name).unlink(missing_ok=True)

    def append(self, path: str, text: str, access: Access) -> None:
        """Add text to a file, made with `access` where it is missing. A link is not followed. Raises DcorError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with explained(self.root, path, "written"), self._opened(path, access.owner) as place:
            descriptor = place.open(flags, access.mode)
            with regular_file(path, "written", descriptor) as file:
                _grant(file.fileno(), access)
                file.write(text)

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, or change its target, in one step. Raises DcorError."""
        with explained(self.root, path, "made a link"), self._opened(path, make=True) as place:
            atomic.link(place, target)

    def remove(self, path: str, owner: str = ROOT) -> None:
        """Remove a file or link, if it exists, also one in a directory of `owner`. Raises DcorError for a directory."""
        with explained(self.root, path, "removed"), MISSING, self._opened(path, owner) as place:
            os.unlink(place.name, dir_fd=place.directory)

    def remove_tree(self, path: str) -> None:
        """Remove a directory with everything in it, if it exists; links are not followed. Raises DcorError."""
        found = self._stat(path)
        if found is None:
            return
        with explained(self.root, path, "removed"), self._opened(path) as place:
            if not stat.S_ISDIR(found.st_mode):  # rmtree would open a FIFO, and wait for ever
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            shutil.rmtree(place.real)

    def rename(self, path: str, to: str) -> None:
        """Give a file or directory another name on the same file system, in one step. Raises DcorError."""
        with explained(self.root, path, f"renamed to {to}"), self._opened(path) as old, self._opened(to) as new:
            os.rename(old.name, new.name, src_dir_fd=old.directory, dst_dir_fd=new.directory)

    def make_directory(self, path: str, access: Access) -> None:
        """Make a directory, or set the access of an existing one. Raises DcorError, also for a link to a directory."""
        opened = self._opened(path, access.owner, make=True)
        with explained(self.root, path, "made"), opened as place, atomic.directory(place, path) as descriptor:
            _grant(descriptor, access)

    def require_trusted(self, path: str, owner: str = ROOT) -> None:
        """Raise DcorError where another user than root and `owner` may exchange what has this path.

        What is missing may be made.
        """
        with explained(self.root, path, "examined"), MISSING, self._opened(path, owner):
            pass

    def run(
        self,
        *argv: str,
        text: str = "",
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        directory: str = "/",
        timeout: float = 600,
    ) -> str:
        """Run a program to its end, for at most `timeout` seconds, and return its standard output.

        Its standard input is `text`, never the caller's: under debconf that is a connection which a child would
        break (debconf-devel(7)). `user`: run as this user, with the user's groups. `environment` is added to
        ENVIRONMENT. Raises CommandFailed with the end of the program's output, and DcorError.
        """
        complete = {**self.environment, **(environment or {})}
        if self.deadline is not None:
            timeout = min(timeout, max(0.0, self.deadline - time.monotonic()))
        return process.run(argv, text=text, user=user, environment=complete, directory=directory, timeout=timeout)

    @contextlib.contextmanager
    def started(
        self, *argv: str, user: str | None = None, environment: Mapping[str, str] | None = None
    ) -> Iterator[process.Program]:
        """Give a program that runs meanwhile, and waits for its input; see `run`. Raises DcorError."""
        with process.started(argv, user=user, environment={**self.environment, **(environment or {})}) as program:
            yield program

    def succeeds(self, *argv: str, user: str | None = None, environment: Mapping[str, str] | None = None) -> bool:
        """Tell whether a program ends with exit code 0, within a minute. Raises DcorError where it cannot be run."""
        try:
            self.run(*argv, user=user, environment=environment, timeout=60)
        except CommandFailed:
            return False
        return True

    def _opened(
        self, path: str, hands: str = ROOT, *, follow: bool = False, make: bool = False
    ) -> contextlib.AbstractContextManager[Place]:
        """Give the place of a path: all files are reached in this way. See trusted_path.opened."""
        tree = Tree(self.root, lambda found: _owners(found)[0])
        return trusted_path.opened(tree, path, hands, follow=follow, make=make)

    def _stat(self, path: str) -> os.stat_result | None:
        """Return what the system knows of a name, or None where it does not exist."""
        with explained(self.root, path, "examined"), MISSING:
            return os.lstat(self.path(path))
        return None


def _grant(descriptor: int, access: Access) -> None:
    """Set owner and mode of an open file. Raises DcorError for a user or group that does not exist.

    Never by name: between a look at a name and its change, another user who may write in the directory can replace
    it with a link to a file of root's.
    """
    try:
        user, group = pwd.getpwnam(access.owner).pw_uid, grp.getgrnam(access.group).gr_gid
    except KeyError:
        raise DcorError(
            f"There is no user {access.owner}, or no group {access.group}.",
            hint="The package that makes them is not installed.",
        ) from None
    os.fchown(descriptor, user, group)
    os.fchmod(descriptor, access.mode)


def _access(found: os.stat_result) -> Access:
    return Access(stat.S_IMODE(found.st_mode), *_owners(found))


def _owners(found: os.stat_result) -> tuple[str, str]:
    """Return the names of user and group, or their numbers where they have no name on this machine."""
    try:
        user = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        user = str(found.st_uid)
    try:
        return user, grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return user, str(found.st_gid)
