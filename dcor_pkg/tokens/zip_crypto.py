"""Write ZIP archives with traditional PKWARE encryption (APPNOTE.TXT 6.1), which Python can read, and not write.

dclab and DCOR-Aid open access tokens with zipfile, which knows no other encryption. It withstands the guessing of a
long password, but whoever knows twelve bytes of what is encrypted computes the keys (Biham and Kocher, 1994). So what
is encrypted has to be unknown: random_code.py and access_file.py.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Iterator, Mapping

from dcor_pkg.answers.secret import Secret
from dcor_pkg.tokens import random_code

#: of CRC-32, one entry for each byte (APPNOTE.TXT 6.1.5)
POLYNOMIAL = 0xEDB88320
#: at the beginning of each encrypted file: random bytes, and one by which readers notice a wrong password
HEADER_BYTES = 12
VERSION, UNIX = 20, 3
ENCRYPTED, DEFLATED = 1, 8
#: 1980-01-01 00:00: when a token was made is nobody's business
TIME, DATE = 0, 0x21
PRIVATE = 0o100600 << 16


def archive(files: Mapping[str, bytes], password: Secret) -> bytes:
    """Return an archive of files by their names, each deflated and encrypted."""
    local, directory = b"", b""
    for name, content in files.items():
        place, checksum = len(local), zlib.crc32(content)
        encrypted = _encrypted(random_code.deflate(content), checksum >> 24, password)
        common = struct.pack(
            "<5H3L2H",
            *(VERSION, ENCRYPTED, DEFLATED, TIME, DATE),
            *(checksum, len(encrypted), len(content), len(name), 0),
        )
        made_by = struct.pack("<H", UNIX << 8 | VERSION)
        local += b"PK\3\4" + common + name.encode("ascii") + encrypted
        directory += b"PK\1\2" + made_by + common + struct.pack("<3H2L", 0, 0, 0, PRIVATE, place) + name.encode("ascii")
    number = len(files)
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, number, number, len(directory), len(local), 0)
    return local + directory + end


def _encrypted(content: bytes, check: int, password: Secret) -> bytes:
    header = secrets.token_bytes(HEADER_BYTES - 1) + bytes((check,))
    keys = _Keys(password.reveal().encode())
    return bytes(byte ^ keys.following(byte) for byte in header + content)


def _table() -> Iterator[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901 (a shift register)
        yield value


TABLE = tuple(_table())


class _Keys:
    """The three keys of the cipher, which each byte that is encrypted changes (APPNOTE.TXT 6.1.5, 6.1.6)."""

    def __init__(self, password: bytes) -> None:
        self._keys = 0x12345678, 0x23456789, 0x34567890
        for byte in password:
            self._update(byte)

    def following(self, byte: int) -> int:
        """Return the next byte of the key stream; `byte` is what it encrypts."""
        word = (self._keys[2] | 2) & 0xFFFF
        self._update(byte)
        return (word * (word ^ 1)) >> 8 & 0xFF

    def _update(self, byte: int) -> None:
        first, second, third = self._keys
        first = _crc(first, byte)
        second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        self._keys = first, second, _crc(third, second >> 24)


def _crc(value: int, byte: int) -> int:
    return value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
