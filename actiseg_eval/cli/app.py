"""The commands of `actiseg-eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.terminal.command_line import (
    Quiet,
    Version,
    Workers,
    announce_dataset,
    make_stage_progress,
)

if TYPE_CHECKING:
    from actiseg_eval.predictions.ground_truth import GroundTruth

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

Predictions = Annotated[
    Path,
    typer.Argument(
        help="Folder of <sequence>/<frame>.png, index masks, also below train/ or val/; or of "
        "<sequence>/<object id>/<frame>.png, binary masks; or a .json list of COCO RLE; or a "
        "dataset, for its masks.",
        show_default=False,
    ),
]
GroundTruthOption = Annotated[
    Optional[Path],
    typer.Option(
        help="ActionVOS root, DAVIS, or a folder <sequence>/<frame>.png. Default: what "
        "predictions.json names, else $ACTISEG_DATASET, ./dataset_visor or ./actiseg_sample."
    ),
]
ProtocolName = Annotated[
    str, typer.Option(help="Rules to score by (actiseg-eval protocols shows them).")
]
Metrics = Annotated[
    Optional[str],
    typer.Option(
        help="core, jf, boundary, failures, with commas, or all. Default: the protocol's."
    ),
]
FigureMetrics = Annotated[
    Optional[str],
    typer.Option(
        "--metrics", help="core, jf, boundary, with commas, or all. Default: the protocol's."
    ),
]
FigureNames = Annotated[
    Optional[list[str]],
    typer.Option(help="Only this figure, such as giou (repeatable). Default: all."),
]
Level = Annotated[float, typer.Option("--ci", help="Level of the intervals.")]
Cluster = Annotated[
    str, typer.Option(help="What is resampled together: video, participant or sequence.")
]
Filter = Annotated[
    bool,
    typer.Option(
        "--filter/--no-filter",
        help="Leave out sequences that people flagged (redundant, missing, other).",
    ),
]
Missing = Annotated[
    str, typer.Option(help="Masks that are not there: error, or empty (scored as blank).")
]
SplitName = Annotated[
    Optional[str],
    typer.Option(
        help="Action list of the root. Default: as predictions.json says, else val_human. Of "
        "DAVIS, a list in ImageSets, such as 2017/val. Default: val."
    ),
]
SequenceFile = Annotated[
    Optional[Path],
    typer.Option(
        "--sequences", help="Score only the sequences that this text file lists, one a line."
    ),
]


@app.callback()
def _main(version: Version = False) -> None:
    """Score predicted masks of videos, exactly, under stated rules."""


@app.command()
def score(
    preds: Predictions,
    gt: GroundTruthOption = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    protocol: ProtocolName = "actionvos",
    metrics: Metrics = None,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    strata: Annotated[
        Optional[Path],
        typer.Option(help="ledger.jsonl of a noisy split: figures by kind and strength of noise."),
    ] = None,
    level: Level = 0.95,
    resamples: Annotated[
        int, typer.Option(help="Resamples for the intervals; 0 for no intervals.")
    ] = 10_000,
    cluster: Cluster = "video",
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="Write everything to this file, too.")
    ] = None,
    csv_file: Annotated[
        Optional[Path], typer.Option("--csv", help="Write all figures and strata as a table.")
    ] = None,
    markdown_file: Annotated[
        Optional[Path], typer.Option("--markdown", help="Write the tables as Markdown.")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Score a folder of predictions against the truth.

    Example: actiseg-eval score preds/ --gt dataset_visor --metrics core,jf --workers 2
    """
    from actiseg_data.core.files import refuse_inside_of, refuse_same, write_bytes, write_json
    from actiseg_data.records.split_records import read_ledger
    from actiseg_eval.cli.score_tables import print_report
    from actiseg_eval.resampling.bootstrap import Bootstrap
    from actiseg_eval.scoring.folder_scoring import score as compute

    bootstrap = Bootstrap(level, resamples, cluster) if resamples else None
    truth = _truth(preds, gt, split, sequences)
    outputs = [output for output in (json_file, csv_file, markdown_file) if output is not None]
    for output in outputs:
        refuse_inside_of(output, (preds, truth.root))
    refuse_same(outputs, (preds, *((strata,) if strata is not None else ())))
    report = compute(
        truth,
        preds,
        protocol,
        measures=metrics,
        filtered=filter_flagged,
        missing=missing,
        ledger=None if strata is None else list(read_ledger(strata)),
        bootstrap=bootstrap,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(report)
    if json_file is not None:
        write_json(json_file, report.to_dict(), indent=1)
        print(f"wrote {json_file}")
    for path, text in ((csv_file, report.to_csv), (markdown_file, report.to_markdown)):
        if path is not None:
            write_bytes(path, text().encode(errors="backslashreplace"))
            print(f"wrote {path}")


@app.command()
def compare(
    methods: Annotated[
        list[str],
        typer.Argument(
            help="Folders of predictions, or name=folder,folder for the seeds of one method.",
            show_default=False,
        ),
    ],
    gt: GroundTruthOption = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    protocol: ProtocolName = "actionvos",
    metrics: FigureMetrics = None,
    figure: FigureNames = None,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    level: Level = 0.95,
    resamples: Annotated[int, typer.Option(help="Resamples.")] = 10_000,
    cluster: Cluster = "video",
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="Write everything to this file, too.")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Hold methods against each other on the same clips: is one better, beyond chance?

    Example: actiseg-eval compare ours=run1,run2,run3 elr=run4,run5,run6 --gt dataset_visor
    """
    from actiseg_data.core.files import refuse_inside_of, write_json
    from actiseg_eval.cli.score_tables import print_comparison
    from actiseg_eval.comparison.comparing import compare as compute
    from actiseg_eval.comparison.comparing import parse_methods
    from actiseg_eval.resampling.bootstrap import Bootstrap

    bootstrap = Bootstrap(level, resamples, cluster)
    parsed = parse_methods(methods)
    _check_figures(figure, protocol, metrics)
    folders = [run for method in parsed for run in method.runs]
    truth = _truth(folders[0], gt, split, sequences)
    if json_file is not None:
        refuse_inside_of(json_file, (*folders, truth.root))
    found = compute(
        truth,
        parsed,
        protocol,
        measures=metrics,
        filtered=filter_flagged,
        missing=missing,
        bootstrap=bootstrap,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_comparison(found, figure or ())
    if json_file is not None:
        write_json(json_file, found.to_dict(), indent=1)
        print(f"wrote {json_file}")


@app.command()
def robustness(
    runs: Annotated[
        Path,
        typer.Argument(
            help="YAML file of methods, levels of noise and folders of predictions; or a folder of "
            "<method>/<level>/, a level being clean, 0.2, r0.2 or 20%, of several seeds 0.2_s1, "
            "0.2_s2. Noisy copies of the dataset beside them in labels/<level>/.",
            show_default=False,
        ),
    ],
    gt: GroundTruthOption = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    protocol: ProtocolName = "actionvos",
    metrics: FigureMetrics = None,
    figure: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Show this figure, such as giou (repeatable). Default: giou, p_miou, n_miou, or "
            "what the protocol has. All are in --json."
        ),
    ] = None,
    baseline: Annotated[
        Optional[str],
        typer.Option(
            help="Method that others are held against on clean data. Default: as the YAML file "
            "says, else plain, else the first."
        ),
    ] = None,
    drop: Annotated[
        float, typer.Option(help="Share of a figure whose loss is the breaking point.")
    ] = 0.1,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    level: Level = 0.95,
    resamples: Annotated[
        int, typer.Option(help="Resamples for the intervals; 0 for no intervals.")
    ] = 10_000,
    cluster: Cluster = "video",
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="Write everything to this file, too.")
    ] = None,
    markdown_file: Annotated[
        Optional[Path], typer.Option("--markdown", help="Write the tables as Markdown.")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Tell how methods stand noise: figures by level, area under the curve, breaking point.

    Example: actiseg-eval robustness runs.yaml --gt dataset_visor --workers 2
    """
    from actiseg_data.core.files import refuse_inside_of, refuse_same, write_bytes, write_json
    from actiseg_eval.cli.score_tables import print_robustness
    from actiseg_eval.noise_levels.measuring import measure_robustness
    from actiseg_eval.noise_levels.runs import read_runs
    from actiseg_eval.resampling.bootstrap import Bootstrap

    bootstrap = Bootstrap(level, resamples, cluster) if resamples else None
    _check_figures(figure, protocol, metrics)
    told = read_runs(runs, baseline)
    folders = [folder for _, _, folder in told.each]
    truth = _truth(
        folders[0],
        gt or told.truth,
        told.split if split is None else split,
        sequences or told.sequences,
    )
    outputs = [output for output in (json_file, markdown_file) if output is not None]
    for output in outputs:
        refuse_inside_of(output, (*folders, *told.labels.values(), truth.root))
    refuse_same(outputs, (runs,))
    found = measure_robustness(
        truth,
        told,
        protocol,
        measures=metrics,
        drop=drop,
        filtered=filter_flagged,
        missing=missing,
        bootstrap=bootstrap,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_robustness(found, figure or ())
    if json_file is not None:
        write_json(json_file, found.to_dict(), indent=1)
        print(f"wrote {json_file}")
    if markdown_file is not None:
        text = found.to_markdown(figure or ())
        write_bytes(markdown_file, text.encode(errors="backslashreplace"))
        print(f"wrote {markdown_file}")


@app.command()
def protocols(
    preds: Annotated[
        Optional[Path],
        typer.Argument(help="Predictions: also tell where the protocols differ on these."),
    ] = None,
    gt: GroundTruthOption = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Show the protocols side by side, and where they differ on some predictions.

    Example: actiseg-eval protocols preds/ --gt dataset_visor
    """
    from actiseg_eval.cli.score_tables import print_differences, print_protocols
    from actiseg_eval.comparison.protocol_differences import compare_protocols
    from actiseg_eval.protocols import load_protocols

    if preds is None:
        print_protocols(load_protocols())
        print("next: actiseg-eval protocols PREDS, which tells where they differ on these")
    else:
        truth = _truth(preds, gt, split, sequences)
        found = compare_protocols(
            truth,
            preds,
            filtered=filter_flagged,
            missing=missing,
            workers=workers,
            stage=make_stage_progress(quiet),
        )
        print_differences(found)


@app.command()
def metrics(
    figures: Annotated[
        Optional[list[str]],
        typer.Argument(help="Keys such as giou. Default: a line for each.", show_default=False),
    ] = None,
    markdown_file: Annotated[
        Optional[Path], typer.Option("--markdown", help="Write all cards to this file.")
    ] = None,
) -> None:
    """Say what a figure is, what it may be, and what it hides.

    Example: actiseg-eval metrics giou n_miou
    """
    from actiseg_data.core.files import write_bytes
    from actiseg_eval.cli.score_tables import print_cards, print_figures
    from actiseg_eval.metrics.metric_cards import choose_cards, format_cards, load_cards

    if figures:
        print_cards(choose_cards(figures))
    else:
        print_figures()
    if markdown_file is not None:
        write_bytes(markdown_file, format_cards(load_cards()).encode())
        print(f"wrote {markdown_file}")


def _check_figures(figures: list[str] | None, protocol: str, metrics: str | None) -> None:
    """Raises `InputError` for figures that there are not, or that will not be measured."""
    from actiseg_data.core.errors import ProblemCollector, suggest
    from actiseg_eval.metrics.computing import list_metrics
    from actiseg_eval.metrics.definitions import METRICS
    from actiseg_eval.metrics.metric_cards import load_cards
    from actiseg_eval.protocols import choose_comparable_groups, load_protocol

    rules = load_protocol(protocol)
    measured = list_metrics(rules, choose_comparable_groups(metrics, rules))
    known = [name for name, of in METRICS.items() if of.better]
    problems, cards = ProblemCollector(), load_cards()
    for name in figures or ():
        if name not in known:
            what = f"there is no figure {name!r}{suggest(name, known)}"
            problems.add(what, "--figure", f"use some of {', '.join(known)}")
        elif name not in measured:
            card = cards[name]
            hint = f"give --metrics {card.group}; protocols: {', '.join(card.protocols)}"
            problems.add(f"{name} is not measured", "--figure", hint)
    problems.raise_if_any()


def _truth(preds: Path, gt: Path | None, split: str | None, sequences: Path | None) -> GroundTruth:
    """The truth that is named, or that the predictions name; the first lines printed say which."""
    from actiseg_data.core.validation import escape_unprintable, refuse_missing
    from actiseg_data.layouts.actionvos import IMAGE_SETS
    from actiseg_data.records.split_records import read_predictions_note
    from actiseg_eval.predictions.ground_truth import open_truth
    from actiseg_eval.predictions.prediction_opening import find_predictions_note

    if not preds.exists():
        hint = "give a folder of predictions, or a .json"
        raise refuse_missing(preds, "there is no such folder", hint)
    note = find_predictions_note(preds)
    if note is not None and (gt is None or split is None):
        told = read_predictions_note(note)
        gt = gt or (preds / told.dataset).resolve()
        if split is None and (gt / IMAGE_SETS).is_dir():
            split = told.split
    root = announce_dataset(gt, option="--gt")
    truth = open_truth(root, split, sequences)
    if sequences is not None or truth.root != root or truth.name != (split or truth.name):
        count = len(truth.sequences)
        chosen = f"{count} sequence{'s' * (count != 1)} of {escape_unprintable(truth.name)}"
        print(f"truth: {truth.root}, {chosen}", flush=True)
    return truth
