"""Keyed randomness: every draw is a hash of its purpose, never a position in a stream.

A draw depends on (seed, algorithm, purpose, identity) alone. It is the same in any order, in any
worker, for a part of a dataset and for the whole, and under any version of any library. Bits come
from BLAKE2b and SHAKE-256 of the standard library. A library's generator is not used, because its
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
    """Make the key of one draw: BLAKE2b-256 of the canonical JSON list of the arguments.

    Parameters
    ----------
    seed, algorithm : int
        The seed of a recipe, and the version of the algorithm that draws.
    purpose : str
        What the draw decides, such as ``"boundary.select"``.
    *identity : str or int
        What the draw is about, such as the identities of a sequence, a frame and an object.

    Returns
    -------
    bytes
        32 bytes.

    Examples
    --------
    >>> make_key(0, 1, "select", "a", "b") == make_key(0, 1, "select", "ab")
    False
    """
    text = _canonical([seed, algorithm, purpose, *identity])
    return hashlib.blake2b(text.encode("ascii"), digest_size=32).digest()


_quoted = lru_cache(maxsize=256)(_canonical)
"""Cached JSON texts; there are few purposes."""


def make_key_factory(seed: int, *identity: str | int) -> Callable[[int, str], Key]:
    """Return a function of (algorithm, purpose) that makes the keys of many draws about one item.

    The keys equal those of `make_key`.

    >>> make_key_factory(0, "knife", 3)(1, "select") == make_key(0, 1, "select", "knife", 3)
    True
    """
    tail = "," + _canonical(identity)[1:] if identity else "]"

    def make(algorithm: int, purpose: str) -> Key:
        text = f"[{seed:d},{algorithm:d},{_quoted(purpose)}{tail}"
        return hashlib.blake2b(text.encode("ascii"), digest_size=32).digest()

    return make


def draw_uniform(draw: Key) -> float:
    """Draw a uniform number in [0, 1) with 53 random bits.

    >>> 0.0 <= draw_uniform(make_key(0, 1, "select", "knife")) < 1.0
    True
    """
    return (int.from_bytes(draw[:8], "little") >> 11) * 2.0**-53


def draw_uniforms(draw: Key, count: int) -> NDArray[np.float64]:
    """Draw (count,) float64 uniform numbers in [0, 1), from SHAKE-256 of the key.

    The first n numbers of a longer draw equal a draw of n numbers.

    >>> key = make_key(0, 1, "x")
    >>> bool((draw_uniforms(key, 3) == draw_uniforms(key, 5)[:3]).all())
    True
    """
    raw = np.frombuffer(hashlib.shake_256(draw).digest(8 * count), dtype="<u8")
    numbers: NDArray[np.float64] = (raw >> np.uint64(11)) * 2.0**-53
    return numbers


def draw_bernoullis(draw: Key, count: int, probability: float) -> NDArray[np.bool_]:
    """Draw (count,) bool, each True with a probability, from 16-bit words of the key's SHAKE-256.

    Parameters
    ----------
    draw : bytes
        The key.
    count : int
        How many values to draw. The first n values of a longer draw equal a draw of n values.
    probability : float
        In [0, 1], rounded to a multiple of 1/65,536, which makes values for a whole frame cheap. At
        0 no value is True, at 1 every value. Values that are True at a lower probability stay True
        at a higher one.

    Examples
    --------
    >>> draw_bernoullis(make_key(0, 1, "x"), 4, 0.5).tolist()
    [True, True, False, True]
    """
    words = np.frombuffer(hashlib.shake_256(draw).digest(2 * count), dtype="<u2")
    below = round(probability * (1 << 16))
    return words < below if below < 1 << 16 else np.ones(count, bool)


def draw_normals(draw: Key, count: int) -> NDArray[np.float64]:
    """Draw (count,) float64 numbers of mean 0 and variance 1, close to normal, in (-6, 6).

    Each is a sum of twelve uniform numbers minus six (Irwin-Hall). The sum is taken in a fixed
    order, so it is the same with every mathematical library.

    >>> float(abs(draw_normals(make_key(0, 1, "x"), 1000).mean())) < 0.2
    True
    """
    sums: NDArray[np.float64] = draw_uniforms(draw, 12 * count).reshape(count, 12).cumsum(axis=1)
    return sums[:, -1] - 6.0


def draw_integer(draw: Key, below: int) -> int:
    """Draw a uniform int in [0, below).

    The modulo bias of a whole key is below one part in 2**192.

    >>> draw_integer(make_key(0, 1, "kind", "knife"), 3) in (0, 1, 2)
    True
    """
    return (int.from_bytes(draw, "little") * below) >> (8 * len(draw))


def split_key(draw: Key, count: int) -> tuple[Key, ...]:
    """Split a key into equal parts, each a key for a draw of its own.

    This saves hashes if several draws are about one item. Shorter keys have more modulo bias in
    `draw_integer`: a third of a key has 80 bits.

    >>> [len(part) for part in split_key(make_key(0, 1, "words", "knife"), 3)]
    [10, 10, 10]
    """
    size = len(draw) // count
    return tuple(draw[part * size : (part + 1) * size] for part in range(count))
