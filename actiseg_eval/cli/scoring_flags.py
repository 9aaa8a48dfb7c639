"""Flags that several commands share, and what the commands do with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from actiseg_eval.predictions.ground_truth import GroundTruth

GroundTruthRoot = Annotated[
    Optional[Path],
    typer.Option(
        help="ActionVOS root, DAVIS, or a folder <sequence>/<frame>.png. Default: the dataset in "
        "predictions.json, else $ACTISEG_DATASET, ./dataset_visor or ./actiseg_sample."
    ),
]
SplitName = Annotated[
    Optional[str],
    typer.Option(
        help="Action list of the root. Default: the split in predictions.json, else val_human. For "
        "DAVIS: a list in ImageSets, such as 2017/val; default: val."
    ),
]
SequenceFile = Annotated[
    Optional[Path],
    typer.Option("--sequences", help="Text file with the sequences to score, one on each line."),
]
ProtocolName = Annotated[
    str, typer.Option(help="Rules for scoring (actiseg-eval protocols shows them).")
]
MetricGroups = Annotated[
    Optional[str],
    typer.Option(
        help="Any of core, jf, boundary, failures, separated by commas, or all. Default: the "
        "protocol's."
    ),
]
ComparableGroups = Annotated[
    Optional[str],
    typer.Option(
        "--metrics",
        help="Any of core, jf, boundary, separated by commas, or all. Default: the protocol's.",
    ),
]
Filter = Annotated[
    bool,
    typer.Option(
        "--filter/--no-filter",
        help="Leave out sequences that people flagged (redundant, missing, other).",
    ),
]
Missing = Annotated[
    str,
    typer.Option(help="How to treat missing masks: error, or empty (score them as blank)."),
]
Level = Annotated[float, typer.Option("--ci", help="Level of the confidence intervals.")]
Resamples = Annotated[
    int, typer.Option(help="Number of resamples for the intervals; 0 omits the intervals.")
]
Cluster = Annotated[str, typer.Option(help="Unit to resample: video, participant or sequence.")]
MarkdownFile = Annotated[
    Optional[Path], typer.Option("--markdown", help="Also write the tables to this Markdown file.")
]


def announce_truth(
    predictions: Path, gt: Path | None, split: str | None, sequences: Path | None
) -> GroundTruth:
    """Open the ground truth. The first lines of output say which it is."""
    from actiseg_data.core.names import escape_unprintable
    from actiseg_data.terminal.command_line import announce_dataset
    from actiseg_eval.predictions.ground_truth import open_truth
    from actiseg_eval.scoring.truth_choice import read_named_truth

    named, split = read_named_truth(predictions, gt, split)
    root = announce_dataset(named, option="--gt")
    truth = open_truth(root, split, sequences)
    if sequences is not None or truth.root != root or truth.name != (split or truth.name):
        count = len(truth.sequences)
        chosen = f"{count} sequence{'s' * (count != 1)} of {escape_unprintable(truth.name)}"
        print(f"truth: {truth.root}, {chosen}", flush=True)
    return truth


def check_outputs(
    outputs: Iterable[Path | None], folders: Sequence[Path], files: Sequence[Path] = ()
) -> None:
    """Refuse outputs inside of input folders, or that would replace input files or each other."""
    from actiseg_data.core.files import refuse_inside_of, refuse_same

    given = [output for output in outputs if output is not None]
    for output in given:
        refuse_inside_of(output, folders)
    refuse_same(given, files)


def check_metric_names(names: list[str] | None, protocol: str, metrics: str | None) -> None:
    """Refuse names of unknown metrics, and of metrics that would not be computed."""
    from actiseg_data.core.errors import ProblemCollector, suggest
    from actiseg_eval.metrics.computing import list_metrics
    from actiseg_eval.metrics.definitions import METRICS
    from actiseg_eval.metrics.metric_cards import load_cards
    from actiseg_eval.scoring.scoring_options import make_options

    options = make_options(protocol, metrics, filter=True, missing="error", comparable=True)
    computed = list_metrics(options.protocol, options.metric_groups)
    known = [name for name, metric in METRICS.items() if metric.better]
    problems, cards = ProblemCollector(), load_cards()
    for name in names or ():
        if name not in known:
            what = f"there is no metric {name!r}{suggest(name, known)}"
            problems.add(what, "--metric", f"use one or more of {', '.join(known)}")
        elif name not in computed:
            card = cards[name]
            hint = f"give --metrics {card.group}; protocols: {', '.join(card.protocols)}"
            problems.add(f"{name} is not computed", "--metric", hint)
    problems.raise_if_any()


def write_document(path: Path | None, document: dict[str, Any]) -> None:
    """Write a JSON file, if one was asked for, and say so."""
    from actiseg_data.core.files import write_json

    if path is not None:
        write_json(path, document, indent=1)
        print(f"wrote {path}")


def write_text(path: Path, text: str) -> None:
    """Write a text file and say so."""
    from actiseg_data.core.files import write_bytes

    write_bytes(path, text.encode(errors="backslashreplace"))
    print(f"wrote {path}")
