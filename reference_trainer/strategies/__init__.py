"""Strategies by name. Each follows its paper, in a module of its own; `plain` is in `base`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from actiseg_data.core.errors import check_choice, refuse, suggest
from reference_trainer.strategies.action_focal import ActionFocal
from reference_trainer.strategies.apl import Apl, AplOptions
from reference_trainer.strategies.base import Strategy, StrategyContext
from reference_trainer.strategies.co_teaching import CoTeaching, CoTeachingOptions
from reference_trainer.strategies.distil import Distil, DistilOptions
from reference_trainer.strategies.elr import Elr, ElrOptions
from reference_trainer.strategies.gce import Gce, GceOptions
from reference_trainer.strategies.npn import Npn, NpnOptions
from reference_trainer.strategies.pmhm import Pmhm, PmhmOptions
from reference_trainer.strategies.sce import Sce, SceOptions
from reference_trainer.strategies.smart import Smart, SmartOptions
from reference_trainer.strategies.strategy_options import StrategyOptions


@dataclass(frozen=True)
class StrategyInfo:
    """The description of a strategy.

    Attributes
    ----------
    strategy, options : type
        Class of the strategy and of its options.
    summary : str
        One line.
    source : str
        Its paper or code.
    released : bool
        Whether ``arithmetic: released`` reproduces the public code of ActiSeg-NL (SMART).
    warm_epochs : int
        Epochs of the warm-up if a run starts from a trained net.
    is_control : bool
        Whether it is no method for noisy labels, but what such a method must beat.
    needs_start : bool
        Whether a run must start from a trained net.
    """

    strategy: type[Strategy[Any]]
    options: type[StrategyOptions]
    summary: str
    source: str
    released: bool = False
    warm_epochs: int = 0
    is_control: bool = False
    needs_start: bool = False


STRATEGIES: Mapping[str, StrategyInfo] = {
    "plain": StrategyInfo(
        Strategy,
        StrategyOptions,
        "focal loss and Dice on masks, focal loss on activity",
        "Lin et al., ICCV 2017; Milletari et al., 3DV 2016",
    ),
    "action-focal": StrategyInfo(
        ActionFocal,
        StrategyOptions,
        "plain, with ActionVOS's pixel weights",
        "Ouyang et al., ECCV 2024",
    ),
    "co-teaching": StrategyInfo(
        CoTeaching,
        CoTeachingOptions,
        "two nets select small-loss samples for each other",
        "Han et al., NeurIPS 2018",
        released=True,
    ),
    "gce": StrategyInfo(
        Gce,
        GceOptions,
        "untruncated generalised cross-entropy instead of the focal loss; truncation is an option",
        "Zhang and Sabuncu, NeurIPS 2018",
        released=True,
    ),
    "sce": StrategyInfo(
        Sce,
        SceOptions,
        "cross-entropy and reverse cross-entropy instead of the focal loss",
        "Wang et al., ICCV 2019",
        released=True,
    ),
    "apl": StrategyInfo(
        Apl,
        AplOptions,
        "a normalised active and a passive loss instead of the focal loss",
        "Ma et al., ICML 2020",
        released=True,
    ),
    "elr": StrategyInfo(
        Elr,
        ElrOptions,
        "cross-entropy, regularised by the running average of early predictions",
        "Liu et al., NeurIPS 2020",
        released=True,
    ),
    "npn": StrategyInfo(
        Npn,
        NpnOptions,
        "partial labels by votes, negative learning, consistency with a strong view",
        "Sheng et al., AAAI 2024",
        released=True,
        warm_epochs=2,  # in which the net votes
    ),
    "smart": StrategyInfo(
        Smart,
        SmartOptions,
        "labels compared with an early, frozen net",
        "cekkec/SMART, public code",
        released=True,
    ),
    "pmhm": StrategyInfo(
        Pmhm,
        PmhmOptions,
        "robust mask heads vote on the pixels to learn from",
        "ActiSeg-NL, public code, corrected",
        released=True,
    ),
    "distil": StrategyInfo(
        Distil,
        DistilOptions,
        "plain, with the divergence from the net that the run starts from",
        "Hinton et al., 2015; Li and Hoiem, ECCV 2016",
        is_control=True,
        needs_start=True,
    ),
}


def find_strategy(name: str) -> StrategyInfo:
    """Find a strategy by name.

    Raises
    ------
    InputError
        If there is no such strategy; the error lists all of them.

    Examples
    --------
    >>> find_strategy("plain").released
    False
    """
    check_choice(name, STRATEGIES, "strategy")
    return STRATEGIES[name]


def resolve_options(name: str, options: Mapping[str, Any]) -> StrategyOptions:
    """Complete the options of a strategy with its defaults.

    Parameters
    ----------
    name : str
        Strategy.
    options : mapping of str to value
        Options that differ from their defaults.

    Raises
    ------
    InputError
        If the strategy or options are unknown, or if values are not valid.

    Examples
    --------
    >>> resolve_options("plain", {"dice": 0.0})
    StrategyOptions(mask=2.0, dice=0.0, activity=2.0)
    """
    info = find_strategy(name)
    known = [field.name for field in fields(info.options)]
    unknown = [option for option in options if option not in known]
    if unknown:
        what = f"{name} has no option {', '.join(unknown)}{suggest(unknown[0], known)}"
        raise refuse(what, "options", f"use {', '.join(known)}")
    resolved = info.options(**options)
    if resolved.released and not info.released:
        raise refuse(f"{name} has no released code", "option arithmetic", "give paper")
    return resolved


def choose_warm_up(name: str, epochs: int) -> dict[str, float]:
    """Choose the warm-up of a run that starts from a trained net, if the strategy has one.

    A net that can segment needs no warm-up. SMART's teacher is then that net, as its authors have
    it; NPN needs some epochs in which the net votes.

    >>> choose_warm_up("gce", 5), choose_warm_up("npn", 5), choose_warm_up("plain", 5)
    ({'warmup': 0.0}, {'warmup': 0.4}, {})
    """
    info = find_strategy(name)
    if "warmup" not in {field.name for field in fields(info.options)}:
        return {}
    return {"warmup": min(info.warm_epochs / epochs, 1.0)}


def build_strategy(
    name: str, options: Mapping[str, Any], context: StrategyContext
) -> Strategy[Any]:
    """Build a strategy; see `resolve_options` for its options and errors.

    >>> context = StrategyContext(units=1, grid=(8, 8), epochs=1, steps_per_epoch=1, seed=0)
    >>> build_strategy("plain", {"dice": 0.0}, context).options
    StrategyOptions(mask=2.0, dice=0.0, activity=2.0)
    """
    return find_strategy(name).strategy(resolve_options(name, options), context)
