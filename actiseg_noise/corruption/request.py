"""Check what a run of `corrupt` asks for, before any mask is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, check_choice, refuse, suggest
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.files import check_outside, is_occupied
from actiseg_data.core.listing import list_files, list_folder
from actiseg_data.core.names import format_names
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.davis import strip_year
from actiseg_data.layouts.document_search import strip_ending
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import (
    RECIPE_FILE,
    Noise,
    Recipe,
    read_recipe,
)
from actiseg_noise.corruption.clean_source import freeze_recipe, open_clean_split
from actiseg_noise.corruption.licence_notice import compose_licences
from actiseg_noise.corruption.split_plan import CopySource
from actiseg_noise.media.registry import needs_lexicon, needs_masks
from actiseg_noise.recipes.building import check_recipe, make_recipe, name_type
from actiseg_noise.recipes.kind_parameters import normalise_value
from actiseg_noise.recipes.kind_specs import IMPORTED, list_type_names
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons
from actiseg_noise.recipes.presets import Preset, load_preset
from actiseg_noise.split.noise_inputs import INSTALLED, NoiseInputs
from actiseg_noise.split.noisy_split import choose_differences
from actiseg_noise.split.partial_split import is_own, name_partial_folder

IMAGES = ("link", "copy", "none")
WEIGHTS_CHOICES = ("derive", "none")
_LEAVE_OUT = "leave the frames out: give none as `images`"


@dataclass(frozen=True)
class CorruptionOptions:
    """The options of a run that are not part of the recipe, as the caller gave them.

    Attributes
    ----------
    out : Path or None
        Folder to make. None uses `name_output`.
    only : tuple of str, optional
        Sequence folders to copy. Empty copies all.
    images : str
        How frames get into the copy: ``link``, ``copy`` or ``none``.
    weights : str
        ``derive`` makes training weights for the noisy masks, ``none`` leaves weights out.
    with_clean : tuple of str
        Clean lists to add to the copy.
    overwrite : bool
        Whether to replace a different noisy split at `out`.
    inputs : NoiseInputs
        What the noise depends on besides the recipe and the clean split.
    source_name : str or None
        What ``summary.json`` names as the source. None names the path of the dataset.
    layout : str or None
        The layout of the dataset. None recognises it.
    form : DatasetForm or None
        Where a dataset without action lists keeps its files. None finds them by the layout.
    licence : str or None
        SPDX identifier of the licence of a dataset without action lists. None takes its file.
    """

    out: Path | None = None
    only: tuple[str, ...] | None = None
    images: str = "link"
    weights: str = "derive"
    with_clean: tuple[str, ...] = ()
    overwrite: bool = False
    inputs: NoiseInputs = INSTALLED
    source_name: str | None = None
    layout: str | None = None
    form: DatasetForm | None = None
    licence: str | None = None

    def check(self, recipe: Recipe) -> None:
        """Raise `InputError` for an unknown choice, or for an option that has no effect."""
        check_choice(self.images, IMAGES, "images")
        check_choice(self.weights, WEIGHTS_CHOICES, "weights")
        if self.inputs.lexicon is not None and not needs_lexicon(recipe):
            raise refuse("has no effect without text noise", "`lexicon`", "leave it out")
        imported = [noise for noise in recipe.noises if noise.kind == IMPORTED]
        for noise in imported:
            choose_differences(noise, self.inputs.differences)
        if self.inputs.differences is not None and not imported:
            what = "have no effect without imported noise"
            raise refuse(what, "`differences`", "leave them out")


@dataclass(frozen=True)
class CorruptionRequest:
    """A run that passed all checks that do not need masks.

    Attributes
    ----------
    source : CopySource
        What goes into the copy, and the recipe.
    out : Path
        Folder to make.
    images : str
        How frames get into the copy, see `CorruptionOptions`.
    overwrite : bool
        Whether to replace a different noisy split at `out`.
    licences : tuple of str
        LICENSE and NOTICE of the copy.
    source_name : str or None
        What the summary names as the source, see `CorruptionOptions`.
    """

    source: CopySource
    out: Path
    images: str
    overwrite: bool
    licences: tuple[str, str]
    source_name: str | None = None

    @property
    def recipe(self) -> Recipe:
        """The checked recipe."""
        return self.source.recipe

    @property
    def images_taken(self) -> str:
        """How frames get into the copy, or that the source has none."""
        if any(folder.is_dir() for folder in self._iterate_frame_folders()):
            return self.images
        return "none: the source has no frames"

    def refuse_dangling_frames(self) -> None:
        """Refuse frames, or folders of frames, that are dangling links.

        Nothing is refused if frames are left out. If folders are linked, their files are not
        checked.
        """
        problems = ProblemCollector()
        if self.images != "none":
            for folder in self._iterate_frame_folders():
                exists = folder.is_dir()
                files = list_files(folder) if exists and self.images == "copy" else []
                for path in [file.path for file in files] if exists else [folder]:
                    if find_dangling_link(path) is not None:
                        with problems.collect():
                            raise refuse_missing(
                                path, "the frames are missing", "restore them", _LEAVE_OUT
                            )
        problems.raise_if_any()

    def _iterate_frame_folders(self) -> Iterator[Path]:
        """Yield the folders of the sequences' frames, which may be missing."""
        for split, sequences in (
            (self.source.split, self.source.sequences),
            *((clean, clean.sequences) for clean in self.source.clean),
        ):
            for sequence in sequences:
                folder = split.find_frames_folder(sequence)
                if folder is not None:
                    yield folder


