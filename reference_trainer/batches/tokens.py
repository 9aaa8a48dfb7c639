"""Prompts as numbers: words and their parts, hashed.

A fixed rule, no vocabulary and no download: a word is its own number and those of its runs of three
letters, so that a word never seen before still shares numbers with its relatives (as in fastText:
Bojanowski et al., TACL 2017).
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_integer, make_key

ALGORITHM = 1
"""Version of the hashing: a change of any number raises it, and old checkpoints are refused."""

WORDS = 24
"""Words of a prompt that are read; the rest of a longer one is cut."""

PARTS = 12
"""Numbers of a word: the word itself, then its runs of three letters; the rest of them is cut."""

LENGTH = WORDS * PARTS
"""Numbers of a prompt."""

VOCABULARY = 8192
"""Numbers are from 1 to `VOCABULARY` - 1; 0 pads."""

_WORD = re.compile(r"[^\W_]+")
_OTHER = {"left": "right", "right": "left"}


def words(prompt: str) -> list[str]:
    """The words of a prompt, in lower case, without punctuation.

    >>> words("Knife used in  the action of cut apple")[:2]
    ['knife', 'used']
    """
    return _WORD.findall(prompt.lower())


def tokenise(prompt: str) -> NDArray[np.int64]:
    """A prompt as (`LENGTH`,) int64: `PARTS` numbers for each of `WORDS` words, 0 where there is
    none.

    >>> row = tokenise("left hand").reshape(WORDS, PARTS)
    >>> (row[:3, 0] > 0).tolist(), int((row[0] > 0).sum())
    ([True, True, False], 5)
    """
    row = np.zeros((WORDS, PARTS), np.int64)
    for position, word in enumerate(words(prompt)[:WORDS]):
        numbers = _numbers(word)
        row[position, : len(numbers)] = numbers
    return row.ravel()


def is_cut(prompt: str) -> bool:
    """Whether a prompt has more words than are read."""
    return len(words(prompt)) > WORDS


def mirrored(prompt: str) -> str:
    """The prompt for the picture seen in a mirror, in lower case: left is right. Words as `words`
    has them change, never parts of one.

    >>> mirrored("Left hand used in the action of put leftover on right plate")
    'right hand used in the action of put leftover on left plate'
    """
    return _WORD.sub(lambda found: _OTHER.get(found.group(), found.group()), prompt.lower())


@lru_cache(maxsize=65_536)
def _numbers(word: str) -> tuple[int, ...]:
    edged = f"<{word}>"
    runs = [edged[at : at + 3] for at in range(len(edged) - 2)]
    return (_number("word", word), *(_number("run", run) for run in runs[: PARTS - 1]))


def _number(kind: str, text: str) -> int:
    return 1 + draw_integer(make_key(0, ALGORITHM, f"token.{kind}", text), VOCABULARY - 1)
