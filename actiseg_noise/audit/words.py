"""Clean and noisy words of a split side by side, and figures of how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.errors import Problems, refuse
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    Expression,
    ObjectEntry,
    expressions_file,
    objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
    read_record,
)
from actiseg_data.lexicon import Lexicon
from actiseg_data.sequences import Sequence, number_equals
from actiseg_data.untrusted import Cursor, gather, read_json
from actiseg_noise.summary import quantiles, wilson_interval
from actiseg_noise.text.mentions import MentionFinder

STYLE = "promptaction"
"""The style of prompts that is looked at; all public noisy splits have it."""

_Z_999 = 3.290527
"""Quantile of the 99.9 % interval: an audit of many figures must not cry wolf over each."""


@dataclass(frozen=True)
class Wording:
    """What an object is called at one time: class, name and prompt."""

    class_id: int
    name: str
    prompt: str


@dataclass(frozen=True)
class WordItem:
    """One object of one sequence before and after noise."""

    sequence: str
    object_id: int
    positive: bool
    clean: Wording
    noisy: Wording

    @property
    def flipped(self) -> bool:
        """Whether it is of another class now."""
        return self.clean.class_id != self.noisy.class_id

    @property
    def renamed(self) -> bool:
        """Whether it has another name within its class."""
        return not self.flipped and _fold(self.clean.name) != _fold(self.noisy.name)


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
        return wilson_interval(self.hits, self.items, _Z_999)

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
    `actiseg_noise.summary.quantiles`.
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
    class that holds the clean one, too, such as of a right hand to hand. misnamed: prompts that do
    not begin with the name that the objects file has. name_collisions, class_collisions: changed
    items that are called like another object of their clip, or are now of a class that it has.
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


def read_word_items(folder: Path, split: str, clean: Path | None) -> list[WordItem]:
    """The words of a noisy split beside the clean ones, joined by sequence and object id.

    folder, clean: ImageSets folders. Clean words are those of `clean`, else the ``*_org`` keys of
    the noisy files. Raises `Refused` where files are missing or faulty, where objects and prompts
    disagree, or where nothing tells the clean words.
    """
    noisy = _read(folder, split)
    if clean is not None:
        return _beside(noisy, _read(clean, split), folder, clean)
    problems = Problems()
    items = [item for item in (_by_org_keys(one, problems, folder) for one in noisy) if item]
    problems.raise_if_any()
    return items


@dataclass(frozen=True)
class _Read:
    """One object as the two files have it."""

    sequence: str
    entry: ObjectEntry
    expression: Expression

    @property
    def noisy(self) -> Wording:
        return Wording(self.entry.class_id, self.entry.category, self.expression.exp)


def _read(folder: Path, split: str) -> list[_Read]:
    objects = _by_sequence(folder / objects_file(split), "objects", read_object_entry)
    prompts = _by_sequence(folder / expressions_file(split, STYLE), "expressions", read_expression)
    problems = Problems()
    found = []
    for sequence, entries in objects.items():
        of_object = {each.object_id: each for each in prompts.get(sequence, ())}
        for entry in entries:
            expression = of_object.get(entry.object_id)
            place = f"{sequence}, object {entry.object_id}"
            if expression is None:
                problems.add(f"{place} has no prompt", folder, "make both files together")
            elif expression.class_id not in (None, entry.class_id):
                problems.add(
                    f"{place} is of class {entry.class_id} among the objects, "
                    f"{expression.class_id} among the prompts",
                    folder,
                    "make both files together",
                )
            else:
                found.append(_Read(sequence, entry, expression))
    problems.raise_if_any()
    return found


def _by_sequence(path: Path, member: str, read: Callable[[str, Cursor], Any]) -> dict[str, Any]:
    return read_by_folder(Cursor(read_json(path), str(path))["videos"], member, read)


def _by_org_keys(one: _Read, problems: Problems, folder: Path) -> WordItem | None:
    entry, expression = one.entry, one.expression
    if entry.class_id_org is None or entry.category_org is None or expression.exp_org is None:
        problems.add(
            "the files do not tell the clean words (*_org keys)",
            folder,
            "give the clean dataset as --clean",
        )
        return None
    clean = Wording(entry.class_id_org, entry.category_org, expression.exp_org)
    return WordItem(one.sequence, entry.object_id, entry.positive, clean, one.noisy)


def _beside(
    noisy: list[_Read], clean: list[_Read], folder: Path, clean_folder: Path
) -> list[WordItem]:
    known = {(one.sequence, one.entry.object_id): one for one in clean}
    places = [(one.sequence, one.entry.object_id) for one in noisy]
    lacking = [place for place in places if place not in known]
    if lacking:
        raise refuse(
            f"lacks {len(lacking)} of {len(places)} objects of the noisy split, such as object "
            f"{lacking[0][1]} of {lacking[0][0]}",
            clean_folder,
            f"give the dataset that {folder} was made from",
        )
    return [
        WordItem(*place, one.entry.positive, known[place].noisy, one.noisy)
        for place, one in zip(places, noisy, strict=True)
    ]


def read_own_list(path: Path) -> tuple[list[Sequence], Share | None]:
    """The sequences of a noisy split's action list, with their clean narrations; and how many
    narrations differ from those that it keeps as ``narration_org``, None where it keeps none."""
    records = [record.mapping() for record in Cursor(read_json(path), str(path)).elements()]
    kept = [record for record in records if "narration_org" in record]
    changed = sum(record["narration_org"] != record.get("narration") for record in kept)
    clean = [
        record | {"narration": record["narration_org"]} if "narration_org" in record else record
        for record in records
    ]
    problems = Problems()
    elements = list(Cursor(clean, str(path)).elements())
    sequences = number_equals(gather(elements, read_record, problems))
    problems.raise_if_any()
    return list(sequences), Share(len(kept), changed) if kept else None


def word_figures(
    items: list[WordItem], lexicon: Lexicon, finder: MentionFinder | None
) -> WordFigures:
    """Figures of the words of a split.

    lexicon: for names of classes, their number and similarities. finder: finds nouns in narrations;
    None leaves contradictions out.
    """
    if not items:
        raise refuse("has no object", "the noisy split", "give a split with objects")
    classes = lexicon.classes
    by_class: dict[int, list[WordItem]] = {}
    by_supercategory: dict[str, list[WordItem]] = {}
    for item in items:
        by_class.setdefault(item.clean.class_id, []).append(item)
        noun = classes.get(item.clean.class_id)
        group = "not in the lexicon" if noun is None else noun.supercategory or "none"
        by_supercategory.setdefault(group, []).append(item)
    names, collided = _collisions(items)
    return WordFigures(
        all=word_group("all", items, lexicon),
        by_class={
            class_id: word_group(_class_name(class_id, of, lexicon), of, lexicon)
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
        misnamed=sum(not _fold(i.noisy.prompt).startswith(_fold(i.noisy.name)) for i in items),
        name_collisions=names,
        class_collisions=collided,
        contradictions=None if finder is None else sum(_contradicts(i, finder) for i in items),
        unknown_classes=sum(item.clean.class_id not in classes for item in items),
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
        quantiles(similar),
    )


def has_choice(item: WordItem, lexicon: Lexicon) -> bool:
    """Whether the lexicon has another name to write for an item within its class."""
    noun = lexicon.classes.get(item.clean.class_id)
    own = _fold(item.clean.name)
    return noun is not None and any(_fold(name.text) != own for name in noun.written)


def _renames_seen(items: list[WordItem]) -> Share:
    names: dict[int, set[str]] = {}
    for item in items:
        for wording in (item.clean, item.noisy):
            names.setdefault(wording.class_id, set()).add(_fold(wording.name))
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


def _class_name(class_id: int, items: Iterable[WordItem], lexicon: Lexicon) -> str:
    if class_id in lexicon.classes:
        return lexicon.classes[class_id].name
    used = Counter(item.clean.name for item in items)
    return min(used, key=lambda name: (-used[name], name))


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
                called = {_fold(w.name) for other in others for w in (other.clean, other.noisy)}
                names += _fold(item.noisy.name) in called
            if item.flipped:
                have = {w.class_id for other in others for w in (other.clean, other.noisy)}
                classes += item.noisy.class_id in have
    return names, classes


def _contradicts(item: WordItem, finder: MentionFinder) -> bool:
    """Whether the narration of a flipped prompt names the clean class, and not the new one."""
    _, connector, narration = item.noisy.prompt.partition(CONNECTORS[STYLE] or "")
    if not item.flipped or not connector:
        return False
    named = {class_id for mention in finder.find(narration) for class_id in mention.classes}
    return item.clean.class_id in named and item.noisy.class_id not in named


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
