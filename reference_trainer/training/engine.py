"""The training loop. `fit` starts it, `resume` continues it, with the same steps either way."""

from __future__ import annotations

import math
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from actiseg_data.core.errors import InputError, Problem, refuse
from actiseg_data.core.files import is_occupied
from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.batches.training_split import refuse_in_dataset
from reference_trainer.config.config_file import CONFIG_FILE, read_config, write_config
from reference_trainer.config.run_config import Config
from reference_trainer.devices import choose_precision, is_out_of_memory, refuse_memory
from reference_trainer.network.model import SegmentationModel
from reference_trainer.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from reference_trainer.training.logs import BOARD_FOLDER, LOG_FILE, ProgressMeter, RunLog
from reference_trainer.training.processes import join_processes
from reference_trainer.training.run_saving import restore_run, save_run
from reference_trainer.training.run_state import Run, assemble_run
from reference_trainer.training.stop_signals import StopRequest, catch_stop_signals
from reference_trainer.training.warm_start import WarmStart, read_warm_start


class Divergence(InputError):
    """A loss or a gradient is not finite."""


def fit(config: Config, out: str | Path, *, quiet: bool = False) -> Run:
    """Train from the first step.

    Parameters
    ----------
    config : Config
    out : str or Path
        New folder for the configuration, the checkpoints and the log.
    quiet : bool
        Whether to print nothing but errors.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    InputError
        If the folder is not empty, if the dataset cannot be used (see `open_training_split`), if
        the strategy or device is unknown, or if the loss is not finite. After an error before the
        first checkpoint, no files remain.

    Examples
    --------
    >>> import reference_trainer
    >>> config = reference_trainer.Config("actiseg_sample", strategy="gce")
    >>> run = reference_trainer.fit(config, "run")  # doctest: +SKIP
    """
    folder = Path(out)
    if is_occupied(folder):
        hint = "give another folder as `out`"
        if (folder / CHECKPOINT_FILE).is_file():
            hint += f", or continue this run: actiseg-train resume {folder}"
        raise refuse("already exists", folder, hint)
    refuse_in_dataset(folder)
    processes = join_processes(config.device)
    start = _read_start(config)
    run = assemble_run(_add_digest(config, start), folder, start, processes=processes)
    processes.wait()  # all have found the folder free
    is_new = processes.is_first and not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if processes.is_first:
            write_config(folder / CONFIG_FILE, run.config)
        return _train(run, quiet=quiet)
    except Exception:  # not KeyboardInterrupt or SystemExit: such a run can be resumed
        if not run.saved_step and processes.is_first:
            _clear_folder(folder, remove=is_new)
        raise


def _clear_folder(folder: Path, *, remove: bool) -> None:
    """Remove the files of a run that failed before its first checkpoint."""
    shutil.rmtree(folder / BOARD_FOLDER, ignore_errors=True)
    for name in (CONFIG_FILE, LOG_FILE):
        with suppress(OSError):
            (folder / name).unlink()
    if remove:
        with suppress(OSError):  # it contains files of another program
            folder.rmdir()


def resume(run: str | Path, *, quiet: bool = False) -> Run:
    """Continue a run from its last checkpoint, with the same weights as without interruption.

    Parameters
    ----------
    run : str or Path
        Folder that `fit` made.
    quiet : bool
        Whether to print nothing but errors.

    Raises
    ------
    InputError
        If the folder is not a run, if the checkpoint is damaged or has another version, or if the
        dataset or the configuration has changed.
    """
    folder = Path(run)
    if not (folder / CONFIG_FILE).is_file():
        raise refuse("is not a run", folder, "give a folder that actiseg-train fit made")
    config = read_config(folder / CONFIG_FILE)
    processes = join_processes(config.device)
    if not (folder / CHECKPOINT_FILE).is_file():
        start = _read_start(config)
        repeated = assemble_run(config, folder, start, processes=processes)
        return _train(repeated, quiet=quiet)  # no checkpoint yet
    state = load_checkpoint(folder / CHECKPOINT_FILE)
    restored = assemble_run(config, folder, pretrained=False, processes=processes)
    restore_run(restored, state)
    if restored.step == restored.last_step:
        save_run(restored)  # the disk may have been full when the model was written
    return _train(restored, quiet=quiet)


def _read_start(config: Config) -> WarmStart | None:
    """Read the net that a run starts from, if it does not start from scratch."""
    return None if config.init is None else read_warm_start(config.init, config.init_digest)


def name_start(config: Config) -> Config:
    """Return a configuration with the digest of the net that its run starts from."""
    return _add_digest(config, _read_start(config))


def _add_digest(config: Config, start: WarmStart | None) -> Config:
    return config if start is None else replace(config, init_digest=start.digest)


