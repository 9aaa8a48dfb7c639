"""Measure the speed and the memory of `corrupt`, end to end.

    python benchmarks/corrupt.py DATASET --split val --scratch /dev/shm

Everything is measured in the same run, round by round, and printed as ratios:

* the floor: decode and encode the same masks with Pillow's defaults, into the same folders;
* `corrupt` (read, check, corrupt, write, record) in one process and in two;
* the loops: the rule of the published script, pixel by pixel in Python, on a few frames;
* peak memory of one process on the dataset, and on one with ten times the frames: in sequences that
  are ten times as long, and in ten times as many sequences.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import cv2
import numpy as np
import typer
from PIL import Image

from actiseg_data.annotations.masks import IndexMask, read_index_mask, write_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import Recipe
from actiseg_data.terminal.table_printing import print_table
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset

KERNEL = 9


def recode_masks(split: Split, out: Path) -> None:
    """Decode and encode every mask with Pillow's defaults, into the same folders."""
    for sequence in split.sequences:
        folder = out / sequence.folder
        folder.mkdir()
        for path in split.find_masks(sequence):
            with Image.open(path) as image:
                image.load()
                image.save(folder / path.name)


def dilate_with_loops(mask: IndexMask, sequence: VideoSequence) -> IndexMask:
    """Apply ActiSeg-NL's rule at rate 1, as slowly as the published script.

    Every pixel is visited for every listed object, even if the object is not in the frame, and
    written if it is still 0. Active objects come first, dilated, by ascending id.
    """
    height, width = mask.shape
    noisy = np.zeros_like(mask)
    order = sorted(sequence.objects, key=lambda label: (not label.positive, label.object_id))
    for label in order:
        shape = (mask == label.object_id).astype(np.uint8)
        if label.positive:
            shape = cv2.dilate(shape, np.ones((KERNEL, KERNEL), np.uint8))
        shape *= label.object_id
        for y in range(height):
            for x in range(width):
                if not noisy[y][x]:
                    noisy[y][x] = shape[y][x]
    return noisy


def list_frames(split: Split) -> list[tuple[VideoSequence, str]]:
    return [(sequence, frame) for sequence in split.sequences for frame in sequence.frames]


def measure_seconds(run: Callable[[Path], object], scratch: Path | None) -> float:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        began = time.perf_counter()
        run(Path(folder))
        return time.perf_counter() - began


def make_run(dataset: Path, recipe: Recipe, workers: int = 1) -> Callable[[Path], object]:
    return lambda folder: corrupt(dataset, recipe, out=folder / "noisy", workers=workers)


