"""Changes to an input that keep its outer form, so that the fuzzer gets past the parser.

JSON: a node of the document is replaced, removed, doubled, renamed or wrapped. PNG: a chunk, or
the data that the chunk of pixels packs, is changed, and all checksums are computed again.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

Mutate = Callable[[bytes, int], bytes]
"""A function that changes bytes at random; the result has at most `limit` bytes."""

EDGES: tuple[Any, ...] = (
    *(None, True, False, [], {}, "", [[]], [""], {"": ""}),
    *(0, 1, -1, 255, 256, 1 << 31, 1 << 63, -(1 << 63), 10**400, 10**4200),
    *(0.0, -0.0, 0.5, 1.0, 1.5, 99_999.9, 100_000.5, 1e308, 5e-324, -1e18),
    *(".", "..", "a/b", "C:\\a", "con", "nul.png", "a\nb", "\x1b[31m", "\0", "\x85", "\u2028"),
    *("\u202e", "\u3000", "\ud800", "\udfff\ud800", "é" * 101, "a" * 200, "a" * 201, "x.jpg"),
    *("0", "01", "255", "256", "-1", "1.5", "²", "\u0661", "1e999", "9" * 400),
)


def strings_of(document: Any) -> set[str]:
    """Return all keys and texts of a document: the words that its readers know."""
    if isinstance(document, dict):
        return set(document).union(*map(strings_of, document.values()))
    if isinstance(document, list):
        return set().union(*map(strings_of, document))
    return {document} if isinstance(document, str) else set()


def words_of(data: bytes) -> set[str]:
    """Return the words that the readers of an input know."""
    try:
        return strings_of(json.loads(data))
    except ValueError:  # a table or a list
        return set(re.findall(r"[\w.]+", data.decode(errors="replace")))


def mutate_json(data: bytes, limit: int, random: Random, words: list[str], plain: Mutate) -> bytes:
    """Change a few nodes of one of the documents in the bytes.

    A document ends at the end of the bytes, at a line break, a tab or an equals sign.
    """
    if random.random() < 0.15:
        return plain(data, limit)
    try:
        changed = _changed_bytes(data, random, words)
    except (RecursionError, ValueError, OverflowError):  # too deep or too large to be written
        changed = b""
    return _fitting(changed, data, limit, plain)


def _changed_bytes(data: bytes, random: Random, words: list[str]) -> bytes:
    whole = _parsed(data)
    if whole is not None:
        return _dumped(_changed(whole[0], random, words), random)
    parts = re.split(rb"([\n\t=])", data)
    documents = [(at, found) for at, part in enumerate(parts) if (found := _parsed(part))]
    if not documents:
        return b""
    at, found = random.choice(documents)
    parts[at] = _dumped(_changed(found[0], random, words), random)
    if random.random() < 0.2:
        parts += [b"\n", random.choice(parts)]
    return b"".join(parts)


def _fitting(changed: bytes, data: bytes, limit: int, plain: Mutate) -> bytes:
    return changed if 0 < len(changed) <= limit else plain(data, limit)


def _parsed(data: bytes) -> tuple[Any] | None:
    try:
        return (json.loads(data),)
    except (ValueError, RecursionError):
        return None


def _dumped(document: Any, random: Random) -> bytes:
    text = json.dumps(document, ensure_ascii=random.random() < 0.7)
    return text.encode(random.choice(["utf-8"] * 9 + ["utf-16"]), "surrogatepass")


def _changed(document: Any, random: Random, words: list[str]) -> Any:
    holder = [document]
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _change_one(holder, random, words)
    return holder[0]


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a document."""
    found, rest = [], [root]
    while rest:
        node = rest.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], (dict, list)):
                rest.append(node[key])
    return found


