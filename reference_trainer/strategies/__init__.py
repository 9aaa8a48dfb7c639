"""The strategies by name. Each stands in a file of its own and does what its paper says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from actiseg_data.errors import refuse
from reference_trainer.strategies.base import Options, Strategy, Task


@dataclass(frozen=True)
class StrategyInfo:
    """What there is to know of a strategy. strategy, options: its class and that of its options.
    summary: one line. source: whose it is. released: whether `arithmetic: released` gives what
    ActiSeg-NL's (SMART's) public code computes."""

    strategy: type[Strategy[Any]]
    options: type[Options]
    summary: str
    source: str

    @property
    def released(self) -> bool:
        return "arithmetic" in {field.name for field in fields(self.options)}


STRATEGIES: Mapping[str, StrategyInfo] = {
    "plain": StrategyInfo(
        Strategy,
        Options,
        "focal loss and Dice on masks, focal loss on activity",
        "Lin et al., ICCV 2017; Milletari et al., 3DV 2016",
    ),
}


def find(name: str) -> StrategyInfo:
    """The strategy of a name. Raises `Refused`, listing all, for one that is unknown.

    >>> find("plain").released
    False
    """
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise refuse(f"{name!r} is no strategy", "--strategy", f"use one of {known}")
    return STRATEGIES[name]


def build(name: str, options: Mapping[str, Any], task: Task) -> Strategy[Any]:
    """A strategy by name, with some options other than their defaults.

    Raises `Refused` for an unknown strategy, an option that it does not have, or a value that makes
    no sense, naming all offenders.

    >>> task = Task(items=1, units=1, grid=(8, 8), epochs=1, steps_per_epoch=1, seed=0)
    >>> build("plain", {"dice": 0.0}, task).options
    Options(mask=2.0, dice=0.0, activity=2.0)
    """
    info = find(name)
    known = [field.name for field in fields(info.options)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise refuse(
            f"{name} has no option {', '.join(unknown)}", "options", f"use {', '.join(known)}"
        )
    return info.strategy(info.options(**options), task)
