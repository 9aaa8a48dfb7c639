"""Measure how fast each strategy trains, relative to plain, and how much memory it needs.

    python benchmarks/train.py DATASET --split train

All strategies make the same updates: the same model and batches, in the last part of a run, after
all warm-ups. Strategies take steps in turns. The ratio to plain is the median over the turns, so
that a machine with a varying speed favours none of them. Memory is the peak of a process that
trains with one strategy alone (Linux). On a GPU it is the memory that torch has allocated there,
and one more column has the share of the time in which the GPU is busy. A strategy that needs a
trained net to start from is measured with `--set init=RUN`.
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

from actiseg_data.terminal.table_printing import print_table
from reference_trainer.batch import Batch
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import apply_settings
from reference_trainer.strategies import STRATEGIES
from reference_trainer.training.engine import train_step
from reference_trainer.training.run_state import Run, assemble_run

_START = 0.75
"""Share of the run before the first step, which is after all warm-ups."""


def prepare_run(name: str, dataset: Path, split: str, settings: list[str]) -> Run:
    values = {"dataset": str(dataset), "split": split, "strategy": name}
    run = assemble_run(make_config(apply_settings(values, settings), "--set"), Path("unused"))
    run.step = int(_START * run.steps)
    return run


def measure_step(run: Run, batch: Batch) -> tuple[float, float]:
    """Train one step, and return its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    train_step(run, run.nets, batch, run.make_progress())
    if run.device.type == "cuda":
        torch.cuda.synchronize()
    run.step += 1
    return time.perf_counter() - wall, time.process_time() - cpu


def measure_busy_share(run: Run, batches: list[Batch]) -> float:
    """Measure the share of the time in which the GPU computes."""
    from torch.profiler import ProfilerActivity, profile

    start = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for batch in batches:
            measure_step(run, batch)
    wall = time.perf_counter() - start
    return sum(event.self_device_time_total for event in profiler.key_averages()) / 1e6 / wall


def measure_peak(run: Run, batches: list[Batch]) -> float:
    """Measure the peak memory of this process, in MiB."""
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for batch in batches:
        measure_step(run, batch)
    if run.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    # getrusage would include the peak of the parent process.
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if "VmHWM" in line]
    return int(line.split()[1]) / 1024


def measure_alone(name: str, dataset: Path, split: str, settings: list[str]) -> str:
    """Measure the peak memory of a process for one strategy."""
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
    first = prepare_run(alone or "plain", dataset, split, chosen)
    epoch = list(first.loader.iterate_epoch(0))[:4]
    if alone is not None:
        print(f"{measure_peak(first, epoch):.0f}")
        return
    runs = {"plain": first}
    runs |= {
        name: prepare_run(name, dataset, split, chosen)
        for name, info in STRATEGIES.items()
        if name != "plain" and (first.config.init is not None or not info.needs_start)
    }
    batches = {name: list(run.loader.iterate_epoch(0))[:4] for name, run in runs.items()}
    for name, run in runs.items():  # the first steps allocate memory
        for batch in batches[name][:2]:
            measure_step(run, batch)
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns):
        for name, run in runs.items():
            wall_seconds, cpu_seconds = measure_step(run, batches[name][turn % 4])
            wall[name].append(wall_seconds)
            cpu[name].append(cpu_seconds)
    rows = []
    for name, run in runs.items():
        speed = run.config.batch_size / statistics.median(wall[name])
        row = [name, f"{speed:.1f}", f"{1000 * statistics.median(wall[name]):.0f}"]
        row += [_compute_ratio(wall[name], wall["plain"]), _compute_ratio(cpu[name], cpu["plain"])]
        row.append(measure_alone(name, dataset, split, chosen))
        if run.device.type == "cuda":
            row.append(f"{measure_busy_share(run, batches[name]):.2f}")
        rows.append(row)
    columns = ["strategy", "sequences/s", "ms a step", "times plain", "CPU, times plain"]
    columns += ["peak MiB"]
    columns += ["GPU busy"] if first.device.type == "cuda" else []
    config = first.config
    title = f"{config.batch_size} sequences of {config.max_frames} frames, {first.device}"
    print_table(f"{title}, {turns} steps each", columns, rows)


def _compute_ratio(times: list[float], plain: list[float]) -> str:
    return f"{statistics.median(a / b for a, b in zip(times, plain, strict=True)):.2f}"


if __name__ == "__main__":
    typer.run(main)
