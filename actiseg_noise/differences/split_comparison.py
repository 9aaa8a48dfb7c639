"""Compare two noisy splits by their documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.records.recipe_record import ACTIVITY, CLASS
from actiseg_noise.differences.item_changes import (
    ItemChange,
    MediumDifference,
    compare_labels,
    compare_masks,
    compare_text,
)
from actiseg_noise.differences.recipe_changes import ValueChange, compare_known, compare_recipes
from actiseg_noise.differences.split_snapshot import SequenceSnapshot, SplitSnapshot


@dataclass(frozen=True)
class OriginDifference:
    """What two splits were made from and with. It explains differences, and is none itself.

    Attributes
    ----------
    source : tuple of ValueChange
        The clean lists and masks that differ, by their digests.
    software : tuple of ValueChange
        The toolkit and the libraries that differ in version.
    """

    source: tuple[ValueChange, ...]
    software: tuple[ValueChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {name: [change.to_dict() for change in part] for name, part in vars(self).items()}


@dataclass(frozen=True)
class SequenceDifference:
    """The sequences of two splits.

    Attributes
    ----------
    shared : int
        Number of sequences in both.
    only_a, only_b : tuple of str
        Folders of the sequences in one of them.
    renumbered : tuple of tuple of str
        The folders in A and in B of the same sequences with different numbers.
    other_annotations : tuple of str
        Folders in A of the sequences whose frames, objects or labels differ.
    """

    shared: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    renumbered: tuple[tuple[str, str], ...]
    other_annotations: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both splits have the same sequences under the same names."""
        return not (self.only_a or self.only_b or self.renumbered or self.other_annotations)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "shared": self.shared,
            "only_a": list(self.only_a),
            "only_b": list(self.only_b),
            "renumbered": [{"a": a, "b": b} for a, b in self.renumbered],
            "other_annotations": list(self.other_annotations),
        }


@dataclass(frozen=True)
class FileDifference:
    """The files of one kind, by the digests of their pixels or content.

    Attributes
    ----------
    same, different, only_a, only_b : int
        Number of files that are equal, differ, or are in one split only.
    """

    same: int
    different: int
    only_a: int
    only_b: int

    @property
    def changed(self) -> int:
        """Number of files that are not the same."""
        return self.different + self.only_a + self.only_b


@dataclass(frozen=True)
class SplitDifference:
    """What differs between two noisy splits A and B.

    Attributes
    ----------
    recipe : tuple of ValueChange
        The settings of the recipe that differ.
    origin : OriginDifference
        What they were made from and with.
    sequences : SequenceDifference
        Their sequences.
    masks, text, labels : MediumDifference
        Their items, in the sequences that both have.
    files : mapping of str to FileDifference
        Masks and weights of the sequences that both have, and all files of clean lists.
    figures : tuple of tuple
        Name, value in A and value in B of the figures of both summaries; None is unknown.
    """

    recipe: tuple[ValueChange, ...]
    origin: OriginDifference
    sequences: SequenceDifference
    masks: MediumDifference
    text: MediumDifference
    labels: MediumDifference
    files: Mapping[str, FileDifference]
    figures: tuple[tuple[str, float | None, float | None], ...]

    @property
    def media(self) -> dict[str, MediumDifference]:
        """The items of each medium."""
        return {"masks": self.masks, "text": self.text, "labels": self.labels}

    @property
    def same(self) -> bool:
        """Whether nothing differs but perhaps the origin."""
        items = any(medium.changes for medium in self.media.values())
        files = any(file.changed for file in self.files.values())
        return not (self.recipe or items or files) and self.sequences.same

    @property
    def explanations(self) -> tuple[str, ...]:
        """What may explain a difference in content that the ledgers do not have."""
        reasons = {
            "the recipes differ": bool(self.recipe),
            "the sources differ": bool(self.origin.source),
            "the versions of the software differ": bool(self.origin.software),
        }
        return tuple(reason for reason, holds in reasons.items() if holds)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "same": self.same,
            "recipe": [change.to_dict() for change in self.recipe],
            "origin": self.origin.to_dict(),
            "sequences": self.sequences.to_dict(),
            **{name: medium.to_dict() for name, medium in self.media.items()},
            "files": {name: dict(vars(file)) for name, file in self.files.items()},
            "figures": [{"name": name, "a": a, "b": b} for name, a, b in self.figures],
        }


def compare_snapshots(a: SplitSnapshot, b: SplitSnapshot) -> SplitDifference:
    """Compare two noisy splits. Sequences are matched by identity, not by their numbers."""
    pairs, only_a, only_b = pair_sequences(a.sequences, b.sequences)
    return SplitDifference(
        recipe=compare_recipes(a.recipe, b.recipe),
        origin=_compare_origins(a.summary, b.summary, whole=not (only_a or only_b)),
        sequences=SequenceDifference(
            shared=len(pairs),
            only_a=tuple(item.sequence.folder for item in only_a),
            only_b=tuple(item.sequence.folder for item in only_b),
            renumbered=tuple(
                (old.sequence.folder, new.sequence.folder)
                for old, new in pairs
                if old.sequence.folder != new.sequence.folder
            ),
            other_annotations=tuple(
                old.sequence.folder for old, new in pairs if old.annotations != new.annotations
            ),
        ),
        masks=_compare_medium(pairs, compare_masks, lambda item: item.mask_rows),
        text=_compare_medium(pairs, compare_text, lambda item: item.text_rows),
        labels=_compare_medium(pairs, compare_labels, lambda item: item.label_rows),
        files=dict(_compare_files(pairs, a.clean_files, b.clean_files)),
        figures=tuple(_list_figures(a.summary, b.summary)),
    )


_Pairs = list[tuple[SequenceSnapshot, SequenceSnapshot]]