def prepare_request(dataset: Path, recipe: Recipe, options: CorruptionOptions) -> CorruptionRequest:
    """Check everything that can be checked without masks.

    Parameters
    ----------
    dataset : Path
        Root of the clean dataset.
    recipe : Recipe
        The recipe. It is checked again, because it may be made by hand.
    options : CorruptionOptions
        The other options of the run.

    Raises
    ------
    InputError
        For a faulty recipe or list, a dataset that is already noisy, an unknown sequence, an output
        inside the dataset, or an output that exists.
    """
    recipe = check_recipe(recipe)
    options.check(recipe)
    split = open_clean_split(dataset, recipe, layout=options.layout, form=options.form)
    recipe = replace(recipe, split=split.name)  # 2017/train is the split train of its copy
    out = _check_output(dataset, options.out or name_output(dataset, recipe))
    recipe = freeze_recipe(recipe, split)
    sequences = split.select(options.only)
    licences = compose_licences(split, recipe, options.inputs, options.licence)
    masks = needs_masks(recipe)
    clean = _open_clean_lists(split, sequences, options.with_clean, masks=masks)
    weights = options.weights == "derive"
    source = CopySource(split, recipe, sequences, clean, weights=weights, inputs=options.inputs)
    request = CorruptionRequest(
        source, out, options.images, options.overwrite, licences, options.source_name
    )
    request.refuse_dangling_frames()
    if not _has_recipe(out, recipe):
        refuse_occupied(request)
    return request


def _check_output(dataset: Path, out: Path) -> Path:
    if not out.name or out.name == "..":
        raise refuse("does not name a folder", out, "give a name, such as ./noisy, as `out`")
    if out.is_symlink():
        raise refuse("is a symbolic link", out, "give the folder itself as `out`")
    for folder in (out, name_partial_folder(out)):
        check_outside(folder, [dataset], "out")
        if Path(os.path.realpath(dataset)).is_relative_to(os.path.realpath(folder)):
            raise refuse(f"contains the dataset {dataset}", folder, "give another `out`")
    return out


def _has_recipe(out: Path, recipe: Recipe) -> bool:
    """Return whether the folder `out` has this recipe."""
    try:
        return read_recipe(out / RECIPE_FILE).digest == recipe.digest
    except InputError:
        return False


def name_output(dataset: Path, recipe: Recipe, preset: str | None = None) -> Path:
    """Return the default output folder.

    It is ``./<dataset>[_<split>]_<type or preset>_r<rate>_s<seed>[_<digest>]``. The split is named,
    without a year, unless it is ``train``, or called like the dataset, as one document is. Two
    different rates are both named. The first six digits of the recipe's digest follow if the recipe
    has settings that the name does not show.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> name_output(Path("/data/visor"), make_recipe("mixed", 0.4, text_rate=0.2)).name
    'visor_mixed_r0.2-0.4_s0'
    >>> name_output(Path("/data/visor"), make_recipe("boundary", 0.4, split="val")).name
    'visor_val_boundary_r0.4_s0'
    """
    for noise in recipe.noises:
        if noise.kind == IMPORTED:
            choose_differences(noise, None)  # no default name shows what was imported
    kind = name_type(recipe)
    named = load_preset(preset) if preset else None
    default = _make_default_noises(recipe, named)
    rates = [f"{noise.rate:g}" for noise in recipe.noises]
    name, split = strip_ending(dataset.resolve().name), strip_year(recipe.split)
    parts = [
        name,
        *([] if split in ("train", name) else [split]),
        (named.name if named else kind).replace("/", "-"),
        f"r{'-'.join(dict.fromkeys(rates))}",
        f"s{recipe.seed}",
    ]
    shown = tuple(
        replace(noise, rate=normalise_value(float(rate)))
        for noise, rate in zip(default, rates, strict=False)
    )
    if shown != recipe.noises:
        parts.append(recipe.digest[:6])
    return Path("_".join(parts))


