"""Measure the speed and the memory of text noise, end to end.

    python benchmarks/text.py DATASET --split train

The sequences of the split are repeated under different video names until it has 76,000 prompts, as
many as the full ActionVOS train list. Each command runs in a process of its own. The same command
on a split with one sequence measures the start-up, which is subtracted. The files are those that
ActionVOS publishes (list, prompts in the style promptaction, objects). The last row has the prompts
in all three styles, as `prepare visor` writes them; each prompt counts once. For comparison, the
same files are read and written with Python's json module in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    make_image_sets,
    name_expressions_file,
    read_record,
)
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.terminal.table_printing import print_table

RUNS = {
    "category": ("--type", "category"),
    "text": ("--type", "text"),
    "text, sister flips": ("--type", "text", "--flip", "sister"),
    "text, scope both (spaCy)": ("--type", "text", "--scope", "both"),
    "text, scope narration (spaCy)": ("--type", "text", "--scope", "narration"),
}
ALL_STYLES = "text, prompts in three styles"


def repeat_split(split: Split, prompts: int) -> list[VideoSequence]:
    """Repeat the sequences of a split in new videos until they have enough objects."""
    records = split.read_action_list()
    sequences: list[VideoSequence] = []
    count = copy = 0
    while count < prompts:
        for record in records:
            video = record["video"] if copy == 0 else f"{record['video']}x{copy}"
            changed = record | {"seq_id": len(sequences) + 1, "video": video}
            sequences.append(read_record(Cursor(changed, "copy")))
            count += len(sequences[-1].objects)
            if count >= prompts:
                break
        copy += 1
    return sequences


def make_root(root: Path, sequences: list[VideoSequence], styles: tuple[str, ...]) -> Path:
    left_out = [
        name_expressions_file("train", style) for style in PROMPT_STYLES if style not in styles
    ]
    for name, document in make_image_sets("train", sequences).items():
        if name not in left_out:
            write_json(root / IMAGE_SETS / name, document)
    return root


def measure_command(root: Path, arguments: tuple[str, ...]) -> tuple[float, float]:
    """Measure the seconds and the peak memory in MiB of one command."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "actiseg_noise.cli", "corrupt", str(root), *arguments]
        command += ["--rate", "0.4", "--out", f"{folder}/noisy", "--quiet"]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return spent, usage.ru_maxrss / 1024


def time_json(root: Path) -> float:
    """Measure the seconds to read the lists of a root and to write them."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for path in (root / IMAGE_SETS).iterdir():
            document = json.loads(path.read_bytes())
            (Path(folder) / path.name).write_text(json.dumps(document, ensure_ascii=False))
        return time.perf_counter() - began


def main(
    dataset: Path,
    split: str = "train",
    prompts: Annotated[int, typer.Option(help="Size of the large split.")] = 76_000,
    rounds: Annotated[int, typer.Option(help="Measurements of each.")] = 3,
) -> None:
    sequences = repeat_split(open_split(dataset.resolve(), split, masks=False), prompts)
    objects = sum(len(sequence.objects) for sequence in sequences)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        roots = {
            (size, len(styles)): make_root(Path(folder) / f"{size}{len(styles)}", chosen, styles)
            for size, chosen in (("large", sequences), ("small", sequences[:1]))
            for styles in (PROMPT_STYLES[:1], PROMPT_STYLES)
        }
        measure_command(roots["small", 1], RUNS["category"])  # file caches
        for name, arguments in {**RUNS, ALL_STYLES: RUNS["text"]}.items():
            styles = len(PROMPT_STYLES) if name == ALL_STYLES else 1
            small, large = roots["small", styles], roots["large", styles]
            measured: list[Any] = [
                (*measure_command(small, arguments), *measure_command(large, arguments))
                for _ in range(rounds)
            ]
            start, _, whole, memory = map(statistics.median, zip(*measured, strict=True))
            least = statistics.median(time_json(large) for _ in range(rounds))
            speeds = [objects / (times[2] - times[0]) for times in measured]
            speed = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})"
            ratio = f"{(whole - start) / least:.1f}"
            times = (f"{start:.2f} s", f"{whole:.2f} s")
            rows.append([name, *times, speed, ratio, f"{memory:.0f} MiB"])
    columns = ["run", "start-up", "whole", "prompts/s after start-up", "times json", "peak"]
    title = f"{objects:,} prompts in {len(sequences):,} sequences, one process, median of {rounds}"
    print_table(title, columns, rows)


if __name__ == "__main__":
    typer.run(main)
