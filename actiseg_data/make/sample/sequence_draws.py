"""Keyed choices about one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key

ALGORITHM = 1
"""Version of the sample's content: a change of a pixel of a mask or of a label raises it."""

_SEED = 0

T = TypeVar("T")


@dataclass(frozen=True)
class Draws:
    """Choices that depend on the identity of a sequence and on their purpose, in no order.

    >>> draws = Draws(("S01_01", "cut", "carrot", 120))
    >>> draws.draw_between(2, 3, "lens.zoom") == draws.draw_between(2, 3, "lens.zoom")
    True
    """

    identity: tuple[str | int, ...]

    def _make_key(self, what: tuple[str | int, ...]) -> Key:
        return make_key(_SEED, ALGORITHM, f"sample.{what[0]}", *self.identity, *what[1:])

    def draw_between(self, low: float, high: float, *what: str | int) -> float:
        """Draw a uniform number in [low, high)."""
        return low + (high - low) * draw_uniform(self._make_key(what))

    def draw_chance(self, share: float, *what: str | int) -> bool:
        """Draw True for a share of all sequences."""
        return draw_uniform(self._make_key(what)) < share

    def draw_below(self, count: int, *what: str | int) -> int:
        """Draw a uniform int in [0, count)."""
        return draw_integer(self._make_key(what), count)

    def pick(self, options: Sequence[T], *what: str | int) -> T:
        """Pick one of the options."""
        return options[self.draw_below(len(options), *what)]
