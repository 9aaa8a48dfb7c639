"""How many narrations name their noun in a way that the lexicon knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.make.prepare.narrations import read_narrations
from actiseg_noise.text_noise.mentions import MentionFinder


@dataclass(frozen=True)
class NarrationCoverage:
    """What was found in narrations.

    narrations: those whose noun class the lexicon has. found: those of them in which a noun of that
    class was found. unknown: narrations whose noun class the lexicon lacks. misses: narrations in
    which none was found, with noun and class, and how often each stands.
    """

    narrations: int
    found: int
    unknown: int
    misses: Counter[tuple[str, str, int]]

    @property
    def rate(self) -> float | None:
        return self.found / self.narrations if self.narrations else None


def measure_coverage(
    tables: Iterable[Path], lexicon: Lexicon, finder: MentionFinder
) -> NarrationCoverage:
    """Look for the noun of every narration of some narration tables; a row that stands in several
    counts once. Raises `InputError` for faulty tables.
    """
    total = found = unknown = 0
    misses: Counter[tuple[str, str, int]] = Counter()
    for narrations in read_narrations(tables).values():
        for narration in narrations:
            if narration.noun_class not in lexicon.classes:
                unknown += 1
                continue
            total += 1
            mentions = finder.find(narration.text)
            if any(narration.noun_class in mention.classes for mention in mentions):
                found += 1
            else:
                misses[narration.text, narration.noun, narration.noun_class] += 1
    return NarrationCoverage(total, found, unknown, misses)
