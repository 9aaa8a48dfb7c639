"""Golden digests: what every preset makes of datasets that are known, on any machine.

They stand in ``data_manifests/golden.json``. A library that draws other pixels than the one they
were made with is found out by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from actiseg_data.annotations.masks import digest_pixels
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import Cursor, parse_json
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import Split, list_splits, open_split
from actiseg_data.records.split_records import Recipe
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.presets import MANIFESTS, load_preset, load_presets
from actiseg_noise.text_noise.agreement import match_case
from actiseg_noise.text_noise.sequence_words import TextCorruptor

SCHEMA = "actiseg/golden/1"


@dataclass(frozen=True)
class Golden:
    """What is known of one dataset.

    about: what it is and how to get it. clean: digest of all masks (see `digest_of_masks`) of the
    dataset as it is; names: of what its objects are called. presets: of what each preset makes of
    it.
    """

    name: str
    about: str
    split: str
    clean: str
    names: str
    presets: Digests


@dataclass(frozen=True)
class Digests:
    """What presets make of a dataset, by preset.

    masks: digests of all masks, of those with mask noise. text: digests of what objects are called
    (see `digest_of_names`), of those with text noise.
    """

    masks: Mapping[str, str]
    text: Mapping[str, str]

    @property
    def presets(self) -> set[str]:
        """Names of all presets."""
        return set(self.masks) | set(self.text)


def digest_of_masks(digests: Iterable[tuple[VideoSequence, list[str]]]) -> str:
    """One digest of all masks of a split, from the pixel digests of each sequence in frame order.

    By what a mask is, not by its path, so that it does not depend on how sequences are numbered.
    """
    return digest_json(
        {
            "/".join((*map(str, sequence.identity), frame)): digest
            for sequence, of in digests
            for frame, digest in zip(sequence.frames, of, strict=True)
        }
    )


def load_golden() -> dict[str, Golden]:
    """The golden digests by the dataset's name."""
    file = resources.files(MANIFESTS) / "golden.json"
    if not file.is_file():
        raise refuse("the golden digests are missing", file.name, "reinstall actiseg")
    top = Cursor(parse_json(file.read_bytes(), file.name), file.name)
    if top["schema"].text() != SCHEMA:
        raise refuse(f"is no document of schema {SCHEMA!r}", file.name, "reinstall actiseg")
    return {
        name: Golden(
            name=name,
            about=entry["about"].text(),
            split=entry["split"].text(),
            clean=entry["clean"].text(),
            names=entry["names"].text(),
            presets=Digests(_texts(entry["masks"]), _texts(entry["text"])),
        )
        for name, entry in top["datasets"].members()
    }


def recognise(root: Path, workers: int = 1) -> Golden:
    """The golden digests of a dataset, known by its clean masks and names; `InputError` for an unknown
    one.
    """
    known = load_golden()
    have = list_splits(root)
    for golden in known.values():
        if golden.split in have:
            split = open_split(root, golden.split)
            if digest_of_names(split.sequences) != golden.names:
                continue
            if clean_digest(split, workers) == golden.clean:
                return golden
    raise refuse(
        "has other masks or names than the datasets whose digests are known",
        root,
        "give one of these: " + "; ".join(f"{of.name} ({of.about})" for of in known.values()),
    )


def clean_digest(split: Split, workers: int = 1) -> str:
    """`Golden.clean` of a split."""
    found = run_parallel(_clean_digests, split, split.sequences, workers)
    return digest_of_masks(zip(split.sequences, found, strict=True))


def _clean_digests(split: Split, sequence: VideoSequence) -> list[str]:
    """Digests of the pixels of a sequence's clean masks, in frame order."""
    return [digest_pixels(mask) for mask in split.iterate_masks(sequence)]


def derive(
    root: Path,
    split: str,
    only: Iterable[str] = (),
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Digests:
    """Apply presets, at seed 0, to a split in memory, and digest what comes out.

    only: names of presets, instead of all. Raises `InputError` where the split is faulty or a preset
    unknown.
    """
    opened = open_split(root, split)
    presets = [load_preset(name) for name in only] or load_presets().values()
    recipes = {preset.name: preset.recipe(split=split) for preset in presets}
    masked = {name: of for name, of in recipes.items() if of.mask_noise is not None}
    with stage("deriving presets") as progress:
        found = run_parallel(_digests, (opened, masked), opened.sequences, workers, progress)
    return Digests(
        masks={
            name: digest_of_masks(zip(opened.sequences, (of[name] for of in found), strict=True))
            for name in masked
        },
        text={
            name: digest_of_names(opened.sequences, TextCorruptor(recipe))
            for name, recipe in recipes.items()
            if recipe.text_noise is not None
        },
    )


def digest_of_names(sequences: Iterable[VideoSequence], noise: TextCorruptor | None = None) -> str:
    """One digest of class and name of every object of a split, by what a sequence is.

    noise: digest what its recipe, at its plain rate, makes of them, instead.
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


def _digests(
    shared: tuple[Split, dict[str, Recipe]], sequence: VideoSequence
) -> dict[str, list[str]]:
    """Digests of one sequence's noisy masks, in frame order, by preset."""
    split, recipes = shared
    clean = split.read_masks(sequence)
    return {
        name: [digest_pixels(noise.mask) for noise in corrupt_sequence(sequence, clean, recipe)]
        for name, recipe in recipes.items()
    }


def mismatches(golden: Golden, found: Digests) -> list[str]:
    """One line for each preset whose pixels or words are not the golden ones, or that has none."""
    lines = []
    for what, ours, theirs in (
        ("pixels", found.masks, golden.presets.masks),
        ("words", found.text, golden.presets.text),
    ):
        for name, digest in ours.items():
            if name not in theirs:
                lines.append(f"{name}: has no golden digest of its {what} on {golden.name}")
            elif theirs[name] != digest:
                lines.append(f"{name}: gives other {what} on {golden.name} than it should")
    return lines


def _texts(cursor: Cursor) -> dict[str, str]:
    return {name: value.text() for name, value in cursor.members()}
