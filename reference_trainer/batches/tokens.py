"""Prompts as numbers: hashed words and parts of words.

The rule is fixed and needs neither a vocabulary nor a download. A word is represented by its own
number and by the numbers of its runs of three letters, so that a word which training never saw
shares numbers with related words (as in fastText: Bojanowski et al., TACL 2017).
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_integer, make_key

ALGORITHM = 1
"""Version of the hashing. A change of any number raises it, and old checkpoints are rejected."""

WORDS = 24
"""Most words of a prompt; longer prompts are cut."""

PARTS = 12
"""Most numbers of a word: the word itself, then its runs of three letters."""

LENGTH = WORDS * PARTS
"""Numbers of a prompt."""

VOCABULARY = 8192
"""Numbers range from 1 to `VOCABULARY` - 1; 0 is padding."""

_WORD = re.compile(r"[^\W_]+")
_MIRRORED_WORDS = {"left": "right", "right": "left"}


def split_words(prompt: str) -> list[str]:
    """Split a prompt into words, in lower case and without punctuation.

    >>> split_words("Knife used in  the action of cut apple")[:2]
    ['knife', 'used']
    """
    return _WORD.findall(prompt.lower())


def tokenise(prompt: str) -> NDArray[np.int64]:
    """Convert a prompt to numbers.

    Returns
    -------
    (`LENGTH`,) int64
        `PARTS` numbers for each of `WORDS` words; 0 is padding.

    Examples
    --------
    >>> row = tokenise("left hand").reshape(WORDS, PARTS)
    >>> (row[:3, 0] > 0).tolist(), int((row[0] > 0).sum())
    ([True, True, False], 5)
    """
    row = np.zeros((WORDS, PARTS), np.int64)
    for position, word in enumerate(split_words(prompt)[:WORDS]):
        numbers = _hash_word(word)
        row[position, : len(numbers)] = numbers
    return row.ravel()


def is_cut(prompt: str) -> bool:
    """Return whether a prompt has more than `WORDS` words."""
    return len(split_words(prompt)) > WORDS


def mirror_prompt(prompt: str) -> str:
    """Swap left and right in a prompt, for a mirrored image. The result is in lower case.

    Only whole words change, as `split_words` finds them.

    >>> mirror_prompt("Left hand used in the action of put leftover on right plate")
    'right hand used in the action of put leftover on left plate'
    """

    def mirror(match: re.Match[str]) -> str:
        return _MIRRORED_WORDS.get(match.group(), match.group())

    return _WORD.sub(mirror, prompt.lower())


@lru_cache(maxsize=65_536)
def _hash_word(word: str) -> tuple[int, ...]:
    edged = f"<{word}>"
    runs = [edged[start : start + 3] for start in range(len(edged) - 2)]
    return (_hash_text("word", word), *(_hash_text("run", run) for run in runs[: PARTS - 1]))


def _hash_text(kind: str, text: str) -> int:
    return 1 + draw_integer(make_key(0, ALGORITHM, f"token.{kind}", text), VOCABULARY - 1)
