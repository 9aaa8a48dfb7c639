"""Compare two rebuild kits: digests of sequences without their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_noise.differences.recipe_changes import (
    ValueChange,
    compare_known,
    compare_recipes,
    compare_values,
)
from actiseg_noise.differences.split_comparison import FileDifference, OriginDifference
from actiseg_noise.kits.kit_record import (
    CLEAN_BYTES,
    MASK_BYTES,
    RebuildKit,
    SequenceDigests,
)


@dataclass(frozen=True)
class KitDifference:
    """What differs between two rebuild kits A and B.

    A kit has no names, ledger and words. It cannot tell which items differ, nor how.

    Attributes
    ----------
    recipe : tuple of ValueChange
        The settings of the recipe that differ.
    origin : OriginDifference
        What the splits were made from and with.
    sequences : FileDifference
        Sequences; those in both are `different` if anything in them differs.
    masks : FileDifference
        Masks of the sequences that both have.
    weights, text : int
        Number of these sequences with other weights, and with other words or labels.
    clean_masks, clean_text : int
        Number of these sequences whose source differs.
    clean_lists : FileDifference
        Sequences of the clean lists that were added to the splits.
    lists : tuple of str
        Files in ``ImageSets`` that differ, which also depend on the numbers of sequences.
    """

    recipe: tuple[ValueChange, ...]
    origin: OriginDifference
    sequences: FileDifference
    masks: FileDifference
    weights: int
    text: int
    clean_masks: int
    clean_text: int
    clean_lists: FileDifference
    lists: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs but perhaps the origin."""
        changed = self.sequences.changed or self.clean_lists.changed
        return not (self.recipe or changed or self.lists)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "same": self.same,
            "recipe": [change.to_dict() for change in self.recipe],
            "origin": self.origin.to_dict(),
            "sequences": dict(vars(self.sequences)),
            "masks": dict(vars(self.masks)),
            "sequences_with_other": {
                name: getattr(self, name)
                for name in ("weights", "text", "clean_masks", "clean_text")
            },
            "clean_lists": dict(vars(self.clean_lists)),
            "lists": list(self.lists),
        }


def compare_kits(a: RebuildKit, b: RebuildKit) -> KitDifference:
    """Compare two rebuild kits."""
    pairs = [(a.sequences[key], b.sequences[key]) for key in a.sequences if key in b.sequences]
    return KitDifference(
        recipe=compare_recipes(a.recipe, b.recipe),
        origin=_compare_kit_origins(a, b),
        sequences=_compare_sequences(a.sequences, b.sequences),
        masks=_compare_masks(pairs),
        weights=sum(old.weights != new.weights for old, new in pairs),
        text=sum(old.text != new.text for old, new in pairs),
        clean_masks=sum(old.clean[:CLEAN_BYTES] != new.clean[:CLEAN_BYTES] for old, new in pairs),
        clean_text=sum(old.clean[CLEAN_BYTES:] != new.clean[CLEAN_BYTES:] for old, new in pairs),
        clean_lists=_compare_sequences(_join_lists(a), _join_lists(b)),
        lists=tuple(change.name for change in compare_values(a.lists, b.lists)),
    )


def _join_lists(kit: RebuildKit) -> dict[tuple[str, bytes], SequenceDigests]:
    return {
        (name, key): digests
        for name, sequences in kit.clean.items()
        for key, digests in sequences.items()
    }


def _compare_sequences(
    a: Mapping[Any, SequenceDigests], b: Mapping[Any, SequenceDigests]
) -> FileDifference:
    """Compare what splits have of each sequence; the source does not count."""
    shared = [(digests, b[key]) for key, digests in a.items() if key in b]
    same = sum(_get_output(old) == _get_output(new) for old, new in shared)
    n = len(shared)
    return FileDifference(same, n - same, len(a) - n, len(b) - n)


def _get_output(digests: SequenceDigests) -> tuple[Any, ...]:
    return digests.frames, digests.masks, digests.weights, digests.text


def _compare_masks(pairs: list[tuple[SequenceDigests, SequenceDigests]]) -> FileDifference:
    same = different = only_a = only_b = 0
    for pair in pairs:
        old, new = (_cut_masks(digests.masks) for digests in pair)
        equal = sum(first == second for first, second in zip(old, new, strict=False))
        shared = min(len(old), len(new))
        same += equal
        different += shared - equal
        only_a += len(old) - shared
        only_b += len(new) - shared
    return FileDifference(same, different, only_a, only_b)


def _cut_masks(digests: bytes) -> list[bytes]:
    starts = range(0, len(digests), MASK_BYTES)
    return [digests[start : start + MASK_BYTES] for start in starts]


def _compare_kit_origins(a: RebuildKit, b: RebuildKit) -> OriginDifference:
    sources = compare_known(_list_sources(a), _list_sources(b))
    software = compare_known(
        {"actiseg": a.toolkit, **a.versions}, {"actiseg": b.toolkit, **b.versions}
    )
    return OriginDifference(tuple(sources), tuple(software))


def _list_sources(kit: RebuildKit) -> dict[str, str]:
    raw = {" ".join(_list_names(raw)): raw.sha256 for raw in kit.source.inputs}
    return {"clean list": kit.source.fingerprint, **raw}


def _list_names(raw: object) -> list[str]:
    """List what names a raw file: all but its digest."""
    return [str(value) for name, value in vars(raw).items() if name != "sha256"]
