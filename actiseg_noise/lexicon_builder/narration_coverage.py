"""Measure how many narrations mention their noun in a form that the lexicon knows."""

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
    """Counts of narrations.

    Attributes
    ----------
    narrations : int
        Narrations with a noun class that the lexicon has.
    recognised : int
        Those in which a noun of that class was found.
    unknown : int
        Narrations with a noun class that the lexicon lacks.
    misses : Counter
        Narrations without a recognised noun, with noun and class, and how often each occurs.
    """

    narrations: int
    recognised: int
    unknown: int
    misses: Counter[tuple[str, str, int]]

    @property
    def rate(self) -> float | None:
        return self.recognised / self.narrations if self.narrations else None


def measure_coverage(
    tables: Iterable[Path], lexicon: Lexicon, finder: MentionFinder
) -> NarrationCoverage:
    """Look for the noun of every narration in narration tables.

    A row that occurs in several tables counts once.

    Raises
    ------
    InputError
        If a table is invalid.
    """
    total = recognised = unknown = 0
    misses: Counter[tuple[str, str, int]] = Counter()
    for narrations in read_narrations(tables).values():
        for narration in narrations:
            if narration.noun_class not in lexicon.classes:
                unknown += 1
                continue
            total += 1
            mentions = finder.find(narration.text)
            if any(narration.noun_class in mention.classes for mention in mentions):
                recognised += 1
            else:
                misses[narration.text, narration.noun, narration.noun_class] += 1
    return NarrationCoverage(total, recognised, unknown, misses)
