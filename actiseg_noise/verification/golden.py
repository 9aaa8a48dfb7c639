"""Golden digests: what every preset makes of known datasets, on any machine.

The digests are in ``data_manifests/golden.json``. They reveal a library that draws different
pixels than the one that they were made with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import digest_pixels
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import refuse
from actiseg_data.core.manifests import load_installed
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import Split
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.presets import load_preset, load_presets
from actiseg_noise.text_noise.agreement import match_case
from actiseg_noise.text_noise.sequence_words import TextCorruptor

SCHEMA = "actiseg/golden/1"


@dataclass(frozen=True)
class GoldenDataset:
    """The golden digests of one dataset.

    Attributes
    ----------
    name : str
        Name of the dataset.
    about : str
        What it is, and how to get it.
    split : str
        The split that the digests are for.
    clean : str
        Digest of all clean masks, see `digest_masks`.
    names : str
        Digest of the clean classes and names, see `digest_names`.
    presets : PresetDigests
        Digests of what each preset makes of it.
    """

    name: str
    about: str
    split: str
    clean: str
    names: str
    presets: PresetDigests


@dataclass(frozen=True)
class PresetDigests:
    """Digests of what presets make of a dataset.

    Attributes
    ----------
    masks : mapping of str to str
        By preset with mask noise: digest of all masks, see `digest_masks`.
    text : mapping of str to str
        By preset with text noise: digest of all classes and names, see `digest_names`.
    """

    masks: Mapping[str, str]
    text: Mapping[str, str]

    @property
    def presets(self) -> set[str]:
        """The names of all presets."""
        return set(self.masks) | set(self.text)


def digest_masks(digests: Iterable[tuple[VideoSequence, list[str]]]) -> str:
    """Compute one digest of all masks of a split.

    Masks are identified by content and not by path, so that the digest does not depend on how
    sequences are numbered.

    Parameters
    ----------
    digests : iterable of tuple
        Each sequence with the pixel digests of its masks, in frame order.
    """
    return digest_json(
        {
            "/".join((*map(str, sequence.identity), frame)): digest
            for sequence, frame_digests in digests
            for frame, digest in zip(sequence.frames, frame_digests, strict=True)
        }
    )


def load_golden() -> dict[str, GoldenDataset]:
    """Load the golden digests, by name of the dataset."""
    top = load_installed("golden.json", SCHEMA)
    return {
        name: GoldenDataset(
            name=name,
            about=entry["about"].as_text(),
            split=entry["split"].as_text(),
            clean=entry["clean"].as_text(),
            names=entry["names"].as_text(),
            presets=PresetDigests(_read_texts(entry["masks"]), _read_texts(entry["text"])),
        )
        for name, entry in top["datasets"].iterate_members()
    }


def recognise(root: Path, workers: int = 1) -> GoldenDataset:
    """Return the golden digests of a dataset, which is recognised by its clean masks and names.

    Raises
    ------
    InputError
        If no digests are known for this dataset.
    """
    known = load_golden()
    if not root.is_dir():
        raise refuse("there is no such folder", root, "check the path")
    splits = list_splits(root)
    for golden in known.values():
        if golden.split in splits:
            split = open_split(root, golden.split)
            if digest_names(split.sequences) != golden.names:
                continue
            if digest_clean_masks(split, workers) == golden.clean:
                return golden
    raise refuse(
        "is not one of the datasets with known digests: its masks or names differ",
        root,
        "give one of: " + "; ".join(f"{golden.name} ({golden.about})" for golden in known.values()),
    )


def digest_clean_masks(split: Split, workers: int = 1) -> str:
    """Compute `GoldenDataset.clean` of a split."""
    digests = run_parallel(_digest_clean, split, split.sequences, workers)
    return digest_masks(zip(split.sequences, digests, strict=True))


def _digest_clean(split: Split, sequence: VideoSequence) -> list[str]:
    """Digest the clean masks of a sequence, in frame order."""
    return [digest_pixels(mask) for mask in split.iterate_masks(sequence)]


def derive(
    root: Path,
    split: str,
    only: Iterable[str] = (),
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> PresetDigests:
    """Apply presets to a split in memory, at seed 0, and digest the results.

    Parameters
    ----------
    root : Path
        Root of the dataset.
    split : str
        Name of the split.
    only : iterable of str
        Names of presets. Empty applies all.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If the split is faulty or a preset is unknown.
    """
    opened = open_split(root, split)
    presets = [load_preset(name) for name in only] or load_presets().values()
    recipes = {preset.name: preset.make_recipe(split=split) for preset in presets}
    masked = {name: recipe for name, recipe in recipes.items() if recipe.mask_noise is not None}
    with stage("applying presets") as progress:
        results = run_parallel(_digest_noisy, (opened, masked), opened.sequences, workers, progress)
    by_preset = {name: [digests[name] for digests in results] for name in masked}
    return PresetDigests(
        masks={
            name: digest_masks(zip(opened.sequences, digests, strict=True))
            for name, digests in by_preset.items()
        },
        text={
            name: digest_names(opened.sequences, TextCorruptor(recipe))
            for name, recipe in recipes.items()
            if recipe.text_noise is not None
        },
    )


def digest_names(sequences: Iterable[VideoSequence], noise: TextCorruptor | None = None) -> str:
    """Compute one digest of the class and name of every object of a split.

    Parameters
    ----------
    sequences : iterable of VideoSequence
        The sequences of the split. They are identified by content, as in `digest_masks`.
    noise : TextCorruptor, optional
        If given, the classes and names after this noise are digested, at its plain rate.
    """
    names = {}
    for sequence in sequences:
        new = noise.choose(noise.find_options(sequence), noise.thresholds).objects if noise else {}
        for label in sequence.objects:
            called = (label.class_id, label.name)
            if label.object_id in new:
                replacement = new[label.object_id]
                called = (replacement.class_id, match_case(label.name, replacement.name.text))
            names["/".join((*map(str, sequence.identity), str(label.object_id)))] = called
    return digest_json(names)


def _digest_noisy(
    shared: tuple[Split, dict[str, Recipe]], sequence: VideoSequence
) -> dict[str, list[str]]:
    """Digest the noisy masks of a sequence by preset, in frame order."""
    split, recipes = shared
    clean = split.read_masks(sequence)
    return {
        name: [digest_pixels(noise.mask) for noise in corrupt_sequence(sequence, clean, recipe)]
        for name, recipe in recipes.items()
    }


def find_mismatches(golden: GoldenDataset, derived: PresetDigests) -> list[str]:
    """Compare derived digests with the golden ones; return a line for each that differs."""
    lines = []
    for what, ours, theirs in (
        ("masks", derived.masks, golden.presets.masks),
        ("text", derived.text, golden.presets.text),
    ):
        for name, digest in ours.items():
            if name not in theirs:
                lines.append(f"{name}: has no golden digest of its {what} on {golden.name}")
            elif theirs[name] != digest:
                lines.append(f"{name}: the golden digest of its {what} on {golden.name} differs")
    return lines


def _read_texts(cursor: Cursor) -> dict[str, str]:
    return {name: value.as_text() for name, value in cursor.iterate_members()}