def compute_learning_rate(config: Config, step: int, steps: int) -> float:
    """Compute the learning rate of a step: a linear rise, then half a cosine.

    The schedule is that of Loshchilov and Hutter, ICLR 2017. It depends on the step alone, so that
    a checkpoint needs no state of a scheduler.

    >>> config = Config("d", learning_rate=1.0, warmup=0.5)
    >>> [round(compute_learning_rate(config, step, 4), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    highest = config.learning_rate
    rising = max(round(config.warmup * steps), 1)
    if step < rising:
        return highest * (step + 1) / rising
    return highest * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))


def _train(run: Run, *, quiet: bool) -> Run:
    quiet = quiet or not run.processes.is_first
    if not quiet:
        print(run.describe(), flush=True)
    run.processes.wait()  # all have read the checkpoint
    log = RunLog(run.folder, run.step, writes=run.processes.is_first)
    try:
        with (
            catch_stop_signals() as stop,
            ProgressMeter(run.step, run.last_step, quiet=quiet) as meter,
        ):
            _run_steps(run, log, meter, stop)
    except BaseException as error:
        if is_out_of_memory(error):
            hint = _suggest_smaller_steps(run.config)
            raise refuse_memory(run.device, f"step {run.step}", hint) from None
        raise
    finally:
        log.close()
        if log.lost:
            run.handled["rows_of_the_log_lost"] = log.lost
    return run


def _run_steps(run: Run, log: RunLog, meter: ProgressMeter, stop: StopRequest) -> None:
    forwards = [_compile_forward(net, run.device) for net in run.nets]
    last_save = time.monotonic()
    while run.step < run.last_step:
        epoch, first = divmod(run.step, run.loader.steps)
        epoch_start, sequences = time.monotonic(), 0
        for batch in run.loader.iterate_epoch(epoch, first, run.config.threads):
            step_start, progress = time.monotonic(), run.make_progress()
            if run.is_new_phase:
                counter = FlopCounterMode(display=False)
                with counter:
                    terms = train_step(run, run.nets, batch, progress)
                run.step_flops = run.processes.sum_numbers(counter.get_total_flops())
            else:
                terms = train_step(run, forwards, batch, progress)
            run.step += 1
            run.flops += run.step_flops
            run.seconds += time.monotonic() - step_start
            sequences += len(batch.frames)
            for number, net_terms in enumerate(terms):
                log.add(progress.step, epoch, number, net_terms)
            speed = sequences / (time.monotonic() - epoch_start)
            meter.advance(run.step, terms[0]["loss"], speed)
            stop.spread(run.processes)
            ends = run.step % run.loader.steps == 0 or run.step == run.last_step
            if run.meter is not None and ends:
                log.add(progress.step, epoch, 0, run.meter.measure(run.nets[0], run.device))
            is_due = time.monotonic() - last_save > 60 * run.config.save_minutes
            if stop.signal or is_due or ends:
                log.write()
                saved = save_run(run)
                last_save = time.monotonic()
                stop.exit_if_requested(run, saved)
            if run.step == run.last_step:
                break


def train_step(
    run: Run, forwards: list[Any], batch: Batch, progress: Progress
) -> list[dict[str, float]]:
    """Update every net once.

    Parameters
    ----------
    run : Run
    forwards : list of callable
        For each net, the net itself or its compiled form.
    batch : Batch
    progress : Progress

    Returns
    -------
    list of dict
        For each net, the loss, its terms, the learning rate and the norm of the gradient.
    """
    nets, strategy = run.nets, run.strategy
    batch = batch.to(run.device)
    strategy.prepare_step(list(nets), progress)
    outputs = []
    for net, forward in zip(nets, forwards, strict=True):
        net.train()
        with choose_precision(run.device):
            outputs.append(_convert_to_float(forward(batch.frames, batch.tokens)))
    losses = strategy.compute_losses(list(nets), outputs, batch, progress)
    values = [{"loss": loss.total.detach(), **loss.parts} for loss in losses]
    terms = [{name: float(value) for name, value in parts.items()} for parts in values]
    _refuse_nan(run, terms, progress)
    learning_rate = compute_learning_rate(run.config, progress.step, run.steps)
    torch.stack([loss.total for loss in losses]).sum().backward()
    for net, optimiser, net_terms in zip(nets, run.optimisers, terms, strict=True):
        run.processes.sum_gradients(net.parameters())
        norm = float(nn.utils.clip_grad_norm_(net.parameters(), run.config.grad_clip_norm))
        _refuse_nan(run, [{"gradient": norm}], progress)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        net_terms |= {"rate": learning_rate, "gradient": norm}
    return terms


def _convert_to_float(output: Output) -> Output:
    """Convert logits to single precision, since losses are sums over many pixels."""
    return Output(
        output.masks.float(),
        output.activity.float(),
        output.robust.float(),
        output.robust_activity.float(),
    )


def _compile_forward(net: SegmentationModel, device: torch.device) -> Any:
    """Return the net, compiled if it is on a GPU."""
    return torch.compile(net, dynamic=True) if device.type == "cuda" else net


def _refuse_nan(run: Run, terms: list[dict[str, float]], progress: Progress) -> None:
    """Raise an error that names the batch if a value is not finite."""
    names = [name for parts in terms for name, value in parts.items() if not math.isfinite(value)]
    if names:
        positions = run.loader.select_positions(progress.epoch, progress.step % run.loader.steps)
        folders = [run.split.sequences[position].sequence.folder for position in positions]
        problem = Problem(
            f"{', '.join(dict.fromkeys(names))} is not finite in epoch {progress.epoch}, step "
            f"{progress.step}, with the sequences {', '.join(folders)}",
            str(run.folder),
            "check these sequences, or lower the setting learning_rate to "
            f"{run.config.learning_rate / 2:g}; {run.checkpoint_note}",
        )
        raise Divergence(problem)


def _suggest_smaller_steps(config: Config) -> str:
    """Suggest settings that need less memory."""
    least = {"batch_size": 1, "max_prompts": 1, "max_frames": 1, "height": 64, "width": 64}
    smaller = []
    for name, floor in least.items():
        value = getattr(config, name)
        half = value // 2 if floor == 1 else value // 32 * 16
        if value > floor:
            smaller.append(f"{name}={max(half, floor)}")
    if not smaller:
        return "use a machine with more memory: no setting can be lowered"
    return f"change one or more settings: {', '.join(smaller)}"
