"""The licence and the notice of a noisy split."""

from __future__ import annotations

from actiseg_data import __version__
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.errors import refuse
from actiseg_data.layouts.actionvos import ActionSplit
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_data.layouts.split import Split
from actiseg_data.records.licence_terms import compose_licence
from actiseg_data.records.licences import NOTICE_FILE, name_source, read_licences, read_raw_licences
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.split.noise_inputs import NoiseInputs


def compose_licences(
    split: Split, recipe: Recipe, inputs: NoiseInputs, licence: str | None = None
) -> tuple[str, str]:
    """Compose LICENSE and NOTICE: those of the source, and a statement of what was changed.

    `licence` is the SPDX identifier that the user stated for a dataset without action lists.
    """
    license_text, notice_text = compose_source_licences(split, licence)
    return license_text, notice_text + compose_change(recipe, inputs)


def compose_source_licences(split: Split, licence: str | None = None) -> tuple[str, str]:
    """Compose LICENSE and NOTICE of a clean split, without a change.

    Without licences, an ActionVOS root and raw annotations are under those of VISOR. Of other
    datasets, LICENSE is the file of the dataset or the stated licence.

    Raises
    ------
    InputError
        For an unknown licence, and for a stated licence of an ActionVOS root or of VISOR.
    """
    if has_own_licence(split):
        if licence is not None:
            name = "an ActionVOS root" if isinstance(split, ActionSplit) else "VISOR"
            what = f"has no effect: the licence of {name} is known"
            raise refuse(what, "`licence`", "leave it out, or put a LICENSE into the dataset")
        read = read_licences if isinstance(split, ActionSplit) else read_raw_licences
        return read(split.root)
    license_text, _ = compose_licence(split.root, licence)
    notice = split.root / NOTICE_FILE
    if notice.is_file():
        return license_text, notice.read_text("utf-8", "replace")
    name = name_source(split.root)
    return license_text, f"The clean labels are those of the dataset {name}; see LICENSE.\n"


def has_own_licence(split: Split) -> bool:
    """Return whether the licence of a dataset is known, so that nobody has to state it."""
    return isinstance(split, (ActionSplit, PolygonSplit))


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
