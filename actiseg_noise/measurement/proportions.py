"""Counted proportions with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actiseg_data.core.statistics import wilson_interval

Z_999 = 3.290527
"""Quantile of the 99.9 % interval. An audit makes many comparisons, so it uses a wide interval."""


@dataclass(frozen=True)
class Proportion:
    """The number of items that have some property, among all items.

    Attributes
    ----------
    items : int
        All items.
    hits : int
        Items that have the property.
    """

    items: int
    hits: int

    @property
    def rate(self) -> float | None:
        """Hits divided by items; None without items."""
        return self.hits / self.items if self.items else None

    @property
    def interval_999(self) -> tuple[float, float] | None:
        """The 99.9 % Wilson interval of the rate; None without items."""
        return wilson_interval(self.hits, self.items, Z_999)

    @property
    def percentage(self) -> str:
        """The rate as text, such as ``12.5%``; ``none`` without items."""
        return "none" if self.rate is None else f"{self.rate:.1%}"

    def is_consistent_with(self, rate: float) -> bool:
        """Return whether a rate is within the interval; without items, every rate is.

        >>> Proportion(100, 41).is_consistent_with(0.4), Proportion(100, 90).is_consistent_with(0.4)
        (True, False)
        """
        interval = self.interval_999
        slack = 1e-9  # the upper bound of "all items" is a rounding error below 1
        return interval is None or interval[0] - slack <= rate <= interval[1] + slack

    def to_dict(self) -> dict[str, Any]:
        """Return the proportion as JSON."""
        interval = self.interval_999
        return {
            "items": self.items,
            "hits": self.hits,
            "rate": None if self.rate is None else round(self.rate, 6),
            "interval_999": None if interval is None else [round(bound, 6) for bound in interval],
        }
