"""Changes to an archive, and to any bytes, that do not need the fuzzer."""

from __future__ import annotations

import tarfile
from random import Random

from tests.fuzz.mutations import EDGES, Mutate

_BLOCK = tarfile.BLOCKSIZE
_FIELDS = {
    "name": (0, 100),
    "mode": (100, 8),
    "uid": (108, 8),
    "size": (124, 12),
    "mtime": (136, 12),
    "type": (156, 1),
    "link": (157, 100),
    "magic": (257, 8),
    "owner": (265, 32),
    "device": (329, 8),
    "prefix": (345, 155),
    "sparse": (386, 109),
}
"""Place and length of the fields of a header."""

_TYPES = b"0123456789\0xgLKSDVXNM"
_NUMBERS = (b"00000000000\0", b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7, b"\xff" * 12)
_NUMBERS += (
    b"77777777777\0",
    b"-1         \0",
    b"99999999999\0",
    b"\x80" + bytes(7) + b"\x10\0\0\0",
)
_RECORDS = (
    *("path=../../x", "path=a/b\nc", "size=99999999999999999999", "size=-5", "size=1e9"),
    *("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.size=x", "GNU.sparse.realsize=1e3"),
    *("GNU.sparse.map=0,x", "GNU.sparse.name=y", "mtime=nan", "uid=x", "hdrcharset=BINARY"),
    *("GNU.sparse.map=0,99999999999", "GNU.sparse.size=99999999999", "linkpath=/etc"),
)


def make_plain(random: Random) -> Mutate:
    """Return a function that changes bytes at random, as the fuzzer's own does."""

    def mutate(data: bytes, limit: int) -> bytes:
        changed = bytearray(data or b"\0")
        for _ in range(random.choice((1, 1, 2, 5))):
            at, end = sorted(random.choices(range(len(changed) + 1), k=2))
            end = min(end, at + random.choice((1, 4, 40, 4000)))
            match random.randrange(6):
                case 0:
                    del changed[at:end]
                case 1:
                    changed[at:at] = changed[at:end]
                case 2 if at < len(changed):
                    changed[at] ^= 1 << random.randrange(8)
                case 3:
                    edge = random.choice([edge for edge in EDGES if isinstance(edge, str)])
                    changed[at:at] = edge.encode("utf-8", "surrogatepass")
                case 4:
                    changed[at:end] = random.randbytes(random.randrange(9))
                case _ if random.random() < 0.2:
                    del changed[at:]
        return bytes(changed[:limit]) or b"\0"

    return mutate


def mutate_tar(data: bytes, limit: int, random: Random, plain: Mutate) -> bytes:
    """Change members of an archive; the checksums of the headers stay valid."""
    if random.random() < 0.1 or len(data) < 3 * _BLOCK:
        return plain(data, limit)
    blocks = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]
    for _ in range(random.choice((1, 1, 2, 3))):
        _change_blocks(blocks, random, plain)
    changed = b"".join(blocks)
    return changed if 0 < len(changed) <= limit else plain(data, limit)


def _change_blocks(blocks: list[bytes], random: Random, plain: Mutate) -> None:
    headers = [at for at, block in enumerate(blocks) if block[257:262] == b"ustar"]
    if not headers:
        return
    at = random.choice(headers)
    match random.randrange(8):
        case 0:  # a content
            place = random.randrange(len(blocks))
            blocks[place] = plain(blocks[place], _BLOCK).ljust(_BLOCK, b"\0")
        case 1:
            blocks[at:at] = [blocks[at]]
        case 2:
            del blocks[at : random.choice((at + 1, at + 2, len(blocks)))]
        case 3:
            blocks[at:at] = _make_extension(random)
        case _:
            blocks[at] = _change_header(blocks[at], random, plain)


def _change_header(block: bytes, random: Random, plain: Mutate) -> bytes:
    """Change one field, and compute the checksum again."""
    name = random.choice(list(_FIELDS))
    start, length = _FIELDS[name]
    old = block[start : start + length]
    if name == "type":
        new = bytes([random.choice(_TYPES)])
    elif name in ("name", "prefix", "link") and random.random() < 0.5:
        edge = random.choice([edge for edge in EDGES if isinstance(edge, str)])
        new = old.rstrip(b"\0") + edge.encode("utf-8", "surrogatepass")
    elif name in ("size", "mtime", "uid", "mode", "device"):
        new = random.choice(_NUMBERS)[-length:]
    else:
        new = plain(old, length)
    return _sum(block[:start] + new[:length].ljust(length, b"\0") + block[start + length :])


def _make_extension(random: Random) -> list[bytes]:
    """Make a header for the next member with records of the pax format."""
    content = b""
    for record in random.choices(_RECORDS, k=random.choice((1, 2, 4))):
        body = f" {record}\n".encode()
        size = len(body) + len(str(len(body) + 2))
        content += (
            str(size) if random.random() < 0.9 else random.choice(("0", "x", "-3"))
        ).encode()
        content += body
    info = tarfile.TarInfo("pax")
    info.type, info.size = random.choice((tarfile.XHDTYPE, tarfile.XGLTYPE)), len(content)
    padded = content.ljust(-(-len(content) // _BLOCK) * _BLOCK, b"\0")
    return [
        info.tobuf(tarfile.USTAR_FORMAT),
        *(padded[i : i + _BLOCK] for i in range(0, len(padded), _BLOCK)),
    ]


def _sum(block: bytes) -> bytes:
    blank = block[:148] + b" " * 8 + block[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]
