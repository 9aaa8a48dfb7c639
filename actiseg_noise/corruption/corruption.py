"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.arguments import check_selection
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.names import as_names
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import start_workers
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.corruption.copy_writing import make_all, refuse_write, write_documents
from actiseg_noise.corruption.corruption_result import Corruption, CorruptionForecast
from actiseg_noise.corruption.finished_run import describe_job, find_finished_run
from actiseg_noise.corruption.recipe_choice import (
    choose_recipe,
    fit_recipe,
    needs_categories,
    read_dataset_categories,
)
from actiseg_noise.corruption.request import CorruptionOptions, prepare_request, refuse_occupied
from actiseg_noise.corruption.split_plan import make_plan
from actiseg_noise.corruption.summarising import describe_identity
from actiseg_noise.recipes.building import load_recipe
from actiseg_noise.recipes.plain_values import check_seed, to_plain
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_split import as_lexicon
from actiseg_noise.split.partial_split import (
    discard_partial,
    finish,
    name_partial_folder,
    open_partial,
    read_unfinished_job,
)


def corrupt(
    dataset: PathLike | None,
    noise: PathLike | Recipe,
    *,
    out: PathLike | None = None,
    only: str | Iterable[str] | None = None,
    workers: int = 1,
    images: str = "link",
    weights: str = "derive",
    with_clean: Iterable[str] = (),
    overwrite: bool = False,
    lexicon: Lexicon | PathLike | None = None,
    layout: str | None = None,
    licence: str | None = None,
    stage: StageProgress = ignore_progress,
    **settings: Any,
) -> Corruption:
    """Write a noisy copy of one split of a dataset.

    Work goes to ``OUT.partial`` and is resumed there after an interruption. The keyword arguments
    have the names of the flags of ``actiseg-noise corrupt``.

    Parameters
    ----------
    dataset : str or Path or None
        Root of the clean dataset, which is only read. None uses ``$ACTISEG_DATASET``, else
        ``./dataset_visor``, else the built-in sample, which is made if it is missing.
    noise : str, Path or Recipe
        A type such as ``boundary``, a preset such as ``actiseg-nl/mask-9``, a recipe, or the path
        of a recipe file, which ends in ``.json``.
    out : str or Path, optional
        Folder to make. Default: see `actiseg_noise.corruption.request.name_output`.
    only : str or iterable of str, optional
        Sequence folders to copy. They get the same noise as in a copy of the whole split.
    workers : int
        Processes. The result does not depend on it.
    images : str
        How frames get into the copy: ``link``, ``copy`` or ``none``. Masks, weights and lists are
        always files.
    weights : str
        ``derive`` makes training weights for the noisy masks if the dataset has weights; ``none``
        leaves all weights out.
    with_clean : iterable of str
        Other splits of the dataset, which are added to the copy without noise.
    overwrite : bool
        Whether to replace a different noisy split at `out`.
    lexicon : Lexicon, str or Path, optional
        Lexicon for text noise. Default: the installed one.
    layout : str, optional
        The layout of the dataset, such as ``davis``. By default it is recognised.
    licence : str, optional
        SPDX identifier of the licence of a dataset without action lists. By default its LICENSE
        file says it.
    stage : StageProgress
        Shows progress.
    **settings
        The noise: `rate` (share of the items), `seed`, `split`, `objects`, `target_iou` and so on,
        see `actiseg_noise.corruption.recipe_choice.choose_recipe`.

    Returns
    -------
    Corruption
        The noisy split, and its summary.

    Raises
    ------
    InputError
        With everything that is wrong with the input, before anything is written.

    Examples
    --------
    ::

        corrupt("dataset_visor", "boundary", rate=0.4, target_iou=0.7, out="noisy", workers=2)
        corrupt("dataset_visor", "actiseg-nl/mask-9", only=["00000001_P01_01_take_cup"])
        corrupt("dataset_visor", "noisy/recipe.json", out="noisy_again")
    """
    lexicon = as_lexicon(lexicon)
    options = CorruptionOptions(
        None if out is None else as_path(out, "out"),
        check_selection(only, "only"),
        images,
        weights,
        as_names(with_clean),
        overwrite,
        NoiseInputs(lexicon),
        layout=layout,
        licence=licence,
    )
    root, recipe = _choose_input(dataset, noise, options, settings)
    return write_noisy_split(root, recipe, options, workers, stage)


