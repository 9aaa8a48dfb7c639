"""Figures of how the clean and the noisy words of a split differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.errors import refuse
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_data.layouts.image_sets import CONNECTORS, MAIN_STYLE
from actiseg_noise.measurement.mask_changes import class_name, divided, supercategory_of
from actiseg_noise.split.wordings import WordItem, fold
from actiseg_noise.text_noise.mentions import MentionFinder

Z_999 = 3.290527
"""Quantile of the 99.9 % interval: an audit of many figures must not cry wolf over each."""


@dataclass(frozen=True)
class Share:
    """Some of some items. rate, interval_999 (Wilson): None without any item."""

    items: int
    hits: int

    @property
    def rate(self) -> float | None:
        return self.hits / self.items if self.items else None

    @property
    def interval_999(self) -> tuple[float, float] | None:
        return wilson_interval(self.hits, self.items, Z_999)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        interval = self.interval_999
        return {
            "items": self.items,
            "hits": self.hits,
            "rate": None if self.rate is None else round(self.rate, 6),
            "interval_999": None if interval is None else [round(bound, 6) for bound in interval],
        }


@dataclass(frozen=True)
class WordGroup:
    """Figures of some items.

    flips: of all items. substitutions: of those that were not flipped and whose class has another
    name to write. similarity: WordNet similarity of flips, quantiles as in
    `actiseg_data.core.statistics.summarise_values`.
    """

    name: str
    flips: Share
    substitutions: Share
    similarity: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "flips": self.flips.to_dict(),
            "substitutions": self.substitutions.to_dict(),
            "similarity": dict(self.similarity),
        }


@dataclass(frozen=True)
class WordFigures:
    """What noise did to the words of a split.

    all: all items as one group; by_class: by clean class id; by_supercategory: by the lexicon's.
    uniform_similarity: mean WordNet similarity that uniform flips of these items would have; None
    without flips. changed: prompts that differ from the clean ones in any way. renamed_one_name:
    renamed items whose class has one name only in the lexicon. renames_seen: renames of those that
    were not flipped and whose class has another name in the files themselves. harmless: flips to a
    class that holds the clean one, too, such as of a right hand to hand. misnamed: objects
    whose prompt, noisy or clean, does not begin with the name that the objects file has.
    name_collisions, class_collisions: changed items that are called like another object of their
    clip, or are now of a class that it has.
    contradictions: flipped prompts whose narration still names the clean class and not the new one;
    None where spaCy is not there to tell. unknown_classes: items of classes that the lexicon lacks.
    """

    all: WordGroup
    by_class: Mapping[int, WordGroup]
    by_supercategory: tuple[WordGroup, ...]
    uniform_similarity: float | None
    changed: Share
    renamed_one_name: int
    renames_seen: Share
    harmless: int
    misnamed: int
    name_collisions: int
    class_collisions: int
    contradictions: int | None
    unknown_classes: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "all": self.all.to_dict(),
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
            "by_supercategory": [group.to_dict() for group in self.by_supercategory],
            "uniform_similarity": self.uniform_similarity,
            "changed": self.changed.to_dict(),
            "renamed_one_name": self.renamed_one_name,
            "renames_seen": self.renames_seen.to_dict(),
            "harmless": self.harmless,
            "misnamed": self.misnamed,
            "name_collisions": self.name_collisions,
            "class_collisions": self.class_collisions,
            "contradictions": self.contradictions,
            "unknown_classes": self.unknown_classes,
        }


def word_figures(
    items: list[WordItem], lexicon: Lexicon, finder: MentionFinder | None
) -> WordFigures:
    """Figures of the words of a split.

    lexicon: for names of classes, their number and similarities. finder: finds nouns in narrations;
    None leaves contradictions out.
    """
    if not items:
        raise refuse("has no object", "the noisy split", "give a split with objects")
    by_class = divided(items, lambda item: item.clean.class_id)
    by_supercategory = divided(items, lambda item: supercategory_of(item.clean.class_id, lexicon))
    names, collided = _collisions(items)
    return WordFigures(
        all=word_group("all", items, lexicon),
        by_class={
            class_id: word_group(class_name(class_id, lexicon, _clean_names(of)), of, lexicon)
            for class_id, of in sorted(by_class.items())
        },
        by_supercategory=tuple(
            word_group(name, of, lexicon) for name, of in sorted(by_supercategory.items())
        ),
        uniform_similarity=_uniform_similarity(items, lexicon),
        changed=Share(len(items), sum(item.clean.prompt != item.noisy.prompt for item in items)),
        renamed_one_name=sum(item.renamed and not has_choice(item, lexicon) for item in items),
        renames_seen=_renames_seen(items),
        harmless=sum(_harmless(item, lexicon) for item in items),
        misnamed=sum(not (item.clean.fits and item.noisy.fits) for item in items),
        name_collisions=names,
        class_collisions=collided,
        contradictions=None if finder is None else sum(_contradicts(i, finder) for i in items),
        unknown_classes=sum(item.clean.class_id not in lexicon.classes for item in items),
    )


def word_group(name: str, items: list[WordItem], lexicon: Lexicon) -> WordGroup:
    """Figures of some items."""
    flipped = [item for item in items if item.flipped]
    rest = [item for item in items if not item.flipped and has_choice(item, lexicon)]
    known = lexicon.classes
    similar = (
        lexicon.similarity(item.clean.class_id, item.noisy.class_id)
        for item in flipped
        if item.clean.class_id in known and item.noisy.class_id in known
    )
    return WordGroup(
        name,
        Share(len(items), len(flipped)),
        Share(len(rest), sum(item.renamed for item in rest)),
        summarise_values(similar),
    )


def has_choice(item: WordItem, lexicon: Lexicon) -> bool:
    """Whether the lexicon has another name to write for an item within its class."""
    noun = lexicon.classes.get(item.clean.class_id)
    own = fold(item.clean.name)
    return noun is not None and any(fold(name.text) != own for name in noun.written)


def _renames_seen(items: list[WordItem]) -> Share:
    names: dict[int, set[str]] = {}
    for item in items:
        for wording in (item.clean, item.noisy):
            names.setdefault(wording.class_id, set()).add(fold(wording.name))
    rest = [i for i in items if not i.flipped and len(names[i.clean.class_id]) > 1]
    return Share(len(rest), sum(item.renamed for item in rest))


def _harmless(item: WordItem, lexicon: Lexicon) -> bool:
    known = lexicon.classes
    return (
        item.flipped
        and item.clean.class_id in known
        and item.noisy.class_id in known
        and lexicon.holds(item.noisy.class_id, item.clean.class_id)
    )


def _clean_names(items: list[WordItem]) -> list[str]:
    return [item.clean.name for item in items]


def _uniform_similarity(items: list[WordItem], lexicon: Lexicon) -> float | None:
    known = lexicon.classes
    flipped = Counter(
        item.clean.class_id for item in items if item.flipped and item.clean.class_id in known
    )
    total = sum(flipped.values())
    if not total or len(known) < 2:
        return None
    means = {
        one: sum(lexicon.similarity(one, other) for other in known if other != one)
        for one in flipped
    }
    mean = sum(count * means[one] for one, count in flipped.items()) / (len(known) - 1)
    return round(mean / total, 6)


def _collisions(items: list[WordItem]) -> tuple[int, int]:
    """Changed items that are called like another object of the clip, and those of its classes."""
    clips: dict[str, list[WordItem]] = {}
    for item in items:
        clips.setdefault(item.sequence, []).append(item)
    names = classes = 0
    for clip in clips.values():
        for item in clip:
            if item.flipped or item.renamed:
                others = [other for other in clip if other is not item]
                called = {fold(w.name) for other in others for w in (other.clean, other.noisy)}
                names += fold(item.noisy.name) in called
            if item.flipped:
                have = {w.class_id for other in others for w in (other.clean, other.noisy)}
                classes += item.noisy.class_id in have
    return names, classes


def _contradicts(item: WordItem, finder: MentionFinder) -> bool:
    """Whether the narration of a flipped prompt names the clean class, and not the new one."""
    _, connector, narration = item.noisy.prompt.partition(CONNECTORS[MAIN_STYLE] or "")
    if not item.flipped or not connector:
        return False
    named = {class_id for mention in finder.find(narration) for class_id in mention.classes}
    return item.clean.class_id in named and item.noisy.class_id not in named
