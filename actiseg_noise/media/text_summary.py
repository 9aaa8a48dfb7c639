"""The section ``text`` of ``summary.json``: what text noise did."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from actiseg_data.core.statistics import summarise_values
from actiseg_data.records.ledger_record import TextRow
from actiseg_data.records.recipe_record import EXCHANGE, Noise
from actiseg_noise.media.medium import SectionBuilder
from actiseg_noise.media.summary_sections import describe_noise, describe_rate
from actiseg_noise.recipes.kind_specs import IMPORTED
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.text_noise.assignment import split_rates
from actiseg_noise.text_noise.text_plan import TextPlan

_HANDLED = (
    "one_name",
    "no_flip_target",
    "names_collide",
    "narration_empty",
    "narration_without_noun",
    "narration_without_flipped_noun",
    "prompts_with_another_narration",
)
"""Special cases of text that the summary counts."""

_HANDLED_EXPRESSIONS = (
    "one_name",
    "no_flip_target",
    "names_collide",
    "expression_empty",
    "expression_without_noun",
    "expression_unprintable",
    "expression_object_without_mask",
)
"""The same for referring expressions."""

_HANDLED_EXCHANGES = (
    "exchange_without_change",
    "exchange_without_partner",
    "narration_without_flipped_noun",
)
"""The same for exchanges."""

_OPTIONAL = ("could_change", "of_all")
"""Members of ``text`` that summaries of early releases lack."""


class TextSection(SectionBuilder):
    """Summarise the text noise of a run, which is planned before any file is written."""

    def __init__(self, noise: Noise, words: TextPlan) -> None:
        self.noise = noise
        self.words = words

    def add(self, record: SequenceRecord) -> None:
        """Do nothing: the plan has everything."""

    def build_members(self) -> dict[str, Any]:
        """Build ``text``."""
        return {"text": build_text_section(self.noise, self.words)}

    def count_handled(self) -> dict[str, int]:
        """Count the special cases of prompts, names and narrations, or of expressions."""
        return {name: self.words.tally[name] for name in self._list_handled()}

    def _list_handled(self) -> tuple[str, ...]:
        if self.noise.kind == EXCHANGE:
            return _HANDLED_EXCHANGES
        return _HANDLED_EXPRESSIONS if self.words.expressions else _HANDLED


def build_text_section(noise: Noise, words: TextPlan) -> dict[str, Any]:
    """Build the summary's ``text``.

    It has realised rates over the items that the recipe may touch, over those that could change,
    and over all prompts or narrations, without intervals for exchanges, whose items are drawn in
    pairs; the rates of flips and of substitutions over the items that
    each can change; and the WordNet similarity of new and clean names by kind.
    """
    tally = words.tally
    flip, substitute = _measure_rates(words) if noise.kind == IMPORTED else split_rates(noise)
    exact = noise.exact or noise.kind == EXCHANGE
    selected = tally["flipped"] + tally["substituted"]
    return {
        **describe_noise(noise, selected, tally["items"]),
        "scope": noise.scope,
        "could_change": describe_rate(selected, tally["changeable"], exact=exact),
        "of_all": describe_rate(selected, tally["all_items"], exact=exact),
        "flips": {
            "rate": round(flip, 6),
            **describe_rate(tally["flipped"], tally["flip_items"], exact=exact),
        },
        "substitutions": {
            "rate": round(substitute, 6),
            **describe_rate(tally["substituted"], tally["rest_items"], exact=exact),
        },
        "similarity": summarise_similarity(chain.from_iterable(words.rows.values())),
    }


def _measure_rates(words: TextPlan) -> tuple[float, float]:
    """Measure the rates of flips, and of substitutions among the rest, which no recipe gives."""
    tally = words.tally
    return (
        tally["flipped"] / max(1, tally["flip_items"]),
        tally["substituted"] / max(1, tally["rest_items"]),
    )


def is_text_section(section: object, expected: Mapping[str, Any]) -> bool:
    """Return whether a summary's ``text`` is the expected one.

    Members that early releases did not write may be missing.

    >>> is_text_section({"items": 3}, {"items": 3, "of_all": {}})
    True
    >>> is_text_section({"items": 3, "of_all": 5}, {"items": 3, "of_all": {}})
    False
    """
    return isinstance(section, Mapping) and section == {
        name: value for name, value in expected.items() if name in section or name not in _OPTIONAL
    }


def summarise_similarity(rows: Iterable[TextRow]) -> dict[str, Any]:
    """Summarise the similarity of new and clean names, by kind."""
    similarity: dict[str, array[float]] = {}
    for row in rows:
        similarity.setdefault(row.kind, array("d")).append(row.similarity)
    return {kind: summarise_values(similarity[kind]) for kind in sorted(similarity)}
