"""Flags that several commands share, in groups that `expand_options` expands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import Quiet, Workers, make_stage_progress

if TYPE_CHECKING:
    from actiseg_eval.predictions.ground_truth import GroundTruth

Filter = Annotated[
    bool,
    typer.Option(
        "--filter/--no-filter",
        help="Leave out flagged sequences (flags: redundant, missing, other).",
    ),
]
Missing = Annotated[
    str,
    typer.Option(help="How to treat missing masks: error, or empty (score them as blank)."),
]
Primary = Annotated[
    Optional[str],
    typer.Option(
        help="Metric whose p values are corrected by Holm. The others are descriptive. Default: "
        "the first of the protocol."
    ),
]
SeedDeviation = Annotated[
    Optional[float],
    typer.Option(
        help="Standard deviation of the primary metric over seeds, if known, for methods with a "
        "single run."
    ),
]


@dataclass(frozen=True)
class TruthFlags:
    """The ground truth."""

    gt: Annotated[
        Optional[Path],
        typer.Option(
            help="A dataset in any layout (see docs/layouts.md), or a folder "
            "<sequence>/<frame>.png. Default: the dataset in predictions.json, else "
            "$ACTISEG_DATASET, ./dataset_visor or ./actiseg_sample."
        ),
    ] = None
    split: Annotated[
        Optional[str],
        typer.Option(
            help="Split to score. Default: the split in predictions.json, else val_human in "
            "ActionVOS, val in DAVIS (a list in ImageSets, such as 2017/val), and the usual one of "
            "other layouts."
        ),
    ] = None
    layout: Annotated[
        Optional[str],
        typer.Option(help="Layout of the ground truth. By default it is recognised."),
    ] = None
    sequences: Annotated[
        Optional[Path],
        typer.Option(
            "--sequences", help="Text file with the sequences to score, one on each line."
        ),
    ] = None

    def open(self, predictions: Path) -> GroundTruth:
        """Open the ground truth of some predictions. The first lines of output say which it is."""
        from actiseg_data.core.names import escape_unprintable
        from actiseg_data.terminal.command_line import announce_dataset
        from actiseg_eval.predictions.ground_truth import open_truth
        from actiseg_eval.scoring.truth_choice import read_named_truth

        named, split = read_named_truth(predictions, self.gt, self.split)
        root = announce_dataset(named, option="--gt")
        truth = open_truth(root, split, self.sequences, layout=self.layout)
        if self.sequences is not None or truth.root != root or truth.name != (split or truth.name):
            count = len(truth.sequences)
            chosen = f"{count_nouns(count, 'sequence')} of {escape_unprintable(truth.name)}"
            print(f"truth: {truth.root}, {chosen}", flush=True)
        return truth


@dataclass(frozen=True)
class RuleFlags:
    """The rules of a score."""

    protocol: Annotated[
        str, typer.Option(help="Rules for scoring (actiseg-eval protocols shows them).")
    ] = "actionvos"
    metrics: Annotated[
        Optional[str],
        typer.Option(
            help="Any of core, jf, boundary, failures, separated by commas, or all. Default: "
            "those of the protocol."
        ),
    ] = None
    filter_flagged: Filter = True
    missing: Missing = "error"

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments of `score`, `compare` and `robustness`."""
        return {
            "protocol": self.protocol,
            "metrics": self.metrics,
            "filter": self.filter_flagged,
            "missing": self.missing,
        }


@dataclass(frozen=True)
class ComparableRuleFlags(RuleFlags):
    """The rules of scores that are compared."""

    metrics: Annotated[
        Optional[str],
        typer.Option(
            help="Any of core, jf, boundary, separated by commas, or all. Default: those of the "
            "protocol."
        ),
    ] = None


@dataclass(frozen=True)
class IntervalFlags:
    """How to make confidence intervals."""

    level: Annotated[float, typer.Option("--ci", help="Level of the confidence intervals.")] = 0.95
    resamples: Annotated[
        int, typer.Option(help="Number of resamples for the intervals; 0 omits the intervals.")
    ] = 10_000
    cluster: Annotated[
        str, typer.Option(help="Unit to resample: video, participant or sequence.")
    ] = "video"

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments of `score`, `compare` and `robustness`."""
        return {"ci": self.level, "resamples": self.resamples, "cluster": self.cluster}


@dataclass(frozen=True)
class RunFlags:
    """How to run."""

    workers: Workers = 1
    quiet: Quiet = False

    @property
    def keywords(self) -> dict[str, Any]:
        """The arguments of every function that reads predictions."""
        return {"workers": self.workers, "stage": make_stage_progress(self.quiet)}


def check_metric_names(names: list[str] | None, rules: RuleFlags) -> None:
    """Refuse names of unknown metrics, and of metrics that would not be computed."""
    from actiseg_data.core.errors import ProblemCollector, suggest
    from actiseg_eval.metrics.computing import list_computed_groups, list_metrics
    from actiseg_eval.metrics.definitions import METRICS, list_directed
    from actiseg_eval.metrics.metric_cards import load_cards
    from actiseg_eval.scoring.scoring_options import make_options

    options = make_options(
        rules.protocol, rules.metrics, filter=True, missing="error", comparable=True
    )
    computed = list_metrics(options.protocol, options.metric_groups)
    groups = list_computed_groups(options.protocol)
    known = list_directed(METRICS)
    problems = ProblemCollector()
    for name in names or ():
        if name not in known:
            what = f"there is no metric {name!r}{suggest(name, known)}"
            problems.add(what, "--metric", f"use one or more of {', '.join(known)}")
        elif name not in computed:
            if name in groups:
                wanted = ",".join((*options.metric_groups, groups[name]))
                what, hint = "these metric groups", f"set `metrics` to {wanted}"
            else:
                what = f"the protocol {options.protocol.name}"
                hint = f"give {load_cards()[name].conditions}"
            problems.add(f"{name} is not computed with {what}", "--metric", hint)
    problems.raise_if_any()
