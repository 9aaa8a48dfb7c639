"""The rebuild kit of a noisy split, as a document.

A kit has no mask, polygon, frame or prompt, and no name of a sequence. Sequences are identified by
a hash of their identity, which does not depend on the other sequences of a dataset, so that a part
of the source is enough to rebuild that part.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.make.prepare.raw_inputs import RawInput as RawInput
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.split.noisy_documents import GIVEN_THRESHOLDS

KIT_SCHEMA = "actiseg/kit/1"

KITS = "rebuild"
"""The folder of the kits in a release: ``rebuild/<configuration>.json``."""

IDENTITY_BYTES = MASK_BYTES = WEIGHTS_BYTES = TEXT_BYTES = 8
CLEAN_BYTES = 4
"""Bytes of a digest in a kit. Clean digests need fewer, because they only explain a difference."""


@dataclass(frozen=True)
class SequenceDigests:
    """What one sequence of a published split is, without its name.

    Attributes
    ----------
    frames : int
        Number of frames; of masks, in a dataset with a mask for each object.
    masks : bytes
        `MASK_BYTES` for the pixels of each mask (the first of
        `actiseg_data.annotations.masks.digest_pixels`), in frame order; empty for a split of lists.
    weights : bytes
        `WEIGHTS_BYTES` for all weight maps of the sequence; empty without weights.
    text : bytes
        `TEXT_BYTES` for the entries of the sequence in all lists, without its number.
    clean : bytes
        `CLEAN_BYTES` for the clean masks and weights of the sequence, and as many for its clean
        entries. They tell whether a difference comes from the source or from the tool.
    """

    frames: int
    masks: bytes
    weights: bytes
    text: bytes
    clean: bytes


@dataclass(frozen=True)
class CleanSource:
    """The clean dataset that a published split was made from.

    Attributes
    ----------
    split : str
        The split that got noise.
    fingerprint : str
        `actiseg_data.layouts.actionvos.Split.fingerprint` of it.
    inputs : tuple of RawInput
        The raw files that it was prepared from; empty if that is not known.
    form : DatasetForm or None
        Where a dataset without action lists keeps its files; None for an ActionVOS root.
    """

    split: str
    fingerprint: str
    inputs: tuple[RawInput, ...] = ()
    form: DatasetForm | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the member ``source`` of a kit."""
        form = {} if self.form is None else {"form": self.form.to_dict()}
        return {
            "split": self.split,
            "fingerprint": self.fingerprint,
            "inputs": [{"split": raw.split} | raw.to_dict() for raw in self.inputs],
        } | form


@dataclass(frozen=True)
class KitThresholds:
    """The selection thresholds of an exact recipe, which depend on a whole split.

    Attributes
    ----------
    values : mapping of str to any
        The thresholds, as ``summary.json`` has them; empty for other recipes.
    are_given : bool
        Whether another split than the source decided them.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    are_given: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the thresholds as in the kit."""
        flag = {GIVEN_THRESHOLDS: True} if self.are_given else {}
        return dict(sorted({**self.values, **flag}.items()))


@dataclass(frozen=True)
class RebuildKit:
    """The kit of one configuration.

    Attributes
    ----------
    name : str
        Name of the configuration.
    recipe : Recipe
        The recipe of the split.
    source : CleanSource
        What it was made from.
    masks, weights : str
        How they got into the split, as in ``summary.json``: ``derived``, ``copied``, or why there
        are none.
    thresholds : KitThresholds
        The thresholds of an exact recipe.
    lists : mapping of str to str
        Digest of each whole list and companion file, by the name of the file in ``ImageSets``, or
        in a dataset without action lists by relative path.
    sequences : mapping of bytes to SequenceDigests
        The sequences by the first 8 bytes of the hash of their identity.
    clean : mapping
        The same for each clean list that was added to the split.
    lexicon : mapping or None
        The lexicon that the split carries.
    differences : mapping or None
        For an imported split, which has no generator: its differences from the source.
    toolkit : str
        What made the split.
    versions : mapping of str to str
        The libraries that made it.
    """

    name: str
    recipe: Recipe
    source: CleanSource
    masks: str
    weights: str
    thresholds: KitThresholds
    lists: Mapping[str, str]
    sequences: Mapping[bytes, SequenceDigests]
    clean: Mapping[str, Mapping[bytes, SequenceDigests]]
    lexicon: Mapping[str, Any] | None
    differences: Mapping[str, Any] | None
    toolkit: str
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_masks(self) -> bool:
        """Whether the split has masks."""
        return any(digests.masks for digests in self.sequences.values())

    @property
    def has_weights(self) -> bool:
        """Whether the split has training weights."""
        return any(digests.weights for digests in self.sequences.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the kit as its JSON document, with packed digests."""
        return {
            "schema": KIT_SCHEMA,
            "name": self.name,
            "recipe": self.recipe.to_dict(),
            "source": self.source.to_dict(),
            "masks": self.masks,
            "weights": self.weights,
            "thresholds": self.thresholds.to_dict(),
            "lists": dict(sorted(self.lists.items())),
            "sequences": pack_sequences(self.sequences),
            "clean": {name: pack_sequences(self.clean[name]) for name in sorted(self.clean)},
            "lexicon": self.lexicon,
            "differences": self.differences,
            "toolkit": self.toolkit,
            "versions": dict(sorted(self.versions.items())),
        }


COLUMNS = ("identity", "frames", "masks", "weights", "text", "clean")


def pack_sequences(sequences: Mapping[bytes, SequenceDigests]) -> dict[str, Any]:
    """Pack sequences as columns in base64, sorted by identity, so that no order is given away."""
    order = sorted(sequences)
    digests = [sequences[identity] for identity in order]
    columns = {
        "identity": b"".join(order),
        "frames": struct.pack(f"<{len(order)}I", *(entry.frames for entry in digests)),
        "masks": b"".join(entry.masks for entry in digests),
        "weights": b"".join(entry.weights for entry in digests),
        "text": b"".join(entry.text for entry in digests),
        "clean": b"".join(entry.clean for entry in digests),
    }
    packed = {name: base64.b64encode(columns[name]).decode("ascii") for name in COLUMNS}
    return {"count": len(order), **packed}
