"""How fast does each strategy train, beside plain, and how much memory does it take?

    python benchmarks/train.py DATASET --split train

Every strategy makes the same updates: the same model, the same batches, in the last part of a run,
when warm-ups are over. Steps are taken in turns, one of each strategy after the other, and the
ratio to plain is the median over the turns, so that a machine whose speed changes meanwhile favours
none. Memory is the highest of a process that trains by that strategy alone (Linux); on a GPU, what
torch has allocated there, and a column says how much of the time the GPU is busy.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Optional

import torch
import typer

from actiseg_data.terminal.console import print_table
from reference_trainer.batch import Batch
from reference_trainer.config import make_config, apply_settings
from reference_trainer.strategies import STRATEGIES
from reference_trainer.training import engine
from reference_trainer.training.run_state import Run, assemble_run

_BEGUN = 0.75
"""Share of the run that lies behind: all warm-ups are over."""


def prepared(name: str, dataset: Path, split: str, settings: list[str]) -> Run:
    values = {"dataset": str(dataset), "split": split, "strategy": name}
    run = assemble_run(make_config(apply_settings(values, settings), "--set"), Path("unused"))
    run.step = int(_BEGUN * run.steps)
    return run


def step(run: Run, batch: Batch) -> tuple[float, float]:
    """One step; its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    engine.train_step(run, run.nets, batch, run.progress())
    if run.device.type == "cuda":
        torch.cuda.synchronize()
    run.step += 1
    return time.perf_counter() - wall, time.process_time() - cpu


def busy(run: Run, batches: list[Batch]) -> float:
    """Share of the time in which the GPU computes."""
    from torch.profiler import ProfilerActivity, profile

    begun = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for batch in batches:
            step(run, batch)
    wall = time.perf_counter() - begun
    return sum(event.self_device_time_total for event in profiled.key_averages()) / 1e6 / wall


def peak(run: Run, batches: list[Batch]) -> float:
    """MiB at the highest, of a process that does nothing else."""
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for batch in batches:
        step(run, batch)
    if run.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    # Not by getrusage, whose peak a process takes over from the one that started it.
    (line,) = [of for of in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in of]
    return int(line.split()[1]) / 1024


def measured_alone(name: str, dataset: Path, split: str, settings: list[str]) -> str:
    """The peak of a process of its own."""
    flags = [f"--set={setting}" for setting in settings]
    arguments = [str(dataset), "--split", split, "--alone", name, *flags]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[-1]


def main(
    dataset: Annotated[Path, typer.Argument(help="ActionVOS root with frames.")],
    split: str = "train",
    turns: Annotated[int, typer.Option(help="Steps of each strategy.")] = 20,
    settings: Annotated[
        Optional[list[str]], typer.Option("--set", help="Settings of the run, key=value.")
    ] = None,
    alone: Annotated[Optional[str], typer.Option(help="Print the peak of one strategy.")] = None,
) -> None:
    chosen = settings or []
    first = prepared(alone or "plain", dataset, split, chosen)
    epoch = list(first.loader.epoch(0))[:4]
    if alone is not None:
        print(f"{peak(first, epoch):.0f}")
        return
    runs = {"plain": first}
    runs |= {name: prepared(name, dataset, split, chosen) for name in STRATEGIES if name != "plain"}
    batches = {name: list(run.loader.epoch(0))[:4] for name, run in runs.items()}
    for name, run in runs.items():  # the first steps allocate
        for batch in batches[name][:2]:
            step(run, batch)
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns):
        for name, run in runs.items():
            taken = step(run, batches[name][turn % 4])
            wall[name].append(taken[0])
            cpu[name].append(taken[1])
    rows = []
    for name, run in runs.items():
        clips = run.config.clips / statistics.median(wall[name])
        row = [name, f"{clips:.1f}", f"{1000 * statistics.median(wall[name]):.0f}"]
        row += [_ratio(wall[name], wall["plain"]), _ratio(cpu[name], cpu["plain"])]
        row.append(measured_alone(name, dataset, split, chosen))
        if run.device.type == "cuda":
            row.append(f"{busy(run, batches[name]):.2f}")
        rows.append(row)
    columns = ["strategy", "clips/s", "ms a step", "times plain", "its CPU time", "peak MiB"]
    columns += ["GPU busy"] if first.device.type == "cuda" else []
    title = f"{first.config.clips} clips of {first.config.frames} frames, {first.device}"
    print_table(f"{title}, {turns} steps each", columns, rows)


def _ratio(times: list[float], plain: list[float]) -> str:
    return f"{statistics.median(a / b for a, b in zip(times, plain, strict=True)):.2f}"


if __name__ == "__main__":
    typer.run(main)
