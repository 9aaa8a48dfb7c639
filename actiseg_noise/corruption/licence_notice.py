"""The licence and the notice of a noisy split."""

from __future__ import annotations

from pathlib import Path

from actiseg_data import __version__
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.records.licences import read_licences
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.split.noise_inputs import NoiseInputs


def compose_licences(dataset: Path, recipe: Recipe, inputs: NoiseInputs) -> tuple[str, str]:
    """Compose LICENSE and NOTICE: those of the source, and a statement of what was changed."""
    license_text, notice_text = read_licences(dataset)
    return license_text, notice_text + compose_change(recipe, inputs)


def compose_change(recipe: Recipe, inputs: NoiseInputs, version: str = __version__) -> str:
    """Compose the statement of what was changed, with which a NOTICE ends.

    Parameters
    ----------
    recipe : Recipe
        The recipe of the noisy split.
    inputs : NoiseInputs
        What it carries.
    version : str
        The version of the toolkit that made it.
    """
    if inputs.differences is not None:
        media = " and ".join(noise.medium for noise in recipe.noises)
        origin = inputs.differences.origin
        return (
            f"\nChanged: this folder is a noisy copy. Its {media} of the split {recipe.split!r} "
            f"are those of {origin!r}, another noisy copy, which actiseg {version} imported. "
            "differences.json has every change, ledger.jsonl lists what changed.\n"
        )
    applied = " and ".join(
        f"{noise.kind!r} noise at rate {noise.rate:g} to the {noise.medium}"
        for noise in recipe.noises
    )
    change = (
        f"\nChanged: this folder is a noisy copy. actiseg {version} applied {applied} of the "
        f"split {recipe.split!r}, on purpose, so that learning from noisy labels can be studied. "
        "recipe.json says how, ledger.jsonl lists every change.\n"
    )
    if any("lexicon" in noise.parameters for noise in recipe.noises):
        used = inputs.lexicon or load_lexicon()
        change += f"New names and senses are those of the lexicon {used.title!r}. {used.licence}\n"
    return change
