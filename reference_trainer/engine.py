"""The training loop: begun by `fit`, taken up by `resume`, the same steps either way."""

from __future__ import annotations

import math
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from actiseg_data.errors import refuse
from actiseg_data.files import is_occupied
from actiseg_data.keys import key
from actiseg_data.records import RECIPE_FILE
from reference_trainer import checkpoint
from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.checkpoint import CHECKPOINT_FILE, MODEL_FILE, Unsaved
from reference_trainer.config import CONFIG_FILE, Config, read_config, write_config
from reference_trainer.data import Loader, Sampling
from reference_trainer.devices import out_of_memory, pick_device, precision, refuse_memory
from reference_trainer.logs import Log, Meter
from reference_trainer.material import Material, open_material
from reference_trainer.model import Model
from reference_trainer.strategies import build
from reference_trainer.strategies.base import Strategy, Task

_ALGORITHM = 1


@dataclass
class Run:
    """A run in memory: everything that a checkpoint holds, and what it was made of.

    step: steps done. seconds, flops: spent on them, over all sittings. step_flops: of a step of
    this epoch. handled: counts of what was odd.
    """

    folder: Path
    config: Config
    material: Material
    loader: Loader
    device: torch.device
    strategy: Strategy[Any]
    nets: list[Model]
    optimisers: list[torch.optim.AdamW]
    step: int = 0
    seconds: float = 0.0
    flops: float = 0.0
    step_flops: float = 0.0
    handled: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.config.epochs * self.loader.steps

    @property
    def parameters(self) -> int:
        """Of the net that predicts."""
        return sum(value.numel() for value in self.nets[0].deployed_state().values())

    def progress(self) -> Progress:
        """Where the run is, as strategies are told."""
        epoch = self.step // self.loader.steps
        return Progress(epoch, self.config.epochs, self.step, self.steps, self.config.seed)

    def describe(self) -> str:
        """What is trained on what, for the first lines."""
        split = self.material.clean
        noise = "" if self.config.noisy is None else f", labels of {self.config.noisy}"
        painted = ", frames are painted, no photographs" if self.material.rendered else ""
        odd = "".join(
            f", {name.replace('_', ' ')} {count}" for name, count in self.material.handled.items()
        )
        many = f"{len(self.nets)} nets of " if len(self.nets) > 1 else ""
        return (
            f"{split.name} of {split.root}{noise}: {len(self.material.clips)} clips, "
            f"{self.material.prompts} prompts{painted}{odd}\n"
            f"{self.config.strategy}, {many}{self.parameters:,} parameters, {self.steps} steps on "
            f"{self.device}"
        )


def fit(config: Config, folder: Path, *, quiet: bool = False) -> Run:
    """Train from the start; the run's folder gets the configuration, checkpoints and a log.

    Raises `Refused` where the folder holds anything, for what `open_material` refuses, for an
    unknown strategy or device, and where the loss stops being a number.
    """
    if is_occupied(folder):
        cure = "name another folder as --out"
        if (folder / CHECKPOINT_FILE).is_file():
            cure += f", or go on with it: actiseg-train resume {folder}"
        raise refuse("is there already", folder, cure)
    if any((at / RECIPE_FILE).is_file() for at in folder.parents):
        raise refuse("lies inside a dataset", folder, "name another folder as --out")
    run = assemble(config, folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_config(folder / CONFIG_FILE, config)
    return _train(run, quiet=quiet)


def resume(folder: Path, *, quiet: bool = False) -> Run:
    """Go on with a run from its last checkpoint, to the same weights that it would have had.

    Raises `Refused` where there is none, for one that is damaged or of another version, and where
    dataset or configuration have changed since.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise refuse("is no run", folder, "give a folder that actiseg-train fit has made")
    config = read_config(folder / CONFIG_FILE)
    if not (folder / CHECKPOINT_FILE).is_file():
        return _train(assemble(config, folder), quiet=quiet)  # it was stopped before its first
    state = checkpoint.load(folder / CHECKPOINT_FILE)
    run = assemble(config, folder)
    _take_up(run, state)
    return _train(run, quiet=quiet)


def assemble(config: Config, folder: Path) -> Run:
    """Everything that a run needs, before its first step."""
    device = pick_device(config.device)
    noisy = None if config.noisy is None else Path(config.noisy)
    material = open_material(
        Path(config.dataset), config.split, noisy=noisy, style=config.prompt_style
    )
    steps = -(-len(material.clips) // config.clips)
    grid = config.height // 4, config.width // 4
    task = Task(material.units, grid, config.epochs, steps, config.seed)
    strategy = build(config.strategy, config.options, task)
    sampling = Sampling(
        size=config.size,
        clips=config.clips,
        frames=config.frames,
        prompts=config.prompts,
        augment=config.augment,
        weighted=strategy.weighted,
        seed=config.seed,
        memory=config.memory_mib << 20,
    )
    nets = [make_model(config, number).to(device) for number in range(strategy.nets)]
    strategy.prepare(list(nets))
    optimisers = [
        torch.optim.AdamW(net.parameters(), config.rate, weight_decay=config.weight_decay)
        for net in nets
    ]
    loader = Loader(material, sampling)
    return Run(folder, config, material, loader, device, strategy, nets, optimisers)


def make_model(config: Config, number: int = 0) -> Model:
    """The model of a configuration, as it is before the first step. number: of the net, each of
    which has a beginning of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(key(config.seed, _ALGORITHM, "net", number)[:7], "little"))
        return Model(config.encoder, config.channels, config.prompt_width)


