"""Measure the speed of `corrupt` on DAVIS and on made instances in COCO's format.

    python -m benchmarks.layouts DAVIS --scratch /dev/shm

Everything is measured in the same run, round by round, and printed as ratios to a floor:

* DAVIS: decode and encode the same masks with Pillow's defaults;
* polygons and runs in COCO's format: read the document with Python's `json`, decode every
  annotation with pycocotools, and write the document.

The document in COCO's format is made: blobs of many sizes in images of 640 x 480, about as many per
image as COCO has.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np
import typer
from pycocotools import mask as coco

from actiseg_data.layouts.opening import open_split
from actiseg_data.terminal.table_printing import print_table
from actiseg_noise.corruption.corruption import corrupt
from benchmarks.corrupt import list_frames, measure_seconds, recode_masks

HEIGHT, WIDTH = 480, 640
PER_IMAGE = 7.5
LICENCE = "CC-BY-4.0"


def draw_blob(draws: np.random.Generator) -> list[float]:
    """Draw the polygon of a blob, as the list of coordinates that COCO has."""
    radius = float(np.exp(draws.uniform(np.log(8), np.log(120))))
    x, y = draws.uniform(0, WIDTH), draws.uniform(0, HEIGHT)
    angles = np.sort(draws.uniform(0, 2 * np.pi, int(draws.integers(8, 48))))
    radii = radius * draws.uniform(0.7, 1, len(angles))
    xs = np.clip(x + radii * np.cos(angles), 0, WIDTH).round(2)
    ys = np.clip(y + radii * np.sin(angles), 0, HEIGHT).round(2)
    return [float(value) for value in np.column_stack([xs, ys]).ravel()]


def make_instances(images: int, *, runs: bool) -> dict[str, Any]:
    """Make a document in COCO's format, with polygons or with compressed runs."""
    draws = np.random.default_rng(0)
    annotations: list[dict[str, Any]] = []
    for image in range(1, images + 1):
        for _ in range(int(draws.poisson(PER_IMAGE))):
            polygon = draw_blob(draws)
            encoded = coco.merge(coco.frPyObjects([polygon], HEIGHT, WIDTH))
            area = float(coco.area(encoded))
            if not area:
                continue
            text = {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(draws.integers(1, 4)),
                    "segmentation": text if runs else [polygon],
                    "area": area,
                    "bbox": [float(value) for value in coco.toBbox(encoded)],
                    "iscrowd": 0,
                }
            )
    return {
        "images": [
            {"id": number, "file_name": f"{number:012d}.jpg", "height": HEIGHT, "width": WIDTH}
            for number in range(1, images + 1)
        ],
        "categories": [{"id": number, "name": f"category {number}"} for number in (1, 2, 3)],
        "annotations": annotations,
    }


def rewrite_instances(source: Path, out: Path) -> None:
    """Read a document, decode every annotation with pycocotools, and write the document."""
    document = json.loads(source.read_bytes())
    for annotation in document["annotations"]:
        segments = annotation["segmentation"]
        if isinstance(segments, list):
            segments = coco.merge(coco.frPyObjects(segments, HEIGHT, WIDTH))
        coco.decode(segments)
    (out / source.name).write_text(json.dumps(document))


def main(
    davis: Path,
    split: str = "all",
    images: Annotated[int, typer.Option(help="Images in the made document.")] = 5000,
    rounds: Annotated[int, typer.Option(help="Measurements of each.")] = 3,
    scratch: Annotated[
        Optional[Path], typer.Option(help="Where to write; a folder in memory excludes the disk.")
    ] = None,
) -> None:
    opened = open_split(davis.resolve(), split)
    count = len(list_frames(opened))

    def compare(floor: Callable[[Path], object], source: Path) -> list[tuple[float, float]]:
        def run(folder: Path) -> None:
            corrupt(source, "boundary", rate=1.0, out=folder / "noisy", licence=LICENCE)

        return [
            (measure_seconds(floor, scratch), measure_seconds(run, scratch)) for _ in range(rounds)
        ]

    measured = {
        f"DAVIS, {count} masks": (count, compare(lambda to: recode_masks(opened, to), opened.root))
    }

    def measure_document(folder: Path) -> None:
        for form in ("polygons", "runs"):
            source = folder / f"instances_{form}.json"
            document = make_instances(images, runs=form == "runs")
            source.write_text(json.dumps(document))
            number = len(document["annotations"])
            pairs = compare(lambda to, source=source: rewrite_instances(source, to), source)  # type: ignore[misc]
            measured[f"made instances, {number} {form}"] = number, pairs

    measure_seconds(measure_document, scratch)
    rows = []
    for name, (number, pairs) in measured.items():
        ratios = [ours / floor for floor, ours in pairs]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        medians = [statistics.median(of) for of in zip(*pairs, strict=True)]
        times = [f"{1000 * median / number:.2f} ms" for median in medians]
        rows.append([name, *times, spread])
    title = f"boundary at rate 1, one process, median of {rounds} rounds (lowest to highest)"
    print_table(title, ["dataset", "floor per mask", "corrupt per mask", "times the floor"], rows)


if __name__ == "__main__":
    typer.run(main)
