"""Annotation files that are a noisy copy: what is prepared from them says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from actiseg_data.records.split_documents import DIGESTS_FILE, read_digests

_LEVELS = 3
"""Folders above an annotation file in which the recipe may be."""


def describe_noise_of_files(files: Sequence[Path]) -> str | None:
    """Describe the noise of annotation files, as recipes next to or above them state it.

    A recipe is that of the files if the digests beside it list one of them.

    Returns
    -------
    str or None
        None if the files belong to no noisy copy.

    Raises
    ------
    InputError
        If such a record is damaged.
    """
    places = [file.absolute() for file in files]
    folders = {folder for place in places for folder in list(place.parents)[:_LEVELS]}
    stated = []
    for folder in sorted(folders):
        if not ((folder / RECIPE_FILE).is_file() and (folder / DIGESTS_FILE).is_file()):
            continue
        digests = read_digests(folder / DIGESTS_FILE)
        if not any((folder / name) in places for name in digests):
            continue
        recipe = read_recipe(folder / RECIPE_FILE)
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
