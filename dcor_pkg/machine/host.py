"""The one door to the machine: nothing else starts a process or writes a file.

Everything takes absolute paths and puts `root` before them, so that a test (or an image
being built) gives the same code another tree.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import atomic

#: Nothing of the caller's environment reaches a program: an activated virtual environment,
#: a proxy or a locale of the admin's must not change what an upgrade at night does.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


@dataclass(frozen=True)
class Access:
    """Who owns a file, and who may do what with it."""

    mode: int
    owner: str = "root"
    group: str = "root"

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode:04o}"


@dataclass(frozen=True)
class Host:
    """A machine, or a tree that looks like one."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))

    def path(self, path: str) -> Path:
        """Return where `path`, as the machine knows it, lies for us."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str | None:
        """Return the text of a file, or None where there is none."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, path: str) -> bool:
        """Tell whether there is anything of that name, be it a dangling link."""
        return os.path.lexists(self.path(path))

    def names(self, directory: str) -> list[str]:
        """Return the sorted names in a directory; none where there is no directory."""
        try:
            return sorted(os.listdir(self.path(directory)))
        except FileNotFoundError:
            return []

    def target(self, link: str) -> str | None:
        """Return what a link names, or None where there is no link."""
        try:
            return os.readlink(self.path(link))
        except (FileNotFoundError, OSError):
            return None

    def access(self, path: str) -> Access | None:
        """Return the access of a file or directory (of a link itself, not its target)."""
        try:
            found = self.path(path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Access(stat.S_IMODE(found.st_mode), *_owners(found))

    def access_drift(self, path: str, wanted: Access) -> str | None:
        """Return how the access of a file or directory differs from what is wanted, or None."""
        found = self.access(path)
        if found is None:
            return "is missing"
        return None if found == wanted else f"is {found}, not {wanted}"

    def write(self, path: str, text: str, access: Access) -> None:
        """Replace a file in one step: a reader or a power cut sees the old or the new one, whole.

        The new file has its access before it has its content, so a secret is never readable
        by others, not even for a moment. Directories above it that are missing are made (0755).
        """
        target = self.path(path)
        with atomic.explained(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic.beside(target) as (descriptor, beside):
                _grant(descriptor, access)
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(target)
            atomic.sync_directory(target.parent)

    @contextlib.contextmanager
    def private_file(self, text: str) -> Iterator[str]:
        """Give the path of a file in memory that only we can read (0600), for as long as a program needs it."""
        with atomic.explained("/run"):
            self.path("/run").mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="dcor-server.", dir=self.path("/run"))
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
            yield f"/run/{Path(name).name}"
        finally:
            Path(name).unlink(missing_ok=True)

    def append(self, path: str, text: str, access: Access) -> None:
        """Add to a file, which is made with `access` where there is none."""
        target = self.path(path)
        with atomic.explained(path):
            descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, access.mode)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                _grant(file.fileno(), access)
                file.write(text)

    def link(self, path: str, target: str) -> None:
        """Make or turn a symbolic link, in one step."""
        beside = self.path(path).with_name(f".{Path(path).name}.new")
        with atomic.explained(path):
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            beside.symlink_to(target)
            beside.replace(self.path(path))

    def remove(self, path: str) -> None:
        """Remove a file or link; nothing happens where there is none."""
        self.path(path).unlink(missing_ok=True)

    def remove_tree(self, path: str) -> None:
        """Remove a directory of ours with all that it holds (links in it are not followed)."""
        if self.exists(path):
            shutil.rmtree(self.path(path))

    def rename(self, path: str, to: str) -> None:
        """Give a file or directory another name on the same file system, in one step."""
        self.path(path).rename(self.path(to))

    def make_directory(self, path: str, access: Access) -> None:
        """Make a directory, or set the access of the one that is there; a link is refused."""
        directory = self.path(path)
        with atomic.explained(path), contextlib.suppress(FileExistsError):
            directory.mkdir(parents=True)
        with atomic.opened(directory) as descriptor:
            _grant(descriptor, access)

    def run(
        self,
        *argv: str,
        text: str = "",
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        directory: str = "/",
        timeout: float = 600,
    ) -> str:
        """Run a program to its end and return what it said.

        Standard input is `text` and never the caller's: under debconf that is a wire that a
        child would break (debconf-devel(7)). `user`: as whom, with that user's groups.
        `environment` is added to ours. Raises CommandFailed with the program's words.
        """
        try:
            done: subprocess.CompletedProcess[str] = subprocess.run(
                argv,
                input=text,
                capture_output=True,
                text=True,
                errors="replace",
                env={**self.environment, **(environment or {})},
                cwd=directory,
                timeout=timeout,
                check=False,
                **_identity(user),
            )
        except subprocess.TimeoutExpired:
            raise DcorError(f"{argv[0]} did not end within {timeout:.0f} s") from None
        except OSError as error:
            raise DcorError(f"{argv[0]} cannot be started: {error.strerror}") from None
        if done.returncode:
            raise CommandFailed(argv, done.returncode, done.stderr or done.stdout)
        return done.stdout

    def succeeds(self, *argv: str, user: str | None = None, environment: Mapping[str, str] | None = None) -> bool:
        """Tell whether a program that is asked a question ends with yes (0)."""
        try:
            self.run(*argv, user=user, environment=environment, timeout=60)
        except CommandFailed:
            return False
        return True


def _identity(user: str | None) -> dict[str, Any]:
    """Return as whom a program runs, in the words of subprocess."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(user, entry.pw_gid)}


def _grant(descriptor: int, access: Access) -> None:
    """Set owner and mode of what is open, never of a name.

    Between looking at a name and changing it, another user who may write in its directory can put
    a link to any file of root's there.
    """
    os.fchown(descriptor, pwd.getpwnam(access.owner).pw_uid, grp.getgrnam(access.group).gr_gid)
    os.fchmod(descriptor, access.mode)


def _owners(found: os.stat_result) -> tuple[str, str]:
    """Return the names of user and group; their numbers where a user was removed, or is another machine's."""
    try:
        user = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        user = str(found.st_uid)
    try:
        return user, grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return user, str(found.st_gid)
