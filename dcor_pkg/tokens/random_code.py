"""Deflate a text with a Huffman code that is chosen at random (RFC 1951), so that nobody knows what known text becomes.

zlib derives the code from the text: of a certificate that everybody may read, the same bytes would result each time.
Here a code for all 256 bytes is made without a look at the text. The result is not shorter than the text; it is read
by each program that can inflate.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

RANDOM = secrets.SystemRandom()
#: 256 bytes, and the end of the block
SYMBOLS, END = 257, 256
#: Bits. With longer codes a few equal letters, such as the dashes of a PEM file, would fill many bytes.
LONGEST = 10
#: the symbols of the code in which the lengths of the first one are written, and its longest code (section 3.2.7)
LENGTH_SYMBOLS = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
LONGEST_OF_LENGTHS = 7
#: distances are not used; two of them with one bit each are a complete code
DISTANCES = (1, 1)


def deflate(content: bytes) -> bytes:
    """Return a deflated stream of one block."""
    lengths, of_lengths = _lengths(SYMBOLS, LONGEST), _lengths(len(LENGTH_SYMBOLS), LONGEST_OF_LENGTHS)
    code, code_of_lengths = _codes(lengths), _codes(of_lengths)
    bits = (
        "1",  # the last block
        _number(2, 2),  # with codes of its own
        *(_number(SYMBOLS - 257, 5), _number(len(DISTANCES) - 1, 5), _number(len(LENGTH_SYMBOLS) - 4, 4)),
        *(_number(of_lengths[symbol], 3) for symbol in LENGTH_SYMBOLS),
        *(code_of_lengths[length] for length in (*lengths, *DISTANCES)),
        *(code[byte] for byte in content),
        code[END],
    )
    return _packed("".join(bits))


def _lengths(count: int, longest: int) -> list[int]:
    """Return the lengths of a random complete code: the depths of a tree, a leaf of which is split again and again."""
    depths = [0]
    while len(depths) < count:
        leaf = RANDOM.choice([number for number, depth in enumerate(depths) if depth < longest])
        depths[leaf] += 1
        depths.append(depths[leaf])
    RANDOM.shuffle(depths)
    return depths


def _codes(lengths: Sequence[int]) -> list[str]:
    """Return the code of each symbol, first bit first: in the order of lengths, then of symbols (section 3.2.2)."""
    codes, code, before = [""] * len(lengths), 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - before
        codes[symbol], before = format(code, f"0{length}b"), length
        code += 1
    return codes


def _number(value: int, width: int) -> str:
    """Return the bits of a number, the lowest first (section 3.1.1)."""
    return format(value, f"0{width}b")[::-1]


def _packed(bits: str) -> bytes:
    """Return bits as bytes, each of which is filled from its lowest bit on."""
    return int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