def rate_at(config: Config, step: int, steps: int) -> float:
    """The learning rate of a step: up in a line, down along half a cosine (Loshchilov & Hutter,
    ICLR 2017).

    >>> config = Config("d", rate=1.0, warmup=0.5)
    >>> [round(rate_at(config, step, 4), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    rising = max(round(config.warmup * steps), 1)
    if step < rising:
        return config.rate * (step + 1) / rising
    return config.rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))


def _train(run: Run, *, quiet: bool) -> Run:
    if not quiet:
        print(run.describe(), flush=True)
    log = Log(run.folder, run.step)
    try:
        with _stopping() as stop, Meter(run.step, run.steps, quiet=quiet) as meter:
            _loop(run, log, meter, stop)
    except BaseException as error:
        if out_of_memory(error):
            raise refuse_memory(run.device, f"step {run.step}") from None
        raise
    finally:
        log.close()
        if log.lost:
            run.handled["rows_of_the_log_lost"] = log.lost
    return run


def _loop(run: Run, log: Log, meter: Meter, stop: _Stop) -> None:
    forwards = [_compiled(net, run.device) for net in run.nets]
    saved = time.monotonic()
    while run.step < run.steps:
        epoch, first = divmod(run.step, run.loader.steps)
        begun, clips = time.monotonic(), 0
        for batch in run.loader.epoch(epoch, first, run.config.threads):
            before, progress = time.monotonic(), run.progress()
            if run.step % run.loader.steps == 0:
                # Counted once an epoch, since a strategy may do more after a warm-up.
                counter = FlopCounterMode(display=False)
                with counter:
                    told = _step(run, run.nets, batch, progress)
                run.step_flops = counter.get_total_flops()
            else:
                told = _step(run, forwards, batch, progress)
            run.step += 1
            run.flops += run.step_flops
            clips += len(batch.frames)
            run.seconds += time.monotonic() - before
            for number, terms in enumerate(told):
                log.add(progress.step, epoch, number, terms)
            loss = told[0]["loss"]
            meter.advance(run.step, loss, clips / (time.monotonic() - begun))
            late = time.monotonic() - saved > 60 * run.config.save_minutes
            if stop.signal or late or run.step % run.loader.steps == 0:
                log.write()
                written = _save(run)
                saved = time.monotonic()
                stop.raise_if_asked(run, written)


def _step(
    run: Run, forwards: list[Any], batch: Batch, progress: Progress
) -> list[dict[str, float]]:
    """One update of every net; what there is to tell of each."""
    nets, strategy = run.nets, run.strategy
    there = batch.to(run.device)
    strategy.before_step(list(nets), progress)
    outputs = []
    for net, forward in zip(nets, forwards, strict=True):
        net.train()
        with precision(run.device):
            outputs.append(_in_float(forward(there.frames, there.tokens)))
    losses = strategy.losses(list(nets), outputs, there, progress)
    values = [{"loss": loss.total.detach(), **loss.parts} for loss in losses]
    told = [{name: float(value) for name, value in terms.items()} for terms in values]
    _refuse_nan(run, told, progress)
    rate = rate_at(run.config, progress.step, run.steps)
    torch.stack([loss.total for loss in losses]).sum().backward()
    for net, optimiser, terms in zip(nets, run.optimisers, told, strict=True):
        norm = float(nn.utils.clip_grad_norm_(net.parameters(), run.config.clip_norm))
        _refuse_nan(run, [{"gradient": norm}], progress)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        terms |= {"rate": rate, "gradient": norm}
    return told


def _in_float(output: Output) -> Output:
    """Logits in single precision: losses are sums over many pixels."""
    return Output(
        output.masks.float(),
        output.activity.float(),
        output.robust.float(),
        output.robust_activity.float(),
    )


def _compiled(net: Model, device: torch.device) -> Any:
    """The net's forward pass, compiled on a GPU."""
    return torch.compile(net, dynamic=True) if device.type == "cuda" else net