def write_noisy_split(
    dataset: Path,
    recipe: Recipe,
    options: CorruptionOptions,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Corruption:
    """Write a noisy copy of a split; see `corrupt`, which chooses dataset and recipe first."""
    started = time.perf_counter()
    with start_workers(workers, __name__) as members:
        load_cv2()  # before anything is written, because it may be missing
        request = prepare_request(dataset, recipe, options)
        with stage("checking the source") as progress:
            plan = make_plan(request.source, members, progress)
        identity = describe_identity(request, plan)
        existing = (
            None if options.overwrite else find_finished_run(request.out, plan, identity, members)
        )
        if existing is not None:
            return existing
        refuse_occupied(request)
        try:
            job = describe_job(identity)
            if options.overwrite and read_unfinished_job(request.out) != job:
                discard_partial(request.out)
            with open_partial(request.out, job) as partial:
                with stage("copying" if plan.file_plan is None else "corrupting") as progress:
                    make_all(plan, partial, options.images, members, progress)
                summary = write_documents(request, plan, partial, identity, started)
                finish(partial, request.out, overwrite=options.overwrite)
        except OSError as error:
            raise refuse_write(error, name_partial_folder(request.out)) from None
    return Corruption(request.out, plan.recipe.digest, summary, made=True)


def forecast_corruption(
    dataset: Path,
    recipe: Recipe,
    options: CorruptionOptions,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> CorruptionForecast:
    """Check everything that `write_noisy_split` would check, and count what it would do.

    No noisy split is written.

    Raises
    ------
    InputError
        With everything that is wrong with the input.
    """
    request = prepare_request(dataset, recipe, options)
    with stage("checking") as progress:
        plan = make_plan(request.source, workers, progress)
    with stage("counting") as progress:
        lines = tuple(
            medium_plan.forecast(plan.split, plan.sequences, workers, progress)
            for medium_plan in plan.media
        )
    frames = sum(len(sequence.frames) for sequence in plan.sequences)
    return CorruptionForecast(request.out, plan.recipe.digest, len(plan.sequences), frames, lines)


def _choose_input(
    dataset: PathLike | None,
    noise: PathLike | Recipe,
    options: CorruptionOptions,
    settings: dict[str, Any],
) -> tuple[Path, Recipe]:
    """Find the dataset and make the recipe.

    The recipe comes first, so that the sample is made only for a sound one. The pool ``dataset``
    and a matrix with names of categories are exceptions, because they need the dataset.
    """
    named = None if dataset is None else as_path(dataset, "dataset")
    settings = to_plain(settings)
    if settings.get("seed") is not None:
        check_seed(settings["seed"])
    lexicon, given = options.inputs.lexicon, _read_noise(noise)
    with_categories = needs_categories(given, settings)
    if named is None and (settings.get("pool") == "dataset" or with_categories):
        named = _locate_dataset()
    categories = None
    if with_categories and named is not None:
        categories = read_dataset_categories(named, settings.get("split"), options.layout)
    recipe = choose_recipe(given, dataset=named, lexicon=lexicon, categories=categories, **settings)
    root = named or _locate_dataset()
    if not isinstance(given, Recipe):
        named_settings = {name: settings.get(name) for name in ("split", "objects", "overlap")}
        recipe = fit_recipe(recipe, root, layout=options.layout, **named_settings)
    return root, recipe


def _read_noise(noise: PathLike | Recipe) -> str | Recipe:
    """Return the name of a type or preset, or a recipe, which may be in a file."""
    if isinstance(noise, Recipe):
        return noise
    if isinstance(noise, str) and not noise.endswith(".json"):
        return noise
    if isinstance(noise, (str, os.PathLike)):
        return load_recipe(noise)
    raise refuse(
        f"{noise!r} is not noise",
        "`noise`",
        "give a type, a preset, a recipe, or the path of a recipe file",
    )


def _locate_dataset() -> Path:
    from actiseg_data.make.locate import locate_dataset

    return locate_dataset(None, make=True)[0]
