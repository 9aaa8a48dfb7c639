"""Annotation files that are a noisy copy: what is prepared from them says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe

_LEVELS = 3
"""Folders above an annotation file in which the recipe may be."""


def describe_noise_of_files(files: Sequence[Path]) -> str | None:
    """Describe the noise of annotation files, as recipes next to or above them state it.

    Returns
    -------
    str or None
        None if the files belong to no noisy copy.

    Raises
    ------
    InputError
        If a recipe is damaged.
    """
    folders = {folder for file in files for folder in list(file.absolute().parents)[:_LEVELS]}
    stated = []
    for folder in sorted(folders):
        path = folder / RECIPE_FILE
        if not path.is_file():
            continue
        recipe = read_recipe(path)
        noises = " and ".join(
            f"{noise.kind!r} noise at rate {noise.rate:g} to the {noise.medium}"
            for noise in recipe.noises
        )
        stated.append(f"{noises} (recipe {recipe.digest})")
    return "; ".join(stated) or None


def compose_noise_notice(noise: str | None) -> str:
    """Compose the end of a NOTICE; empty for clean annotations.

    >>> compose_noise_notice(None)
    ''
    """
    if noise is None:
        return ""
    return (
        f"\nThe annotations are a noisy copy, made on purpose: {noise}. The masks are no ground "
        "truth.\n"
    )