def _change_one(holder: list[Any], random: Random, words: list[str]) -> None:
    places = _places(holder)
    if not places:
        return
    node, key = random.choice(places)
    value = node[key]
    match random.randrange(8):
        case 0:
            node[key] = deepcopy(random.choice(EDGES))
        case 1:
            node[key] = random.choice(words)
        case 2:
            other, name = random.choice(places)
            node[key] = json.loads(json.dumps(other[name]))
        case 3 if node is not holder:
            del node[key]
        case 4 if isinstance(node, dict):
            names = [*words, *(edge for edge in EDGES if isinstance(edge, str))]
            node[random.choice(names)] = value
        case 5 if isinstance(node, list) and node is not holder:
            many = 300 if len(places) < 100 else 1
            node[key:key] = [value] * random.choice((1, 1, 2, many))
        case 6:
            for _ in range(random.choice((1, 2, 70, random.randrange(1100)))):
                value = [value] if random.random() < 0.5 else {random.choice(words): value}
            node[key] = value
        case _:
            node[key] = _nudged(value, random)


def _nudged(value: Any, random: Random) -> Any:
    """Return a number or text near to the given one."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return random.choice((value + 1, value - 1, -value, 2 * value, float(value % 10**9)))
    if isinstance(value, float):
        return random.choice((-value, -0.0, 10 * value, int(value), value + random.random()))
    if isinstance(value, str):
        at = random.randrange(len(value) + 1)
        letter = random.choice(("", "a", ".", " ", "/", "\ud800", "\n", "\u202e"))
        return value[:at] + letter * random.choice((1, 1, 200)) + value[at + 1 :]
    return [value, value]


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = (
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"tIME", b"pHYs", b"gAMA", b"sRGB", b"cHRM"),
    *(b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"bKGD", b"ABCD"),
)


def mutate_png(data: bytes, limit: int, random: Random, plain: Mutate) -> bytes:
    """Change, move or add a chunk of a PNG; its checksums stay valid."""
    chunks = _chunks(data)
    if not chunks or random.random() < 0.1:
        return plain(data, limit)
    for _ in range(random.choice((1, 1, 2, 3))):
        _change_chunk(chunks, random, plain)
    made = [
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks
    ]
    return _fitting(_SIGNATURE + b"".join(made), data, limit, plain)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    return found


def _change_chunk(chunks: list[tuple[bytes, bytes]], random: Random, plain: Mutate) -> None:
    at = random.randrange(len(chunks)) if chunks else 0
    kind, content = chunks[at] if chunks else (b"IEND", b"")
    match random.randrange(8):
        case 0:
            chunks.insert(at, (random.choice(_KINDS), random.randbytes(random.randrange(40))))
        case 1 if len(chunks) > 1:
            del chunks[at]
        case 2:
            chunks.insert(random.randrange(len(chunks) + 1), (kind, content))
        case 3 if kind == b"IDAT":
            cut = random.randrange(len(content) + 1)
            chunks[at : at + 1] = [(kind, content[:cut]), (kind, content[cut:])]
        case 4 if kind == b"IHDR" and len(content) == 13:
            fields = list(struct.unpack(">IIBBBBB", content))
            place = random.randrange(7)
            few = (0, 1, 2, 3, 4, 6, 7, 8, 16, 255)
            fields[place] = random.choice((*few, 8192, 8193, 1 << 31) if place < 2 else few)
            chunks[at] = kind, struct.pack(">IIBBBBB", *fields)
        case 5 | 6 | 7 if kind == b"IDAT":
            chunks[at] = kind, _repacked(content, random, plain)
        case _:
            chunks[at] = random.choice((kind, random.choice(_KINDS))), plain(content, 1024)


def _repacked(content: bytes, random: Random, plain: Mutate) -> bytes:
    try:
        pixels = zlib.decompressobj().decompress(content, 1 << 16)
    except zlib.error:
        pixels = bytes(9)
    change = random.randrange(3)
    if change == 0 and pixels:
        at = random.randrange(len(pixels))
        pixels = pixels[:at] + bytes([random.randrange(256)]) + pixels[at + 1 :]
    elif change == 1:
        pixels = plain(pixels, 1 << 12)
    else:
        pixels += bytes(random.randrange(20))
    return zlib.compress(pixels, random.choice((0, 1, 9)))
