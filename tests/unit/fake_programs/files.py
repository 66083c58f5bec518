"""Fakes of the programs that read and copy files. They work on the files of the fake machine."""

from __future__ import annotations

import fnmatch
import json
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from dcor_pkg.ckan import file_locking, readable_checkouts, release_contents
from dcor_pkg.machine.host import Access, Host
from tests.unit.fake_programs.call import Call, Handler


@dataclass
class Files:
    """GNU coreutils, find and rsync, as far as they are used."""

    host: Host
    #: the directories in which nothing can be locked, and why
    without_locks: dict[str, str] = field(default_factory=dict)
    #: the directories that CKAN's user cannot read
    closed: list[str] = field(default_factory=list)
    #: what is asked of checkout_access.py: the user, and the arguments
    asked: list[tuple[str, ...]] = field(default_factory=list)
    #: stands for the code in all checkouts
    code: str = "1"

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {
            "/usr/bin/python3": self.python,
            "cat": self.cat,
            "cp": self.cp,
            "find": self.find,
            "ls": self.ls,
            "rsync": self.rsync,
            "stat": self.stat,
            "sync": self.sync,
            "systemd-tmpfiles": self.tmpfiles,
            "tail": self.tail,
            "tee": self.tee,
        }

    def python(self, call: Call) -> str:
        """Run one of dcor-server's own programs."""
        return self.checkout_access(call) if readable_checkouts.PROGRAM in call.argv else self.try_locks(call)

    def checkout_access(self, call: Call) -> str:
        """Print what CKAN's user cannot read in or above a checkout, or change that as the owner of the directory."""
        _, option, _, verb, *words = call.argv
        if verb == "examine" and (option, call.user) == ("-I", "www-data"):
            parents = [str(parent) for parent in reversed(Path(words[0]).parents)]
            closed = next((path for path in (*parents, words[0]) if path in self.closed), "")
            return json.dumps({"closed": closed, "digest": "" if closed in parents else self.code})
        name, path, *_ = words
        access = self.host.access(path)
        if (name, access and access.owner, option) != ("www-data", call.user, "-I"):
            raise call.unknown()
        self.asked.append((call.user or "", verb, *words[1:]))
        self.closed = [one for one in self.closed if one != path] + ([path] if verb == "take" else [])
        return "true"

    def try_locks(self, call: Call) -> str:
        """Print what speaks against locks in each directory."""
        _, option, program, *directories = call.argv
        if (option, program, call.user) != ("-I", file_locking.PROGRAM, "www-data"):
            raise call.unknown()
        return json.dumps({path: self.without_locks.get(path, "") for path in directories})

    def cat(self, call: Call) -> str:
        """Return the text of a file."""
        return self._text(call, f"cat: {call.words[0]}: No such file or directory\n")

    def ls(self, call: Call) -> str:
        """Return the names in a directory."""
        (directory,) = call.words
        if not self.host.exists(directory):
            raise call.failure(2, f"ls: cannot access '{directory}': No such file or directory\n")
        return "".join(f"{name}\n" for name in self.host.names(directory))

    def stat(self, call: Call) -> str:
        """Return the size of a file in bytes, or device and inode as CKAN's user sees them."""
        if call.options == ("--format=%d:%i",):
            assert call.user == "www-data", call.argv
            found = self.host.path(call.words[0]).stat()
            return f"{found.st_dev}:{found.st_ino}\n"
        assert call.options == ("--dereference", "--format=%s"), call.argv
        text = self._text(call, f"stat: cannot statx '{call.words[0]}': No such file or directory\n")
        return f"{len(text.encode())}\n"

    def tail(self, call: Call) -> str:
        """Return a file from byte N on, where the first is number 1, or its last lines."""
        if call.options[0].startswith("--lines="):
            text = self._text(call, f"tail: cannot open '{call.words[0]}' for reading: No such file or directory\n")
            return "".join(text.splitlines(keepends=True)[-int(call.option("--lines")) :])
        start = int(call.option("--bytes").removeprefix("+"))
        text = self._text(call, f"tail: cannot open '{call.words[0]}' for reading: No such file or directory\n")
        return text.encode()[start - 1 :].decode()

    def tee(self, call: Call) -> str:
        """Write the standard input into a file that the user may write, and keep its access."""
        (path,) = call.words
        access = self.host.access(path)
        assert call.user is None or access is None or access.owner == call.user, call.argv
        self.host.write(path, call.text, access or Access(0o644, call.user or "root", call.user or "root"))
        return call.text

    def tmpfiles(self, call: Call) -> str:
        """Make what a file of tmpfiles.d(5) declares below a prefix, unless it exists."""
        assert call.options[0] == "--create", call.argv
        for line in (self.host.read(call.words[0]) or "").splitlines():
            kind, path, mode, owner, group = (*line.replace(":", "").split(), *[""] * 5)[:5]
            if path.startswith(call.option("--prefix")) and not self.host.exists(path):
                make = self.host.make_directory if kind == "d" else lambda *it: self.host.write(it[0], "", it[1])
                make(path, Access(int(mode, 8), owner, group))
        return ""

    def sync(self, call: Call) -> str:
        """Do nothing: the files are on the disk."""
        assert call.options in ((), ("--file-system",)), call.argv
        return ""

    def cp(self, call: Call) -> str:
        """Copy a tree with `--archive`; with `--link` as well, for what comes of it is the same."""
        assert call.options in (("--archive",), ("--archive", "--link")), call.argv
        source, target = call.words
        if not self.host.exists(source):
            raise call.failure(1, f"cp: cannot stat '{source}': No such file or directory\n")
        assert not self.host.exists(target), call.argv
        self._copy(source, target)
        return ""

    def rsync(self, call: Call) -> str:
        """Make a directory as another one is, with `--archive --delete`, but for what is excluded at its top.

        What a user copies belongs to that user.
        """
        source, target = (path.rstrip("/") for path in call.words)
        assert {"--archive", "--delete"} <= set(call.options), call.argv
        excluded = {option.partition("=/")[2] for option in call.options if option.startswith("--exclude=")}
        for name in set(self.host.names(target)) - excluded:
            self._remove(f"{target}/{name}")
        for name in set(self.host.names(source)) - excluded:
            self._copy(f"{source}/{name}", f"{target}/{name}", call.user)
        return ""

    def find(self, call: Call) -> str:
        """Carry out `find DIRECTORY -name PATTERN -delete`, or print the sizes of all files, or more of them."""
        if call.argv[-1] == release_contents.PRINT:
            others = [Path(path).name for option, path in zip(call.argv, call.argv[1:]) if option == "-path"]
            return self._contents(self.host.path(call.argv[1]), others)
        if "-printf" in call.argv:
            files = [path.lstat() for path in self.host.path(call.argv[1]).rglob("*")]
            return "".join(f"{file.st_size}\n" for file in files if not stat.S_ISDIR(file.st_mode))
        if call.argv[2:] == ("-type", "d", "-not", "-perm", "-005", "-exec", "chmod", "a+rx", "{}", "+"):
            for path in (self.host.path(call.argv[1]), *self.host.path(call.argv[1]).rglob("*")):
                if path.is_dir() and not path.is_symlink():
                    path.chmod(path.stat().st_mode | 0o555)
            return ""
        directory, pattern = call.words
        assert call.options == ("-name", "-delete"), call.argv
        for path in self.host.path(directory).rglob("*"):
            if fnmatch.fnmatch(path.name, pattern):
                path.unlink()
        return ""

    def _contents(self, home: Path, others: list[str]) -> str:
        found = (path for path in home.rglob("*") if path.is_symlink() or not path.is_dir())
        files = [(path, path.lstat()) for path in found if path.parent != home or path.name not in others]
        return "".join(
            f"{path.relative_to(home)}\t{it.st_mode}\t{it.st_size}\t{it.st_mtime_ns}\n" for path, it in files
        )

    def _text(self, call: Call, missing: str) -> str:
        text = self.host.read(call.words[0])
        if text is None:
            raise call.failure(1, missing)
        return text

    def _copy(self, source: str, target: str, user: str | None = None) -> None:
        link, access = self.host.target(source), self.host.access(source)
        assert access is not None
        access = access if user is None else Access(access.mode, user, user)
        if link is not None:
            self.host.link(target, link)
        elif self.host.path(source).is_dir():
            self.host.make_directory(target, access)
            for name in self.host.names(source):
                self._copy(f"{source}/{name}", f"{target}/{name}", user)
        else:
            self.host.write(target, self.host.read(source) or "", access)

    def _remove(self, path: str) -> None:
        if self.host.path(path).is_dir():
            shutil.rmtree(self.host.path(path))
        else:
            self.host.path(path).unlink()