def _refuse_nan(run: Run, told: list[dict[str, float]], progress: Progress) -> None:
    odd = [name for terms in told for name, value in terms.items() if not math.isfinite(value)]
    if odd:
        chosen = run.loader.chosen(progress.epoch, progress.step % run.loader.steps)
        clips = ", ".join(run.material.clips[at].sequence.folder for at in chosen)
        raise refuse(
            f"{', '.join(dict.fromkeys(odd))} is no finite number in epoch {progress.epoch}, step "
            f"{progress.step}, with the clips {clips}",
            run.folder,
            "look at these clips, or lower the rate (--set rate=5e-4); the last checkpoint stands",
        )


def _save(run: Run) -> bool:
    """Write the checkpoint and the model, and say whether they are written; where the disk is full,
    those before stand."""
    about = {
        "config": run.config.to_yaml(),
        "fingerprint": run.material.clean.fingerprint,
        "recipe_digest": run.material.recipe_digest,
        "rendered": run.material.rendered,
        "step": run.step,
    }
    try:
        checkpoint.save(run.folder / MODEL_FILE, {**about, "net": run.nets[0].deployed_state()})
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
    except Unsaved as error:
        run.handled["checkpoints_not_written"] += 1
        if run.step == run.steps:
            raise refuse(
                f"the last checkpoint cannot be written ({error}); the one before stands",
                run.folder,
                f"make room, then actiseg-train resume {run.folder}",
            ) from None
        return False
    return True


def _take_up(run: Run, state: dict[str, Any]) -> None:
    """Load a checkpoint into a run that was assembled anew."""
    path = run.folder / CHECKPOINT_FILE
    if state["config"] != run.config.to_yaml():
        raise refuse(
            f"was written under other settings than {CONFIG_FILE} holds now",
            path,
            "restore the settings, or train anew with actiseg-train fit",
        )
    now = (run.material.clean.fingerprint, run.material.recipe_digest)
    if now != (state["fingerprint"], state["recipe_digest"]):
        raise refuse(
            "the dataset or its noisy copy is not the one that this run began with",
            path,
            "restore it, or train anew with actiseg-train fit",
        )
    for net, values in zip(run.nets, state["nets"], strict=True):
        net.load_state_dict(values)
    for optimiser, values in zip(run.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(values)
    run.strategy.load_state_dict(state["strategy"])
    for name in ("step", "seconds", "flops", "step_flops"):
        setattr(run, name, state[name])
    run.handled.update(state["handled"])


class _Stop:
    """Whether the system, or a person, asked the run to stop."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def take(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:  # asked twice: at once
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)

    def raise_if_asked(self, run: Run, saved: bool) -> None:
        if self.signal is None or run.step == run.steps:
            return
        told = "saved" if saved else "which could not be saved, the checkpoint before stands"
        print(
            f"stopped by {self.signal.name} after step {run.step} of {run.steps}, {told}; go on "
            f"with: actiseg-train resume {run.folder}"
        )
        raise SystemExit(128 + self.signal.value)


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """A request to stop is heeded after the step, when the run has been saved."""
    stop = _Stop()
    before: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # not in the main thread: the caller's to stop
        for which in (signal.SIGTERM, signal.SIGINT):
            before[which] = signal.signal(which, stop.take)
    try:
        yield stop
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
