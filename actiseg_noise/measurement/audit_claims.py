"""What the name of a noisy split claims about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

WORDS, MASKS, ANY = "words", "masks", "any"


@dataclass(frozen=True)
class Claim:
    """What a part of a name claims.

    said: that part. medium: `WORDS`, `MASKS`, or `ANY` of the two. rate: share of noisy items, in
    [0, 1]; or size: pixels of the square kernel that active objects are dilated by. by_recipe:
    whether this toolkit gives such names: they have rates of recipes, over the prompts that can
    change. In other names a rate on words is a share of all prompts.
    """

    said: str
    medium: str
    rate: float | None = None
    size: int | None = None
    by_recipe: bool = False

    @property
    def renames(self) -> bool:
        """Whether it claims renames of nearly all that are not flipped, too, as this toolkit's
        presets say which are made like the published files.
        """
        return self.said.startswith("released")


_KEYWORDS = (
    (("text", "released", "category", "prompt", "mixed"), WORDS),
    (("boundary",), MASKS),
    (("noise",), WORDS),
)
"""Words that make the number behind them a share, and of what. What an earlier line has found of a
medium is nothing for the later ones."""

_PER_CENT = frozenset({"percent", "pct", "%"})

_UNIT = re.compile(
    r"fps|hz|px|classes|categor(?:y|ies)|(?:frame|pixel|step|iter|iteration|epoch|clip|video"
    r"|sequence|sample|image|object|class|shot|seed|run|day|hour)s?"
)
"""Words that make the number before them a count."""

_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+(?:\.[0-9]+)*|.", re.DOTALL)
_LEVEL = re.compile(r"100|[0-9]{2}|0\.[0-9]+")
_PERCENTAGE = re.compile(r"100|[0-9]{1,2}(?:\.[0-9]+)?")
_ODD = re.compile(r"[13579]|[0-9][13579]")
_LEVELS = re.compile(rf"{_LEVEL.pattern}|[3579]")
_DILATION = re.compile(r"(?<![0-9.])([0-9]?[13579])by\1(?![^\W_])")
_WORDS_AND_KERNEL = re.compile(r"(?<![^\W\d_])mixed-(60)-(21)(?![^\W_])")
_OWN_RATE = re.compile(r"_r(0\.[0-9]+|0|1)(?=_s[0-9])")
_OWN_NAME = re.compile(
    r"_r[0-9.]+(?:-[0-9.]+)?_s[0-9]"
    r"|(?<![^\W\d_])actiseg-(?:nl-)?(?:text|released|boundary|mask|mixed)-"
)


def claims_of(path: Path) -> tuple[Claim, ...]:
    """What the last part of a path claims, or, where it claims nothing, the part before.

    A number with letters or a unit behind it, or with another level, claims nothing.

    >>> claims_of(Path("prompt_noise/ImageSets_noise20_classid_prompt"))[0].rate
    0.2
    >>> [claim.size for claim in claims_of(Path("Annotations_Sparse_dilation_rate100_9by9"))]
    [None, 9]
    >>> claims_of(Path("text_10k_steps/480p_mixed_30fps"))
    ()
    """
    for part in list(reversed(path.absolute().parts))[:2]:
        name = part.lower()
        kernels = _kernels(name)
        found = [*_shares(name, ANY if not kernels else MASKS), *kernels]
        if found:
            own = _OWN_NAME.search(name) is not None
            return tuple(replace(claim, by_recipe=own) for claim in found)
    return ()


@dataclass(frozen=True)
class _Word:
    """A word or a number of a name, from one character of it to before another."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Number:
    """A number that may claim something.

    words: those before it, the nearest first. per_cent: whether it says so itself. end: where it
    ends, with that.
    """

    number: _Word
    words: tuple[_Word, ...]
    per_cent: bool
    end: int

    @property
    def is_glued(self) -> bool:
        """Whether it follows a word directly."""
        return bool(self.words) and self.words[0].end == self.number.start

    def follows(self, *texts: str) -> bool:
        """Whether these are the nearest words, the nearest first."""
        return tuple(word.text for word in self.words[: len(texts)]) == texts

    def start(self, words: int) -> int:
        """Where it starts, with so many of the words before it."""
        return self.words[words - 1].start if words else self.number.start

    @property
    def share(self) -> float | None:
        """The number as a share, if it can be one."""
        text = self.number.text
        if not (_PERCENTAGE if self.per_cent else _LEVEL).fullmatch(text):
            return None
        value = float(text)
        return value if value < 1 and not self.per_cent else value / 100


