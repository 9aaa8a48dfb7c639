"""Keyed randomness: every draw is a hash of what it is for, never a position in a stream.

A draw depends on (seed, algorithm, purpose, identity) alone, so it is the same in any order, in any
worker, for a part of a dataset and for the whole, and under any version of any library. Bits come
from BLAKE2b and SHAKE-256 (both in the standard library), not from a library's generator, whose
distributions may change between releases (NumPy's NEP 19).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Key: TypeAlias = bytes
"""32 bytes that name one draw, or a part of them, see `split_key`."""


_canonical = json.JSONEncoder(separators=(",", ":")).encode


def make_key(seed: int, algorithm: int, purpose: str, *identity: str | int) -> Key:
    """The key of one draw: BLAKE2b-256 of the canonical JSON list of the arguments.

    seed, algorithm: ints. purpose: what the draw decides, e.g. ``"boundary.select"``.
    identity: what the draw is about, e.g. sequence, frame and object identity.

    >>> make_key(0, 1, "select", "a", "b") == make_key(0, 1, "select", "ab")
    False
    """
    text = _canonical([seed, algorithm, purpose, *identity])
    return hashlib.blake2b(text.encode("ascii"), digest_size=32).digest()


_quoted = lru_cache(maxsize=256)(_canonical)
"""Purposes are few."""


def make_key_factory(seed: int, *identity: str | int) -> Callable[[int, str], Key]:
    """`make_key` for many draws about one thing: gives the key of an algorithm and a purpose.

    >>> make_key_factory(0, "knife", 3)(1, "select") == make_key(0, 1, "select", "knife", 3)
    True
    """
    tail = "," + _canonical(identity)[1:] if identity else "]"

    def make(algorithm: int, purpose: str) -> Key:
        text = f"[{seed:d},{algorithm:d},{_quoted(purpose)}{tail}"
        return hashlib.blake2b(text.encode("ascii"), digest_size=32).digest()

    return make


def draw_uniform(draw: Key) -> float:
    """A uniform number in [0, 1) with 53 random bits.

    >>> 0.0 <= draw_uniform(make_key(0, 1, "select", "knife")) < 1.0
    True
    """
    return (int.from_bytes(draw[:8], "little") >> 11) * 2.0**-53


def draw_uniforms(draw: Key, count: int) -> NDArray[np.float64]:
    """(count,) float64 uniform numbers in [0, 1), from SHAKE-256 of the key.

    The first n of a longer draw equal a draw of n.

    >>> bool((draw_uniforms(make_key(0, 1, "x"), 3) == draw_uniforms(make_key(0, 1, "x"), 5)[:3]).all())
    True
    """
    raw = np.frombuffer(hashlib.shake_256(draw).digest(8 * count), dtype="<u8")
    numbers: NDArray[np.float64] = (raw >> np.uint64(11)) * 2.0**-53
    return numbers


def draw_bernoullis(draw: Key, count: int, probability: float) -> NDArray[np.bool_]:
    """(count,) bool, each True with a probability, from 16-bit words of the key's SHAKE-256.

    The probability, in [0, 1], is rounded to a multiple of 1/65,536, so that coins for a whole
    frame cost little: 0 is never, 1 is always. The first n of a longer draw equal a draw of n, and
    what is True at a lower probability is so at a higher one.

    >>> draw_bernoullis(make_key(0, 1, "x"), 4, 0.5).tolist()
    [True, True, False, True]
    """
    words = np.frombuffer(hashlib.shake_256(draw).digest(2 * count), dtype="<u2")
    below = round(probability * (1 << 16))
    return words < below if below < 1 << 16 else np.ones(count, bool)


def draw_normals(draw: Key, count: int) -> NDArray[np.float64]:
    """(count,) float64 numbers of mean 0 and variance 1, close to normal, in (-6, 6).

    Each is a sum of twelve uniforms minus six (Irwin-Hall), added in a fixed order, so that no
    mathematical library can make them differ.

    >>> float(abs(draw_normals(make_key(0, 1, "x"), 1000).mean())) < 0.2
    True
    """
    sums: NDArray[np.float64] = draw_uniforms(draw, 12 * count).reshape(count, 12).cumsum(axis=1)
    return sums[:, -1] - 6.0


def draw_integer(draw: Key, below: int) -> int:
    """A uniform int in [0, below), free of modulo bias to one part in 2**192 for a whole key.

    >>> draw_integer(make_key(0, 1, "kind", "knife"), 3) in (0, 1, 2)
    True
    """
    return (int.from_bytes(draw, "little") * below) >> (8 * len(draw))


def split_key(draw: Key, count: int) -> tuple[Key, ...]:
    """A key cut into equal parts, each a key of its own: several draws about one thing for the
    price of one hash. `draw_integer` is free of bias to what the part's bits allow: 80 of them for 3.

    >>> [len(part) for part in split_key(make_key(0, 1, "words", "knife"), 3)]
    [10, 10, 10]
    """
    size = len(draw) // count
    return tuple(draw[part * size : (part + 1) * size] for part in range(count))
