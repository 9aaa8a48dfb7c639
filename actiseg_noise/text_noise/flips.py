"""Draw the class that an object's class is flipped to."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.keys import Key, draw_integer

NEAR_LEAST = 0.6
"""Near flips go to classes with at least this similarity."""

FAR_MOST = 0.3
"""Far flips go to classes with at most this similarity."""

NEAR_POWER = 6
"""Near flips are weighted by this power of the similarity, so that most go to similar classes."""

FAR_POWER = 2
"""Far flips are weighted by this power of 1 - similarity; a larger power leaves few classes."""

_UNIT = 1 << 30
"""Weight 1 as a whole number: weights are whole, so that rounding does not decide a draw."""

WeightFunction: TypeAlias = Callable[[Lexicon, int, int], float]
"""(lexicon, class, class that it can be flipped to) -> weight in [0, 1]."""


def _weigh_near(lexicon: Lexicon, clean: int, flipped: int) -> float:
    similarity = lexicon.measure_similarity(clean, flipped)
    is_target = similarity >= NEAR_LEAST and _is_wrong(lexicon, clean, flipped)
    return is_target * _raise_to_power(similarity, NEAR_POWER)


def _weigh_far(lexicon: Lexicon, clean: int, flipped: int) -> float:
    similarity = lexicon.measure_similarity(clean, flipped)
    is_target = similarity <= FAR_MOST and _is_wrong(lexicon, clean, flipped)
    return is_target * _raise_to_power(1 - similarity, FAR_POWER)


def _is_wrong(lexicon: Lexicon, clean: int, flipped: int) -> bool:
    """Whether the flipped class is wrong for an object; ``hand`` is not wrong for a right hand."""
    return not lexicon.is_subclass(flipped, clean)


def _raise_to_power(base: float, exponent: int) -> float:
    """Raise to a power by multiplication, unlike ``pow`` the same on every machine."""
    return math.prod([base] * exponent)


def _weigh_supercategory(lexicon: Lexicon, clean: int, flipped: int) -> float:
    group, target = lexicon.classes[clean].supercategory, lexicon.classes[flipped].supercategory
    return float(group is not None and group == target and _is_wrong(lexicon, clean, flipped))


_WEIGHTS: Mapping[str, WeightFunction] = {
    "uniform": lambda lexicon, clean, flipped: 1.0,
    "near": _weigh_near,
    "far": _weigh_far,
    "supercategory": _weigh_supercategory,
}


def _find_opposite(lexicon: Lexicon, class_id: int) -> int | None:
    """Return the class on the opposite side: that of the right hand for a left hand."""
    side, _, noun = lexicon.classes[class_id].name.partition(" ")
    opposite = {"left": "right", "right": "left"}.get(side)
    classes = lexicon.find_classes(f"{opposite} {noun}")
    return classes[0] if opposite and len(classes) == 1 else None


@dataclass(frozen=True)
class _WeightRow:
    """The weights of the pool's classes, in order, and their running sums."""

    weights: list[int]
    ends: list[int]


class FlipTargets:
    """The classes that a recipe flips each class to, with their weights.

    Parameters
    ----------
    parameters : mapping
        Parameters of a noise of kind ``category`` or ``text``. The pool has the classes of
        ``pool``, by default all of the lexicon, without those of ``protect``. If it has
        frequencies, the weights of the rule are multiplied by them.
    lexicon : Lexicon
        Lexicon with the similarities of the classes.

    Examples
    --------
    >>> from actiseg_data.core.keys import make_key
    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> lexicon = load_lexicon()
    >>> parameters = {"flip": "supercategory", "pool": None, "protect": [], "matrix": None}
    >>> targets = FlipTargets(parameters, lexicon)
    >>> flipped = targets.draw(make_key(0, 1, "x"), lambda: make_key(0, 1, "y"), 4, excluded={1})
    >>> lexicon.classes[flipped].supercategory
    'cutlery'
    """

    def __init__(self, parameters: Mapping[str, Any], lexicon: Lexicon) -> None:
        pool = parameters["pool"]
        ids = map(int, lexicon.classes if pool is None else pool)
        self.pool: list[int] = sorted(set(ids) - set(parameters["protect"]))
        self._frequencies = {int(key): pool[key] for key in pool} if _has_counts(pool) else {}
        self._positions = {class_id: position for position, class_id in enumerate(self.pool)}
        self._lexicon = lexicon
        self._flip = parameters["flip"]
        self._matrix = parameters["matrix"]
        self._rows: dict[int, _WeightRow] = {}

    def draw(
        self,
        key: Key,
        make_second_key: Callable[[], Key],
        class_id: int,
        excluded: AbstractSet[int],
    ) -> int | None:
        """Draw the class that a class is flipped to, never itself.

        Near flips of an object with a side go to the opposite side: a left hand becomes the right
        hand, unless that is excluded.

        Parameters
        ----------
        key : Key
            Decides, unless it draws an excluded class. Most draws therefore do not depend on what
            is excluded.
        make_second_key : callable
            Makes the key that decides among the remaining classes if `key` drew an excluded one.
        class_id : int
            Clean class.
        excluded : set of int
            Classes to avoid.

        Returns
        -------
        int or None
            The class; None if no class is left.
        """
        if self._flip == "near":
            opposite = _find_opposite(self._lexicon, class_id)
            if opposite in self._positions and opposite not in excluded:
                return opposite
        row = self._get_row(class_id)
        if not row.ends or not row.ends[-1]:
            return None
        target = self.pool[bisect_right(row.ends, draw_integer(key, row.ends[-1]))]
        if target not in excluded:
            return target
        return self._draw_remaining(row, make_second_key, excluded)

    def _draw_remaining(
        self, row: _WeightRow, make_key: Callable[[], Key], excluded: AbstractSet[int]
    ) -> int | None:
        """Draw among the classes that are not excluded; None if there are none."""
        known = self._positions
        taken = sorted(known[class_id] for class_id in excluded if class_id in known)
        remaining = row.ends[-1] - sum(row.weights[position] for position in taken)
        if remaining <= 0:
            return None
        point = draw_integer(make_key(), remaining)
        for position in taken:  # skip the weights of excluded classes
            if row.ends[position] - row.weights[position] <= point:
                point += row.weights[position]
        return self.pool[bisect_right(row.ends, point)]

    def _get_row(self, class_id: int) -> _WeightRow:
        if class_id not in self._rows:
            weights = self._compute_weights(class_id)
            if class_id in self._positions:
                weights[self._positions[class_id]] = 0
            self._rows[class_id] = _WeightRow(weights, list(accumulate(weights)))
        return self._rows[class_id]

    def _compute_weights(self, class_id: int) -> list[int]:
        """Compute the weight of each class of the pool as a whole number."""
        if self._flip == "matrix":
            row = self._matrix.get(str(class_id), {})
            most = max(row.values(), default=1.0)
            shares = [row.get(str(target), 0.0) / most for target in self.pool]
        else:
            weigh = _WEIGHTS[self._flip]
            shares = [weigh(self._lexicon, class_id, target) for target in self.pool]
        if self._frequencies:
            most = max((self._frequencies[target] for target in self.pool), default=1)
            shares = [
                share * self._frequencies[target] / most
                for share, target in zip(shares, self.pool, strict=True)
            ]
        return [round(share * _UNIT) for share in shares]


def _has_counts(pool: Any) -> bool:
    return isinstance(pool, Mapping)
