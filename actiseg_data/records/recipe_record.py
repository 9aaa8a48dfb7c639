"""The recipe of a noisy split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_keys,
    check_schema,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import check_name

RECIPE_FILE = "recipe.json"
RECIPE_SCHEMA = "actiseg/recipe/1"


@dataclass(frozen=True)
class Noise:
    """One noise of a recipe, on masks or on text.

    Attributes
    ----------
    kind : str
        Such as ``boundary``.
    algorithm : int
        Version of how the kind makes pixels or text. A change of these raises it.
    rate : float
        Share of the eligible items that get noise, in [0, 1].
    exact : bool
        Take exactly that share of the split, by hash rank, instead of deciding for each item.
    objects : str
        ``positive`` or ``all``.
    overlap : str or None
        Of mask noise: the rule for shared pixels.
    scope : str or None
        Of text noise: the texts that change (``prompt``, ``both``, ``narration``).
    parameters : mapping
        All parameters of the kind.
    """

    kind: str
    algorithm: int
    rate: float
    exact: bool
    objects: str
    overlap: str | None
    scope: str | None
    parameters: Mapping[str, Any]

    @property
    def medium(self) -> str:
        """What the noise changes: ``masks`` or ``text``."""
        return "text" if self.overlap is None else "masks"

    def to_dict(self) -> dict[str, Any]:
        """Return the noise as in a recipe: without the attributes of the other medium."""
        members = asdict(self) | {"parameters": dict(self.parameters)}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class Recipe:
    """All that decides the noise of a split, and nothing else: no time, path, host or version.

    Attributes
    ----------
    split : str
        The split that gets noise.
    seed : int
        The seed of all draws.
    noises : tuple of Noise
        At most one for each medium.
    """

    split: str
    seed: int
    noises: tuple[Noise, ...]

    @property
    def mask_noise(self) -> Noise | None:
        """Its mask noise, or None."""
        return next((noise for noise in self.noises if noise.medium == "masks"), None)

    @property
    def text_noise(self) -> Noise | None:
        """Its text noise, or None."""
        return next((noise for noise in self.noises if noise.medium == "text"), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema": RECIPE_SCHEMA,
            "split": self.split,
            "seed": self.seed,
            "noises": [noise.to_dict() for noise in self.noises],
        }

    @property
    def digest(self) -> str:
        """The digest of the recipe, equal for equal noise."""
        return digest_json(self.to_dict())


def parse_recipe(document: Any, where: str) -> Recipe:
    """Parse the JSON document of a recipe.

    The noise package checks whether kinds, algorithms and parameters are known.

    Raises
    ------
    InputError
        For unknown or missing keys, and wrong types.
    """
    top = Cursor(document, where)
    problems = ProblemCollector()
    check_schema(top, RECIPE_SCHEMA, RELEASE_HINT)
    check_keys(top, ("schema", "split", "seed", "noises"), problems)
    noises = collect_valid(list(top["noises"].iterate_elements()), parse_noise, problems)
    problems.raise_if_any()
    split = check_name(top["split"].as_text(), "split", top["split"].where)
    return Recipe(split, top["seed"].as_integer(), tuple(noises))


def parse_noise(cursor: Cursor) -> Noise:
    """Parse one noise of a recipe or preset; errors are those of `parse_recipe`."""
    problems = ProblemCollector()
    check_keys(cursor, tuple(field.name for field in fields(Noise)), problems)
    if ("overlap" in cursor) == ("scope" in cursor):
        problems.add(
            "must have either 'overlap' (mask noise) or 'scope' (text noise)",
            cursor.where,
            "correct the file",
        )
    problems.raise_if_any()
    return Noise(
        kind=cursor["kind"].as_text(),
        algorithm=cursor["algorithm"].as_integer(),
        rate=cursor["rate"].as_number(),
        exact=cursor["exact"].as_flag(),
        objects=cursor["objects"].as_text(),
        overlap=cursor["overlap"].as_text() if "overlap" in cursor else None,
        scope=cursor["scope"].as_text() if "scope" in cursor else None,
        parameters=cursor["parameters"].as_mapping(),
    )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; a missing, damaged or foreign one raises an `InputError`."""
    return parse_recipe(read_json(path, "recipe"), str(path))
