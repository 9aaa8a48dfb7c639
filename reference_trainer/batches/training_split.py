"""What is learnt from, or predicted: the sequences of a split with their prompts, and where their
frames and masks lie. Clean, or overlaid by a noisy copy.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import (
    find_dangling_link,
    read_bytes,
    refuse_missing,
)
from actiseg_data.core.names import format_names
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, Split, open_split
from actiseg_data.layouts.image_sets import PROMPT_STYLES, Expression, name_expressions_file
from actiseg_data.layouts.photograph_reading import read_size, refuse_aspect
from actiseg_data.layouts.photograph_search import look_around
from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from actiseg_data.records.rendered_note import has_rendered_frames
from reference_trainer.batches.tokens import is_cut


@dataclass(frozen=True)
class Prompt:
    """One prompt of a sequence: what is asked, and the answer. The flags are those of
    `ObjectLabel`.
    """

    object_id: int
    text: str
    positive: bool
    handbox: bool
    narration: bool


@dataclass(frozen=True)
class Clip:
    """A sequence and its prompts, in the order of the file.

    first_unit: running number, in the split, of the first frame of its first object; units go by
    object, then by frame.
    """

    sequence: VideoSequence
    prompts: tuple[Prompt, ...]
    first_unit: int


@dataclass(frozen=True)
class Material:
    """A split to learn from or to predict.

    clean: where frames lie. masks: where masks lie; the clean split or the noisy copy.
    recipe_digest: of the noise, None of none or of a copy without a recipe. rendered: its frames
    are painted, not photographs. handled: counts of what is odd.
    """

    clean: Split
    masks: Split
    clips: tuple[Clip, ...]
    style: str
    recipe_digest: str | None
    rendered: bool
    handled: Mapping[str, int]

    @property
    def prompts(self) -> int:
        """How many (sequence, object) there are."""
        return sum(len(clip.prompts) for clip in self.clips)

    @property
    def units(self) -> int:
        """How many (sequence, object, frame) there are."""
        return sum(len(clip.prompts) * len(clip.sequence.frames) for clip in self.clips)

    def find_frame(self, sequence: VideoSequence, frame: str) -> Path:
        return self.clean.find_frame(sequence, frame)

    def find_frames(self, sequence: VideoSequence) -> list[Path]:
        return self.clean.frames(sequence)


def open_material(
    root: Path,
    split: str,
    *,
    noisy: Path | None = None,
    style: str = "promptaction",
    labelled: bool = True,
) -> Material:
    """A split of an ActionVOS root, as labelled there or in a noisy copy.

    noisy: a folder that ``actiseg-noise corrupt`` made, or another copy in the same layout; its
    masks and prompts take the place of the clean ones. style: of the prompts. labelled: whether
    there must be masks. Raises `InputError` if the copy is of other sequences, if frames have no
    photograph or one of another aspect ratio than their mask, or if prompts and the list do not
    fit.
    """
    if style not in PROMPT_STYLES:
        raise refuse(
            f"{style!r} is no style of prompts",
            "--prompt-style",
            f"use one of {', '.join(PROMPT_STYLES)}",
        )
    if (root / RECIPE_FILE).is_file():
        raise refuse(
            "is a noisy split, which has no frames of its own",
            root,
            "give the clean dataset" + (", and this folder as --noisy" if labelled else ""),
        )
    if noisy is not None and os.path.realpath(noisy) == os.path.realpath(root):
        raise refuse(
            "is the clean dataset itself", noisy, "leave --noisy out, or give a noisy copy"
        )
    clean = open_split(root, split, masks=labelled)
    masks, digest = clean, None
    if noisy is not None:
        masks, digest = _open_noisy(noisy, clean)
    clips = _clips(masks, _expressions(masks, style))
    _refuse_unfit_frames(clean)
    return Material(clean, masks, clips, style, digest, has_rendered_frames(root), _odd(clips))


def content_digest(material: Material) -> str:
    """A digest of all that is learnt from, wherever it lies: prompts with their flags, masks by
    their bytes, frames by their size in bytes (they are a thousand times as large).
    """
    document = [
        [
            *clip.sequence.identity,
            [[of.object_id, of.text, of.positive, of.handbox, of.narration] for of in clip.prompts],
            [_file_digest(path) for path in material.masks.find_masks(clip.sequence)],
            [
                [frame, path.stat().st_size]
                for frame, path in zip(
                    clip.sequence.frames, material.find_frames(clip.sequence), strict=True
                )
            ],
        ]
        for clip in material.clips
    ]
    return digest_json(document)


def _file_digest(path: Path) -> str:
    return hashlib.blake2b(read_bytes(path, "mask"), digest_size=16).hexdigest()


def refuse_in_dataset(folder: Path) -> None:
    """Refuse to make a folder somewhere below a dataset."""
    for above in Path(os.path.realpath(folder)).parents:
        if (above / IMAGE_SETS).is_dir() or (above / RECIPE_FILE).is_file():
            raise refuse(f"lies inside a dataset, {above}", folder, "name another folder as --out")


def _open_noisy(noisy: Path, clean: Split) -> tuple[Split, str | None]:
    """A noisy copy of a split, and the digest of its recipe, if it has one."""
    digest = None
    if (noisy / RECIPE_FILE).is_file():
        recipe = read_recipe(noisy / RECIPE_FILE)
        digest = recipe.digest
        if recipe.split != clean.name:
            raise refuse(
                f"holds noise on the split {recipe.split!r}, not on {clean.name!r}",
                noisy,
                f"make one with actiseg-noise corrupt --split {clean.name}, or give --split "
                f"{recipe.split}",
            )
    opened = open_split(noisy, clean.name)
    ours = {of.folder: of for of in clean.sequences}
    theirs = {of.folder: of for of in opened.sequences}
    odd = sorted(ours.keys() ^ theirs.keys())
    odd += sorted(
        folder
        for folder in ours.keys() & theirs.keys()
        if _labels(ours[folder]) != _labels(theirs[folder])
    )
    if odd:
        raise refuse(
            f"is of another list: {len(odd)} sequences differ in what they hold, {odd[0]} among "
            "them",
            noisy,
            f"give a noisy copy of the whole split {clean.name!r} of {clean.root}",
        )
    return opened, digest


def _labels(sequence: VideoSequence) -> tuple[object, ...]:
    """What noise never changes."""
    objects = [(of.object_id, of.positive, of.handbox, of.narration) for of in sequence.objects]
    return sequence.frames, sorted(objects)


def _expressions(split: Split, style: str) -> dict[str, tuple[Expression, ...]]:
    file = name_expressions_file(split.name, style)
    if not split.has_document(file):
        there = [
            of for of in PROMPT_STYLES if split.has_document(name_expressions_file(split.name, of))
        ]
        raise refuse(
            f"there are no prompts in the style {style!r}",
            split.root / "ImageSets" / file,
            f"give --prompt-style {there[0]}" if there else "prepare the split again",
        )
    return split.read_expressions(style)


def _clips(split: Split, expressions: Mapping[str, Sequence[Expression]]) -> tuple[Clip, ...]:
    clips: list[Clip] = []
    problems = ProblemCollector()
    unit = 0
    for sequence in split.sequences:
        labels = {label.object_id: label for label in sequence.objects}
        where = f"{split.root}: {sequence.folder}"
        asked = expressions.get(sequence.folder)
        if not asked:
            problems.add("has no prompt", where, "prepare the split again")
            continue
        prompts: list[Prompt] = []
        for expression in asked:
            # Files for inference alone give no object; theirs are numbered in order.
            object_id = expression.object_id or len(prompts) + 1
            label = labels.get(object_id)
            if label is None:
                problems.add(
                    f"asks for the object {object_id}, which the list lacks",
                    where,
                    "prepare the split again",
                )
                continue
            prompts.append(
                Prompt(object_id, expression.exp, label.positive, label.handbox, label.narration)
            )
        clips.append(Clip(sequence, tuple(prompts), unit))
        unit += len(prompts) * len(sequence.frames)
    problems.raise_if_any()
    return tuple(clips)


def _odd(clips: Sequence[Clip]) -> Counter[str]:
    """What is odd and handled."""
    counts = Counter(
        clips_with_one_frame=sum(len(clip.sequence.frames) == 1 for clip in clips),
        sequences_without_active_object=sum(
            not any(prompt.positive for prompt in clip.prompts) for clip in clips
        ),
        prompts_cut=sum(is_cut(prompt.text) for clip in clips for prompt in clip.prompts),
    )
    return +counts


def _refuse_unfit_frames(clean: Split) -> None:
    """Refuse a split with frames that lack a photograph, or have one of another aspect ratio than
    their mask.
    """
    there: list[tuple[Path, Path]] = []
    lacking: list[Path] = []
    for sequence in clean.sequences:
        if sequence.folder not in clean.subsets:
            folder = clean.root / FRAMES / sequence.folder
            lacking += [folder / f"{frame}.jpg" for frame in sequence.frames]
            continue
        masks = clean.find_masks(sequence)
        for path, mask in zip(clean.frames(sequence), masks, strict=True):
            if path.is_file():
                there.append((path, mask))
            else:
                lacking.append(path)
    if lacking:
        raise _missing_frames(clean, lacking, len(there) + len(lacking))
    problems = ProblemCollector()
    for path, mask in there:
        with problems.collect():
            size = read_size(path)
            if mask.is_file():
                refuse_aspect(size, read_size(mask), path)
    problems.raise_if_any()


def _missing_frames(split: Split, lacking: Sequence[Path], total: int) -> InputError:
    """The refusal of frames without a photograph. lacking: their expected paths."""
    if find_dangling_link(lacking[0]) is not None:
        many = f"there is no picture for {len(lacking)} of {total} frames"
        raise refuse_missing(lacking[0], many, "restore them")
    known = {frame for sequence in split.sequences for frame in sequence.frames}
    around = look_around(lacking[0].parent, lacking[0].stem, split.root, known)
    named = format_names([f"{path.parent.name}/{path.stem}" for path in lacking])
    what = f"there is no picture for {len(lacking)} of {total} frames: {named}"
    if len(lacking) == total:
        what = f"there is no picture for any of {total} frames"
    if len(lacking) == total or around.hint:
        what = f"{what}; {around}"
    put = around.hint or "put the photographs there (actiseg-noise prepare visor --images)"
    return refuse(
        what,
        split.root / FRAMES,
        f"{put}, or paint frames from the masks: actiseg-noise render {split.root} --split "
        f"{split.name}",
    )
