"""The sequences of a split with their prompts, for training or prediction.

Frames come from the clean dataset. Masks and prompts come from it too, from a noisy copy, or from
noise on the fly.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, check_choice, refuse
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import PROMPT_STYLES, Expression, name_expressions_file
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.layouts.photograph_reading import COPY_FRAMES, read_size, refuse_aspect
from actiseg_data.layouts.photograph_search import look_around
from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from actiseg_data.records.rendered_note import has_rendered_frames
from reference_trainer.batches.live_noise import open_live_noise
from reference_trainer.batches.tokens import is_cut

if TYPE_CHECKING:
    from reference_trainer.batches.live_noise import NoisyLabels


@dataclass(frozen=True)
class Prompt:
    """A prompt for one object of a sequence, with the flags of its `ObjectLabel`.

    Attributes
    ----------
    object_id : int
    text : str
    positive, handbox, narration : bool
    class_id : int
        The class that the prompt names.
    """

    object_id: int
    text: str
    positive: bool
    handbox: bool
    narration: bool
    class_id: int = -1


@dataclass(frozen=True)
class PromptedSequence:
    """A sequence with its prompts, in the order of the file.

    Attributes
    ----------
    sequence : VideoSequence
    prompts : tuple of Prompt
    first_unit : int
        Number, in the split, of the unit of the first frame and the first object. Units are
        numbered by object, then by frame.
    """

    sequence: VideoSequence
    prompts: tuple[Prompt, ...]
    first_unit: int


@dataclass(frozen=True, repr=False)
class TrainingSplit:
    """A split to learn from or to predict.

    Attributes
    ----------
    clean : ActionSplit
        The split with the frames.
    labels : ActionSplit
        The split with the masks and prompts: the clean split, a noisy copy, or `live.split`.
    sequences : tuple of PromptedSequence
    prompt_style : str
    recipe_digest : str or None
        Digest of the noise recipe; None without noise, or for a copy without a recipe.
    rendered : bool
        Whether the frames are rendered, not photographs.
    handled : mapping of str to int
        Counts of special cases.
    untouched : bool
        Whether only labels are learned that noise did not change, see `restrict_to_untouched`.
    live : NoisyLabels or None
        The noise on the fly, if the labels are from there.
    """

    clean: ActionSplit
    labels: ActionSplit
    sequences: tuple[PromptedSequence, ...]
    prompt_style: str
    recipe_digest: str | None
    rendered: bool
    handled: Mapping[str, int]
    untouched: bool = False
    live: NoisyLabels | None = None

    def __repr__(self) -> str:
        return (
            f"TrainingSplit({self.clean.name!r} of {str(self.clean.root)!r}, "
            f"{count_nouns(len(self.sequences), 'sequence')}, "
            f"{count_nouns(self.prompt_count, 'prompt')})"
        )

    @property
    def videos(self) -> set[str]:
        """The videos that the sequences are cut from."""
        return {item.sequence.video for item in self.sequences}

    @property
    def prompt_count(self) -> int:
        """Number of (sequence, object) pairs."""
        return sum(len(item.prompts) for item in self.sequences)

    @property
    def unit_count(self) -> int:
        """Number of units: (sequence, object, frame)."""
        return sum(len(item.prompts) * len(item.sequence.frames) for item in self.sequences)


def open_training_split(
    dataset: str | Path,
    split: str,
    *,
    noisy: str | Path | None = None,
    noise: str | Path | None = None,
    prompt_style: str = "promptaction",
    needs_masks: bool = True,
) -> TrainingSplit:
    """Open a split of an ActionVOS root, with its own labels or with noisy ones.

    Parameters
    ----------
    dataset : str or Path
        The clean dataset, with frames.
    split : str
        Name of the action list.
    noisy : str or Path, optional
        Output of ``actiseg-noise corrupt``, or another copy in the same layout. Its masks and
        prompts replace the clean ones.
    noise : str or Path, optional
        The recipe file of noise on the fly. The labels are those of the copy that
        ``actiseg-noise corrupt`` writes for it. Not together with `noisy`.
    prompt_style : str
        ``promptaction``, ``action`` or ``noaction``.
    needs_masks : bool
        Whether masks must exist.

    Raises
    ------
    InputError
        If the copy has other sequences, if a frame has no photograph or one with another aspect
        ratio than its mask, or if the prompts do not match the action list.
    """
    root, copy = Path(dataset), None if noisy is None else Path(noisy)
    check_choice(prompt_style, PROMPT_STYLES, "prompt_style")
    if (root / RECIPE_FILE).is_file():
        raise refuse(
            "is a noisy split, but frames are read from the clean dataset",
            root,
            "give the clean dataset" + (", and this folder as `noisy`" if needs_masks else ""),
        )
    if copy is not None and os.path.realpath(copy) == os.path.realpath(root):
        raise refuse("is the clean dataset itself", copy, "give a noisy copy of it, or none")
    clean = open_action_split(root, split, masks=needs_masks)
    labels, digest, live = clean, None, None
    if copy is not None:
        labels, digest = _open_noisy(copy, clean)
    elif noise is not None:
        live = open_live_noise(clean, Path(noise))
        labels, digest = live.split, live.recipe.digest
    sequences = _join_prompts(labels, _read_expressions(labels, prompt_style))
    _refuse_bad_frames(clean)
    return TrainingSplit(
        clean=clean,
        labels=labels,
        sequences=sequences,
        prompt_style=prompt_style,
        recipe_digest=digest,
        rendered=has_rendered_frames(root),
        handled=count_special_cases(sequences),
        live=live,
    )


def read_clean_prompts(split: TrainingSplit) -> tuple[PromptedSequence, ...]:
    """Return the sequences of a split with the prompts and labels of the clean dataset."""
    return _join_prompts(split.clean, _read_expressions(split.clean, split.prompt_style))


def read_labelled_prompts(split: TrainingSplit) -> tuple[PromptedSequence, ...]:
    """Return the sequences of a split with all prompts and labels of its noisy copy, if any."""
    return _join_prompts(split.labels, _read_expressions(split.labels, split.prompt_style))


def refuse_in_dataset(folder: Path) -> None:
    """Raise an error if a new folder would be inside a dataset."""
    for parent in Path(os.path.realpath(folder)).parents:
        if (parent / IMAGE_SETS).is_dir() or (parent / RECIPE_FILE).is_file():
            raise refuse(f"is inside a dataset, {parent}", folder, "give another folder as `out`")


def _open_noisy(noisy: Path, clean: ActionSplit) -> tuple[ActionSplit, str | None]:
    """Open a noisy copy of a split, and return the digest of its recipe if it has one."""
    digest, has_flips = None, False
    if (noisy / RECIPE_FILE).is_file():
        recipe = read_recipe(noisy / RECIPE_FILE)
        digest = recipe.digest
        has_flips = recipe.activity_noise is not None
        if recipe.split != clean.name:
            raise refuse(
                f"has noise on the split {recipe.split!r}, not on {clean.name!r}",
                noisy,
                f"run actiseg-noise corrupt --split {clean.name}, or give `split` {recipe.split}",
            )
    opened = open_action_split(noisy, clean.name)
    ours = {sequence.folder: sequence for sequence in clean.sequences}
    theirs = {sequence.folder: sequence for sequence in opened.sequences}
    different = sorted(ours.keys() ^ theirs.keys())
    different += sorted(
        folder
        for folder in ours.keys() & theirs.keys()
        if _list_constant_labels(ours[folder], has_flips=has_flips)
        != _list_constant_labels(theirs[folder], has_flips=has_flips)
    )
    if different:
        raise refuse(
            "has another action list: "
            f"{count_nouns(len(different), 'sequence has', 'sequences have')} other frames or "
            f"objects, such as {different[0]}",
            noisy,
            f"give a noisy copy of the whole split {clean.name!r} of {clean.root}",
        )
    return opened, digest


def _list_constant_labels(sequence: VideoSequence, *, has_flips: bool) -> tuple[object, ...]:
    """Return the labels that noise does not change; with flips, it changes which are active."""
    objects = [
        (label.object_id, label.positive or has_flips, label.handbox, label.narration)
        for label in sequence.objects
    ]
    return sequence.frames, sorted(objects)


def _read_expressions(split: ActionSplit, style: str) -> dict[str, tuple[Expression, ...]]:
    file = name_expressions_file(split.name, style)
    if not split.has_document(file):
        available = [
            name
            for name in PROMPT_STYLES
            if split.has_document(name_expressions_file(split.name, name))
        ]
        raise refuse(
            f"there are no prompts in the style {style!r}",
            split.root / "ImageSets" / file,
            f"give `prompt_style` {available[0]}" if available else "prepare the split again",
        )
    return split.read_expressions(style)


def _join_prompts(
    split: ActionSplit, expressions: Mapping[str, Sequence[Expression]]
) -> tuple[PromptedSequence, ...]:
    """Attach prompts to all sequences, and number the units."""
    sequences: list[PromptedSequence] = []
    problems = ProblemCollector()
    unit = 0
    for sequence in split.sequences:
        where = f"{split.root}: {sequence.folder}"
        own_expressions = expressions.get(sequence.folder)
        if not own_expressions:
            problems.add("has no prompt", where, "prepare the split again")
            continue
        prompts = _make_prompts(sequence, own_expressions, where, problems)
        sequences.append(PromptedSequence(sequence, prompts, unit))
        unit += len(prompts) * len(sequence.frames)
    problems.raise_if_any()
    return tuple(sequences)


def _make_prompts(
    sequence: VideoSequence,
    expressions: Sequence[Expression],
    where: str,
    problems: ProblemCollector,
) -> tuple[Prompt, ...]:
    labels = {label.object_id: label for label in sequence.objects}
    prompts: list[Prompt] = []
    for expression in expressions:
        # Files for inference alone name no object; number their prompts in order.
        object_id = expression.object_id or len(prompts) + 1
        label = labels.get(object_id)
        if label is None:
            what = f"has a prompt for the object {object_id}, which the list lacks"
            problems.add(what, where, "prepare the split again")
            continue
        class_id = label.class_id if expression.class_id is None else expression.class_id
        flags = label.positive, label.handbox, label.narration
        prompts.append(Prompt(object_id, expression.exp, *flags, class_id))
    return tuple(prompts)


def count_special_cases(sequences: Sequence[PromptedSequence]) -> Counter[str]:
    """Count the sequences and prompts that training handles in a special way."""
    counts = Counter(
        sequences_with_one_frame=sum(len(item.sequence.frames) == 1 for item in sequences),
        sequences_without_active_object=sum(
            not any(prompt.positive for prompt in item.prompts) for item in sequences
        ),
        prompts_cut=sum(is_cut(prompt.text) for item in sequences for prompt in item.prompts),
    )
    return +counts


def _refuse_bad_frames(clean: ActionSplit) -> None:
    """Raise an error if photographs are missing or have another aspect ratio than their mask."""
    present: list[tuple[Path, Path]] = []
    missing: list[Path] = []
    for sequence in clean.sequences:
        if sequence.folder not in clean.subsets:
            folder = clean.root / FRAMES / sequence.folder
            missing += [folder / f"{frame}.jpg" for frame in sequence.frames]
            continue
        masks = clean.find_masks(sequence)
        for path, mask in zip(clean.frames(sequence), masks, strict=True):
            if path.is_file():
                present.append((path, mask))
            else:
                missing.append(path)
    if missing:
        raise _refuse_missing_frames(clean, missing, len(present) + len(missing))
    problems = ProblemCollector()
    for path, mask in present:
        with problems.collect():
            size = read_size(path)
            if mask.is_file():
                refuse_aspect(size, read_size(mask), path)
    problems.raise_if_any()


def _refuse_missing_frames(split: ActionSplit, missing: Sequence[Path], total: int) -> InputError:
    """Build the error for frames without a photograph at their expected paths."""
    if find_dangling_link(missing[0]) is not None:
        count = f"there is no image for {len(missing)} of {count_nouns(total, 'frame')}"
        raise refuse_missing(missing[0], count, "restore them", COPY_FRAMES)
    known = {frame for sequence in split.sequences for frame in sequence.frames}
    around = look_around(missing[0].parent, missing[0].stem, split.root, known)
    named = format_names([f"{path.parent.name}/{path.stem}" for path in missing])
    what = f"there is no image for {len(missing)} of {count_nouns(total, 'frame')}: {named}"
    if len(missing) == total:
        what = f"there is no image for any of {count_nouns(total, 'frame')}"
    if len(missing) == total or around.hint:
        what = f"{what}; {around}"
    add = around.hint or "add the photographs (actiseg-noise prepare visor --images)"
    return refuse(
        what,
        split.root / FRAMES,
        f"{add}, or render frames from the masks: actiseg-noise render {split.root} --split "
        f"{split.name}",
    )
