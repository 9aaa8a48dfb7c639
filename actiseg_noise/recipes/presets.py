"""Named recipes as data: published noise generators, and this project's own series.

The presets are in ``data_manifests/presets``, one document per source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError, find_nearest, refuse, suggest
from actiseg_data.core.manifests import list_installed, load_installed
from actiseg_data.core.names import check_text
from actiseg_data.records.recipe_record import (
    Noise,
    Recipe,
    parse_noise,
)
from actiseg_noise.recipes.building import change_noises, check_recipe
from actiseg_noise.recipes.published import load_index, split_version

SCHEMA = "actiseg/presets/1"


@dataclass(frozen=True)
class PresetSource:
    """The publication that presets come from.

    Attributes
    ----------
    title, paper, code, licence : str
        What it is called, and where paper, code and licence are.
    differences : tuple of str
        How the presets differ from the original, one sentence each.
    """

    title: str
    paper: str
    code: str
    licence: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Preset:
    """A named recipe without split and seed.

    Attributes
    ----------
    name : str
        The name with its family, such as ``actiseg-nl/mask-9``.
    version : int
        Raised by every change of the pixels or words that the preset makes.
    summary : str
        What it does, in one sentence.
    source : PresetSource
        Where it comes from.
    noises : tuple of Noise
        The noises of its recipe.
    """

    name: str
    version: int
    summary: str
    source: PresetSource
    noises: tuple[Noise, ...]

    def make_recipe(
        self,
        *,
        split: str = "train",
        seed: int = 0,
        parameters: Mapping[str, Any] | None = None,
        lexicon: Lexicon | None = None,
        **settings: Any,
    ) -> Recipe:
        """Make a recipe from the preset.

        Parameters
        ----------
        split : str
            Name of the split.
        seed : int
            Random seed.
        parameters : mapping of str to any, optional
            Parameters of the kind, which override those of the preset.
        lexicon : Lexicon, optional
            Lexicon for text noise. Default: the installed one.
        **settings
            Settings that override those of the preset, see
            `actiseg_noise.recipes.building.change_noises`.

        Examples
        --------
        >>> load_preset("actiseg-nl/mask-9").make_recipe(rate=0.4).noises[0].rate
        0.4
        """
        noises = change_noises(self.noises, settings, parameters, lexicon=lexicon)
        return check_recipe(Recipe(split, seed, noises))


def load_presets() -> dict[str, Preset]:
    """Load all presets by name, in the order of their documents."""
    documents = (load_installed(name, SCHEMA) for name in list_installed("presets"))
    return {preset.name: preset for document in documents for preset in parse_presets(document)}


def load_preset(name: str, where: str = "`preset`") -> Preset:
    """Load a preset.

    Parameters
    ----------
    name : str
        Its name, also with a version after an @. Without a version, it is the newest one.
    where : str
        The parameter that gave the name, for messages.

    Raises
    ------
    InputError
        For an unknown preset, with the nearest names; for a version that this release does not
        make, with the release that does.

    Examples
    --------
    >>> load_preset("actiseg/mixed-40@2").name
    'actiseg/mixed-40'
    """
    presets = load_presets()
    base, version = split_version(name, where)
    if base not in presets:
        raise refuse(
            f"there is no preset {base!r}{suggest(base, presets)}",
            where,
            f"use for example {', '.join(find_nearest(base, presets) or list(presets))}; "
            "actiseg-noise presets lists all",
        )
    preset = presets[base]
    if version not in (None, preset.version):
        raise _refuse_version(preset, version, where)
    return preset


def _refuse_version(preset: Preset, version: int | None, where: str) -> InputError:
    """Refuse a version of a preset that this release does not make."""
    from actiseg_data import __version__

    current = f"this release, actiseg {__version__}, makes version {preset.version}"
    for published in load_index().recipes.get(preset.name, ()):
        if published.version == version and published.last is not None:
            return refuse(
                f"{published.address} is made by actiseg {published.releases}; {current}",
                where,
                f"install actiseg {published.last}, or use {preset.name}@{preset.version}",
            )
    return refuse(
        f"there is no version {version} of {preset.name}; {current}",
        where,
        f"use {preset.name}@{preset.version}, or a newer release of actiseg",
    )


def parse_presets(document: Cursor) -> list[Preset]:
    """Parse a document of presets; raise `InputError` if it is damaged."""
    family, about = document["family"].as_text(), document["source"]
    source = PresetSource(
        title=about["title"].as_text(),
        paper=about["paper"].as_text(),
        code=about["code"].as_text(),
        licence=about["licence"].as_text(),
        differences=tuple(line.as_text() for line in document["differences"].iterate_elements()),
    )
    return [
        Preset(
            name=check_text(f"{family}/{name}", entry.where),
            version=entry["version"].as_integer(),
            summary=entry["summary"].as_text(),
            source=source,
            noises=tuple(parse_noise(noise) for noise in entry["noises"].iterate_elements()),
        )
        for name, entry in document["presets"].iterate_members()
    ]
