"""What a strategy can be told: values with their ranges, by its paper or as released."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from actiseg_data.errors import Problems

Arithmetic: TypeAlias = Literal["paper", "released"]


def knob(paper: Any, low: float = 0.0, high: float = math.inf, *, released: Any = None) -> Any:
    """A field of `Options`.

    paper: its value, unless another is given. low, high: the least and the greatest number it may
    be. released: its value, unless another is given, where `arithmetic` is "released"; None: the
    same.
    """
    default = paper if released is None else None
    return field(default=default, metadata={"low": low, "high": high, "is": (paper, released)})


@dataclass(frozen=True)
class Options:
    """What every strategy can be told: the coefficients of its terms (ReferFormer's).

    mask: of the loss of pixels. dice: of Dice. activity: of the focal loss of the activity head.

    Raises `Refused`, naming all offenders, for values of another type, out of range, or unknown.

    >>> Options(dice=0).dice
    0.0
    """

    mask: float = knob(2.0)
    dice: float = knob(5.0)
    activity: float = knob(2.0)

    @property
    def released(self) -> bool:
        """Whether the arithmetic is that of the released code."""
        return False

    def __post_init__(self) -> None:
        problems = Problems()
        kinds = get_type_hints(type(self))
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None and "is" in each.metadata:
                paper, released = each.metadata["is"]
                value = released if self.released and released is not None else paper
            wanted = _wanted(value, kinds[each.name], each.metadata)
            if wanted:
                problems.add(f"{value!r} makes no sense", f"option {each.name}", wanted)
            elif kinds[each.name] is float:
                value = float(value)
            object.__setattr__(self, each.name, value)
        problems.raise_if_any()


@dataclass(frozen=True)
class ReleasedOptions(Options):
    """Options of a strategy whose released code computes something else.

    arithmetic: "paper", or "released" for what the public code computes. It also sets the constants
    that are not given to those of the public code.
    """

    arithmetic: Arithmetic = "paper"

    @property
    def released(self) -> bool:
        return self.arithmetic == "released"


@dataclass(frozen=True)
class ScaledOptions(ReleasedOptions):
    """Options of a strategy whose loss of pixels stands in the place of the focal one.

    scale: "undecided": the loss is scaled so that a pixel at p = 1/2 costs what it costs under the
    focal loss, the mean over both labels. A paper's loss stands alone, where its scale means
    nothing; beside Dice, one that is fifty times as large would silence it. "raw": as it is.
    """

    scale: Literal["undecided", "raw"] = knob("undecided", released="raw")


def _wanted(value: Any, kind: Any, limits: Any) -> str | None:
    """What a value should be, if it is not."""
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return None if value in choices else f"give one of {', '.join(map(str, choices))}"
    if kind is bool:
        return None if isinstance(value, bool) else "give true or false"
    low, high = limits["low"], limits["high"]
    number = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
    if number and low <= value <= high and math.isfinite(value):
        return None
    noun = "a whole number" if kind is int else "a number"
    return f"give {noun} of {low:g} or more" + (f", at most {high:g}" if high < math.inf else "")
