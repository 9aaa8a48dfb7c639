"""To which class a class is flipped."""

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

NEAR_POWER = 6
"""Near flips are weighted by this power of the similarity, so that most stay among their kind."""

FAR_POWER = 2
"""Far flips are weighted by this power of 1 - similarity; a larger one leaves few classes."""

_UNIT = 1 << 30
"""Weight 1 as a whole number: weights are whole, so that no rounding decides a draw."""

WeightFunction: TypeAlias = Callable[[Lexicon, int, int], float]
"""(lexicon, class, class that it may be flipped to) -> weight in [0, 1]."""


def _weigh_near(lexicon: Lexicon, one: int, other: int) -> float:
    return _is_wrong(lexicon, one, other) * _raise_to_power(
        lexicon.similarity(one, other), NEAR_POWER
    )


def _weigh_far(lexicon: Lexicon, one: int, other: int) -> float:
    return _is_wrong(lexicon, one, other) * _raise_to_power(
        1 - lexicon.similarity(one, other), FAR_POWER
    )


def _is_wrong(lexicon: Lexicon, one: int, other: int) -> bool:
    """Whether a thing of a class that is called another is called wrongly: a right hand that is
    called a hand is not.
    """
    return not lexicon.holds(other, one)


def _raise_to_power(base: float, exponent: int) -> float:
    """By products, which are the same on every machine, as those of a C library's pow need not."""
    return math.prod([base] * exponent)


def _weigh_supercategory(lexicon: Lexicon, one: int, other: int) -> float:
    own, its = lexicon.classes[one].supercategory, lexicon.classes[other].supercategory
    return float(own is not None and own == its and _is_wrong(lexicon, one, other))


_WEIGHTS: Mapping[str, WeightFunction] = {
    "uniform": lambda lexicon, one, other: 1.0,
    "near": _weigh_near,
    "far": _weigh_far,
    "supercategory": _weigh_supercategory,
}


def _find_other_side(lexicon: Lexicon, class_id: int) -> int | None:
    """The class of the same thing on the other side: of the left hand, the right one."""
    side, _, thing = lexicon.classes[class_id].name.partition(" ")
    opposite = {"left": "right", "right": "left"}.get(side)
    found = lexicon.classes_of(f"{opposite} {thing}")
    return found[0] if opposite and len(found) == 1 else None


@dataclass(frozen=True)
class _WeightRow:
    """Weights of the classes of the pool, in order. ends: running sums."""

    weights: list[int]
    ends: list[int]


class FlipTargets:
    """To which classes a recipe flips each class, and how often.

    parameters: of a noise of kind ``category`` or ``text``. The pool is the lexicon's classes, or
    those of ``pool``, without the protected ones.

    >>> from actiseg_data.core.keys import make_key
    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> lexicon = load_lexicon()
    >>> parameters = {"flip": "supercategory", "pool": None, "protect": [], "matrix": None}
    >>> targets, again = FlipTargets(parameters, lexicon), lambda: make_key(0, 1, "y")
    >>> flipped = targets.draw(make_key(0, 1, "x"), again, 4, excluded={1})
    >>> lexicon.classes[flipped].supercategory
    'cutlery'
    """

    def __init__(self, parameters: Mapping[str, Any], lexicon: Lexicon) -> None:
        wanted = parameters["pool"]
        ids = lexicon.classes if wanted is None else wanted
        self.pool: list[int] = sorted(set(ids) - set(parameters["protect"]))
        self._positions = {class_id: at for at, class_id in enumerate(self.pool)}
        self._lexicon = lexicon
        self._flip = parameters["flip"]
        self._matrix = parameters["matrix"]
        self._rows: dict[int, _WeightRow] = {}

    def draw(
        self, draw: Key, again: Callable[[], Key], class_id: int, excluded: AbstractSet[int]
    ) -> int | None:
        """The class that a class is flipped to, never itself and none of the excluded; None where
        no other is left.

        draw: decides, unless it falls on an excluded class; then `again` gives the key that decides
        among the others. So most draws need not look at what is excluded. ``near`` draws only where
        the thing has no other side: a left hand becomes the right one, unless that is excluded.
        """
        if self._flip == "near":
            other_side = _find_other_side(self._lexicon, class_id)
            if other_side in self._positions and other_side not in excluded:
                return other_side
        row = self._row(class_id)
        if not row.ends or not row.ends[-1]:
            return None
        other = self.pool[bisect_right(row.ends, draw_integer(draw, row.ends[-1]))]
        return other if other not in excluded else self._among(row, again, excluded)

    def _among(
        self, row: _WeightRow, again: Callable[[], Key], excluded: AbstractSet[int]
    ) -> int | None:
        known = self._positions
        taken = sorted(known[other] for other in excluded if other in known)
        left = row.ends[-1] - sum(row.weights[at] for at in taken)
        if left <= 0:
            return None
        place = draw_integer(again(), left)
        for at in taken:  # step over what is taken
            if row.ends[at] - row.weights[at] <= place:
                place += row.weights[at]
        return self.pool[bisect_right(row.ends, place)]

    def _row(self, class_id: int) -> _WeightRow:
        if class_id not in self._rows:
            weights = [0 if other == class_id else w for other, w in self._weights(class_id)]
            self._rows[class_id] = _WeightRow(weights, list(accumulate(weights)))
        return self._rows[class_id]

    def _weights(self, class_id: int) -> list[tuple[int, int]]:
        if self._flip == "matrix":
            row = self._matrix.get(str(class_id), {})
            most = max(row.values(), default=1.0)
            shares = [row.get(str(other), 0.0) / most for other in self.pool]
        else:
            weigh = _WEIGHTS[self._flip]
            shares = [weigh(self._lexicon, class_id, other) for other in self.pool]
        return [(other, round(w * _UNIT)) for other, w in zip(self.pool, shares, strict=True)]
