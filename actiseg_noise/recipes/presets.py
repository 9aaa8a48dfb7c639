"""Named recipes: what the field's public generators do, and this project's own series, as data.

They stand in ``data_manifests/presets``, one document for each source, and are installed with the
package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.errors import find_nearest, refuse, suggest
from actiseg_data.core.names import check_text
from actiseg_data.records.recipe_record import (
    Noise,
    Recipe,
    parse_noise,
)
from actiseg_noise.recipes.building import check_recipe, with_changes

SCHEMA = "actiseg/presets/1"

MANIFESTS = "data_manifests"
"""The package that holds the documents."""


@dataclass(frozen=True)
class Source:
    """Where presets come from.

    differences: how ours differ from the original, one sentence each.
    """

    title: str
    paper: str
    code: str
    licence: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Preset:
    """One named recipe without split and seed.

    name: with its family, e.g. ``actiseg-nl/mask-9``. summary: what it does, in one sentence.
    """

    name: str
    summary: str
    source: Source
    noises: tuple[Noise, ...]

    def recipe(
        self,
        *,
        split: str = "train",
        seed: int = 0,
        parameters: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Recipe:
        """The preset as a recipe; `changes` and `parameters` (see
        `actiseg_noise.recipes.building.with_changes`) stand over its values.

        >>> load_preset("actiseg-nl/mask-9").recipe(rate=0.4).noises[0].rate
        0.4
        """
        noises = with_changes(self.noises, parameters or {}, **changes)
        return check_recipe(Recipe(split, seed, noises), self.name)


def load_presets() -> dict[str, Preset]:
    """All presets by name, in the order of their documents."""
    presets: dict[str, Preset] = {}
    folder = resources.files(MANIFESTS) / "presets"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            document = Cursor(parse_json(file.read_bytes(), file.name), file.name)
            presets |= {preset.name: preset for preset in parse_presets(document)}
    return presets


def load_preset(name: str) -> Preset:
    """The preset of a name; raises `InputError` for an unknown one, naming those that are near."""
    presets = load_presets()
    if name not in presets:
        raise refuse(
            f"there is no preset {name!r}{suggest(name, presets)}",
            "--preset",
            f"use for example {', '.join(find_nearest(name, presets) or list(presets))}; "
            "`actiseg-noise presets` lists all",
        )
    return presets[name]


def parse_presets(document: Cursor) -> list[Preset]:
    """The presets of one document; raises `InputError` where it is not one."""
    if document["schema"].as_text() != SCHEMA:
        raise refuse(f"is no document of schema {SCHEMA!r}", document.where, "reinstall actiseg")
    family, about = document["family"].as_text(), document["source"]
    source = Source(
        title=about["title"].as_text(),
        paper=about["paper"].as_text(),
        code=about["code"].as_text(),
        licence=about["licence"].as_text(),
        differences=tuple(line.as_text() for line in document["differences"].iterate_elements()),
    )
    return [
        Preset(
            name=check_text(f"{family}/{name}", entry.where),
            summary=entry["summary"].as_text(),
            source=source,
            noises=tuple(parse_noise(noise) for noise in entry["noises"].iterate_elements()),
        )
        for name, entry in document["presets"].iterate_members()
    ]
