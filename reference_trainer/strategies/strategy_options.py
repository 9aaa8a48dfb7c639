"""Options of strategies: values with ranges, and defaults for the paper and the released code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from actiseg_data.core.errors import ProblemCollector

RELEASED: Mapping[str, Any] = {"arithmetic": "released"}
"""For `option`: the option has no effect with the arithmetic of the released code."""


def option(
    paper: Any,
    low: float = 0.0,
    high: float = math.inf,
    *,
    released: Any = None,
    instead: Mapping[tuple[str, Any], Any] | None = None,
    unless: Mapping[str, Any] | None = None,
) -> Any:
    """Make a field of `StrategyOptions`.

    Parameters
    ----------
    paper : value
        Default.
    low, high : float
        Range of a number, inclusive.
    released : value, optional
        Default if `arithmetic` is "released". None: the same as `paper`.
    instead : mapping of (option, value) to default, optional
        Defaults that depend on other options.
    unless : mapping of option to value, optional
        Values of other options with which this one has no effect. Then only its default is valid.
    """
    defaults = dict(instead or {})
    if released is not None:
        defaults["arithmetic", "released"] = released
    metadata = {
        "low": low,
        "high": high,
        "paper": paper,
        "instead": defaults,
        "unless": unless or {},
    }
    return field(default=None if defaults else paper, metadata=metadata)


@dataclass(frozen=True)
class StrategyOptions:
    """Options of every strategy: the coefficients of its terms (ReferFormer's).

    Attributes
    ----------
    mask : float
        Coefficient of the pixel loss.
    dice : float
        Coefficient of the Dice loss.
    activity : float
        Coefficient of the focal loss of the activity head.

    Raises
    ------
    InputError
        If values have the wrong type, are out of range, or have no effect. An option without effect
        may have its default value, as in a configuration that lists all options, but no other.

    Examples
    --------
    >>> StrategyOptions(dice=0).dice
    0.0
    """

    mask: float = option(2.0)
    dice: float = option(5.0)
    activity: float = option(2.0)

    @property
    def released(self) -> bool:
        """Whether the arithmetic is that of the released code."""
        return False

    def __post_init__(self) -> None:
        problems = ProblemCollector()
        kinds = get_type_hints(type(self))
        for setting in fields(self):
            name, value = setting.name, getattr(self, setting.name)
            if value is None:
                value = self._find_default(setting)
            expected = _describe_mismatch(value, kinds[name], setting.metadata)
            if expected:
                problems.add(f"{value!r} is not valid", f"option {name}", expected)
            elif kinds[name] is float:
                value = float(value)
            object.__setattr__(self, name, value)
        problems.raise_if_any()
        for setting in fields(self):
            is_default = getattr(self, setting.name) == self._find_default(setting)
            for name, value in setting.metadata["unless"].items():
                if getattr(self, name) == value and not is_default:
                    what = f"has no effect if {name} is {value}"
                    hint = f"omit it, or change {name}"
                    problems.add(what, f"option {setting.name}", hint)
        problems.raise_if_any()

    def _find_default(self, setting: Field[Any]) -> Any:
        """Return the default of an option, which may depend on other options."""
        for (name, value), default in setting.metadata["instead"].items():
            if getattr(self, name) == value:
                return default
        return setting.metadata["paper"]


@dataclass(frozen=True)
class ReleasedOptions(StrategyOptions):
    """Options of a strategy whose released code differs from its paper.

    Attributes
    ----------
    arithmetic : "paper" or "released"
        "released" computes what the public code computes, and changes the defaults of the constants
        to those of that code.
    """

    arithmetic: Literal["paper", "released"] = option("paper")

    @property
    def released(self) -> bool:
        """Whether the arithmetic is that of the released code."""
        return self.arithmetic == "released"


@dataclass(frozen=True)
class ScaledOptions(ReleasedOptions):
    """Options of a strategy that replaces the focal loss of pixels.

    Attributes
    ----------
    scale : "match-focal" or "raw"
        "match-focal" scales the loss so that a pixel at p = 1/2 has the same loss as the focal loss
        gives it, as the mean over both labels. If the loss is cross-entropy with further terms, the
        scale matches cross-entropy, and applies to all terms. A paper uses its loss alone, so its
        scale has no effect. Here it is added to Dice, and a loss that is fifty times larger would
        suppress Dice. "raw" does not scale.
    """

    scale: Literal["match-focal", "raw"] = option("match-focal", released="raw")


@dataclass(frozen=True)
class RobustOptions(ScaledOptions):
    """Options of a strategy whose robust loss serves masks, activity or both, beside Dice.

    The released code has neither choice: its robust losses are those of masks, and Dice is over all
    pixels.

    Attributes
    ----------
    robust : "masks", "activity" or "both"
        Where the robust loss takes the place of the plain one. Noise of boundaries changes masks;
        noise on words makes a prompt name another object, which the activity should show.
    dice_region : "all" or "trusted"
        Pixels of the Dice loss. "trusted": those whose label the strategy believes. Dice has no
        robust form here, and most of the gradient on wrongly labelled pixels is Dice's.
    """

    robust: Literal["masks", "activity", "both"] = option("masks", unless=RELEASED)
    dice_region: Literal["all", "trusted"] = option(
        "all", unless={"arithmetic": "released", "dice": 0, "robust": "activity"}
    )

    @property
    def has_robust_masks(self) -> bool:
        """Whether the loss of masks is the robust one."""
        return self.released or self.robust != "activity"

    @property
    def has_robust_activity(self) -> bool:
        """Whether the loss of activity is the robust one."""
        return not self.released and self.robust != "masks"

    @property
    def has_trusted_dice(self) -> bool:
        """Whether Dice is over trusted pixels."""
        return not self.released and self.has_robust_masks and self.dice_region == "trusted"


def _describe_mismatch(value: Any, kind: Any, limits: Any) -> str | None:
    """Return a hint if a value does not have the right type and range, else None."""
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
