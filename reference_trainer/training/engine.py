"""The training loop: begun by `fit`, taken up by `resume`, the same steps either way."""

from __future__ import annotations

import math
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from actiseg_data.core.errors import refuse
from actiseg_data.core.files import is_occupied
from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.batches.training_split import refuse_in_dataset
from reference_trainer.config import CONFIG_FILE, Config, read_config, write_config
from reference_trainer.devices import out_of_memory, precision, refuse_memory
from reference_trainer.network.model import Model
from reference_trainer.training import checkpoint
from reference_trainer.training.checkpoint import CHECKPOINT_FILE
from reference_trainer.training.logs import BOARD_FOLDER, LOG_FILE, Log, Meter
from reference_trainer.training.run_saving import save, take_up
from reference_trainer.training.run_state import Run, assemble


def fit(config: Config, folder: Path, *, quiet: bool = False) -> Run:
    """Train from the start; the run's folder gets the configuration, checkpoints and a log.

    Raises `InputError` where the folder holds anything, for what `open_material` refuses, for an
    unknown strategy or device, and where the loss stops being a number. Where that happens before
    anything was saved, nothing is left.
    """
    if is_occupied(folder):
        hint = "name another folder as --out"
        if (folder / CHECKPOINT_FILE).is_file():
            hint += f", or go on with it: actiseg-train resume {folder}"
        raise refuse("is there already", folder, hint)
    refuse_in_dataset(folder)
    run = assemble(config, folder)
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write_config(folder / CONFIG_FILE, config)
        return _train(run, quiet=quiet)
    except Exception:  # not what a person stops: that can be taken up
        if not run.saved:
            _clear(folder, whole=made)
        raise


def _clear(folder: Path, *, whole: bool) -> None:
    """Remove what a run made that was refused before its first checkpoint."""
    shutil.rmtree(folder / BOARD_FOLDER, ignore_errors=True)
    for name in (CONFIG_FILE, LOG_FILE):
        with suppress(OSError):
            (folder / name).unlink()
    if whole:
        with suppress(OSError):  # somebody else's files lie in it
            folder.rmdir()


def resume(folder: Path, *, quiet: bool = False) -> Run:
    """Go on with a run from its last checkpoint, to the same weights that it would have had.

    Raises `InputError` where there is none, for one that is damaged or of another version, and where
    dataset or configuration have changed since.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise refuse("is no run", folder, "give a folder that actiseg-train fit has made")
    config = read_config(folder / CONFIG_FILE)
    if not (folder / CHECKPOINT_FILE).is_file():
        return _train(assemble(config, folder), quiet=quiet)  # it was stopped before its first
    state = checkpoint.load(folder / CHECKPOINT_FILE)
    run = assemble(config, folder)
    take_up(run, state)
    if run.step == run.steps:
        save(run)  # the disk may have been full when it came to the model
    return _train(run, quiet=quiet)


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
            raise refuse_memory(run.device, f"step {run.step}", _smaller(run.config)) from None
        raise
    finally:
        log.close()
        if log.lost:
            run.handled["rows_of_the_log_lost"] = log.lost
    return run


def _smaller(config: Config) -> str:
    """Settings that take less memory than a configuration does."""
    least = {"clips": 1, "prompts": 1, "frames": 1, "height": 64, "width": 64}
    ways = []
    for name, floor in least.items():
        value = getattr(config, name)
        half = value // 2 if floor == 1 else value // 32 * 16
        if value > floor:
            ways.append(f"--set {name}={max(half, floor)}")
    return (
        f"lower what a step takes, by one or more of {', '.join(ways)}"
        if ways
        else ("take another machine: there is nothing left to lower")
    )


def _loop(run: Run, log: Log, meter: Meter, stop: _Stop) -> None:
    forwards = [_compiled(net, run.device) for net in run.nets]
    saved = time.monotonic()
    while run.step < run.steps:
        epoch, first = divmod(run.step, run.loader.steps)
        begun, clips = time.monotonic(), 0
        for batch in run.loader.epoch(epoch, first, run.config.threads):
            before, progress = time.monotonic(), run.progress()
            if run.is_new_kind:
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
                written = save(run)
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
            f"look at these clips, or lower the rate (--set rate={run.config.rate / 2:g}); "
            f"{run.stands}",
        )


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
        told = "saved" if saved else f"which could not be saved, {run.stands}"
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
