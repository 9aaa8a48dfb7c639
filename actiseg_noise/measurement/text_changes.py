"""Statistics of the differences between clean and noisy text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from actiseg_data.annotations.class_names import name_supercategory
from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.errors import refuse
from actiseg_data.core.statistics import summarise_values
from actiseg_data.layouts.image_sets import CONNECTORS, MAIN_STYLE
from actiseg_noise.measurement.grouping import group_by, name_class
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.split.text_items import TextItem, fold
from actiseg_noise.text_noise.assignment import ReplacementOptions
from actiseg_noise.text_noise.mentions import MentionFinder


class TextTerms(NamedTuple):
    """What reports call the text of a split.

    Attributes
    ----------
    items : str
        What flips and renames are counted of.
    texts : str
        What has the names.
    """

    items: str
    texts: str


PROMPT_TERMS = TextTerms("objects", "prompts")
EXPRESSION_TERMS = TextTerms("nouns", "expressions")


@dataclass(frozen=True)
class TextGroup:
    """Statistics of a group of objects.

    Attributes
    ----------
    name : str
        What the objects have in common.
    flips : Proportion
        Flipped objects, of all.
    substitutions : Proportion
        Renamed objects, of those that were not flipped and whose class has another name to write.
    similarity : mapping
        WordNet similarity of the flips: quantiles as in
        `actiseg_data.core.statistics.summarise_values`.
    """

    name: str
    flips: Proportion
    substitutions: Proportion
    similarity: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON."""
        return {
            "name": self.name,
            "flips": self.flips.to_dict(),
            "substitutions": self.substitutions.to_dict(),
            "similarity": dict(self.similarity),
        }


