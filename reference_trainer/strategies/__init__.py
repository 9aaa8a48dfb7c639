"""The strategies by name. Each stands in a file of its own and does what its paper says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from actiseg_data.core.errors import refuse
from reference_trainer.strategies.action_focal import ActionFocal
from reference_trainer.strategies.apl import Apl, AplOptions
from reference_trainer.strategies.base import Strategy, Task
from reference_trainer.strategies.co_teaching import CoTeaching, CoTeachingOptions
from reference_trainer.strategies.elr import Elr, ElrOptions
from reference_trainer.strategies.gce import Gce, GceOptions
from reference_trainer.strategies.npn import Npn, NpnOptions
from reference_trainer.strategies.pmhm import Pmhm, PmhmOptions
from reference_trainer.strategies.sce import Sce, SceOptions
from reference_trainer.strategies.smart import Smart, SmartOptions
from reference_trainer.strategies.strategy_options import Options


@dataclass(frozen=True)
class StrategyInfo:
    """What there is to know of a strategy. strategy, options: its class and that of its options.
    summary: one line. source: whose it is. released: whether `arithmetic: released` gives what
    ActiSeg-NL's (SMART's) public code computes.
    """

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
    "action-focal": StrategyInfo(
        ActionFocal,
        Options,
        "plain, with ActionVOS's weights of pixels",
        "Ouyang et al., ECCV 2024",
    ),
    "co-teaching": StrategyInfo(
        CoTeaching,
        CoTeachingOptions,
        "two nets pick small-loss samples for each other",
        "Han et al., NeurIPS 2018",
    ),
    "gce": StrategyInfo(
        Gce,
        GceOptions,
        "generalised cross-entropy for the focal loss, optionally truncated",
        "Zhang and Sabuncu, NeurIPS 2018",
    ),
    "sce": StrategyInfo(
        Sce,
        SceOptions,
        "cross-entropy and its reverse for the focal loss",
        "Wang et al., ICCV 2019",
    ),
    "apl": StrategyInfo(
        Apl,
        AplOptions,
        "a normalised active loss and a passive one for the focal loss",
        "Ma et al., ICML 2020",
    ),
    "elr": StrategyInfo(
        Elr,
        ElrOptions,
        "cross-entropy, held to the running average of early predictions",
        "Liu et al., NeurIPS 2020",
    ),
    "npn": StrategyInfo(
        Npn,
        NpnOptions,
        "partial labels by votes, negative learning, consistency of a strong view",
        "Sheng et al., AAAI 2024",
    ),
    "smart": StrategyInfo(
        Smart,
        SmartOptions,
        "labels held against a net that is frozen early",
        "cekkec/SMART, public code",
    ),
    "pmhm": StrategyInfo(
        Pmhm,
        PmhmOptions,
        "further mask heads vote on which pixels are learned from",
        "ActiSeg-NL, public code, mended",
    ),
}


def find(name: str) -> StrategyInfo:
    """The strategy of a name. Raises `InputError`, listing all, for one that is unknown.

    >>> find("plain").released
    False
    """
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise refuse(f"{name!r} is no strategy", "--strategy", f"use one of {known}")
    return STRATEGIES[name]


def resolve(name: str, options: Mapping[str, Any]) -> Options:
    """All options of a strategy, where some are other than their defaults.

    Raises `InputError` for an unknown strategy, an option that it does not have, or a value that makes
    no sense, naming all offenders.

    >>> resolve("plain", {"dice": 0.0})
    Options(mask=2.0, dice=0.0, activity=2.0)
    """
    info = find(name)
    known = [field.name for field in fields(info.options)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise refuse(
            f"{name} has no option {', '.join(unknown)}", "options", f"use {', '.join(known)}"
        )
    return info.options(**options)


def build(name: str, options: Mapping[str, Any], task: Task) -> Strategy[Any]:
    """A strategy by name, with some options other than their defaults; see `resolve`.

    >>> task = Task(units=1, grid=(8, 8), epochs=1, steps_per_epoch=1, seed=0)
    >>> build("plain", {"dice": 0.0}, task).options
    Options(mask=2.0, dice=0.0, activity=2.0)
    """
    return find(name).strategy(resolve(name, options), task)
