"""What differs between two recipes, and between what two splits were made from and with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.records.recipe_record import Noise, Recipe


@dataclass(frozen=True)
class ValueChange:
    """A value that differs between A and B.

    Attributes
    ----------
    name : str
        What has the value, such as ``seed`` or ``masks.parameters.target_iou``.
    a, b : Any
        The values; None if there is none.
    """

    name: str
    a: Any
    b: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {"name": self.name, "a": self.a, "b": self.b}


def compare_recipes(a: Recipe, b: Recipe) -> tuple[ValueChange, ...]:
    """Compare two recipes setting by setting.

    The settings of a noise are named after its place, of which a recipe has each at most once: its
    medium, and for whole objects and labels also its kind.

    Examples
    --------
    >>> from actiseg_noise import make_recipe
    >>> a, b = make_recipe("boundary", 0.2), make_recipe("boundary", 0.4, seed=1)
    >>> [(change.name, change.a, change.b) for change in compare_recipes(a, b)]
    [('seed', 0, 1), ('masks.rate', 0.2, 0.4)]
    """
    plain = [
        ValueChange(name, old, new)
        for name, old, new in (("split", a.split, b.split), ("seed", a.seed, b.seed))
        if old != new
    ]
    places = dict.fromkeys(noise.place for recipe in (a, b) for noise in recipe.noises)
    for place in places:
        old, new = (_find_noise(recipe, place) for recipe in (a, b))
        if old is not None and new is not None:
            plain += compare_values(old.to_dict(), new.to_dict(), f"{place}.")
        else:
            plain.append(ValueChange(place, old and old.to_dict(), new and new.to_dict()))
    return tuple(plain)


def compare_values(
    a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = ""
) -> Iterator[ValueChange]:
    """Yield the values that differ between two mappings; nested mappings are compared by member.

    >>> [change.name for change in compare_values({"x": {"y": 1}}, {"x": {"y": 2}, "z": 3})]
    ['x.y', 'z']
    """
    for name in dict.fromkeys([*a, *b]):
        old, new = a.get(name), b.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from compare_values(old, new, f"{prefix}{name}.")
        elif type(old) is not type(new) or old != new:
            yield ValueChange(f"{prefix}{name}", old, new)


def compare_known(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[ValueChange]:
    """Yield the values that differ between two mappings and are known in both.

    >>> [change.name for change in compare_known({"numpy": "2.0", "geos": "1"}, {"numpy": "2.1"})]
    ['numpy']
    """
    return (change for change in compare_values(a, b) if None not in (change.a, change.b))


def _find_noise(recipe: Recipe, place: str) -> Noise | None:
    return next((noise for noise in recipe.noises if noise.place == place), None)