def time_loops(split: Split, count: int, scratch: Path | None) -> float:
    """Measure the seconds per frame, end to end, and compare the masks with those of `corrupt`."""
    frames = list_frames(split)
    chosen = frames[:: max(1, len(frames) // count)][:count]
    recipe = load_preset(f"actiseg-nl/mask-{KERNEL}").make_recipe(split=split.name)

    def run(folder: Path) -> None:
        for number, (sequence, frame) in enumerate(chosen):
            noisy = dilate_with_loops(read_index_mask(split.find_mask(sequence, frame)), sequence)
            write_index_mask(folder / f"{number}.png", noisy)

    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        began = time.perf_counter()
        run(Path(folder))
        spent = time.perf_counter() - began
        only = sorted({sequence.folder for sequence, _ in chosen})
        out = corrupt(split.root, recipe, out=Path(folder) / "noisy", only=only).out
        for number, (sequence, frame) in enumerate(chosen):
            ours = read_index_mask(open_split(out, split.name).find_mask(sequence, frame))
            assert (ours == read_index_mask(Path(folder) / f"{number}.png")).all()
    return spent / len(chosen)


def make_copies(split: Split, root: Path, *, longer: bool) -> Path:
    """Make a dataset with ten times the frames and linked masks.

    Its sequences are ten times as long if `longer`; otherwise there are ten times as many.
    """
    records: list[dict[str, Any]] = []
    last = max(sequence.seq_id for sequence in split.sequences)
    for copy in range(10):
        for sequence, record in zip(split.sequences, split.read_action_list(), strict=True):
            names = sequence.frames if not longer else [f"{f}_{copy}" for f in sequence.frames]
            number = sequence.seq_id if longer else sequence.seq_id + copy * last
            folder = f"{number:08d}{sequence.folder[8:]}"
            target = root / MASKS / split.subsets[sequence.folder] / folder
            target.mkdir(parents=True, exist_ok=True)
            for frame, name in zip(sequence.frames, names, strict=True):
                os.link(split.find_mask(sequence, frame), target / f"{name}.png")
            frames = [f"{name}.jpg" for name in names]
            if longer and copy:
                records[split.sequences.index(sequence)]["sparse_frames"] += frames
            else:
                records.append(record | {"seq_id": number, "sparse_frames": frames})
    write_json(root / IMAGE_SETS / f"{split.name}.json", records)
    return root


MEMORY_SCRIPT = """
import resource, sys
from pathlib import Path
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
root, split, out = sys.argv[1:]
corrupt(Path(root), make_recipe("dilate", 1.0, split=split), out=Path(out))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""  # dilation draws nothing at random, so the largest object needs the same memory in every copy


def measure_memory(root: Path, split: str) -> float:
    """Measure the peak memory of one process in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-c", MEMORY_SCRIPT, str(root), split, f"{folder}/noisy"]
        done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main(
    dataset: Path,
    split: str = "val",
    rounds: Annotated[int, typer.Option(help="Measurements of each.")] = 3,
    loop_frames: Annotated[int, typer.Option(help="Frames given to the loops.")] = 16,
    scratch: Annotated[
        Optional[Path], typer.Option(help="Where to write; a folder in memory excludes the disk.")
    ] = None,
    memory: Annotated[bool, typer.Option(help="Measure memory as well.")] = True,
) -> None:
    dataset = dataset.resolve()
    opened = open_split(dataset, split)
    count = len(list_frames(opened))
    square = load_preset(f"actiseg-nl/mask-{KERNEL}").make_recipe(split=split)
    boundary = make_recipe("boundary", 1.0, split=split)
    runs = {
        "floor": lambda folder: recode_masks(opened, folder),
        f"mask-{KERNEL}": make_run(dataset, square),
        "boundary": make_run(dataset, boundary),
        "boundary, 2 workers": make_run(dataset, boundary, workers=2),
    }
    measure_seconds(runs[f"mask-{KERNEL}"], scratch)  # imports and file caches
    measured = [
        {name: measure_seconds(run, scratch) for name, run in runs.items()} for _ in range(rounds)
    ]

    def median(name: str) -> str:
        return f"{1000 * statistics.median(times[name] for times in measured) / count:.2f} ms"

    def ratio(name: str, base: str) -> str:
        ratios = [times[name] / times[base] for times in measured]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"

    rows = [[name, median(name), ratio(name, "floor")] for name in runs]
    title = f"{count} masks, median of {rounds} rounds (lowest to highest)"
    print_table(title, ["run", "per mask", "times the floor"], rows)
    print(f"two workers against one: {ratio('boundary', 'boundary, 2 workers')} times as fast")
    loop = time_loops(opened, loop_frames, scratch)
    ours = statistics.median(times[f"mask-{KERNEL}"] for times in measured) / count
    print(
        f"loops: {1000 * loop:.0f} ms per mask, {loop / ours:.0f} times mask-{KERNEL}, same pixels"
    )
    if memory:
        # Next to the dataset, because links need one file system.
        with tempfile.TemporaryDirectory(dir=dataset.parent) as folder:
            once = measure_memory(dataset, split)
            for name, longer in (
                ("sequences ten times as long", True),
                ("ten times the sequences", False),
            ):
                root = make_copies(opened, Path(folder) / name.replace(" ", "_"), longer=longer)
                ten = measure_memory(root, split)
                print(f"peak memory, {name}: {ten:.0f} MiB, {ten / once:.2f} times {once:.0f} MiB")


if __name__ == "__main__":
    typer.run(main)
