"""Compare the IoU on disk under each rule for overlaps.

    python benchmarks/overlap.py DATASET --split val --rate 0.4

Boundary noise is applied to a split in memory with each rule, and with the simple rule that
`contest` was derived from (depth in pixels). The table has the on-disk IoU of the touched objects
that reached their target, and how many untouched objects were cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.ndimage import distance_transform_edt

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.layouts.opening import open_split
from actiseg_data.terminal.table_printing import print_table
from actiseg_noise.mask_noise.contours import find_object
from actiseg_noise.mask_noise.overlap import OVERLAPS, PixelClaim
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.building import make_recipe

IN_PIXELS = "depth in pixels"


def settle_by_pixel_depth(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int]
) -> IndexMask:
    """Give a contested pixel to the object with the greatest depth in pixels.

    Touched objects have an advantage of up to one pixel.
    """
    touched = {claim.object_id: claim for claim in claims}
    best = np.zeros(clean.shape)
    noisy = np.zeros_like(clean)
    for object_id in find_ids(clean):
        claim = touched.get(object_id)
        patch = claim.patch if claim else find_object(clean, object_id).patch
        # Over the whole frame, so that the border of the frame does not count as background.
        depth = distance_transform_edt(patch.to_image(clean.shape))[patch.window]
        depth += 10 * claim.advantage if claim else 0
        deeper = patch.mask & (depth > best[patch.window])
        best[patch.window][deeper] = depth[deeper]
        noisy[patch.window][deeper] = object_id
    return noisy


def main(
    dataset: Path,
    split: str = "val",
    rate: float = 0.4,
    target: Annotated[float, typer.Option(help="Target IoU.")] = 0.8,
    every: Annotated[int, typer.Option(help="Take each n-th sequence.")] = 1,
) -> None:
    OVERLAPS[IN_PIXELS] = settle_by_pixel_depth
    recipe = make_recipe("boundary", rate, split=split, target_iou=target)
    opened = open_split(dataset, split)
    table = []
    for rule in ("contest", IN_PIXELS, "reference", "background"):
        ious: list[float] = []
        cut: list[float] = []
        bystanders = vanished = 0
        ruled = replace(recipe, noises=(replace(recipe.noises[0], choice=rule),))
        for sequence in opened.sequences[::every]:
            for noise in corrupt_sequence(sequence, opened.iterate_masks(sequence), ruled):
                ious += [row.iou for row in noise.rows if row.status == "met"]
                cut += noise.bystander_ious
                bystanders += noise.tally["bystanders"]
                vanished += noise.tally["vanished"]
        quantiles = np.quantile(ious, [0.05, 0.5, 0.95])
        low = np.quantile(cut, 0.05) if cut else 1.0
        table.append(
            [rule, str(len(ious))]
            + [f"{value:.3f}" for value in quantiles]
            + [f"{100 * np.mean(np.array(ious) > target + 0.15):.1f} %"]
            + [f"{len(cut)} of {bystanders}", f"{np.median(cut or [1.0]):.3f}", f"{low:.3f}"]
            + [str(vanished)]
        )
    columns = ["rule", "touched", "5 %", "median", "95 %", "too clean"]
    columns += ["neighbours cut", "median IoU", "their 5 %", "vanished"]
    print_table(f"On-disk IoU at target {target:g}, rate {rate:g}", columns, table)


if __name__ == "__main__":
    typer.run(main)
