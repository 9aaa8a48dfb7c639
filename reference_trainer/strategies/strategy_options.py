"""What a strategy can be told: values with their ranges, by its paper or as released."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from actiseg_data.core.errors import ProblemCollector

RELEASED: Mapping[str, Any] = {"arithmetic": "released"}
"""For `knob`: unless the arithmetic is that of the released code."""


def knob(
    paper: Any,
    low: float = 0.0,
    high: float = math.inf,
    *,
    released: Any = None,
    instead: Mapping[tuple[str, Any], Any] | None = None,
    unless: Mapping[str, Any] | None = None,
) -> Any:
    """A field of `Options`.

    paper: its value, unless another is given. low, high: the least and the greatest number it may
    be. released: its value, unless another is given, where `arithmetic` is "released"; None: the
    same. instead: the same for other options, by (option, value of that). unless: values of other
    options at which this one has no part in what is computed, so that nothing else may be given.
    """
    others = dict(instead or {})
    if released is not None:
        others["arithmetic", "released"] = released
    metadata = {"low": low, "high": high, "paper": paper, "instead": others, "unless": unless or {}}
    return field(default=None if others else paper, metadata=metadata)


@dataclass(frozen=True)
class Options:
    """What every strategy can be told: the coefficients of its terms (ReferFormer's).

    mask: of the loss of pixels. dice: of Dice. activity: of the focal loss of the activity head.

    Raises `InputError`, naming all offenders, for values of another type, out of range, or unknown,
    and for those that would do nothing: an option that has no part in what is computed may be given
    as what it is by default, as in a configuration that names all, and as nothing else.

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
        problems = ProblemCollector()
        kinds = get_type_hints(type(self))
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None:
                value = self._default(each)
            wanted = _wanted(value, kinds[each.name], each.metadata)
            if wanted:
                problems.add(f"{value!r} makes no sense", f"option {each.name}", wanted)
            elif kinds[each.name] is float:
                value = float(value)
            object.__setattr__(self, each.name, value)
        problems.raise_if_any()
        for each in fields(self):
            for name, value in each.metadata["unless"].items():
                if getattr(self, name) == value and getattr(self, each.name) != self._default(each):
                    hint = f"leave it out, or set {name} otherwise"
                    problems.add(
                        f"does nothing where {name} is {value}", f"option {each.name}", hint
                    )
        problems.raise_if_any()

    def _default(self, of: Field[Any]) -> Any:
        """What an option is unless it is given, which may depend on others."""
        for (name, value), default in of.metadata["instead"].items():
            if getattr(self, name) == value:
                return default
        return of.metadata["paper"]


@dataclass(frozen=True)
class ReleasedOptions(Options):
    """Options of a strategy whose released code computes something else.

    arithmetic: "paper", or "released" for what the public code computes. It also sets the constants
    that are not given to those of the public code.
    """

    arithmetic: Literal["paper", "released"] = knob("paper")

    @property
    def released(self) -> bool:
        return self.arithmetic == "released"


@dataclass(frozen=True)
class ScaledOptions(ReleasedOptions):
    """Options of a strategy whose loss of pixels stands in the place of the focal one.

    scale: "undecided": the loss is scaled so that a pixel at p = 1/2 costs what it costs under the
    focal loss, the mean over both labels; where the loss is cross-entropy with further terms, so
    that cross-entropy does, and the terms are times the same factor. A paper's loss stands alone,
    where its scale means nothing; beside Dice, one that is fifty times as large would silence it.
    "raw": as it is.
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
