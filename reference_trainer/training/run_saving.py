"""Save a run between steps, and restore it if its data and settings are the same."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

from actiseg_data.core.errors import refuse
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import CONFIG_FILE, parse_values
from reference_trainer.config.run_config import Config
from reference_trainer.training.checkpoint import (
    CHECKPOINT_FILE,
    MODEL_FILE,
    CheckpointWriteError,
    report_damage,
    save_checkpoint,
)
from reference_trainer.training.run_state import Run


def save_run(run: Run) -> bool:
    """Write the checkpoint, then the model.

    Returns
    -------
    bool
        Whether both were written. If the disk is full, the files of the last save are kept.

    Raises
    ------
    InputError
        If the files of the last step cannot be written.
    """
    if not run.processes.is_first:  # all have the same state
        run.saved_step = run.step
        return True
    about = {
        "config": run.config.to_yaml(),
        "content": run.content,
        "fingerprint": run.split.clean.fingerprint,
        "recipe_digest": run.split.recipe_digest,
        "rendered": run.split.rendered,
        "step": run.step,
        "videos": sorted(run.split.videos.union(run.start_videos)),
        "start_videos": list(run.start_videos),
    }
    try:
        save_checkpoint(
            run.folder / CHECKPOINT_FILE,
            {
                **about,
                "nets": [net.state_dict() for net in run.nets],
                "optimisers": [optimiser.state_dict() for optimiser in run.optimisers],
                "strategy": run.strategy.state_dict(),
                "seconds": run.seconds,
                "flops": run.flops,
                "step_flops": run.step_flops,
                "handled": dict(run.handled),
            },
        )
        run.saved_step = run.step
        save_checkpoint(run.folder / MODEL_FILE, {**about, "net": run.nets[0].get_deployed_state()})
    except CheckpointWriteError as error:
        run.handled["checkpoints_not_written"] += 1
        if run.step == run.last_step:
            retry = f"actiseg-train resume {run.folder}" if run.saved_step else "train again"
            raise refuse(
                f"the last step cannot be saved ({error}); {run.checkpoint_note}",
                run.folder,
                f"free disk space, then {retry}",
            ) from None
        return False
    return True


def restore_run(run: Run, state: dict[str, Any]) -> None:
    """Load the state of a checkpoint into a newly assembled run.

    Raises
    ------
    InputError
        If settings or data have changed, or if the checkpoint is damaged.
    """
    path = run.folder / CHECKPOINT_FILE
    saved = make_config(parse_values(state["config"], path), str(path))
    settings, current = saved.fixed_settings, run.config.fixed_settings
    changed = [
        f"{name} was {settings[name]}" for name in current if settings[name] != current[name]
    ]
    if changed:
        raise refuse(
            f"was written with other settings than those in {CONFIG_FILE}: {', '.join(changed)}",
            path,
            "restore the settings, or start a new run with actiseg-train fit",
        )
    split = run.split
    data = (split.clean.fingerprint, split.recipe_digest, run.content)
    if data != (state["fingerprint"], state["recipe_digest"], state["content"]):
        _refuse_changed_data(run, saved)
    with report_damage(path):
        if not 0 < state["step"] <= run.last_step:
            raise ValueError(f"step {state['step']} of {run.last_step}")
        for net, values in zip(run.nets, state["nets"], strict=True):
            net.load_state_dict(values)
        for optimiser, values in zip(run.optimisers, state["optimisers"], strict=True):
            _restore_optimiser(optimiser, values)
        _check_strategy_state(run, state["strategy"])
        run.strategy.load_state_dict(state["strategy"])
        run.start_videos = tuple(map(str, state["start_videos"]))
        run.handled.update({str(name): int(count) for name, count in state["handled"].items()})
    for name in ("step", "seconds", "flops", "step_flops"):
        setattr(run, name, state[name])
    run.saved_step = run.step


def _refuse_changed_data(run: Run, saved: Config) -> NoReturn:
    """Raise an error for training data that are not those of the start."""
    path = run.folder / CHECKPOINT_FILE
    if (saved.noise is None) != (run.config.noise is None):
        began, now = "made on the fly", "from files"
        if saved.noise is None:
            began, now = now, began
        raise refuse(
            f"was trained on masks {began}, and they are now {now}; whether they are the same is "
            "not checked",
            path,
            f"restore noise and noisy in {CONFIG_FILE}, or start a new run with actiseg-train fit",
        )
    noise = "its noisy copy" if run.config.noise is None else "the recipe of its noise"
    raise refuse(
        f"the dataset or {noise} differs from the one at the start of this run: lists, prompts, "
        "masks or frames have changed",
        path,
        "restore it, or start a new run with actiseg-train fit",
    )


def _restore_optimiser(optimiser: torch.optim.AdamW, values: dict[str, Any]) -> None:
    """Load the moments of each parameter; the settings come from the configuration."""
    parameters = [value for group in optimiser.param_groups for value in group["params"]]
    for number, moments in values["state"].items():
        shape = parameters[number].shape
        if {name: moment.shape for name, moment in moments.items()} != {
            "step": torch.Size(()),
            "exp_avg": shape,
            "exp_avg_sq": shape,
        }:
            raise ValueError(f"the optimiser's state of parameter {number} does not fit")
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": values["state"], "param_groups": groups})


def _check_strategy_state(run: Run, state: dict[str, Any]) -> None:
    """Raise ValueError if a strategy's state has other names or shapes than its own or a net's."""
    own = run.strategy.state_dict()
    known = {**run.nets[0].state_dict(), **own}
    for name in {**own, **state}:
        if name not in state or name not in known:
            raise ValueError(f"the strategy's {name} is missing or unknown")
        if torch.as_tensor(state[name]).shape != torch.as_tensor(known[name]).shape:
            raise ValueError(f"the strategy's {name} does not fit")
