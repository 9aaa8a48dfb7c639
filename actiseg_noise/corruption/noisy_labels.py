"""Noise on the fly: what `corrupt` would write, without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import check_known, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.actionvos import ActionSplit
from actiseg_data.records.ledger_record import LabelRow, LedgerRow, TextRow
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.corruption.clean_source import freeze_recipe, open_clean_split
from actiseg_noise.corruption.live_split import LiveSplit, make_live_split
from actiseg_noise.corruption.split_plan import CopySource, make_plan
from actiseg_noise.media.mask_medium import MaskMediumPlan
from actiseg_noise.recipes.building import check_recipe, is_imported, load_recipe
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_split import as_lexicon, read_carried_lexicon


@dataclass(frozen=True, repr=False)
class NoisyLabels:
    """The labels that `corrupt` would write for a recipe, see `open_noisy_labels`.

    It can be pickled, and processes and threads may share it.

    Attributes
    ----------
    split : LiveSplit
        The noisy split: an `actiseg_data.layouts.actionvos.ActionSplit` whose sequences, prompts
        and objects are those of the noisy documents.
    recipe : Recipe
        The recipe as ``recipe.json`` of a copy would have it.
    rows : mapping of str to sequence of rows
        The ledger rows for text and labels, by sequence folder.
    """

    split: LiveSplit
    recipe: Recipe
    rows: Mapping[str, Sequence[TextRow | LabelRow]]

    def __repr__(self) -> str:
        return (
            f"NoisyLabels({str(self.split.root)!r}, split={self.split.name!r}, "
            f"sequences={len(self.split)}, recipe={self.recipe.digest!r})"
        )

    def read_mask(self, sequence: VideoSequence | str, frame: str) -> IndexMask:
        """Make the noisy index mask of a frame.

        Parameters
        ----------
        sequence : VideoSequence or str
            The sequence, or the name of its folder.
        frame : str
            The name of the frame, as in `VideoSequence.frames`.

        Returns
        -------
        ndarray
            (H, W) uint8, each pixel the id of its object, 0 for background.

        Raises
        ------
        InputError
            If there is no such sequence or frame, or if the clean mask is missing or damaged.
        """
        folder = sequence if isinstance(sequence, str) else sequence.folder
        (own,) = self.split.select(folder, "sequence")
        hint = "give the name of a frame as in `VideoSequence.frames`"
        check_known([frame], own.frames, "frame", "`frame`", hint, f"the sequence {folder!r}")
        return self.split.mask(own, frame)

    def iterate_rows(self) -> Iterator[LedgerRow]:
        """Yield the rows of the ledger in its order; all masks are made for it.

        Raises
        ------
        InputError
            If a clean mask is missing or damaged.
        """
        for sequence in self.split:
            yield from self.rows.get(sequence.folder, ())
            yield from self.split.iterate_mask_rows(sequence)


def open_noisy_labels(
    dataset: PathLike,
    recipe: Recipe | PathLike,
    *,
    lexicon: Lexicon | PathLike | None = None,
    workers: int = 1,
) -> NoisyLabels:
    """Open the noisy labels of a dataset without writing a copy of it.

    They equal the labels that `corrupt` writes for the same recipe: the action list, the prompts in
    every style, the objects, and the pixels of all masks. Text and labels are planned here. A mask
    is made each time that it is read, and none is kept in memory.

    Training weights (``Weights_Sparse``) and frames are no part of it.

    Parameters
    ----------
    dataset : str or Path
        The clean dataset, an ActionVOS root.
    recipe : Recipe, str or Path
        The recipe, or its file. Beside a file, a ``lexicon.json`` is read as well, which noisy
        copies carry if their lexicon is not the installed one.
    lexicon : Lexicon, str or Path, optional
        Lexicon for text noise. Default: that beside the recipe, else the installed one.
    workers : int
        Processes. They decode all masks of the split for an exact recipe, which depends on them;
        other recipes need none.

    Returns
    -------
    NoisyLabels
        The noisy split, and how to read a mask.

    Raises
    ------
    InputError
        If the dataset has no action lists or is noisy already, if the recipe is faulty or does not
        fit the dataset, or if the recipe is that of an imported copy, whose noise only the copy
        has.

    Examples
    --------
    >>> import tempfile
    >>> from actiseg_data import make_sample
    >>> from actiseg_noise import make_recipe
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = make_sample(f"{folder}/sample").path
    ...     labels = open_noisy_labels(root, make_recipe("dilate", 1.0, split="val"))
    ...     sequence = labels.split["00000057_S05_01_cut_carrot"]
    ...     mask = labels.read_mask(sequence, sequence.frames[0])
    >>> mask.shape
    (240, 428)
    """
    root, lexicon = as_path(dataset, "dataset"), as_lexicon(lexicon)
    if not isinstance(recipe, Recipe):
        file = as_path(recipe, "recipe")
        recipe = load_recipe(file)
        lexicon = lexicon or read_carried_lexicon(file.parent)
    recipe = check_recipe(recipe)
    _refuse_imported(recipe)
    clean = _open_actions(root, recipe)
    recipe = freeze_recipe(recipe, clean)
    if recipe.changes_masks:
        load_cv2()  # at once, because it may be missing
    source = CopySource(clean, recipe, clean.sequences, weights=False, inputs=NoiseInputs(lexicon))
    plan = make_plan(source, workers, survey=False)
    mask_plan = plan.file_plan
    assert mask_plan is None or isinstance(mask_plan, MaskMediumPlan), "the root has index masks"
    return NoisyLabels(make_live_split(clean, plan.documents, mask_plan), plan.recipe, plan.rows)


def _refuse_imported(recipe: Recipe) -> None:
    """Refuse the recipe of an imported copy, which does not say what the noise is."""
    if is_imported(recipe):
        raise refuse(
            "was made by an import: it does not say which pixels and words differ",
            "`recipe`",
            "read the labels of the imported copy itself",
        )


def _open_actions(root: Path, recipe: Recipe) -> ActionSplit:
    """Open the clean split, which must have action lists."""
    split = open_clean_split(root, recipe)
    if not isinstance(split, ActionSplit):
        raise refuse(
            "has no action lists, and noise on the fly is for ActionVOS roots alone",
            root,
            "write a noisy copy: actiseg-noise corrupt",
        )
    return split