def _numbers(name: str) -> list[_Number]:
    """The numbers that no letters, no unit and no other level follow."""
    tokens = [_Word(match[0], *match.span()) for match in _TOKEN.finditer(name)]
    found = []
    for index, token in enumerate(tokens):
        if token.text[0].isdecimal():
            apart = _is_separator(tokens[index + 1 : index + 2])
            behind = tokens[index + 1 + apart :]
            after, next_after = [*(word.text for word in behind), "", ""][:2]
            per_cent = after in _PER_CENT
            counts = _UNIT.fullmatch(after) or (after.isalpha() and not apart)
            is_series = apart and _LEVELS.fullmatch(after) and not next_after.isalpha()
            if per_cent or not (counts or is_series):
                end = behind[0].end if per_cent else token.end
                found.append(_Number(token, _words_before(tokens[:index]), per_cent, end))
    return found


def _words_before(tokens: list[_Word]) -> tuple[_Word, ...]:
    """The words at the end of some tokens, the last first, each behind one separator or none."""
    words: list[_Word] = []
    left = list(tokens)
    while True:
        if _is_separator(left[-1:]):
            left.pop()
        if not left or not left[-1].text.isalpha():
            return tuple(words)
        words.append(left.pop())


def _is_separator(tokens: list[_Word]) -> bool:
    return bool(tokens) and tokens[0].text in ("-", "_", " ")


def _shares(name: str, rate_of: str) -> list[Claim]:
    """The shares that a name claims. rate_of: the medium of a share that is called a rate."""
    numbers = _numbers(name)
    found: dict[str, Claim] = {}
    match = _WORDS_AND_KERNEL.search(name)
    if match is not None:
        found[WORDS] = Claim(f"mixed-{match[1]}", WORDS, 0.6)
    for keywords, medium in (*_KEYWORDS, (("rate",), rate_of)):
        for number in list(numbers):
            words = _keywords_before(number, keywords)
            if words and number.share is not None:
                said = name[number.start(words) : number.end]
                found.setdefault(medium, Claim(said, medium, number.share))
                numbers.remove(number)
    if not found:
        bare = (claim for number in numbers for claim in _bare_shares(name, number))
        found = {claim.medium: claim for claim in bare}
    match = _OWN_RATE.search(name)
    if match is None:
        return list(found.values())
    # It stands last, after the name of a preset, over whose own rate it stands.
    said, rate = match[0].strip("_-"), float(match[1])
    if not found:
        return [Claim(said, ANY, rate)]
    return [
        of if of.rate == rate else replace(of, said=f"{of.said}, {said}", rate=rate)
        for of in found.values()
    ]


def _keywords_before(number: _Number, keywords: tuple[str, ...]) -> int:
    """How many words before a number make it a share, as ``text`` and ``text_rate`` do; or 0."""
    for keyword in keywords:
        for words in ((keyword,), ("rate", keyword)):
            if number.follows(*words):
                return len(words)
    return 0


def _bare_shares(name: str, number: _Number) -> Iterator[Claim]:
    """The claim of a number without a keyword, such as ``r0.4`` or ``40percent``; or none."""
    is_rate = number.follows("r") and number.is_glued and number.number.text.startswith("0.")
    if number.share is not None and (number.per_cent or is_rate):
        yield Claim(name[number.start(int(is_rate)) : number.end], ANY, number.share)


def _kernels(name: str) -> list[Claim]:
    """The first kernel that a name claims, if any."""
    sizes = [
        (name[number.start(1) : number.end], number.number.text)
        for number in _numbers(name)
        if number.follows("mask") and not number.is_glued and _ODD.fullmatch(number.number.text)
    ]
    for pattern in (_DILATION, _WORDS_AND_KERNEL):
        sizes += [(match[0], match[match.lastindex or 1]) for match in pattern.finditer(name)]
    return [Claim(said, MASKS, size=int(size)) for said, size in sizes[:1]]
