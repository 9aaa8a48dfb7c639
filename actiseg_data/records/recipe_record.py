"""The recipe of a noisy split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

MEDIUM_MEMBERS: Mapping[str, str] = {
    "masks": "overlap",
    "text": "scope",
    "objects": "span",
    "labels": "change",
    "polygons": "fill",
}
"""The member of a recipe's noise that only noise in this medium has. It identifies the medium."""

OBJECT_KINDS = ("missing", "merge", "swap", "ghost")
"""The kinds of noise of whole objects, in the order in which they are applied."""

EXCHANGE = "exchange"
"""The kind of text noise by which two objects of a sequence trade their names."""

ACTIVITY, CLASS = "activity", "class"
"""The kinds of noise in labels: which objects are active, and the category of an object."""

_BY_KIND = ("objects", "labels")
"""The media of which a recipe may have a noise of each kind. It has one noise of any other."""

_ORDER = ("text", CLASS, ACTIVITY, "missing", "masks", *OBJECT_KINDS[1:])
"""The order of the noises of a recipe, by kind for media of `_BY_KIND`, otherwise by medium. Noise
of masks is applied in this order."""


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
        The value of its medium's own member, see `overlap`, `scope`, `span`, `change` and `fill`.
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
    def fill(self) -> str | None:
        """Of polygon noise: how several polygons of an entity count together."""
        return self.choice if self.medium == "polygons" else None

    @property
    def scope(self) -> str | None:
        """Of text noise: the texts that change (``prompt``, ``both``, ``narration``)."""
        return self.choice if self.medium == "text" else None

    @property
    def span(self) -> str | None:
        """Of noise of whole objects: what one draw is for (``clip`` or ``frame``)."""
        return self.choice if self.medium == "objects" else None

    @property
    def change(self) -> str | None:
        """Of noise in labels: how they change, such as ``forget`` or ``uniform``."""
        return self.choice if self.medium == "labels" else None

    @property
    def place(self) -> str:
        """The medium, and for whole objects and labels the kind. A recipe has each place once."""
        return f"{self.medium}.{self.kind}" if self.medium in _BY_KIND else self.medium

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
        At most one of each kind in whole objects and labels, and at most one in any other medium.
    """

    split: str
    seed: int
    noises: tuple[Noise, ...]

    @property
    def mask_noise(self) -> Noise | None:
        """Its mask noise, or None."""
        return self._find_noise("masks")

    @property
    def polygon_noise(self) -> Noise | None:
        """Its polygon noise, or None."""
        return self._find_noise("polygons")

    @property
    def outline_noise(self) -> Noise | None:
        """Its noise of outlines, in masks or in polygons, or None."""
        return self.mask_noise or self.polygon_noise

    @property
    def text_noise(self) -> Noise | None:
        """Its text noise, or None."""
        return self._find_noise("text")

    @property
    def object_noises(self) -> tuple[Noise, ...]:
        """Its noises of whole objects, in the order in which they are applied."""
        return tuple(noise for noise in self.noises if noise.medium == "objects")

    @property
    def changes_masks(self) -> bool:
        """Whether any of its noises changes masks, or polygons that masks are filled from."""
        return self.outline_noise is not None or bool(self.object_noises)

    def find_object_noise(self, kind: str) -> Noise | None:
        """Return its noise of whole objects of a kind, or None."""
        return next((noise for noise in self.object_noises if noise.kind == kind), None)

    @property
    def label_noises(self) -> tuple[Noise, ...]:
        """Its noises in labels, at most one of each kind."""
        return tuple(noise for noise in self.noises if noise.medium == "labels")

    @property
    def activity_noise(self) -> Noise | None:
        """Its noise in the labels of active objects, or None."""
        return next((noise for noise in self.label_noises if noise.kind == ACTIVITY), None)

    @property
    def class_noise(self) -> Noise | None:
        """Its noise in the categories of objects, or None."""
        return next((noise for noise in self.label_noises if noise.kind == CLASS), None)

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


def order_noises(noises: Iterable[Noise]) -> tuple[Noise, ...]:
    """Put the noises of a recipe into their one order, in which equal noise has an equal digest."""

    def rank(noise: Noise) -> int:
        name = noise.kind if noise.medium in _BY_KIND else noise.medium
        return _ORDER.index(name) if name in _ORDER else len(_ORDER)

    return tuple(sorted(noises, key=rank))


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
