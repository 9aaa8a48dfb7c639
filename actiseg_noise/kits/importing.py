"""Import anybody's noisy split: measure its differences, and write a split of this toolkit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.files import PathLike, as_path, check_outside
from actiseg_data.core.names import check_text, format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import ActionSplit
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.records.difference_record import Differences
from actiseg_data.records.recipe_record import RECIPE_FILE, refuse_noisy_source
from actiseg_noise.corruption.corruption import write_noisy_split
from actiseg_noise.corruption.corruption_result import Corruption
from actiseg_noise.corruption.request import CorruptionOptions
from actiseg_noise.kits.noisy_masks import (
    MaskComparison,
    NoisyMasks,
    compare_noisy_masks,
    pair_noisy_masks,
)
from actiseg_noise.kits.noisy_text import NoisyText, compare_noisy_text, read_noisy_text
from actiseg_noise.measurement.audit_input import AuditInput, open_audit_input
from actiseg_noise.recipes.imported_recipe import make_imported_recipe
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_split import as_lexicon


@dataclass(frozen=True)
class ImportedSplit:
    """A noisy split that was imported.

    Attributes
    ----------
    corruption : Corruption
        The split that was made.
    absent : tuple of str
        Sequences of the clean split that the noisy split does not have. They were left out.
    strangers : tuple of str
        Sequences of the noisy split that the clean split does not have. They were ignored.
    renumbered : int
        Sequences whose name in the noisy split has another number, or none. Their names without the
        number and their frames decided which they are.
    median_iou : float or None
        Median IoU of the objects whose masks have noise. If it is near 0, the noisy split probably
        numbers objects in another way than the clean one. None without noise in masks.
    unpaired : int
        Masks of the noisy split that are of no frame of their sequence. They were ignored.
    """

    corruption: Corruption
    absent: tuple[str, ...]
    strangers: tuple[str, ...]
    renumbered: int
    median_iou: float | None
    unpaired: int = 0


def import_split(
    noisy: PathLike,
    clean: PathLike,
    out: PathLike,
    split: str | None = None,
    *,
    lexicon: Lexicon | PathLike | None = None,
    images: str = "link",
    weights: str = "derive",
    overwrite: bool = False,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> ImportedSplit:
    """Make a noisy split of this toolkit from anybody's noisy split.

    The masks and the text of the result are those of the noisy split. It gets a ledger, a summary
    and digests, and, because it has no recipe that makes it, a document of its differences from the
    clean dataset.

    Parameters
    ----------
    noisy : str or Path
        Noisy lists or masks in any form that `actiseg_noise.audit` reads.
    clean : str or Path
        The clean dataset in the ActionVOS layout. It is only read.
    out : str or Path
        Folder to make.
    split : str, optional
        Name of the list. Default: the only one; for masks alone, ``train``.
    lexicon : Lexicon, str or Path, optional
        For the senses of names. Default: the installed one.
    images, weights, overwrite
        As in `actiseg_noise.corrupt`.
    workers : int
        Processes. The result does not depend on it.
    stage : StageProgress
        Shows progress.

    Returns
    -------
    ImportedSplit

    Raises
    ------
    InputError
        If the noisy split equals the clean one, is one of this toolkit, or does not fit the clean
        one, with everything that does not fit. Nothing is written then.

    Examples
    --------
    ::

        import_split("ImageSets_noise20", "dataset_visor", "noisy", split="val")
    """
    noisy, clean, out = as_path(noisy, "noisy"), as_path(clean, "clean"), as_path(out, "out")
    _refuse_own_split(noisy)
    refuse_noisy_source(clean)
    check_outside(out, [noisy], "out")
    _refuse_other_layout(clean)
    known = as_lexicon(lexicon)
    task = open_audit_input(noisy, clean, split, known or load_lexicon(), workers, stage)
    contents = _find_contents(task)
    compared, rates, differences = _measure(contents, task)
    recipe = make_imported_recipe(contents.clean.name, rates, differences, task.lexicon)
    is_part = len(contents.folders) < len(contents.clean)
    options = CorruptionOptions(
        out=out,
        only=tuple(sorted(contents.folders)) if is_part else None,
        images=images,
        weights=weights,
        overwrite=overwrite,
        inputs=NoiseInputs(known, differences),
    )
    made = write_noisy_split(clean, recipe, options, workers, stage)
    absent = (seq.folder for seq in contents.clean.sequences if seq.folder not in contents.folders)
    matches = [part.matches for part in (contents.masks, contents.text) if part is not None]
    return ImportedSplit(
        made,
        tuple(absent),
        tuple(sorted({name for part in matches for name in part.strangers})),
        max(part.renumbered for part in matches),
        median(compared.ious) if compared is not None and compared.ious else None,
        0 if contents.masks is None else contents.masks.unpaired,
    )


@dataclass(frozen=True)
class _Contents:
    """What a noisy split has: its masks, its sequences, and the clean split."""

    clean: ActionSplit
    masks: NoisyMasks | None
    text: NoisyText | None
    folders: Collection[str]


def _refuse_own_split(noisy: Path) -> None:
    if (noisy / RECIPE_FILE).is_file():
        raise refuse(
            f"is a noisy split of this toolkit already ({RECIPE_FILE})",
            noisy,
            "use it as it is; to import another generator's split, give that as `noisy`",
        )


def _refuse_other_layout(clean: Path) -> None:
    if clean.is_dir() and not list_splits(clean):
        kind = recognise_dataset(clean) or "has no action lists"
        raise refuse(
            f"is not an ActionVOS root ({kind})",
            clean,
            "make one from a folder of clean masks with actiseg-noise prepare masks, and give it "
            "as `clean`",
        )


def _find_contents(task: AuditInput) -> _Contents:
    """Find the masks and the text of the noisy split, and the sequences that it has."""
    assert task.clean is not None, "an import has a clean dataset"
    if task.split is None:
        raise refuse("has no split", task.clean, "give an ActionVOS root as `clean`")
    clean = open_action_split(task.clean, task.split, masks=False)
    masks = pair_noisy_masks(task.noisy, clean) if clean.subsets else None
    text = None
    if task.lists is not None and (task.lists / name_objects_file(task.split)).is_file():
        text = read_noisy_text(task.lists, clean, task.action_list)
        text = text if text.items else None
    if masks is None and text is None:
        raise _refuse_nothing(task)
    if masks is None or text is None:
        folders = [*(masks.pairs if masks else ()), *(text.items if text else ())]
        return _Contents(clean, masks, text, set(folders))
    _refuse_unequal(task.noisy, set(masks.pairs), set(text.items))
    return _Contents(clean, masks, text, set(masks.pairs))


def _refuse_unequal(noisy: Path, with_masks: set[str], with_text: set[str]) -> None:
    """Refuse sequences that have masks or text alone."""
    problems = ProblemCollector()
    for lacking, own, medium in (
        (with_text - with_masks, "text", "masks"),
        (with_masks - with_text, "masks", "text"),
    ):
        if lacking:
            what = (
                f"has no {medium} of {count_nouns(len(lacking), 'sequence')} that it has {own} of: "
            )
            hint = f"add their {medium}, or import masks and text one by one"
            problems.add(what + format_names(sorted(lacking)), noisy, hint)
    problems.raise_if_any()


def _refuse_nothing(task: AuditInput) -> InputError:
    kind = recognise_dataset(task.noisy)
    what = f"has no noisy masks or text of the split {task.split!r}"
    return refuse(
        what if kind is None else f"{what} (it is {kind})",
        task.noisy,
        "give another `split`, or a folder with masks <sequence>/<frame>.png or with "
        "*_objects_category.json and prompts",
    )


def _measure(
    contents: _Contents, task: AuditInput
) -> tuple[MaskComparison | None, dict[str, float], Differences]:
    """Compare the masks, measure the rate of noise by medium, and collect the differences."""
    rates: dict[str, float] = {}
    compared = changes = None
    if contents.masks is not None:
        compared = compare_noisy_masks(contents.masks, contents.clean, task.workers, task.stage)
        if compared.changes:
            changes = compared.changes
            rates["masks"] = compared.rate
    words = None
    if contents.text is not None:
        words = compare_noisy_text(contents.text, contents.clean) or None
        if words is not None:
            count = sum(map(len, words.values()))
            rates["text"] = round(count / contents.text.prompts, 6)
    if not rates:
        names = format_names(sorted(contents.folders))
        raise refuse(
            f"equals the clean split {contents.clean.name!r}: nothing differs in {names}",
            task.noisy,
            "give a noisy split, or the dataset that it was made from as `clean`",
        )
    origin = check_text(task.noisy.resolve().name, "`noisy`")
    return compared, rates, Differences(origin, changes, words)