def _make_default_noises(recipe: Recipe, named: Preset | None) -> tuple[Noise, ...]:
    """Make the noises that a preset, or else the type of a recipe, has; none without a type."""
    kind = name_type(recipe)
    if named is None and kind not in list_type_names():
        return ()
    default = make_recipe(kind, 0.0) if named is None else named.make_recipe()
    return (default if recipe.polygon_noise is None else convert_to_polygons(default)).noises


def _open_clean_lists(
    split: Split, sequences: Iterable[VideoSequence], names: Iterable[str], *, masks: bool
) -> tuple[Split, ...]:
    """Open the clean lists to add to a noisy split; raise `InputError` with every faulty one."""
    names = tuple(dict.fromkeys(names))
    if names and not split.has_action_lists:
        what = "adds action lists, and the dataset has none"
        raise refuse(what, "`with_clean`", "leave it out, and copy the clean masks yourself")
    folders = {sequence.folder for sequence in sequences}
    known = list_splits(split.root)
    problems = ProblemCollector()
    opened = []
    for name in names:
        with problems.collect():
            if name == split.name:
                raise refuse(
                    f"{name!r} is the split that gets noise", "`with_clean`", "leave it out"
                )
            if name not in known:
                raise refuse(
                    f"there is no split {name!r}{suggest(name, known)}",
                    "`with_clean`",
                    f"the splits here are {', '.join(known)}",
                )
            clean = open_split(split.root, name, masks=masks)
            shared = [seq.folder for seq in clean.sequences if seq.folder in folders]
            if shared:
                raise refuse(
                    f"{name!r} has {len(shared)} of the sequences that get noise, such as "
                    f"{shared[0]}",
                    "`with_clean`",
                    "leave it out, or restrict the copy to different sequences with `only`",
                )
            opened.append(clean)
    problems.raise_if_any()
    return tuple(opened)


def refuse_occupied(request: CorruptionRequest) -> None:
    """Refuse an existing `out`, unless it is a noisy split and may be overwritten."""
    out = request.out
    if not is_occupied(out):
        return
    own = is_own(out)
    if not (request.overwrite and own):
        hint = "`overwrite` to replace it" if own else "move it away"
        raise refuse(_describe_occupant(out, request.recipe), out, f"give another `out`, or {hint}")


def _describe_outline(recipe: Recipe) -> tuple[object, ...]:
    return recipe.split, recipe.seed, [(noise.kind, noise.rate) for noise in recipe.noises]


def _describe_occupant(out: Path, recipe: Recipe) -> str:
    """Describe what exists at the path of a noisy split that is to be made."""
    if not out.is_dir():
        return "is a file"
    if (out / RECIPE_FILE).is_file():
        try:
            existing = read_recipe(out / RECIPE_FILE)
        except InputError:
            return f"has a damaged {RECIPE_FILE}"
        noise = " and ".join(f"{noise.kind} at rate {noise.rate:g}" for noise in existing.noises)
        what = f"is a noisy split: {noise}, seed {existing.seed}, split {existing.split}"
        if existing.digest == recipe.digest:
            what += "; its recipe is the same, but its sequences, frames, weights or clean lists "
            what += "differ, or it is damaged"
        elif _describe_outline(existing) == _describe_outline(recipe):
            what += ", with other parameters"
        if not is_own(out):
            what += "; it also has files that do not belong to it"
        return what
    splits = list_splits(out)
    if splits:
        return f"is a dataset with the splits {', '.join(splits)}"
    return f"has other files: {format_names([entry.name for entry in list_folder(out)])}"
