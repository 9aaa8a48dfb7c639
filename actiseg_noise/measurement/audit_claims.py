"""The claims that the name of a noisy split makes about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_noise.recipes.kind_specs import KIND_SPECS, MIXED

WORDS, MASKS, LABELS, ANY = "words", "masks", "labels", "any"


@dataclass(frozen=True)
class NameClaim:
    """A claim that one part of a name makes.

    Attributes
    ----------
    said : str
        The part of the name.
    medium : str
        `WORDS`, `MASKS`, `LABELS` or `ANY` of these.
    rate : float or None
        Claimed share of noisy items, 0 to 1.
    size : int or None
        Claimed size of the square kernel that active objects are dilated with, in pixels.
    by_recipe : bool
        Whether this toolkit gives such names to splits or archives. Their rates are those of
        recipes, which count only prompts that can change. In other names, a rate of text noise is a
        share of all prompts.
    """

    said: str
    medium: str
    rate: float | None = None
    size: int | None = None
    by_recipe: bool = False

    @property
    def renames(self) -> bool:
        """Whether it also claims renames of nearly all objects that are not flipped.

        The names of this toolkit's presets that reproduce the published files do so.
        """
        return self.said.startswith("released")


_KEYWORDS = (
    (("text", "released", "category", "frequency", "exchange", "prompt", "mixed"), WORDS),
    (("boundary",), MASKS),
    (("activity",), LABELS),
    (("noise",), WORDS),
)
"""Words that make the next number a share, and its medium. The first match of a medium counts."""

_PERCENT = frozenset({"percent", "pct", "%"})

_UNIT = re.compile(
    r"fps|hz|px|classes|categor(?:y|ies)|(?:frame|pixel|step|iter|iteration|epoch|clip|video"
    r"|sequence|sample|image|object|class|shot|seed|run|day|hour)s?"
)
"""Words that make the previous number a count."""

_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+(?:\.[0-9]+)*|.", re.DOTALL)
_LEVEL = re.compile(r"100|[0-9]{2}|0\.[0-9]+")
_PERCENTAGE = re.compile(r"100|[0-9]{1,2}(?:\.[0-9]+)?")
_KERNEL_SIZE = re.compile(r"[13579]|[0-9][13579]")
_LEVELS = re.compile(rf"{_LEVEL.pattern}|[3579]")
_DILATION = re.compile(r"(?<![0-9.])([0-9]?[13579])by\1(?![^\W_])")
_WORDS_AND_KERNEL = re.compile(r"(?<![^\W\d_])mixed-(60)-(21)(?![^\W_])")
_OWN_RATE = re.compile(r"_r(0\.[0-9]+|0|1)(?=_s[0-9])")
_OWN_NAME = re.compile(
    r"_r[0-9.]+(?:-[0-9.]+)?_s[0-9]"
    r"|(?<![^\W\d_])actiseg-(?:nl-)?(?:text|released|frequency|exchange|boundary|mask|mixed)-"
    # An archive of a release, such as mixed-40-20 or text-40-s1-val.
    rf"|^(?:{'|'.join((*KIND_SPECS, *MIXED))})(?:-[0-9]+(?:\.[0-9]+)?){{1,2}}(?:-|$)"
)


def parse_claims(path: Path) -> tuple[NameClaim, ...]:
    """Parse the claims of the last part of a path or, if it claims nothing, of the part before.

    A number followed by letters, a unit or another level claims nothing.

    >>> parse_claims(Path("prompt_noise/ImageSets_noise20_classid_prompt"))[0].rate
    0.2
    >>> [claim.size for claim in parse_claims(Path("Annotations_Sparse_dilation_rate100_9by9"))]
    [None, 9]
    >>> parse_claims(Path("text_10k_steps/480p_mixed_30fps"))
    ()
    """
    for part in list(reversed(path.absolute().parts))[:2]:
        name = part.lower()
        kernels = _find_kernels(name)
        claims = [*_find_shares(name, ANY if not kernels else MASKS), *kernels]
        if claims:
            own = _OWN_NAME.search(name) is not None
            return tuple(replace(claim, by_recipe=own) for claim in claims)
    return ()


@dataclass(frozen=True)
class _Token:
    """A word or a number of a name, with its first character and the one after its last."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _NameNumber:
    """A number that may claim something.

    Attributes
    ----------
    token : _Token
        The number.
    words : tuple of _Token
        The words before the number, the nearest first.
    percent : bool
        Whether a percent sign or word follows.
    end : int
        End of the number, including the percent sign or word.
    """

    token: _Token
    words: tuple[_Token, ...]
    percent: bool
    end: int

    @property
    def is_glued(self) -> bool:
        """Whether it follows a word without a separator."""
        return bool(self.words) and self.words[0].end == self.token.start

    def is_after(self, *texts: str) -> bool:
        """Return whether these are the words before it, the nearest first."""
        return tuple(word.text for word in self.words[: len(texts)]) == texts

    def find_start(self, words: int) -> int:
        """Find its start, including a number of words before it."""
        return self.words[words - 1].start if words else self.token.start

    @property
    def share(self) -> float | None:
        """The number as a share, if it can be one."""
        text = self.token.text
        if not (_PERCENTAGE if self.percent else _LEVEL).fullmatch(text):
            return None
        value = float(text)
        return value if value < 1 and not self.percent else value / 100


