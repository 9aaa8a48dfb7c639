"""What the name of a noisy split claims about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

WORDS, MASKS, ANY = "words", "masks", "any"


@dataclass(frozen=True)
class Claim:
    """What a part of a name claims.

    said: that part. medium: `WORDS`, `MASKS`, or `ANY` of the two. rate: share of noisy items, in
    [0, 1]; or size: pixels of the square kernel that active objects are dilated by.
    """

    said: str
    medium: str
    rate: float | None = None
    size: int | None = None

    @property
    def renames(self) -> bool:
        """Whether it claims renames of nearly all that are not flipped, too, as this toolkit's
        presets say which are made like the published files."""
        return self.said.startswith("released")


_SHARE = r"(100|\d\d|0\.\d+)(?![\d.])"
_START = r"(?<![a-z])"

# Pattern, and medium; of shares, as per cent or below 1. What an earlier pattern has found of a
# medium is nothing for the later ones.
_SHARES = (
    (re.compile(rf"{_START}(?:text|released|category|prompt|mixed)[-_]?{_SHARE}"), WORDS),
    (re.compile(rf"{_START}boundary[-_]?{_SHARE}"), MASKS),
    (re.compile(rf"{_START}noise[-_]?{_SHARE}"), WORDS),
    (re.compile(rf"{_START}rate[-_]?{_SHARE}"), MASKS),
)
_RATE = re.compile(r"_r(0\.\d+|0|1)(?=_s\d)")
_KERNELS = (
    re.compile(rf"{_START}mask[-_](\d?[13579])(?!\d)"),
    re.compile(r"(?<!\d)(\d?[13579])by\1(?!\d)"),
    re.compile(rf"{_START}mixed-60-(21)(?!\d)"),
)


def claims_of(path: Path) -> tuple[Claim, ...]:
    """What the last part of a path claims, or, where it claims nothing, the part before.

    >>> claims_of(Path("prompt_noise/ImageSets_noise20_classid_prompt"))
    (Claim(said='noise20', medium='words', rate=0.2, size=None),)
    >>> [claim.size for claim in claims_of(Path("Annotations_Sparse_dilation_rate100_9by9"))]
    [None, 9]
    """
    for part in list(reversed(path.absolute().parts))[:2]:
        found = _shares(part.lower())
        for pattern in _KERNELS:
            match = pattern.search(part.lower())
            if match is not None and all(claim.size is None for claim in found):
                found.append(Claim(match[0].strip("_-"), MASKS, size=int(match[1])))
        if found:
            return tuple(found)
    return ()


def _shares(name: str) -> list[Claim]:
    found: dict[str, Claim] = {}
    for pattern, medium in _SHARES:
        match = pattern.search(name)
        if match is not None and medium not in found:
            share = float(match[1])
            found[medium] = Claim(match[0].strip("_-"), medium, share if share < 1 else share / 100)
    match = _RATE.search(name)
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
