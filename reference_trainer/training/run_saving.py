"""A run on disk: saved between steps, taken up again where it is still the same."""

from __future__ import annotations

from typing import Any

import torch

from actiseg_data.core.errors import refuse
from reference_trainer.config import CONFIG_FILE, make_config, parse_values
from reference_trainer.training import checkpoint
from reference_trainer.training.checkpoint import CHECKPOINT_FILE, MODEL_FILE, Unsaved
from reference_trainer.training.run_state import Run


def save(run: Run) -> bool:
    """Write the checkpoint, then the model, and say whether they are written; where the disk is
    full, those before stand.
    """
    about = {
        "config": run.config.to_yaml(),
        "content": run.content,
        "fingerprint": run.material.clean.fingerprint,
        "recipe_digest": run.material.recipe_digest,
        "rendered": run.material.rendered,
        "step": run.step,
    }
    try:
        checkpoint.save(
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
        run.saved = run.step
        checkpoint.save(run.folder / MODEL_FILE, {**about, "net": run.nets[0].deployed_state()})
    except Unsaved as error:
        run.handled["checkpoints_not_written"] += 1
        if run.step == run.steps:
            again = f"actiseg-train resume {run.folder}" if run.saved else "train again"
            raise refuse(
                f"what was learnt last cannot be written ({error}); {run.stands}",
                run.folder,
                f"make room, then {again}",
            ) from None
        return False
    return True


def take_up(run: Run, state: dict[str, Any]) -> None:
    """Load a checkpoint into a run that was assembled anew."""
    path = run.folder / CHECKPOINT_FILE
    before = make_config(parse_values(state["config"], path), str(path)).deciding
    now = run.config.deciding
    if odd := [f"{name} was {before[name]}" for name in now if before[name] != now[name]]:
        raise refuse(
            f"was written under other settings than {CONFIG_FILE} holds now: {', '.join(odd)}",
            path,
            "restore the settings, or train anew with actiseg-train fit",
        )
    material = run.material
    held = (material.clean.fingerprint, material.recipe_digest, run.content)
    if held != (state["fingerprint"], state["recipe_digest"], state["content"]):
        raise refuse(
            "the dataset or its noisy copy is not the one that this run began with: its lists, "
            "prompts, masks or frames have changed",
            path,
            "restore it, or train anew with actiseg-train fit",
        )
    with checkpoint.taking_up(path):
        if not 0 < state["step"] <= run.steps:
            raise ValueError(f"step {state['step']} of {run.steps}")
        for net, values in zip(run.nets, state["nets"], strict=True):
            net.load_state_dict(values)
        for optimiser, values in zip(run.optimisers, state["optimisers"], strict=True):
            _take_moments(optimiser, values)
        _refuse_other_shapes(run, state["strategy"])
        run.strategy.load_state_dict(state["strategy"])
        run.handled.update({str(name): int(count) for name, count in state["handled"].items()})
    for name in ("step", "seconds", "flops", "step_flops"):
        setattr(run, name, state[name])
    run.saved = run.step


def _take_moments(optimiser: torch.optim.AdamW, values: dict[str, Any]) -> None:
    """Load what an optimiser remembers of each parameter; its settings are the configuration's."""
    parameters = [value for group in optimiser.param_groups for value in group["params"]]
    for number, moments in values["state"].items():
        shape = parameters[number].shape
        if {name: of.shape for name, of in moments.items()} != {
            "step": torch.Size(()),
            "exp_avg": shape,
            "exp_avg_sq": shape,
        }:
            raise ValueError(f"what the optimiser remembers of parameter {number} does not fit")
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": values["state"], "param_groups": groups})


def _refuse_other_shapes(run: Run, remembered: dict[str, Any]) -> None:
    """Raise ValueError where a strategy would take up what does not fit its run: it remembers what
    it does now, or a net.
    """
    own = run.strategy.state_dict()
    known = {**run.nets[0].state_dict(), **own}
    for name in {**own, **remembered}:
        if name not in remembered or name not in known:
            raise ValueError(f"the strategy's {name} is missing or unknown")
        if torch.as_tensor(remembered[name]).shape != torch.as_tensor(known[name]).shape:
            raise ValueError(f"the strategy's {name} does not fit")
