"""Let CKAN's user read a checkout, or no longer; and say whether that user can: examine | pass | give | take.

`examine PATH` runs as CKAN's user. The others run as the owner of what they change, with the user's name: `pass USER
DIRECTORY` lets the user go through, `give USER PATH` lets it read a tree, and `take USER PATH [tree]` undoes both. They
give exactly the bits that are missing, as entries of access control lists (acl(5)). Whether a bit is missing is found
out here again, never taken from a process of CKAN's user. No link is followed, and no file of another user changed.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import hashlib
import json
import os
import pwd
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

#: the extended attributes of an access control list, and of what new files in a directory get (linux/posix_acl_xattr.h)
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
VERSION, HEADER, ENTRY = 2, struct.Struct("<I"), struct.Struct("<HHI")
OWNER, USER, GROUP, NAMED_GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
#: the id of an entry that names nobody
UNNAMED = 0xFFFFFFFF
READ, PASS = 4, 1
#: the bits by tag and id
Acl = dict[tuple[int, int], int]
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Refused(Exception):
    """Something that cannot be done; the text says why."""


def is_needed(name: str) -> bool:
    """Return whether CKAN needs a name in a checkout: not .git and .env, with what is nobody else's business."""
    return not name.startswith(".") and name != "__pycache__"


def examine(path: str) -> dict[str, str]:
    """Return what this user cannot read ("" for nothing), and a digest that changes with the files."""
    digest, closed = hashlib.sha256(), ""
    for parent in reversed(Path(path).parents):
        if not os.access(parent, os.X_OK):
            return {"closed": str(parent), "digest": ""}
    errors: list[OSError] = []
    for place, names, files in os.walk(path, onerror=errors.append):
        names[:] = sorted(filter(is_needed, names))
        for file in (Path(place, name) for name in sorted(filter(is_needed, files))):
            try:
                found = file.lstat()
            except PermissionError:
                closed = closed or place
                break
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                closed = closed or ("" if os.access(file, os.R_OK) else str(file))
                digest.update(f"{file}\0{found.st_size}\0{found.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    closed = next((str(error.filename) for error in errors if error.errno == errno.EACCES), closed)
    return {"closed": closed, "digest": digest.hexdigest()}


def load(file: int, name: str, mode: int) -> Acl:
    """Return a list of an open file; where it has none, what the mode says."""
    try:
        text = os.getxattr(file, name)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return {(OWNER, UNNAMED): mode >> 6 & 7, (GROUP, UNNAMED): mode >> 3 & 7, (OTHER, UNNAMED): mode & 7}
    return {(tag, who): bits for tag, bits, who in ENTRY.iter_unpack(text[HEADER.size :])}


def store(file: int, name: str, acl: Acl) -> None:
    """Set a list; the system makes one without names a mode again."""
    entries = b"".join(ENTRY.pack(tag, bits, who) for (tag, who), bits in sorted(acl.items()))
    os.setxattr(file, name, HEADER.pack(VERSION) + entries)


def with_user(acl: Acl, user: int, bits: int) -> Acl:
    """Return a list in which a user has these bits at least; 0 removes the user. Nobody else gets or loses any."""
    mask = acl.get((MASK, UNNAMED), 7)
    plain = {key: old & mask if key[0] in (USER, GROUP, NAMED_GROUP) else old for key, old in acl.items()}
    plain.pop((MASK, UNNAMED), None)
    if bits:
        plain[USER, user] = plain.get((USER, user), 0) | bits
    else:
        plain.pop((USER, user), None)
    masked = [old for (tag, _), old in plain.items() if tag in (USER, GROUP, NAMED_GROUP)]
    if len(masked) > 1:
        plain[MASK, UNNAMED] = 0
        for old in masked:
            plain[MASK, UNNAMED] |= old
    return plain


def has(acl: Acl, found: os.stat_result, user: int, groups: set[int], bits: int) -> bool:
    """Return whether a list lets a user do something (acl(5), "ACCESS CHECK ALGORITHM")."""
    mask = acl.get((MASK, UNNAMED), 7)
    if found.st_uid == user:
        return acl[OWNER, UNNAMED] & bits == bits
    if (USER, user) in acl:
        return acl[USER, user] & mask & bits == bits
    own = [old for (tag, who), old in acl.items() if tag == NAMED_GROUP and who in groups]
    own += [acl[GROUP, UNNAMED]] if found.st_gid in groups else []
    return any(old & mask & bits == bits for old in own) if own else acl[OTHER, UNNAMED] & bits == bits


def add(file: int, path: str, name: str, bits: int, *, inherited: bool) -> bool:
    """Let a user do something with an open file; return whether that was missing. Raises Refused."""
    found, user = os.fstat(file), pwd.getpwnam(name)
    acl = load(file, ACCESS, found.st_mode)
    if has(acl, found, user.pw_uid, set(os.getgrouplist(name, user.pw_gid)), bits):
        return False
    if found.st_uid != os.geteuid():
        raise Refused(f"{path} belongs to {owner(found)}, not to the owner of the checkout")
    if stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        raise Refused(f"{path} has {found.st_nlink} names, so it may be a file from elsewhere")
    if inherited:
        store(file, DEFAULT, with_user(load(file, DEFAULT, found.st_mode), user.pw_uid, bits))
    store(file, ACCESS, with_user(acl, user.pw_uid, bits))
    return True


def owner(found: os.stat_result) -> str:
    """Return the owner's name, or number and group where it has none."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return f"{found.st_uid} ({grp.getgrgid(found.st_gid).gr_name})"


def remove(file: int, user: int) -> None:
    """Take back what `add` has given."""
    found = os.fstat(file)
    if found.st_uid != os.geteuid():
        return
    acl = load(file, ACCESS, found.st_mode)
    if (USER, user) in acl:
        store(file, ACCESS, with_user(acl, user, 0))
    if not stat.S_ISDIR(found.st_mode):
        return
    inherited = load(file, DEFAULT, 0)
    if (USER, user) in inherited:
        left = with_user(inherited, user, 0)
        if (MASK, UNNAMED) in left:
            store(file, DEFAULT, left)
        else:
            os.removexattr(file, DEFAULT)


@contextlib.contextmanager
def opened(path: str, directory: int | None = None) -> Iterator[int]:
    """Give a descriptor of a file or directory that is no link."""
    file = os.open(path, OPENED, dir_fd=directory)
    try:
        yield file
    finally:
        os.close(file)


def tree(path: str, wanted: Callable[[str], bool] = is_needed) -> Iterator[tuple[int, str, int]]:
    """Give descriptor and path of a directory and of all with a wanted name below it, and the bits for reading it.

    Each directory comes before what is in it.
    """
    with opened(path) as top:
        for place, names, files, directory in os.fwalk(".", onerror=fail, dir_fd=top):
            names[:] = filter(wanted, names)
            yield directory, os.path.normpath(f"{path}/{place}"), READ | PASS
            for name in filter(wanted, files):
                if stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
                    with opened(name, directory) as file:
                        yield file, os.path.normpath(f"{path}/{place}/{name}"), READ


def fail(error: OSError) -> None:
    """Raise an error that os.fwalk would pass over."""
    raise error


def main(verb: str, *arguments: str) -> object:
    """Do what is asked for, and return what to print."""
    if verb == "examine":
        return examine(*arguments)
    name, path, *whole = arguments
    if verb == "pass":
        with opened(path) as file:
            return add(file, path, name, PASS, inherited=False)
    if verb == "give":
        given = [add(file, one, name, bits, inherited=bits != READ) for file, one, bits in tree(path)]
        return any(given)
    user = pwd.getpwnam(name).pw_uid
    with opened(path) as file:
        remove(file, user)
    # also .git, which may have been made in a directory that lets the user read what is made in it
    for file, _, _ in tree(path, lambda _: True) if whole else ():
        remove(file, user)
    return True


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(main(*sys.argv[1:])))
    except Refused as problem:
        sys.exit(str(problem))
    except OSError as problem:
        unsupported = problem.errno in (errno.EOPNOTSUPP, errno.ENOSYS)
        sys.exit("The file system has no access control lists." if unsupported else str(problem))