def pair_sequences(
    a: Iterable[SequenceSnapshot], b: Iterable[SequenceSnapshot]
) -> tuple[_Pairs, list[SequenceSnapshot], list[SequenceSnapshot]]:
    """Pair the sequences of two splits by identity.

    A few actions of a video share name, first and last frame. A part of a dataset may lack some of
    them, so their order says nothing: start, end and narration distinguish them.

    Returns
    -------
    pairs : list of tuple
        The sequences that both splits have, in the order of A.
    only_a, only_b : list of SequenceSnapshot
        The others.
    """
    a, b = list(a), list(b)
    counts = [Counter(item.sequence.identity[:3] for item in side) for side in (a, b)]
    ambiguous = {key for count in counts for key, n in count.items() if n > 1}

    def make_key(sequence: VideoSequence) -> tuple[Any, ...]:
        key = sequence.identity[:3]
        if key not in ambiguous:
            return key
        return *key, sequence.start, sequence.end, sequence.narration

    waiting: dict[tuple[Any, ...], list[SequenceSnapshot]] = {}
    for item in b:
        waiting.setdefault(make_key(item.sequence), []).append(item)
    pairs: _Pairs = []
    only_a = []
    for item in a:
        partners = waiting.get(make_key(item.sequence))
        if partners:
            pairs.append((item, partners.pop(0)))
        else:
            only_a.append(item)
    left = {id(item) for items in waiting.values() for item in items}
    return pairs, only_a, [item for item in b if id(item) in left]


def _compare_medium(
    pairs: _Pairs,
    compare: Callable[[SequenceSnapshot, SequenceSnapshot], Iterator[ItemChange]],
    get_rows: Callable[[SequenceSnapshot], Mapping[Any, Any]],
) -> MediumDifference:
    changes = tuple(chain.from_iterable(compare(old, new) for old, new in pairs))
    count_a, count_b = (sum(len(get_rows(pair[side])) for pair in pairs) for side in (0, 1))
    gone = sum(change.category not in ("only_b", "unexplained") for change in changes)
    return MediumDifference((count_a, count_b), count_a - gone, changes)


def _compare_files(
    pairs: _Pairs, clean_a: Mapping[str, str], clean_b: Mapping[str, str]
) -> Iterator[tuple[str, FileDifference]]:
    for kind, name in ((MASKS, "masks"), (WEIGHTS, "weights")):
        sides: list[dict[tuple[int, str], str]] = [{}, {}]
        for number, pair in enumerate(pairs):
            for digests, item in zip(sides, pair, strict=True):
                own = item.files.items()
                digests |= {(number, frame): d for (k, frame), d in own if k == kind}
        if any(sides):
            yield name, _compare_digests(*sides)
    if clean_a or clean_b:
        yield "files of clean lists", _compare_digests(clean_a, clean_b)


def _compare_digests(a: Mapping[Any, str], b: Mapping[Any, str]) -> FileDifference:
    same = sum(b.get(name) == digest for name, digest in a.items())
    shared = len(a.keys() & b.keys())
    return FileDifference(same, shared - same, len(a) - shared, len(b) - shared)


def _compare_origins(
    a: Mapping[str, Any], b: Mapping[str, Any], *, whole: bool
) -> OriginDifference:
    """Compare what both summaries know. The clean masks are comparable only of equal sequences."""
    names = {"dataset_fingerprint": "clean list", "clean_masks_digest": "clean masks"}
    sources = ({names[key]: part.get(key) for key in names} for part in (a, b))
    software = (
        {"actiseg": part.get("toolkit"), **_get_section(part, "versions")} for part in (a, b)
    )
    return OriginDifference(
        tuple(
            change for change in compare_known(*sources) if whole or change.name != "clean masks"
        ),
        tuple(compare_known(*software)),
    )


def _list_figures(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> Iterator[tuple[str, float | None, float | None]]:
    """List the figures that at least one summary has."""
    kinds = [_get_section(summary, "noise", "iou") for summary in (a, b)]
    paths = {
        "sequences": ("sequences",),
        "frames": ("frames",),
        "masks with noise": ("noise", "selected"),
        "masks that could have it": ("noise", "items"),
        "realised rate, masks": ("noise", "realised_rate"),
        **{
            f"median IoU on disk, {kind}": ("noise", "iou", kind, "q50")
            for kind in dict.fromkeys(chain(*kinds))
        },
        "texts with noise": ("text", "selected"),
        "texts that could have it": ("text", "items"),
        "realised rate, text": ("text", "realised_rate"),
        "realised rate, flips": ("text", "flips", "realised_rate"),
        "realised rate, substitutions": ("text", "substitutions", "realised_rate"),
        **dict(chain.from_iterable(map(_name_label_figures, (ACTIVITY, CLASS)))),
    }
    for name, path in paths.items():
        values = [_get_figure(summary, *path) for summary in (a, b)]
        if values != [None, None]:
            yield name, values[0], values[1]


def _name_label_figures(kind: str) -> list[tuple[str, tuple[str, ...]]]:
    """Name the figures of the noise of one kind in labels, and where a summary has them."""
    return [
        (f"labels with noise ({kind})", ("labels", kind, "selected")),
        (f"labels that could have it ({kind})", ("labels", kind, "items")),
        (f"realised rate, labels ({kind})", ("labels", kind, "realised_rate")),
    ]


def _get_figure(summary: Mapping[str, Any], *path: str) -> float | None:
    *outer, last = path
    value = _get_section(summary, *outer).get(last)
    if isinstance(value, list):
        return len(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None


def _get_section(summary: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    section = summary
    for name in path:
        inner = section.get(name)
        section = inner if isinstance(inner, Mapping) else {}
    return section
