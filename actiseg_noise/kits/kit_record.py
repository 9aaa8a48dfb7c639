"""The rebuild kit of a noisy split, as a document.

A kit has no mask, polygon, frame or prompt, and no name of a sequence. Sequences are identified by
a hash of their identity, which does not depend on the other sequences of a dataset, so that a part
of the source is enough to rebuild that part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actiseg_data.records.recipe_record import Recipe

KIT_SCHEMA = "actiseg/kit/1"

KITS = "rebuild"
"""The folder of the kits in a release: ``rebuild/<configuration>.json``."""


@dataclass(frozen=True)
class SequenceDigests:
    """What one sequence of a published split is, without its name.

    Attributes
    ----------
    frames : int
        Number of frames.
    masks : bytes
        16 bytes for the pixels of each mask (`actiseg_data.annotations.masks.digest_pixels`), in
        frame order; empty for a split of lists.
    weights : bytes
        8 bytes for all weight maps of the sequence; empty without weights.
    text : bytes
        8 bytes for the entries of the sequence in all lists, without its number.
    clean : bytes
        8 bytes for the clean masks of the sequence, and 8 for its clean entries. They tell whether
        a difference comes from the source or from the tool.
    """

    frames: int
    masks: bytes
    weights: bytes
    text: bytes
    clean: bytes


@dataclass(frozen=True)
class RawInput:
    """A raw file that the clean dataset was prepared from.

    Attributes
    ----------
    role : str
        The parameter of `prepare_visor` that takes the file, such as ``annotations``.
    name : str
        Name of the file, without folder and without ``.gz``.
    sha256 : str
        Of its content, uncompressed: 64 hexadecimal digits.
    """

    role: str
    name: str
    sha256: str


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
    """

    split: str
    fingerprint: str
    inputs: tuple[RawInput, ...] = ()


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
    thresholds : mapping
        The selection thresholds of an exact recipe, which depend on the whole split.
    lists : mapping of str to str
        Digest of each whole list and companion file, by file name.
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
    thresholds: Mapping[str, Any]
    lists: Mapping[str, str]
    sequences: Mapping[bytes, SequenceDigests]
    clean: Mapping[str, Mapping[bytes, SequenceDigests]]
    lexicon: Mapping[str, Any] | None
    differences: Mapping[str, Any] | None
    toolkit: str
    versions: Mapping[str, str] = field(default_factory=dict)
