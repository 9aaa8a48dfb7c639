"""Golden digests: what every preset makes of known datasets, on any machine.

The digests are in ``data_manifests/recipes.json``. They reveal a library that draws different
pixels than the one that they were made with, and a preset that changed without a new version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from actiseg_data.annotations.masks import digest_pixels, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.frame_noise import FrameNoise
from actiseg_noise.mask_noise.item_selection import list_eligible_objects
from actiseg_noise.mask_noise.selection_draws import list_file_noises
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.presets import load_preset, load_presets
from actiseg_noise.recipes.published import (
    KnownDataset,
    MaskOutput,
    RecipeOutput,
    TextOutput,
    load_index,
)
from actiseg_noise.text_noise.agreement import match_case
from actiseg_noise.text_noise.choices import freeze_frequencies
from actiseg_noise.text_noise.sequence_words import TextCorruptor


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


def recognise(root: Path, workers: int = 1) -> KnownDataset:
    """Return the known dataset that a folder has, recognised by its clean masks and names.

    Raises
    ------
    InputError
        If no digests are known for this dataset.
    """
    known = load_index().datasets
    if not root.is_dir():
        raise refuse("there is no such folder", root, "check the path")
    splits = list_splits(root)
    for dataset in known.values():
        if dataset.split in splits:
            split = open_split(root, dataset.split)
            if digest_names(split.sequences) != dataset.names:
                continue
            if digest_clean_masks(split, workers) == dataset.clean:
                return dataset
    raise refuse(
        "is not one of the datasets with known digests: its masks or names differ",
        root,
        "give one of: "
        + "; ".join(f"{dataset.name} ({dataset.about})" for dataset in known.values()),
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
) -> dict[str, RecipeOutput]:
    """Apply presets to a split in memory, at seed 0, and describe the results by preset.

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
    recipes = {
        preset.name: freeze_frequencies(preset.make_recipe(split=split), opened.sequences)
        for preset in presets
    }
    masked = {name: recipe for name, recipe in recipes.items() if recipe.changes_masks}
    with stage("applying presets") as progress:
        results = run_parallel(
            _measure_noisy, (opened, masked), opened.sequences, workers, progress
        )
    return {
        name: RecipeOutput(
            masks=_join_masks(opened.sequences, [frames[name] for frames in results])
            if name in masked
            else None,
            text=None if recipe.text_noise is None else _measure_text(opened.sequences, recipe),
        )
        for name, recipe in recipes.items()
    }


@dataclass(frozen=True)
class _SequenceMeasure:
    """Noisy masks of a sequence: their digests, the eligible items, and IoU of the noisy ones."""

    digests: list[str]
    items: int
    ious: list[float]


def _measure_noisy(
    shared: tuple[Split, dict[str, Recipe]], sequence: VideoSequence
) -> dict[str, _SequenceMeasure]:
    """Measure the noisy masks of a sequence by preset."""
    split, recipes = shared
    clean = split.read_masks(sequence)
    measures = {}
    for name, recipe in recipes.items():
        digests: list[str] = []
        items, ious = 0, list[float]()
        for noise in corrupt_sequence(sequence, clean, recipe):
            digests.append(digest_pixels(noise.mask))
            noisy = {row.object_id: row.iou for row in noise.rows}
            items += _count_items(recipe, sequence, noise, noisy)
            ious += noisy.values()
        measures[name] = _SequenceMeasure(digests, items, ious)
    return measures


def _count_items(
    recipe: Recipe, sequence: VideoSequence, noise: FrameNoise, noisy: Iterable[int]
) -> int:
    """Count the objects of a frame that a recipe could change, with those that appeared."""
    if not recipe.object_noises:
        return noise.tally["items"]
    eligible = {
        label.object_id
        for part in list_file_noises(recipe)
        for label in list_eligible_objects(sequence, noise.frame, part)
    }
    return len(eligible.intersection(find_ids(noise.clean)).union(noisy))


def _join_masks(
    sequences: Iterable[VideoSequence], measures: Iterable[_SequenceMeasure]
) -> MaskOutput:
    """Join the measures of all sequences of a split."""
    measures = list(measures)
    ious = [iou for measure in measures for iou in measure.ious]
    digests = (measure.digests for measure in measures)
    return MaskOutput(
        digest=digest_masks(zip(sequences, digests, strict=True)),
        items=sum(measure.items for measure in measures),
        selected=len(ious),
        median_iou=round(median(ious), 4) if ious else None,
    )


def _measure_text(sequences: Iterable[VideoSequence], recipe: Recipe) -> TextOutput:
    """Measure the text noise of a split."""
    sequences, noise = list(sequences), TextCorruptor(recipe)
    tally: Counter[str] = Counter()
    for sequence in sequences:
        tally += noise.choose(noise.find_options(sequence), noise.thresholds).tally
    return TextOutput(
        digest=digest_names(sequences, noise),
        prompts=tally["all_items"],
        flips=tally["flipped"],
        substitutions=tally["substituted"],
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


def find_mismatches(dataset: str, derived: Mapping[str, RecipeOutput]) -> list[str]:
    """Compare derived outputs with the published ones; return a line for each that differs.

    Parameters
    ----------
    dataset : str
        Name of the known dataset.
    derived : mapping of str to RecipeOutput
        What the presets make of it here, by preset.
    """
    published = load_index().recipes
    lines = []
    for name, output in derived.items():
        known = published[name][-1].outputs.get(dataset) if name in published else None
        for medium, ours in vars(output).items():
            theirs = None if known is None else getattr(known, medium)
            if ours is None or ours == theirs:
                continue
            if theirs is None:
                lines.append(f"{name}: has no golden digest of its {medium} on {dataset}")
            elif ours.digest != theirs.digest:
                lines.append(f"{name}: the golden digest of its {medium} on {dataset} differs")
            else:
                lines.append(f"{name}: the counts of its {medium} on {dataset} differ")
    return lines