def _find_numbers(name: str) -> list[_NameNumber]:
    """Find the numbers that are not followed by letters, a unit or another level."""
    tokens = [_Token(match[0], *match.span()) for match in _TOKEN.finditer(name)]
    numbers = []
    for index, token in enumerate(tokens):
        if token.text[0].isdecimal():
            separated = _is_separator(tokens[index + 1 : index + 2])
            behind = tokens[index + 1 + separated :]
            after, next_after = [*(word.text for word in behind), "", ""][:2]
            percent = after in _PERCENT
            counts = _UNIT.fullmatch(after) or (after.isalpha() and not separated)
            is_series = separated and _LEVELS.fullmatch(after) and not next_after.isalpha()
            if percent or not (counts or is_series):
                end = behind[0].end if percent else token.end
                words = _list_last_words(tokens[:index])
                numbers.append(_NameNumber(token, words, percent, end))
    return numbers


def _list_last_words(tokens: list[_Token]) -> tuple[_Token, ...]:
    """List the words at the end, the last first; at most one separator may precede each."""
    words: list[_Token] = []
    left = list(tokens)
    while True:
        if _is_separator(left[-1:]):
            left.pop()
        if not left or not left[-1].text.isalpha():
            return tuple(words)
        words.append(left.pop())


def _is_separator(tokens: list[_Token]) -> bool:
    return bool(tokens) and tokens[0].text in ("-", "_", " ")


def _find_shares(name: str, rate_medium: str) -> list[NameClaim]:
    """Find the shares that a name claims; `rate_medium` is the medium of ``rate``."""
    numbers = _find_numbers(name)
    claims: dict[str, NameClaim] = {}
    match = _WORDS_AND_KERNEL.search(name)
    if match is not None:
        claims[WORDS] = NameClaim(f"mixed-{match[1]}", WORDS, 0.6)
    for keywords, medium in (*_KEYWORDS, (("rate",), rate_medium)):
        for number in list(numbers):
            words = _count_keywords(number, keywords)
            if words and number.share is not None:
                said = name[number.find_start(words) : number.end]
                claims.setdefault(medium, NameClaim(said, medium, number.share))
                numbers.remove(number)
    if not claims:
        bare = (claim for number in numbers for claim in _find_bare_shares(name, number))
        claims = {claim.medium: claim for claim in bare}
    match = _OWN_RATE.search(name)
    if match is None:
        return list(claims.values())
    # It follows the name of a preset, and overrides the rate in that name.
    said, rate = match[0].strip("_-"), float(match[1])
    if not claims:
        return [NameClaim(said, ANY, rate)]
    return [
        claim if claim.rate == rate else replace(claim, said=f"{claim.said}, {said}", rate=rate)
        for claim in claims.values()
    ]


def _count_keywords(number: _NameNumber, keywords: tuple[str, ...]) -> int:
    """Count the words before a number that make it a share, such as ``text_rate``; 0 if none do."""
    for keyword in keywords:
        for words in ((keyword,), ("rate", keyword)):
            if number.is_after(*words):
                return len(words)
    return 0


def _find_bare_shares(name: str, number: _NameNumber) -> Iterator[NameClaim]:
    """Find the claim of a number without a keyword, such as ``r0.4`` or ``40percent``."""
    is_rate = number.is_after("r") and number.is_glued and number.token.text.startswith("0.")
    if number.share is not None and (number.percent or is_rate):
        yield NameClaim(name[number.find_start(int(is_rate)) : number.end], ANY, number.share)


def _find_kernels(name: str) -> list[NameClaim]:
    """Find the first kernel size that a name claims."""
    sizes = [
        (name[number.find_start(1) : number.end], number.token.text)
        for number in _find_numbers(name)
        if number.is_after("mask")
        and not number.is_after("mask", "scaled")  # whose size depends on the frame
        and not number.is_glued
        and _KERNEL_SIZE.fullmatch(number.token.text)
    ]
    for pattern in (_DILATION, _WORDS_AND_KERNEL):
        sizes += [(match[0], match[match.lastindex or 1]) for match in pattern.finditer(name)]
    return [NameClaim(said, MASKS, size=int(size)) for said, size in sizes[:1]]
