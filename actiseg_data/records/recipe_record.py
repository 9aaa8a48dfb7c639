"""The recipe of a noisy split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name

RECIPE_FILE = "recipe.json"
RECIPE_SCHEMA = "actiseg/recipe/1"

MEDIUM_MEMBERS: Mapping[str, str] = {"masks": "overlap", "text": "scope", "labels": "change"}
"""The member of a recipe's noise that only noise in this medium has. It identifies the medium."""

ACTIVITY, CLASS = "activity", "class"
"""The kinds of noise in labels: which objects are active, and the category of an object."""


@dataclass(frozen=True)
class Noise:
    """One noise of a recipe, in one medium.

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
    medium : str
        What the noise changes, one of `MEDIUM_MEMBERS`.
    choice : str
        The value of its medium's own member, see `overlap`, `scope` and `change`.
    parameters : mapping
        All parameters of the kind.
    """

    kind: str
    algorithm: int
    rate: float
    exact: bool
    objects: str
    medium: str
    choice: str
    parameters: Mapping[str, Any]

    @property
    def overlap(self) -> str | None:
        """Of mask noise: the rule for shared pixels."""
        return self.choice if self.medium == "masks" else None

    @property
    def scope(self) -> str | None:
        """Of text noise: the texts that change (``prompt``, ``both``, ``narration``)."""
        return self.choice if self.medium == "text" else None

    @property
    def change(self) -> str | None:
        """Of noise in labels: how they change, such as ``forget`` or ``uniform``."""
        return self.choice if self.medium == "labels" else None

    def to_dict(self) -> dict[str, Any]:
        """Return the noise as in a recipe."""
        return {
            "kind": self.kind,
            "algorithm": self.algorithm,
            "rate": self.rate,
            "exact": self.exact,
            "objects": self.objects,
            MEDIUM_MEMBERS[self.medium]: self.choice,
            "parameters": dict(self.parameters),
        }


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
        At most one for each medium; for labels, at most one of each kind.
    """

    split: str
    seed: int
    noises: tuple[Noise, ...]

    @property
    def mask_noise(self) -> Noise | None:
        """Its mask noise, or None."""
        return self._find_noise("masks")

    @property
    def text_noise(self) -> Noise | None:
        """Its text noise, or None."""
        return self._find_noise("text")

    @property
    def label_noises(self) -> tuple[Noise, ...]:
        """Its noises in labels, at most one of each kind."""
        return tuple(noise for noise in self.noises if noise.medium == "labels")

    @property
    def activity_noise(self) -> Noise | None:
        """Its noise in the labels of active objects, or None."""
        return next((noise for noise in self.label_noises if noise.kind == ACTIVITY), None)

    def _find_noise(self, medium: str) -> Noise | None:
        return next((noise for noise in self.noises if noise.medium == medium), None)

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
    shared = ("kind", "algorithm", "rate", "exact", "objects")
    check_keys(cursor, (*shared, *MEDIUM_MEMBERS.values(), "parameters"), problems)
    media = [medium for medium, member in MEDIUM_MEMBERS.items() if member in cursor]
    if len(media) != 1:
        known = " or ".join(f"{member!r} ({name})" for name, member in MEDIUM_MEMBERS.items())
        problems.add(f"must have either {known}", cursor.where, "correct the file")
    problems.raise_if_any()
    return Noise(
        kind=cursor["kind"].as_text(),
        algorithm=cursor["algorithm"].as_integer(),
        rate=cursor["rate"].as_number(),
        exact=cursor["exact"].as_flag(),
        objects=cursor["objects"].as_text(),
        medium=media[0],
        choice=cursor[MEDIUM_MEMBERS[media[0]]].as_text(),
        parameters=cursor["parameters"].as_mapping(),
    )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; a missing, damaged or foreign one raises an `InputError`."""
    if path.is_dir():
        inner = path / RECIPE_FILE
        hint = f"give {inner}" if inner.is_file() else "give the file of a recipe"
        raise refuse("is a folder, not a recipe", path, hint)
    return parse_recipe(read_json(path, "recipe"), str(path))


def refuse_noisy_source(source: Path) -> None:
    """Raise an `InputError` if a clean dataset that a caller gave is a noisy split."""
    if (source / RECIPE_FILE).is_file():
        raise refuse(
            f"is a noisy split ({RECIPE_FILE}), not a clean dataset",
            source,
            "give the dataset that the noisy split was made from",
        )
