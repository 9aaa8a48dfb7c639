"""How fast is text noise, end to end, and how much memory does it take?

    python benchmarks/text.py DATASET --split train

The split's clips are repeated, under other video names, until it has 76,000 prompts, as the full
ActionVOS train list has. Whole commands are timed, each in a process of its own: the same command
on a split of one clip is the start-up, and what the large split takes beyond it is the work. The
files are those that ActionVOS publishes (list, prompts in the style promptaction, objects); the
last row has the prompts in all three styles, as `prepare visor` writes them: each counts once.
Beside them, in the same run, the same files are read and written with Python's json alone.
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
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split, open_split
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    make_image_sets,
    name_expressions_file,
    read_record,
)
from actiseg_data.terminal.table_printing import print_table

RUNS = {
    "category": ("--type", "category"),
    "text": ("--type", "text"),
    "text, near flips, sister terms": ("--type", "text", "--flip", "near", "--names", "sister"),
    "text, scope both (spaCy)": ("--type", "text", "--scope", "both"),
    "text, scope narration (spaCy)": ("--type", "text", "--scope", "narration"),
}
ALL_STYLES = "text, prompts in three styles"


def repeated(split: Split, prompts: int) -> list[VideoSequence]:
    """The split's clips, and copies of them in other videos, with at least so many objects."""
    records = split.read_action_list()
    clips: list[VideoSequence] = []
    count = copy = 0
    while count < prompts:
        for record in records:
            video = record["video"] if copy == 0 else f"{record['video']}x{copy}"
            changed = record | {"seq_id": len(clips) + 1, "video": video}
            clips.append(read_record(Cursor(changed, "copy")))
            count += len(clips[-1].objects)
            if count >= prompts:
                break
        copy += 1
    return clips


def make_root(root: Path, clips: list[VideoSequence], styles: tuple[str, ...]) -> Path:
    left_out = [
        name_expressions_file("train", style) for style in PROMPT_STYLES if style not in styles
    ]
    for name, document in make_image_sets("train", clips).items():
        if name not in left_out:
            write_json(root / IMAGE_SETS / name, document)
    return root


def run(root: Path, arguments: tuple[str, ...]) -> tuple[float, float]:
    """Seconds and peak MiB of one command."""
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


def plain_json(root: Path) -> float:
    """Seconds to read the lists of a root and to write them again."""
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
    clips = repeated(open_split(dataset.resolve(), split, masks=False), prompts)
    objects = sum(len(clip.objects) for clip in clips)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        roots = {
            (size, len(styles)): make_root(Path(folder) / f"{size}{len(styles)}", of, styles)
            for size, of in (("large", clips), ("small", clips[:1]))
            for styles in (PROMPT_STYLES[:1], PROMPT_STYLES)
        }
        run(roots["small", 1], RUNS["category"])  # file caches
        for name, arguments in {**RUNS, ALL_STYLES: RUNS["text"]}.items():
            styles = len(PROMPT_STYLES) if name == ALL_STYLES else 1
            small, large = roots["small", styles], roots["large", styles]
            found: list[Any] = [
                (*run(small, arguments), *run(large, arguments)) for _ in range(rounds)
            ]
            start, _, whole, memory = map(statistics.median, zip(*found, strict=True))
            least = statistics.median(plain_json(large) for _ in range(rounds))
            speeds = [objects / (each[2] - each[0]) for each in found]
            speed = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})"
            ratio = f"{(whole - start) / least:.1f}"
            times = (f"{start:.2f} s", f"{whole:.2f} s")
            rows.append([name, *times, speed, ratio, f"{memory:.0f} MiB"])
    columns = ["run", "start-up", "whole", "prompts/s after start-up", "times json", "peak"]
    title = f"{objects:,} prompts in {len(clips):,} clips, one process, median of {rounds}"
    print_table(title, columns, rows)


if __name__ == "__main__":
    typer.run(main)
