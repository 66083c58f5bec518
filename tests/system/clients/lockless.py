"""Mount a file system without locks, over an empty directory of the same owner: `lockless.py DIRECTORY`, as root.

It is in memory, and ends with the mount. The kernel sends each request as a message (fuse(4), linux/fuse.h): a header,
fixed fields, data. Requests for a lock are answered with ENOLCK, "No locks available", as NFS does without its daemon.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: of a request: length, code, id, node, user, group, process, padding; of an answer: length, error, id
REQUEST, ANSWER = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
ATTRIBUTES, ENTRY_HEAD = struct.Struct("<6Q10I"), struct.Struct("<QQQQII")
#: in the answer to INIT: the file system is asked for the locks of fcntl(2) and of flock(2)
LOCKS = 1 << 1 | 1 << 10
MAX_WRITE, MESSAGE = 128 * 1024, 1024 * 1024
WITHOUT_ANSWER = {2, 36, 42}
OPENED = struct.pack("<QII", 0, 0, 0)


@dataclass
class Node:
    """A file or a directory."""

    mode: int
    user: int
    group: int
    data: bytearray = field(default_factory=bytearray)
    names: dict[bytes, int] = field(default_factory=dict)


class FileSystem:
    """Nodes by their numbers; none is forgotten, since open files go on after their names."""

    def __init__(self, root: os.stat_result) -> None:
        self.nodes = [Node(0, 0, 0), Node(stat.S_IFDIR | stat.S_IMODE(root.st_mode), root.st_uid, root.st_gid)]
        self.owner = (0, 0)
        self.answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: lambda node, data: self.entry(self.names(node)[data[:-1]]),
            3: lambda node, _: struct.pack("<QII", 0, 0, 0) + self.attributes(node),
            4: self.change,
            9: lambda node, data: self.entry(self.make(node, stat.S_IFDIR | word(data, 0), data[8:-1])),
            10: self.remove,
            11: self.remove,
            12: lambda node, data: self.rename(node, data, 8),
            14: lambda *_: OPENED,
            15: self.read,
            16: self.write,
            17: lambda *_: struct.pack("<5Q4I24x", 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 4096, 255, 4096, 0),
            18: lambda *_: b"",
            20: lambda *_: b"",
            25: lambda *_: b"",
            26: lambda *_: struct.pack("<4I2H2I2H32x", 7, 31, MAX_WRITE, LOCKS, 12, 9, MAX_WRITE, 1, 0, 0),
            27: lambda *_: OPENED,
            28: self.list,
            29: lambda *_: b"",
            30: lambda *_: b"",
            31: no_lock,
            32: no_lock,
            33: no_lock,
            35: lambda node, data: self.entry(self.make(node, stat.S_IFREG | word(data, 4), data[16:-1])) + OPENED,
            45: lambda node, data: self.rename(node, data, 16),
        }

    def names(self, node: int) -> dict[bytes, int]:
        """Return the numbers of what is in a directory."""
        return self.nodes[node].names

    def attributes(self, number: int) -> bytes:
        """Return what stat(2) says of a node."""
        node = self.nodes[number]
        size, links = len(node.data), 2 if stat.S_ISDIR(node.mode) else 1
        owner = (node.user, node.group)
        return ATTRIBUTES.pack(number, size, -(-size // 512), 0, 0, 0, 0, 0, 0, node.mode, links, *owner, 0, 4096, 0)

    def entry(self, number: int) -> bytes:
        """Return what the kernel wants to know of a name; it remembers nothing of that."""
        return ENTRY_HEAD.pack(number, 0, 0, 0, 0, 0) + self.attributes(number)

    def make(self, parent: int, mode: int, name: bytes) -> int:
        """Make a node of whoever asks for it."""
        self.nodes.append(Node(mode, *self.owner))
        self.names(parent)[name] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def change(self, number: int, data: bytes) -> bytes:
        """Change mode, owner, group or size, as the bits say."""
        node, bits = self.nodes[number], word(data, 0)
        (size,) = struct.unpack_from("<Q", data, 16)
        if bits & 1:
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(word(data, 68))
        node.user, node.group = word(data, 76) if bits & 2 else node.user, word(data, 80) if bits & 4 else node.group
        if bits & 8:
            node.data = node.data[:size].ljust(size, b"\0")
        return struct.pack("<QII", 0, 0, 0) + self.attributes(number)

    def remove(self, node: int, data: bytes) -> bytes:
        """Remove a name."""
        del self.names(node)[data[:-1]]
        return b""

    def rename(self, node: int, data: bytes, begin: int) -> bytes:
        """Give a node another name, in the directory whose number comes first."""
        old, new = data[begin:-1].split(b"\0")
        self.names(struct.unpack_from("<Q", data)[0])[new] = self.names(node).pop(old)
        return b""

    def read(self, node: int, data: bytes) -> bytes:
        """Return a part of a file."""
        offset, size = struct.unpack_from("<QI", data, 8)
        return bytes(self.nodes[node].data[offset : offset + size])

    def write(self, number: int, data: bytes) -> bytes:
        """Write a part of a file; what is before it and was not written is zero."""
        node, (offset, size) = self.nodes[number], struct.unpack_from("<QI", data, 8)
        if len(node.data) < offset:
            node.data = node.data.ljust(offset, b"\0")
        node.data[offset : offset + size] = data[40 : 40 + size]
        return struct.pack("<II", size, 0)

    def list(self, node: int, data: bytes) -> bytes:
        """Return what is in a directory, at once."""
        if struct.unpack_from("<Q", data, 8)[0]:
            return b""
        records = (
            struct.pack("<QQII", number, index, len(name), stat.S_IFMT(self.nodes[number].mode) >> 12)
            + name.ljust(-(-len(name) // 8) * 8, b"\0")
            for index, (name, number) in enumerate(self.names(node).items(), 1)
        )
        return b"".join(records)

    def answer(self, message: bytes) -> bytes:
        """Return the answer to a message."""
        _, code, unique, node, user, group, *_ = REQUEST.unpack_from(message)
        self.owner = (user, group)
        if code in WITHOUT_ANSWER:
            return b""
        try:
            found, error = self.answers[code](node, message[REQUEST.size :]), 0
        except KeyError:
            found, error = b"", errno.ENOENT if code in self.answers else errno.ENOSYS
        except OSError as refused:
            found, error = b"", refused.errno or errno.EIO
        return ANSWER.pack(ANSWER.size + len(found), -error, unique) + found


def word(data: bytes, offset: int) -> int:
    """Return a number of 32 bits."""
    found: int = struct.unpack_from("<I", data, offset)[0]
    return found


def no_lock(*_: object) -> bytes:
    """Refuse a lock."""
    raise OSError(errno.ENOLCK, "no lock")


def main() -> None:
    """Serve until the file system is unmounted."""
    directory = sys.argv[1]
    files = FileSystem(Path(directory).stat())
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other"
    mount = ctypes.CDLL(None, use_errno=True).mount
    if mount(b"lockless", directory.encode(), b"fuse", ctypes.c_ulong(0), options.encode()):
        raise OSError(ctypes.get_errno(), "cannot be mounted", directory)
    while True:
        try:
            message = os.read(device, MESSAGE)
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            if error.errno not in (errno.ENOENT, errno.EINTR):  # of a request that was interrupted
                raise
        else:
            if answer := files.answer(message):
                os.write(device, answer)


if __name__ == "__main__":
    main()
