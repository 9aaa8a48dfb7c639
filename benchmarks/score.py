"""How fast is scoring, beside the public code for the same figures, and beside the floor?

    python benchmarks/score.py DATASET --split val

The split's true masks, each moved by a few pixels, are the predictions; lists that hold every clip
ten times over make runs long enough for two workers. All rows are measured in one run, the files in
memory (--scratch). Per frame:

* the floor: both files of each frame read, and inflated by the standard library;
* the public loop: ActionVOS's metric script written out anew (a float64 map per object and frame);
* DAVIS's J and F, written out anew after davis2017-evaluation: whole frames, a disc dilation of
  each boundary. That package is on no index, and neither is vos-benchmark, so neither is timed
  itself.

These three take the same time for each frame and are run over every clip once. Ours are whole
commands in processes of their own, start-up and report (JSON with all strata) included.
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
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, Split, open_split
from actiseg_data.terminal.table_printing import print_table


def make_inputs(split: Split, folder: Path, times: int, longer: int = 1) -> tuple[Path, Path]:
    """A root whose list holds the split's clips several times, and predictions of it.

    longer: how often each clip has its frames, under other names.
    """
    root, predictions = folder / "root", folder / "predictions"
    records = []
    for _ in range(times):
        for sequence, record in zip(split.sequences, split.read_action_list(), strict=True):
            frames = [(frame, f"{frame}x{at}") for at in range(longer) for frame in sequence.frames]
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


def pairs(split: Split, predictions: Path) -> list[tuple[Path, Path, dict[int, bool]]]:
    """Files of truth and prediction of each frame, and which objects are active."""
    return [
        (
            split.find_mask(sequence, frame),
            predictions / sequence.folder / f"{frame}.png",
            {label.object_id: label.positive for label in sequence.objects},
        )
        for sequence in split.sequences
        for frame in sequence.frames
    ]


def floor(frames: list[tuple[Path, Path, dict[int, bool]]]) -> None:
    for truth, prediction, _ in frames:
        for path in (truth, prediction):
            data = path.read_bytes()
            found = png.parse(data)
            assert found is not None
            zlib.decompress(found.packed)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("P"))


def public_loop(frames: list[tuple[Path, Path, dict[int, bool]]]) -> dict[str, float]:
    """The metric script's way: a whole float64 map of each object in each frame."""
    lists: dict[bool, list[float]] = {True: [], False: []}
    sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
    generalised = []
    for truth, prediction, objects in frames:
        one, other = read(truth), read(prediction)
        for at, active in objects.items():
            g, p = np.zeros(one.shape), np.zeros(one.shape)
            g[one == at] = 1
            p[other == at] = 1
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


def davis_map(mask: np.ndarray) -> np.ndarray:
    right, down, both = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    right[:, :-1] = mask[:, 1:]
    down[:-1] = mask[1:]
    both[:-1, :-1] = mask[1:, 1:]
    edges = (mask ^ right) | (mask ^ down) | (mask ^ both)
    edges[-1] = mask[-1] ^ right[-1]
    edges[:, -1] = mask[:, -1] ^ down[:, -1]
    edges[-1, -1] = False
    return edges


def davis_j_and_f(frames: list[tuple[Path, Path, dict[int, bool]]]) -> tuple[float, float]:
    """Mean J and F of active objects, over whole frames as davis2017-evaluation does."""
    cv2 = load_cv2()
    found_of: dict[tuple[Path, int], list[tuple[float, float]]] = {}
    for truth, prediction, objects in frames:
        one, other = read(truth), read(prediction)
        radius = math.ceil(0.008 * math.hypot(*one.shape))
        rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        disc = (rows**2 + columns**2 <= radius**2).astype(np.uint8)
        for at in (at for at, active in objects.items() if active):
            g, p = (one == at).astype(bool), (other == at).astype(bool)
            union = np.sum(g | p, dtype=np.float64)
            region = np.sum(g & p) / union if union else 1.0
            edges = [davis_map(p), davis_map(g)]
            wide = [cv2.dilate(edge.astype(np.uint8), disc) for edge in edges]
            sizes = [np.sum(edge) for edge in edges]
            if all(sizes):
                precision = np.sum(edges[0] * wide[1]) / sizes[0]
                recall = np.sum(edges[1] * wide[0]) / sizes[1]
                both = precision + recall
                contour = 2 * precision * recall / both if both else 0.0
            else:
                contour = float(sizes[0] == sizes[1])
            found_of.setdefault((truth.parent, at), []).append((region, contour))
    means = np.array([np.mean(values, axis=0) for values in found_of.values()])
    return float(means[:, 0].mean()), float(means[:, 1].mean())


def ours(root: Path, predictions: Path, *arguments: str) -> tuple[float, float, dict[str, float]]:
    """Seconds, peak MiB and figures of a whole command."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "actiseg_eval.cli", "score", str(predictions)]
        command += ["--gt", str(root), "--split", "val", "--quiet", "--json", f"{folder}/r.json"]
        began = time.perf_counter()
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        figures = json.loads((Path(folder) / "r.json").read_text())["metrics"]
    return spent, usage.ru_maxrss / 1024, figures


def timed(function: Callable[[], object], rounds: int) -> float:
    """Median seconds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main(
    dataset: Path,
    split: str = "val",
    times: Annotated[int, typer.Option(help="How often the long list holds each clip.")] = 10,
    rounds: Annotated[int, typer.Option(help="Measurements of each of ours and the floor.")] = 3,
    scratch: Annotated[Path, typer.Option(help="Where files go, best in memory.")] = Path(
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
        frames = pairs(open_split(short[0], "val"), short[1])
        units = sum(len(objects) for _, _, objects in frames)
        least = timed(lambda: floor(frames), rounds) / len(frames)
        began = time.perf_counter()
        public = public_loop(frames)
        loop = (time.perf_counter() - began) / len(frames)
        began = time.perf_counter()
        j, f = davis_j_and_f(frames)
        davis = (time.perf_counter() - began) / len(frames)
        for name, seconds in (("floor", least), ("public loop", loop), ("DAVIS's way", davis)):
            rows.append(
                [name, "1", f"{1000 * seconds:.2f} ms", "", f"{seconds / least:.2f}", "", ""]
            )
        for measures, reference in (("core", loop), ("core,jf", davis)):
            expected = public if measures == "core" else {"j": j, "f": f}
            for workers in ("1", "2"):
                arguments = ("--metrics", measures, "--workers", workers)
                small = ours(*short, *arguments)
                found = [ours(*many, *arguments) for _ in range(rounds)]
                each = statistics.median(of[0] for of in found) / (times * len(frames))
                memory = (small[1], ours(*long, *arguments)[1], found[0][1])
                apart = max(abs(small[2][name] - value) for name, value in expected.items())
                rows.append(
                    [
                        f"actiseg-eval, {measures}",
                        workers,
                        f"{1000 * each:.2f} ms",
                        f"{reference / each:.1f}",
                        f"{each / least:.2f}",
                        ", ".join(f"{peak:.0f}" for peak in memory) + " MiB",
                        f"{apart:.0e}",
                    ]
                )
    columns = ["run", "workers", "per frame", "times faster", "times floor", "peaks", "apart"]
    title = f"{len(frames):,} frames, {units:,} units, and {times} times as many"
    print_table(title, columns, rows)
    print(f"peaks: of these; of clips {times} times as long; of {times} times as many clips")


if __name__ == "__main__":
    typer.run(main)
