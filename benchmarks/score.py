"""Measure the speed of scoring, compared with public code and with a lower bound.

    python benchmarks/score.py DATASET --split val

The predictions are the true masks of the split, each moved by a few pixels. Lists that repeat every
sequence ten times make runs long enough for two workers. All rows are measured in one run, with the
files in memory (--scratch). Per frame:

* the lower bound: both files of each frame, read and inflated by the standard library;
* the public loop: a rewrite of ActionVOS's metric script (a float64 map per object and frame);
* DAVIS's J and F, rewritten after davis2017-evaluation: whole frames, a disc dilation of each
  boundary. Neither that package nor vos-benchmark is on a package index, so neither is timed.

These three take the same time for each frame and run over every sequence once. Our rows are whole
commands in separate processes, with start-up and report (JSON with all strata).
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from actiseg_data.annotations import png
from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.files import write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.terminal.table_printing import print_table


def make_inputs(split: Split, folder: Path, times: int, longer: int = 1) -> tuple[Path, Path]:
    """Write a root that lists the sequences of a split several times, and predictions.

    longer: how often the frames of each sequence are repeated, under other names.
    """
    root, predictions = folder / "root", folder / "predictions"
    records = []
    for _ in range(times):
        for sequence, record in zip(split.sequences, split.read_action_list(), strict=True):
            frames = [
                (frame, f"{frame}x{copy}") for copy in range(longer) for frame in sequence.frames
            ]
            changed = record | {
                "seq_id": len(records) + 1,
                "sparse_frames": [f"{name}.jpg" for _, name in frames],
            }
            records.append(changed)
            name = f"{changed['seq_id']:08d}_{record['video']}_{record['verb']}_{record['noun']}"
            place = root / MASKS / "val" / name
            (predictions / name).mkdir(parents=True)
            place.mkdir(parents=True)
            for frame, copy in frames:
                data = split.find_mask(sequence, frame).read_bytes()
                (place / f"{copy}.png").write_bytes(data)
    write_json(root / IMAGE_SETS / "val.json", records)
    made = open_split(root, "val")
    for sequence in made.sequences:
        for frame, mask in zip(sequence.frames, made.iterate_masks(sequence), strict=True):
            moved = np.roll(mask, (6, 10), axis=(0, 1))
            write_index_mask(predictions / sequence.folder / f"{frame}.png", moved)
    return root, predictions


def list_pairs(split: Split, predictions: Path) -> list[tuple[Path, Path, dict[int, bool]]]:
    """Return the files of truth and prediction of each frame, and which objects are active."""
    return [
        (
            split.find_mask(sequence, frame),
            predictions / sequence.folder / f"{frame}.png",
            {label.object_id: label.positive for label in sequence.objects},
        )
        for sequence in split.sequences
        for frame in sequence.frames
    ]


def read_files(frames: list[tuple[Path, Path, dict[int, bool]]]) -> None:
    for truth, prediction, _ in frames:
        for path in (truth, prediction):
            data = path.read_bytes()
            image = png.parse(data)
            assert image is not None
            zlib.decompress(image.packed)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("P"))


def score_publicly(frames: list[tuple[Path, Path, dict[int, bool]]]) -> dict[str, float]:
    """Score as the metric script does: a float64 map of each object in each frame."""
    lists: dict[bool, list[float]] = {True: [], False: []}
    sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
    generalised = []
    for truth, prediction, objects in frames:
        true, predicted = read(truth), read(prediction)
        for object_id, active in objects.items():
            g, p = np.zeros(true.shape), np.zeros(true.shape)
            g[true == object_id] = 1
            p[predicted == object_id] = 1
            both = np.sum(np.logical_and(g, p))
            union = np.sum(np.logical_or(g, p))
            if union == 0:
                generalised.append(1.0)
                continue
            lists[active].append(both / union)
            sums[active][0] += both
            sums[active][1] += union
            generalised.append(both / union if active else float(np.sum(p) == 0))
    return {
        "p_miou": float(np.mean(lists[True])),
        "n_miou": float(np.mean(lists[False])),
        "p_ciou": sums[True][0] / sums[True][1],
        "n_ciou": sums[False][0] / sums[False][1],
        "giou": float(np.mean(generalised)),
    }


def draw_boundary(mask: np.ndarray) -> np.ndarray:
    right, down, both = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    right[:, :-1] = mask[:, 1:]
    down[:-1] = mask[1:]
    both[:-1, :-1] = mask[1:, 1:]
    edges = (mask ^ right) | (mask ^ down) | (mask ^ both)
    edges[-1] = mask[-1] ^ right[-1]
    edges[:, -1] = mask[:, -1] ^ down[:, -1]
    edges[-1, -1] = False
    return edges


def score_davis(frames: list[tuple[Path, Path, dict[int, bool]]]) -> tuple[float, float]:
    """Return the mean J and F of active objects, over whole frames as davis2017-evaluation."""
    cv2 = load_cv2()
    scores: dict[tuple[Path, int], list[tuple[float, float]]] = {}
    for truth, prediction, objects in frames:
        true, predicted = read(truth), read(prediction)
        radius = math.ceil(0.008 * math.hypot(*true.shape))
        rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        disc = (rows**2 + columns**2 <= radius**2).astype(np.uint8)
        for object_id in (key for key, active in objects.items() if active):
            g, p = (true == object_id).astype(bool), (predicted == object_id).astype(bool)
            union = np.sum(g | p, dtype=np.float64)
            region = np.sum(g & p) / union if union else 1.0
            edges = [draw_boundary(p), draw_boundary(g)]
            wide = [cv2.dilate(edge.astype(np.uint8), disc) for edge in edges]
            sizes = [np.sum(edge) for edge in edges]
            if all(sizes):
                precision = np.sum(edges[0] * wide[1]) / sizes[0]
                recall = np.sum(edges[1] * wide[0]) / sizes[1]
                both = precision + recall
                contour = 2 * precision * recall / both if both else 0.0
            else:
                contour = float(sizes[0] == sizes[1])
            scores.setdefault((truth.parent, object_id), []).append((region, contour))
    means = np.array([np.mean(values, axis=0) for values in scores.values()])
    return float(means[:, 0].mean()), float(means[:, 1].mean())


def run_command(
    root: Path, predictions: Path, *arguments: str
) -> tuple[float, float, dict[str, float]]:
    """Return the seconds, peak MiB and metrics of a whole command."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "actiseg_eval.cli", "score", str(predictions)]
        command += ["--gt", str(root), "--split", "val", "--no-filter", "--quiet"]
        command += ["--json", f"{folder}/r.json"]
        began = time.perf_counter()
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        metrics = json.loads((Path(folder) / "r.json").read_text())["metrics"]
    return spent, usage.ru_maxrss / 1024, metrics


