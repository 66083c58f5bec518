"""Reach a name in such a way that no other user can exchange what is reached.

The system follows a path by names. Whoever may write in one of its directories can exchange what comes next for a link,
at any moment: to a file of root's, which root then copies, changes or gives away, or to a FIFO, which root waits for.
So each directory of a path is opened below the former one, and examined when it is open. As long as all of them belong
to root, and nobody else may write in them, links are root's as well, and are followed. From the first directory of
another user on, the path is in that user's hands: no link is followed, and a file has to be that user's own, or root's
with a single name, which that user cannot have brought from elsewhere (link(2), rename(2)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.language import _, marked

ROOT = "root"
#: stands for whoever owns the first directory that is not root's, and for those who may write in a directory of root's
ANYBODY = marked("other users")
#: as many links as the system follows in one path (path_resolution(7))
MAX_LINKS = 40
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
#: a FIFO is opened without waiting for its other end
FILE = os.O_NOFOLLOW | os.O_NONBLOCK
HINT = marked("Where nobody else has to write: chown root {path}; chmod go-w {path}. Otherwise use another place.")
WRONG_FILE_HINT = marked("Find out who did that (stat {path}), then remove it.")
LINK_HINT = marked("Links there are not followed. Find out who made it (stat {path}), or name what it leads to.")


class UntrustedPath(DcorError):
    """Another user could exchange what a path leads to, or has done so."""


@dataclass(frozen=True)
class Tree:
    """The directory that stands for `/`, and what returns the owner's name of a file."""

    root: Path
    owner: Callable[[os.stat_result], str]


@dataclass(frozen=True)
class Place:
    """A name in an open directory."""

    tree: Tree
    #: the path as it was given
    wanted: str
    directory: int
    #: of the directory, without links
    path: str
    name: str
    #: the user who may exchange what has the name: ROOT, another one, or ANYBODY
    hands: str

    @property
    def real(self) -> Path:
        """The path by which the name is reached on this machine. Use it only in the hands of root."""
        return self.tree.root / self.path.lstrip("/") / self.name

    def is_link(self) -> bool:
        """Tell whether what has the name is a symbolic link."""
        return stat.S_ISLNK(os.stat(self.name, dir_fd=self.directory, follow_symlinks=False).st_mode)

    def open(self, flags: int, mode: int = 0) -> int:
        """Return a descriptor of what has the name, which is never a link. Raises UntrustedPath and OSError."""
        descriptor = os.open(self.name, flags | FILE, mode, dir_fd=self.directory)
        problem = self._problem(os.fstat(descriptor))
        if problem is not None:
            os.close(descriptor)
            raise _untrusted(self.wanted, f"{self.path}/{self.name}", problem, WRONG_FILE_HINT)
        return descriptor

    def _problem(self, found: os.stat_result) -> str | None:
        """Return why a file or directory may have been brought from elsewhere, or None."""
        owner = self.tree.owner(found)
        if self.hands == ROOT:
            return None
        if self.hands != ANYBODY and owner not in (ROOT, self.hands):
            return _belongs(owner, self.hands)
        if stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
            text = _("has {number} names, so {others} may have linked it from elsewhere")
            return text.format(number=found.st_nlink, others=_(self.hands))
        return None


@contextlib.contextmanager
def opened(tree: Tree, path: str, hands: str = ROOT, *, follow: bool = False, make: bool = False) -> Iterator[Place]:
    """Give the place of a path's last name.

    `hands`: the one user besides root whose directories may be on the way, or ANYBODY. `follow`: go on where the last
    name is a link of root's. `make`: make missing directories (0755). Raises UntrustedPath and OSError.
    """
    walk = _Walk(tree, path, hands, _names(path))
    try:
        while walk.goes_on(follow=follow, make=make):
            pass
        yield Place(tree, path, walk.directory, walk.path, walk.ahead[0], walk.hands)
    finally:
        os.close(walk.directory)


@dataclass
class _Walk:
    """The way along a path: an open directory, the names that lead to it without links, and those that come next."""

    tree: Tree
    wanted: str
    allowed: str
    ahead: list[str]
    behind: list[str] = field(default_factory=list)
    hands: str = ROOT
    links: int = 0

    def __post_init__(self) -> None:
        self.directory = os.open(self.tree.root, DIRECTORY)

    @property
    def path(self) -> str:
        return "/" + "/".join(self.behind)

    def goes_on(self, *, follow: bool, make: bool) -> bool:
        """Pass one name; return False where only the last one is left."""
        last = len(self.ahead) == 1
        if self.ahead[0] == "..":
            self._begin_again([*self.behind[:-1], *self.ahead[1:]])
        elif (not last or follow) and (target := self._target()) is not None:
            self._follow(target)
        elif last:
            return False
        else:
            self._enter(make=make)
        return True

    def _target(self) -> str | None:
        """Return the target of the link that comes next, or None for anything else."""
        try:
            return os.readlink(self.ahead[0], dir_fd=self.directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.EINVAL:  # not a link (readlink(2))
                raise
            return None

    def _follow(self, target: str) -> None:
        if self.hands != ROOT:
            why = _("is a link of {others}").format(others=_(self.hands))
            raise _untrusted(self.wanted, f"{self.path}/{self.ahead[0]}", why, LINK_HINT)
        self.links += 1
        if self.links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        start = [] if target.startswith("/") else self.behind
        self._begin_again([*start, *_names(target), *self.ahead[1:]])

    def _begin_again(self, ahead: list[str]) -> None:
        """Go from the root of the tree: all that was passed is examined once more."""
        self._move(os.open(self.tree.root, DIRECTORY))
        self.ahead, self.behind, self.hands = ahead or ["."], [], ROOT

    def _enter(self, *, make: bool) -> None:
        name = self.ahead[0]
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=self.directory)
        self._move(os.open(name, DIRECTORY, dir_fd=self.directory))
        self.behind.append(self.ahead.pop(0))
        self.hands = self._hands(os.fstat(self.directory))

    def _move(self, directory: int) -> None:
        os.close(self.directory)
        self.directory = directory

    def _hands(self, found: os.stat_result) -> str:
        """Return who may exchange what is in the directory that was entered. Raises UntrustedPath."""
        owner = self.tree.owner(found)
        shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        hands = owner if owner != ROOT else ANYBODY if shared else ROOT
        if self.hands not in (ROOT, ANYBODY) and owner not in (ROOT, self.hands):
            raise _untrusted(self.wanted, self.path, _belongs(owner, self.hands), HINT)
        hands = hands if self.hands == ROOT else self.hands
        if self.allowed != ANYBODY and hands not in (ROOT, self.allowed):
            text = _("belongs to {owner}, so what is in it may be exchanged at any moment")
            if owner == ROOT:
                text = _("may be changed by other users than root, so what is in it may be exchanged at any moment")
            raise _untrusted(self.wanted, self.path, text.format(owner=owner), HINT)
        return hands


def _names(path: str) -> list[str]:
    return [name for name in PurePosixPath(path).parts if name != "/"] or ["."]


def _untrusted(wanted: str, path: str, why: str, hint: str) -> UntrustedPath:
    """Return the error of a path, one part of which, `path`, may have been exchanged."""
    text = "{path} {why}" if path == wanted else _("{wanted} cannot be trusted: {path} {why}")
    return UntrustedPath(text.format(wanted=wanted, path=path, why=why), _(hint).format(path=path))


def _belongs(owner: str, hands: str) -> str:
    return _("belongs to {owner}, in a directory of {others}").format(owner=owner, others=_(hands))