@dataclass(frozen=True)
class TextStatistics:
    """The noise in the text of a split.

    Attributes
    ----------
    all : TextGroup
        All objects as one group.
    by_class : mapping of int to TextGroup
        By clean class id.
    by_supercategory : tuple of TextGroup
        By the lexicon's supercategories.
    uniform_similarity : float or None
        Mean WordNet similarity that uniform flips of the same objects would have. None without
        flips.
    changed : Proportion
        Prompts that differ from the clean prompts in any way.
    renamed_one_name : int
        Renamed objects whose class has only one name in the lexicon.
    renamed_to_sisters : int
        Renamed objects whose new name is a sister term: it names another thing, although the class
        stays.
    renames_seen : Proportion
        Renamed objects, of those that were not flipped and whose class has another name in the
        files themselves.
    harmless : int
        Flips to a class that includes the clean class, such as from right hand to hand.
    misnamed : int
        Objects with a clean or noisy prompt that does not begin with the name in the objects file.
    name_collisions : int
        Changed objects that have the name of another object in their sequence.
    class_collisions : int
        Flipped objects that have the class of another object in their sequence.
    contradictions : int or None
        Flipped prompts with a narration that still names the clean class and not the new one. None
        if spaCy is not installed.
    unknown_classes : int
        Objects of classes that the lexicon lacks.
    terms : TextTerms
        What reports call the objects and prompts: in referring expressions, an item is a noun.
    """

    all: TextGroup
    by_class: Mapping[int, TextGroup]
    by_supercategory: tuple[TextGroup, ...]
    uniform_similarity: float | None
    changed: Proportion
    renamed_one_name: int
    renamed_to_sisters: int
    renames_seen: Proportion
    harmless: int
    misnamed: int
    name_collisions: int
    class_collisions: int
    contradictions: int | None
    unknown_classes: int
    terms: TextTerms = PROMPT_TERMS

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as JSON."""
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
            "renamed_to_sisters": self.renamed_to_sisters,
            "renames_seen": self.renames_seen.to_dict(),
            "harmless": self.harmless,
            "misnamed": self.misnamed,
            "name_collisions": self.name_collisions,
            "class_collisions": self.class_collisions,
            "contradictions": self.contradictions,
            "unknown_classes": self.unknown_classes,
        }


def measure_text(
    items: list[TextItem], lexicon: Lexicon, finder: MentionFinder | None
) -> TextStatistics:
    """Measure the noise in the text of a split.

    Parameters
    ----------
    items : list of TextItem
        Every object of the split, with its clean and its noisy text.
    lexicon : Lexicon
        For the names of classes, their number and their similarities.
    finder : MentionFinder or None
        Finds nouns in narrations. None leaves contradictions out.

    Returns
    -------
    TextStatistics

    Raises
    ------
    InputError
        If there are no items.
    """
    if not items:
        raise refuse("has no object", "the noisy split", "give a split with objects")
    by_class = group_by(items, lambda item: item.clean.class_id)
    by_supercategory = group_by(
        items, lambda item: name_supercategory(item.clean.class_id, lexicon)
    )
    contradictions = None
    if finder is not None:
        contradictions = sum(_is_contradicted(item, finder) for item in items)
    return TextStatistics(
        all=summarise_text("all", items, lexicon),
        by_class={
            class_id: summarise_text(
                name_class(class_id, lexicon, (item.clean.name for item in members)),
                members,
                lexicon,
            )
            for class_id, members in sorted(by_class.items())
        },
        by_supercategory=tuple(
            summarise_text(name, members, lexicon)
            for name, members in sorted(by_supercategory.items())
        ),
        uniform_similarity=_compute_uniform_similarity(items, lexicon),
        changed=_count(item.clean.prompt != item.noisy.prompt for item in items),
        renamed_one_name=sum(
            item.renamed and not has_another_name(item, lexicon) for item in items
        ),
        renamed_to_sisters=sum(_is_renamed_to_sister(item, lexicon) for item in items),
        renames_seen=_count_renames_within_files(items),
        harmless=sum(_is_harmless(item, lexicon) for item in items),
        misnamed=sum(map(_is_misnamed, items)),
        name_collisions=_count_name_collisions(items),
        class_collisions=_count_class_collisions(items),
        contradictions=contradictions,
        unknown_classes=sum(item.clean.class_id not in lexicon.classes for item in items),
    )


def summarise_text(name: str, items: list[TextItem], lexicon: Lexicon) -> TextGroup:
    """Summarise the flips and renames of a group of objects."""
    flipped = [item for item in items if item.flipped]
    known = lexicon.classes
    similarities = (
        lexicon.measure_similarity(item.clean.class_id, item.noisy.class_id)
        for item in flipped
        if item.clean.class_id in known and item.noisy.class_id in known
    )
    return TextGroup(
        name,
        Proportion(len(items), len(flipped)),
        _count(
            item.renamed for item in items if not item.flipped and has_another_name(item, lexicon)
        ),
        summarise_values(similarities),
    )


def is_flip(item: TextItem, options: ReplacementOptions | None) -> bool:
    """Return whether an object was flipped, to another class or to a sister term of its own."""
    if options is None or options.flip is None:
        return item.flipped
    class_id, name = options.flip
    sister = class_id == options.class_id and fold(item.noisy.name) == fold(name.text)
    return item.flipped or (item.renamed and sister)


def _is_renamed_to_sister(item: TextItem, lexicon: Lexicon) -> bool:
    noun = lexicon.classes.get(item.clean.class_id)
    if noun is None or not item.renamed:
        return False
    return fold(item.noisy.name) in {fold(sister.name.text) for sister in noun.sisters}


def has_another_name(item: TextItem, lexicon: Lexicon) -> bool:
    """Return whether the lexicon has another name to write for an object within its class."""
    noun = lexicon.classes.get(item.clean.class_id)
    own = fold(item.clean.name)
    return noun is not None and any(fold(name.text) != own for name in noun.written)


def _count(hits: Iterable[bool]) -> Proportion:
    flags = list(hits)
    return Proportion(len(flags), sum(flags))


def _is_misnamed(item: TextItem) -> bool:
    """Return whether a prompt does not begin with its name, as an expression need not."""
    return item.expression is None and not (item.clean.fits and item.noisy.fits)


def _count_renames_within_files(items: list[TextItem]) -> Proportion:
    """Count renames of objects that have another name of their class in the files themselves."""
    names: dict[int, set[str]] = {}
    for item in items:
        for wording in (item.clean, item.noisy):
            names.setdefault(wording.class_id, set()).add(fold(wording.name))
    return _count(
        item.renamed for item in items if not item.flipped and len(names[item.clean.class_id]) > 1
    )


def _is_harmless(item: TextItem, lexicon: Lexicon) -> bool:
    """Return whether an object was flipped to a class that includes its clean class."""
    known = lexicon.classes
    return (
        item.flipped
        and item.clean.class_id in known
        and item.noisy.class_id in known
        and lexicon.is_subclass(item.noisy.class_id, item.clean.class_id)
    )


def _compute_uniform_similarity(items: list[TextItem], lexicon: Lexicon) -> float | None:
    """Compute the mean similarity that uniform flips of the flipped objects would have."""
    known = lexicon.classes
    flipped = Counter(
        item.clean.class_id for item in items if item.flipped and item.clean.class_id in known
    )
    total = sum(flipped.values())
    if not total or len(known) < 2:
        return None
    sums = {
        clean: sum(lexicon.measure_similarity(clean, noisy) for noisy in known if noisy != clean)
        for clean in flipped
    }
    mean = sum(count * sums[clean] for clean, count in flipped.items()) / (len(known) - 1)
    return round(mean / total, 6)


def _count_name_collisions(items: list[TextItem]) -> int:
    """Count changed objects with a name that another object of their sequence has or had."""
    return sum(
        fold(item.noisy.name)
        in {fold(wording.name) for rest in neighbours for wording in (rest.clean, rest.noisy)}
        for item, neighbours in _pair_with_neighbours(items)
        if item.flipped or item.renamed
    )


def _count_class_collisions(items: list[TextItem]) -> int:
    """Count flipped objects of a class that another object of their sequence has or had."""
    return sum(
        item.noisy.class_id
        in {wording.class_id for rest in neighbours for wording in (rest.clean, rest.noisy)}
        for item, neighbours in _pair_with_neighbours(items)
        if item.flipped
    )


def _pair_with_neighbours(
    items: list[TextItem],
) -> Iterator[tuple[TextItem, list[TextItem]]]:
    """Yield every object with the others of its sequence, and nouns with those beside them."""
    for members in group_by(items, lambda item: (item.sequence, item.expression)).values():
        for item in members:
            yield item, [member for member in members if member is not item]


def _is_contradicted(item: TextItem, finder: MentionFinder) -> bool:
    """Return whether the narration of a flipped prompt names the clean class but not the new."""
    _, connector, narration = item.noisy.prompt.partition(CONNECTORS[MAIN_STYLE] or "")
    if not item.flipped or not connector:
        return False
    named = {class_id for mention in finder.find(narration) for class_id in mention.classes}
    return item.clean.class_id in named and item.noisy.class_id not in named