def measure_time(function: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of several calls."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main(
    dataset: Path,
    split: str = "val",
    times: Annotated[int, typer.Option(help="How often the long list repeats each sequence.")] = 10,
    rounds: Annotated[int, typer.Option(help="Measurements of our rows and the lower bound.")] = 3,
    scratch: Annotated[Path, typer.Option(help="Folder for files, best in memory.")] = Path(
        "/dev/shm"
    ),
) -> None:
    clean = open_split(dataset.resolve(), split)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        short, many, long = (
            make_inputs(clean, Path(folder) / name, count, longer)
            for name, count, longer in (("short", 1, 1), ("many", times, 1), ("long", 1, times))
        )
        frames = list_pairs(open_split(short[0], "val"), short[1])
        units = sum(len(objects) for _, _, objects in frames)
        least = measure_time(lambda: read_files(frames), rounds) / len(frames)
        began = time.perf_counter()
        public = score_publicly(frames)
        loop = (time.perf_counter() - began) / len(frames)
        began = time.perf_counter()
        j, f = score_davis(frames)
        davis = (time.perf_counter() - began) / len(frames)
        for name, seconds in (("lower bound", least), ("public loop", loop), ("as DAVIS", davis)):
            rows.append(
                [name, "1", f"{1000 * seconds:.2f} ms", "", f"{seconds / least:.2f}", "", ""]
            )
        for groups, reference in (("core", loop), ("core,jf", davis)):
            expected = public if groups == "core" else {"j": j, "f": f}
            for workers in ("1", "2"):
                arguments = ("--metrics", groups, "--workers", workers)
                small = run_command(*short, *arguments)
                runs = [run_command(*many, *arguments) for _ in range(rounds)]
                per_frame = statistics.median(run[0] for run in runs) / (times * len(frames))
                memory = (small[1], run_command(*long, *arguments)[1], runs[0][1])
                error = max(abs(small[2][name] - value) for name, value in expected.items())
                rows.append(
                    [
                        f"actiseg-eval, {groups}",
                        workers,
                        f"{1000 * per_frame:.2f} ms",
                        f"{reference / per_frame:.1f}",
                        f"{per_frame / least:.2f}",
                        ", ".join(f"{peak:.0f}" for peak in memory) + " MiB",
                        f"{error:.0e}",
                    ]
                )
    columns = ["run", "workers", "per frame", "times faster", "times bound", "peaks", "error"]
    title = f"{len(frames):,} frames, {units:,} units, and {times} times as many"
    print_table(title, columns, rows)
    print(f"peaks: these; sequences {times} times as long; {times} times as many sequences")


if __name__ == "__main__":
    typer.run(main)
