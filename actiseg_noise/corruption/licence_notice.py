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
    if inputs.differences is not None:
        media = " and ".join(noise.medium for noise in recipe.noises)
        origin = inputs.differences.origin
        return license_text, notice_text + (
            f"\nChanged: this folder is a noisy copy. Its {media} of the split {recipe.split!r} "
            f"are those of {origin!r}, another noisy copy, which actiseg {__version__} imported. "
            "differences.json has every change, ledger.jsonl lists what changed.\n"
        )
    applied = " and ".join(
        f"{noise.kind!r} noise at rate {noise.rate:g} to the {noise.medium}"
        for noise in recipe.noises
    )
    change = (
        f"\nChanged: this folder is a noisy copy. actiseg {__version__} applied {applied} of the "
        f"split {recipe.split!r}, on purpose, so that learning from noisy labels can be studied. "
        "recipe.json says how, ledger.jsonl lists every change.\n"
    )
    if any("lexicon" in noise.parameters for noise in recipe.noises):
        used = inputs.lexicon or load_lexicon()
        change += f"New names and senses are those of the lexicon {used.title!r}. {used.licence}\n"
    return license_text, notice_text + change
