"""Predictions made from the truth by simple recipes, and the public loop written out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import IndexMask, write_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.layouts.split import Split


def keep(masks: list[IndexMask], ids: set[int]) -> list[IndexMask]:
    return [np.where(np.isin(mask, sorted(ids)), mask, 0).astype(np.uint8) for mask in masks]


def shifted(mask: IndexMask, down: int = 6, right: int = 10) -> IndexMask:
    moved = np.zeros_like(mask)
    moved[down:, right:] = mask[: mask.shape[0] - down, : mask.shape[1] - right]
    return moved


RECIPES: dict[str, Callable[[VideoSequence, list[IndexMask]], list[IndexMask]]] = {
    "all": lambda sequence, masks: masks,
    "oracle": lambda sequence, masks: keep(
        masks, {of.object_id for of in sequence.objects if of.positive}
    ),
    "pseudo": lambda sequence, masks: keep(
        masks, {of.object_id for of in sequence.objects if of.handbox or of.narration}
    ),
    "blank": lambda sequence, masks: [np.zeros_like(mask) for mask in masks],
    "shift": lambda sequence, masks: [shifted(mask) for mask in masks],
    "swap": lambda sequence, masks: [masks[at - 1] for at in range(len(masks))],
}
"""The recipes of the golden tables."""


def predict(split: Split, recipe: str, folder: Path) -> Path:
    """Write predictions of a split; returns their folder."""
    for sequence in split.sequences:
        masks = RECIPES[recipe](sequence, split.read_masks(sequence))
        for frame, mask in zip(sequence.frames, masks, strict=True):
            write_index_mask(folder / sequence.folder / f"{frame}.png", mask)
    return folder


def public_figures(
    clips: list[tuple[VideoSequence, list[IndexMask], list[IndexMask]]],
) -> dict[str, float]:
    """The six figures and the counts by loops over objects and frames, case by case.

    clips: sequences with true and predicted masks.
    """
    lists: dict[str, list[float]] = {name: [] for name in ("p", "n", "g")}
    pixels = {name: [0, 0] for name in ("p", "n")}
    counts = dict.fromkeys(("tp", "tn", "fp", "fn"), 0)
    for sequence, truths, predictions in clips:
        for label in sequence.objects:
            kind = "p" if label.positive else "n"
            for truth, prediction in zip(truths, predictions, strict=True):
                g = (truth == label.object_id).astype(np.float64)
                p = (prediction == label.object_id).astype(np.float64)
                both, union = (g * p).sum(), np.maximum(g, p).sum()
                if union == 0:
                    lists["g"].append(1.0)
                    counts["tn"] += 1
                    continue
                lists[kind].append(both / union)
                pixels[kind][0] += both
                pixels[kind][1] += union
                if kind == "p":
                    lists["g"].append(both / union)
                    counts["fp" if not g.any() else "fn" if not p.any() else "tp"] += 1
                else:
                    lists["g"].append(0.0 if p.any() else 1.0)
                    counts["fp" if p.any() else "tn"] += 1

    def ratio(above: float, below: float) -> float:
        return above / below if below else float("nan")

    figures = {f"{kind}_miou": ratio(sum(lists[kind]), len(lists[kind])) for kind in ("p", "n")}
    figures |= {f"{kind}_ciou": ratio(*pixels[kind]) for kind in ("p", "n")}
    figures["giou"] = ratio(sum(lists["g"]), len(lists["g"]))
    figures["acc"] = ratio(counts["tp"] + counts["tn"], sum(counts.values()))
    return figures | counts
