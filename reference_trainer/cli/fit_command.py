"""The commands `actiseg-train fit` and `actiseg-train resume`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import Quiet, announce_dataset, quote_path
from reference_trainer.cli.trainer_arguments import (
    ENCODER_NAMES,
    DatasetArgument,
    DeviceOption,
    RunArgument,
    require_torch,
)

if TYPE_CHECKING:
    from actiseg_data.layouts.split import Split
    from reference_trainer.training.run_state import Run


def fit(
    out: Annotated[Path, typer.Option(help="New folder for the run.")],
    dataset: DatasetArgument = None,
    noisy: Annotated[
        Optional[Path],
        typer.Option(help="Noisy copy of the split, whose masks and prompts are trained on."),
    ] = None,
    noise: Annotated[
        Optional[Path],
        typer.Option(help="Recipe file: its noise is made on the fly, without a noisy copy."),
    ] = None,
    strategy: Annotated[
        Optional[str],
        typer.Option(
            help="Training strategy (actiseg-train strategies lists them). Default: plain."
        ),
    ] = None,
    split: Annotated[
        Optional[str], typer.Option(help="Action list to train on. Default: train.")
    ] = None,
    prompt_style: Annotated[
        Optional[str],
        typer.Option(help="promptaction, action or noaction. Default: promptaction."),
    ] = None,
    init: Annotated[
        Optional[Path],
        typer.Option(help="Run to start from: a net that was trained on other videos."),
    ] = None,
    encoder: Annotated[
        Optional[str], typer.Option(help=f"Image encoder: {ENCODER_NAMES}. Default: tiny.")
    ] = None,
    freeze_encoder: Annotated[
        bool, typer.Option("--freeze-encoder", help="Do not train the encoder.")
    ] = False,
    epochs: Annotated[Optional[int], typer.Option(help="Passes over the split.")] = None,
    seed: Annotated[Optional[int], typer.Option(help="Random seed.")] = None,
    arithmetic: Annotated[
        Optional[str],
        typer.Option(help="paper, or released (as in the public code where that differs)."),
    ] = None,
    robust_heads: Annotated[
        Optional[str], typer.Option(help="pmhm only: mask, or mask+activity.")
    ] = None,
    assume_rate: Annotated[
        Optional[float],
        typer.Option(help="co-teaching only: the noise rate to assume."),
    ] = None,
    settings: Annotated[
        Optional[list[str]],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a setting, or an option of the strategy: options.KEY=VALUE (repeatable).",
        ),
    ] = None,
    config_file: Annotated[
        Optional[Path],
        typer.Option("--config", help="YAML file with settings; flags override it."),
    ] = None,
    device: DeviceOption = None,
    quiet: Quiet = False,
) -> None:
    """Train a model; write the configuration, checkpoints and a log to OUT.

    Example: actiseg-train fit dataset_visor --noisy dataset_visor_boundary_r0.4_s0 --strategy gce
    --out run
    """
    require_torch()
    from reference_trainer.config.config_building import make_config

    values, places = _collect_values(config_file, settings or [])
    named = values.get("dataset")
    if dataset is None and isinstance(named, str):
        dataset = Path(named)
    flags = {
        "dataset": str(announce_dataset(dataset).resolve()),
        "noisy": None if noisy is None else str(noisy.resolve()),
        "noise": None if noise is None else str(noise.resolve()),
        "strategy": strategy,
        "split": split,
        "prompt_style": prompt_style,
        "init": None if init is None else str(init.resolve()),
        "encoder": encoder,
        "freeze_encoder": freeze_encoder or None,
        "epochs": epochs,
        "seed": seed,
        "device": device,
    }
    options = {
        "arithmetic": arithmetic,
        "robust_heads": robust_heads,
        "assume_rate": assume_rate,
    }
    if init is not None and places.get("init_digest") != "`settings`":
        values.pop("init_digest", None)  # that of another start, in a configuration file
    for given, replaced in (("noisy", "noise"), ("noise", "noisy")):
        if flags[given] is not None and places.get(replaced) != "`settings`":
            values.pop(replaced, None)  # a configuration file has the other kind
    values |= {name: value for name, value in flags.items() if value is not None}
    places |= {name: f"`{name}`" for name, value in flags.items() if value is not None}
    values["options"] |= {name: value for name, value in options.items() if value is not None}
    config = make_config(values, "`settings`", places)
    from reference_trainer.training.engine import fit as train  # imports torch, a second or two
    from reference_trainer.training.engine import name_start

    config = name_start(config)  # as it is saved
    if not quiet:
        print(config.to_yaml(), end="")
    _print_result(train(config, out, quiet=quiet))


def resume(run: RunArgument, quiet: Quiet = False) -> None:
    """Continue a stopped run; the final weights equal those of an uninterrupted run."""
    require_torch()
    from reference_trainer.config.config_file import CONFIG_FILE, read_values
    from reference_trainer.config.old_names import translate_old_names
    from reference_trainer.training.engine import resume as continue_run

    file = run / CONFIG_FILE
    if file.is_file():
        _print_notes(translate_old_names(read_values(file), str(file))[1])
    _print_result(continue_run(run, quiet=quiet))


def _collect_values(
    config_file: Path | None, settings: list[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the configuration file, apply the settings, and print a note for each old name.

    Returns
    -------
    values : dict
        The settings by name.
    places : dict
        The source of each setting, for messages: the file, or the parameter `settings`.
    """
    from reference_trainer.config.config_file import apply_settings, read_values
    from reference_trainer.config.old_names import translate_old_names

    values = {} if config_file is None else read_values(config_file)
    renamed, notes = translate_old_names(values, str(config_file))
    given = {setting.partition("=")[0]: None for setting in settings}
    changed, setting_notes = translate_old_names(given, "--set")
    _print_notes(notes + setting_notes)
    places = dict.fromkeys(renamed, str(config_file)) | dict.fromkeys(changed, "`settings`")
    return apply_settings(values, settings), places


def _print_notes(notes: list[str]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _print_result(run: Run) -> None:
    from reference_trainer.network.encoder_loading import is_entry_point

    minutes, seconds = divmod(round(run.seconds), 60)
    print(
        f"trained {count_nouns(run.step, 'step')} in {minutes} min {seconds} s of computing time, "
        f"{run.flops:.3g} floating-point operations, in {run.folder}"
    )
    if run.meter is not None:
        print(f"measured what the net memorises in {run.meter.seconds:.0f} s (log.csv)")
    if run.handled:
        counts = (f"{name.replace('_', ' ')} {count}" for name, count in run.handled.items())
        print(f"handled: {', '.join(counts)}")
    # `predict` runs no code that only a file names.
    own = f" --encoder {run.config.encoder}" if is_entry_point(run.config.encoder) else ""
    print(
        f"next: actiseg-train predict {quote_path(run.folder)} {quote_path(run.split.clean.root)} "
        f"--split {choose_evaluation_split(run.split.clean)}{own} --out preds"
    )


def choose_evaluation_split(trained: Split) -> str:
    """Choose the split of a dataset that its scores are usually for; else the trained one."""
    from actiseg_data.layouts.action_lists import list_splits

    usual = ("val_human", "val")
    known = list_splits(trained.root)
    return next((name for name in usual if name in known), trained.name)
