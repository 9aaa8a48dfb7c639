"""What the name of a noisy split claims about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


_PERCENT = r"(\d{1,2}|100)(?!\d)"

# Pattern, medium, and what the number is divided by to be a share; None for a kernel's size. What
# an earlier pattern has found in a name is nothing for the later ones.
_PATTERNS = (
    (re.compile(rf"mixed[-_]{_PERCENT}"), WORDS, 100),
    (re.compile(rf"(?:text|released|category|prompt)[-_]?{_PERCENT}"), WORDS, 100),
    (re.compile(rf"boundary[-_]?{_PERCENT}"), MASKS, 100),
    (re.compile(rf"noise[-_]?{_PERCENT}"), WORDS, 100),
    (re.compile(rf"rate[-_]?{_PERCENT}"), MASKS, 100),
    (re.compile(r"mask[-_](\d{1,2})(?!\d)"), MASKS, None),
    (re.compile(r"(?<!\d)(\d{1,2})by\1(?!\d)"), MASKS, None),
    (re.compile(r"(?<=\d)-(\d{1,2})(?=_r)"), MASKS, None),
    (re.compile(r"_r(0\.\d+|1)(?=_s\d)"), ANY, 1),
)


def claims_of(path: Path) -> tuple[Claim, ...]:
    """What the last part of a path claims, or, where it claims nothing, the part before.

    >>> claims_of(Path("prompt_noise/ImageSets_noise20_classid_prompt"))
    (Claim(said='noise20', medium='words', rate=0.2, size=None),)
    >>> [claim.size for claim in claims_of(Path("Annotations_Sparse_dilation_rate100_9by9"))]
    [None, 9]
    """
    for part in list(reversed(path.absolute().parts))[:2]:
        found: list[Claim] = []
        for pattern, medium, whole in _PATTERNS:
            match = pattern.search(part.lower())
            named = any(claim.rate is not None for claim in found)
            if match is None or (medium == ANY and named):
                continue
            said, number = match[0].strip("_-"), float(match[1])
            if whole is None:
                found.append(Claim(said, medium, size=int(number)))
            elif not any(claim.medium == medium and claim.rate is not None for claim in found):
                found.append(Claim(said, medium, rate=number / whole))
        if found:
            return tuple(found)
    return ()
