"""Noise on the fly. No other module of the trainer imports `actiseg_noise`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from actiseg_data.core.errors import refuse
from actiseg_data.layouts.actionvos import ActionSplit
from actiseg_data.records.recipe_record import read_recipe

if TYPE_CHECKING:
    from actiseg_noise import NoisyLabels as NoisyLabels


def open_live_noise(clean: ActionSplit, recipe: Path) -> NoisyLabels:
    """Open the noisy labels of a clean split without a copy of it.

    Parameters
    ----------
    clean : ActionSplit
        The clean split.
    recipe : Path
        The recipe file.

    Returns
    -------
    NoisyLabels
        See `actiseg_noise.open_noisy_labels`.

    Raises
    ------
    InputError
        If the recipe is for another split or cannot be used on the fly, or if `actiseg_noise` or a
        package that it needs cannot be loaded.
    """
    split = read_recipe(recipe).split
    if split != clean.name:
        raise refuse(
            f"has noise on the split {split!r}, not on {clean.name!r}",
            recipe,
            f"give `split` {split}, or a recipe for {clean.name}",
        )
    try:
        from actiseg_noise import open_noisy_labels
    except ImportError as error:
        raise refuse(
            f"noise on the fly needs actiseg_noise, which cannot be loaded ({error})",
            "`noise`",
            "install actiseg with all that it requires: pip install actiseg; or give a noisy copy "
            "as `noisy`",
        ) from None
    return open_noisy_labels(clean.root, recipe)
