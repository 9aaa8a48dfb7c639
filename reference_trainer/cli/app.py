"""The commands of `actiseg-train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.terminal.command_line import Quiet, Version, announce_dataset, make_stage_progress

if TYPE_CHECKING:
    from reference_trainer.training.run_state import Run

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

Dataset = Annotated[
    Optional[Path],
    typer.Argument(
        help="ActionVOS root. Default: $ACTISEG_DATASET, else ./dataset_visor, "
        "else ./actiseg_sample.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(help="A folder that `fit` has made.", show_default=False)
]
Device = Annotated[
    Optional[str], typer.Option(help="auto, cpu, cuda or cuda:N. Default: auto, a GPU if any.")
]
Threshold = Annotated[
    float,
    typer.Option("--activity-threshold", help="Objects that are less likely active get no pixel."),
]


def _need_torch() -> None:
    """Raises `InputError` where PyTorch is not installed: the base install goes without."""
    from importlib.util import find_spec

    from actiseg_data.core.errors import refuse

    try:  # to look for it is quick, to import it is not
        there = find_spec("torch") is not None
    except (ImportError, ValueError):
        there = False
    if not there:
        hint = 'install it: pip install "actiseg[train]"'
        raise refuse("PyTorch is not installed", "actiseg-train", hint)


@app.callback()
def _main(version: Version = False) -> None:
    """Train a slim baseline for ActionVOS, on clean or noisy labels, by one of ten strategies."""


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="Folder of the run to make.")],
    dataset: Dataset = None,
    noisy: Annotated[
        Optional[Path],
        typer.Option(help="A noisy copy of the split: its masks and prompts are learnt."),
    ] = None,
    strategy: Annotated[
        Optional[str], typer.Option(help="See actiseg-train strategies. Default: plain.")
    ] = None,
    split: Annotated[
        Optional[str], typer.Option(help="Action list to learn from. Default: train.")
    ] = None,
    prompt_style: Annotated[
        Optional[str],
        typer.Option(help="promptaction, action or noaction. Default: promptaction."),
    ] = None,
    epochs: Annotated[Optional[int], typer.Option(help="Passes over the split.")] = None,
    seed: Annotated[Optional[int], typer.Option(help="Another seed, another run.")] = None,
    arithmetic: Annotated[
        Optional[str],
        typer.Option(help="paper, or released: what the public code computes, where it differs."),
    ] = None,
    robust_heads: Annotated[
        Optional[str], typer.Option(help="Of pmhm: mask, or mask+activity.")
    ] = None,
    assume_rate: Annotated[
        Optional[float],
        typer.Option(help="Of co-teaching: the rate of noise that it may know."),
    ] = None,
    settings: Annotated[
        Optional[list[str]],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any setting of the configuration, or options.KEY of the strategy (repeatable).",
        ),
    ] = None,
    config_file: Annotated[
        Optional[Path],
        typer.Option("--config", help="YAML of settings; flags stand over them."),
    ] = None,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Train; OUT gets the configuration, checkpoints and a log.

    Example: actiseg-train fit dataset_visor --noisy dataset_visor_boundary_r0.4_s0 --strategy gce
    --out run
    """
    _need_torch()
    from reference_trainer.config import make_config, read_values, with_settings

    values: dict[str, Any] = {} if config_file is None else read_values(config_file)
    values = with_settings(values, settings or [])
    told = values.get("dataset")
    named = dataset or (Path(told) if isinstance(told, str) else None)
    root = announce_dataset(named).resolve()
    flags = {
        "dataset": str(root),
        "noisy": None if noisy is None else str(noisy.resolve()),
        "strategy": strategy,
        "split": split,
        "prompt_style": prompt_style,
        "epochs": epochs,
        "seed": seed,
        "device": device,
    }
    options = {
        "arithmetic": arithmetic,
        "robust_heads": robust_heads,
        "assume_rate": assume_rate,
    }
    values |= {name: value for name, value in flags.items() if value is not None}
    values["options"] |= {name: value for name, value in options.items() if value is not None}
    config = make_config(values, "--set" if config_file is None else str(config_file))
    from reference_trainer.training.engine import fit as train  # torch, which takes a second or two

    if not quiet:
        print(config.to_yaml(), end="")
    _tell(train(config, out, quiet=quiet))


@app.command()
def resume(run: RunFolder, quiet: Quiet = False) -> None:
    """Go on with a run that was stopped, to the weights that it would have had."""
    _need_torch()
    from reference_trainer.training.engine import resume as go_on

    _tell(go_on(run, quiet=quiet))


@app.command()
def predict(
    run: RunFolder,
    dataset: Dataset = None,
    split: Annotated[str, typer.Option(help="Action list to predict.")] = "val_human",
    out: Annotated[
        Optional[Path], typer.Option(help="Folder to make. Default: RUN/<split>.")
    ] = None,
    threshold: Threshold = 0.75,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Predict a split: index masks with the objects' ids, and the raw scores.

    Example: actiseg-train predict run dataset_visor --split val_human --out preds
    """
    _need_torch()
    from reference_trainer.inference.predictor import predict as make

    root = announce_dataset(dataset)
    folder = run / split if out is None else out
    report = make(
        run,
        root,
        split,
        folder,
        threshold=threshold,
        device=device or "auto",
        stage=make_stage_progress(quiet),
    )
    print(report)
    print(f"next: actiseg-eval score {_quoted(folder)}")


@app.command()
def threshold(
    preds: Annotated[
        Path, typer.Argument(help="Predictions of `predict`, with scores.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    activity: Threshold = 0.75,
    quiet: Quiet = False,
) -> None:
    """Make the masks of predictions anew at another threshold of activity; no model is needed.

    Example: actiseg-train threshold preds --activity-threshold 0.5 --out preds_050
    """
    _need_torch()
    from reference_trainer.inference.predictor import paint_again

    print(paint_again(preds, out, activity, stage=make_stage_progress(quiet)))
    print(f"next: actiseg-eval score {_quoted(out)}")


@app.command()
def strategies() -> None:
    """List the strategies: what each does, whose it is, and with which options."""
    _need_torch()
    from dataclasses import fields

    from reference_trainer.strategies import STRATEGIES

    for name, info in STRATEGIES.items():
        more = " [also --arithmetic released]" if info.released else ""
        print(f"{name}: {info.summary}{more}")
        print(f"  source: {info.source}")
        options = info.options()
        told = (f"{of.name}={getattr(options, of.name)}" for of in fields(info.options))
        print(f"  options: {', '.join(told)}")
    print("next: actiseg-train fit DATASET --strategy NAME --set options.KEY=VALUE --out run")


def _tell(run: Run) -> None:
    minutes, seconds = divmod(round(run.seconds), 60)
    print(
        f"trained {run.step} steps in {minutes} min {seconds} s of computing, "
        f"{run.flops:.3g} floating-point operations, at {run.folder}"
    )
    if run.handled:
        told = (f"{name.replace('_', ' ')} {count}" for name, count in run.handled.items())
        print(f"handled: {', '.join(told)}")
    print(
        f"next: actiseg-train predict {_quoted(run.folder)} {_quoted(run.material.clean.root)} "
        "--split val_human --out preds"
    )


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
