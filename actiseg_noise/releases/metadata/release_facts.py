"""Figures that the documents of a release state, derived from its lists, summaries and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.layouts.split import is_mask_name
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseContents
from actiseg_noise.releases.metadata.source_statements import is_visor

PURPOSES = ("train", "val", "test")
"""What splits are for. A word in the name of a split begins with one of them."""

FAR = 0.05
"""A mask is far from its target if its IoU differs by more than this."""


def list_keywords(contents: ReleaseContents) -> list[str]:
    """List the keywords of a release."""
    kind = contents.kind
    return [
        *("noisy labels", "label noise"),
        "video object segmentation" if kind.layout.is_video else kind.layout.task,
        *["referring segmentation"] * kind.has_prompts,
        *["egocentric video"] * (kind.has_actions or is_visor(contents)),
    ]


def count_contents(configuration: Configuration) -> dict[str, int]:
    """Count the sequences, frames and objects of a configuration's noisy split.

    In a dataset of images, each sequence is an image, and has no other frame.
    """
    sequences = configuration.split.noisy.sequences
    counts: Counter[str] = Counter(sequences=len(sequences))
    for sequence in sequences:
        counts.update(frames=len(sequence.frames), objects=len(sequence.objects))
    named = {"sequences": "images"} if not configuration.kind.layout.is_video else {}
    names = ("sequences", *["frames"] * (not named), "objects")
    return {named.get(name, name): counts[name] for name in names}


def count_rows(contents: ReleaseContents, configuration: Configuration) -> int:
    """Count the rows of a configuration's noisy split; 0 without data."""
    return sum(
        file.rows or 0
        for file in contents.files
        if file.role == "parquet"
        and file.configuration == configuration.name
        and file.split == configuration.split.recipe.split
    )


def count_absent(contents: ReleaseContents, configuration: Configuration) -> int:
    """Count the pairs of an object and a frame without a mask; 0 without data or masks."""
    rows = count_rows(contents, configuration)
    if not rows or MASKS not in configuration.documents.kinds:
        return 0
    sequences = configuration.split.noisy.sequences
    return sum(len(entry.frames) * len(entry.objects) for entry in sequences) - rows


def count_cut(configuration: Configuration) -> int:
    """Count the masks without noise of their own that lost pixels to a changed neighbour.

    An import cannot distinguish them from other differences: its ledger lists them.
    """
    if configuration.origin is not None:
        return 0
    cut = configuration.documents.read_section("bystanders").get("cut")
    return cut if isinstance(cut, int) else 0


def count_far(configuration: Configuration) -> tuple[int, int]:
    """Count the masks that are far from their target on disk, and those with a target."""
    aimed = [
        abs(row.iou - row.iou_target)
        for row in configuration.documents.mask_rows
        if row.iou_target is not None
    ]
    return sum(distance > FAR for distance in aimed), len(aimed)


def count_names(contents: ReleaseContents, most: int = 3) -> tuple[list[tuple[str, int]], int]:
    """Count the objects with each of the most frequent clean names, and all objects.

    Each split counts once.
    """
    sequences = {}
    for entry in contents.configurations:
        folders = {sequence.folder for sequence in entry.split.noisy.sequences}
        for sequence in entry.split.source.sequences:
            if sequence.folder in folders:
                sequences[entry.split.recipe.split, sequence.folder] = sequence
    counts = Counter(label.name for entry in sequences.values() for label in entry.objects)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:most], counts.total()


def count_videos(configurations: Iterable[Configuration]) -> tuple[int, int]:
    """Count the videos of the noisy splits, and their participants by the codes of VISOR."""
    videos = {
        sequence.video for entry in configurations for sequence in entry.split.noisy.sequences
    }
    return len(videos), len({video.partition("_")[0] for video in videos})


def list_evaluation_splits(contents: ReleaseContents) -> list[str]:
    """List the noisy splits that are evaluation splits of the source, by their names."""
    splits = dict.fromkeys(entry.split.recipe.split for entry in contents.configurations)
    return [split for split in splits if find_purpose(split) in ("val", "test")]


def list_training_splits(contents: ReleaseContents) -> list[str]:
    """List the noisy splits that may serve for training: those that are not for evaluation."""
    evaluated = list_evaluation_splits(contents)
    splits = dict.fromkeys(entry.split.recipe.split for entry in contents.configurations)
    return [split for split in splits if split not in evaluated]


def find_purpose(split: str) -> str | None:
    """Find what the name of a split says that it is for: ``train``, ``val`` or ``test``.

    >>> [find_purpose(name) for name in ("val_human", "instances_train2017", "2017/valid", "all")]
    ['val', 'train', 'val', None]
    """
    words = re.findall("[a-z]+", split.lower())
    return next((use for use in PURPOSES for word in words if word.startswith(use)), None)


def list_changed_media(configurations: Iterable[Configuration]) -> set[str]:
    """List what the noise of configurations changes on disk.

    ``masks``, ``text``, ``labels`` (of active objects) and ``categories``.
    """
    noises = [noise for entry in configurations for noise in entry.split.recipe.noises]
    renamed = {"objects": "masks", "polygons": "masks", "labels.class": "categories"}
    return {renamed.get(noise.place, renamed.get(noise.medium, noise.medium)) for noise in noises}


def find_repeats(contents: ReleaseContents) -> dict[tuple[str, str], str]:
    """Find media that are those of an earlier configuration, by their digests.

    Returns
    -------
    dict of (str, str) to str
        The earlier configuration by configuration and medium.
    """
    first: dict[tuple[str, str, frozenset[tuple[str, str]]], str] = {}
    repeats = {}
    for entry in contents.configurations:
        for medium in list_changed_media([entry]):
            digests = frozenset(_list_digests(entry, medium))
            key = (medium, entry.split.recipe.split, digests)
            earlier = first.setdefault(key, entry.name)
            if digests and earlier != entry.name:
                repeats[entry.name, medium] = earlier
    return repeats


def find_clean_masks(contents: ReleaseContents) -> Configuration | None:
    """Find a configuration with unchanged masks beside one with noisy masks of the same split."""
    noisy = {
        entry.split.recipe.split
        for entry in contents.configurations
        if entry.split.recipe.changes_masks
    }
    return next(
        (
            entry
            for entry in contents.configurations
            if not entry.split.recipe.changes_masks
            and MASKS in entry.documents.kinds
            and entry.split.recipe.split in noisy
        ),
        None,
    )


def _list_digests(configuration: Configuration, medium: str) -> Iterable[tuple[str, str]]:
    """List the digests of the masks, of the prompts and objects files, or of the list.

    Categories are in all documents of a dataset but its list.
    """
    split = configuration.split.recipe.split
    digests = configuration.documents.digests.items()
    if medium == "categories":
        lists = (SEQUENCES_FILE, f"{IMAGE_SETS}/{split}.json")
        return [item for item in digests if not (is_mask_name(item[0]) or item[0] in lists)]
    beginning = {
        "masks": f"{MASKS}/",
        "text": f"{IMAGE_SETS}/{split}_",
        "labels": f"{IMAGE_SETS}/{split}.json",
    }[medium]
    return [(name, digest) for name, digest in digests if name.startswith(beginning)]
