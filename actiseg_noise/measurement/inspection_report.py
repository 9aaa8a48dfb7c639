"""The report of an inspection, as notes and tables."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import ReportPart
from actiseg_noise.measurement.activity_changes import describe_activity
from actiseg_noise.measurement.category_changes import describe_categories
from actiseg_noise.measurement.inspection import Inspection
from actiseg_noise.measurement.mask_inspection import Bystanders, MaskInspection
from actiseg_noise.measurement.mask_tables import tabulate_mask_classes, tabulate_masks
from actiseg_noise.measurement.report_parts import describe_left_out
from actiseg_noise.measurement.text_tables import describe_text


def describe_inspection(inspection: Inspection) -> Iterator[ReportPart]:
    """Describe the realised noise of a split, and what could not be measured."""
    yield (
        f"{count_nouns(inspection.sequences, 'sequence')}, "
        f"{count_nouns(inspection.frames, 'frame')}"
    )
    for noise in inspection.recipe.noises:
        yield f"requested: {noise.kind}, rate {noise.rate:g}, {noise.objects} objects"
    if inspection.text is not None:
        yield from describe_text(inspection.text)
    if inspection.masks is not None:
        yield from _describe_masks(inspection.masks)
    if inspection.activity is not None:
        yield from describe_activity(inspection.activity)
    if inspection.categories is not None:
        yield from describe_categories(inspection.categories)
    yield from describe_left_out(inspection.left_out)


def _describe_masks(masks: MaskInspection) -> Iterator[ReportPart]:
    yield tabulate_masks("kind", "touched", (masks.all, *masks.by_kind))
    yield tabulate_masks("object size", "touched", masks.by_size)
    if masks.by_class:
        yield tabulate_mask_classes("touched", masks.by_class)
    if masks.by_supercategory:
        yield tabulate_masks("supercategory", "touched", masks.by_supercategory)
    yield "IoU: quantiles of the masks on disk."
    if masks.bystanders is not None:
        yield (
            "interval: 95 % interval of the rate. Medians: area, noisy / clean; shift, mean "
            "distance of a noisy boundary from the clean one in pixels, outward positive; |shift|, "
            "without sign."
        )
        yield from _describe_bystanders(masks.bystanders, masks.all.vanished)


def _describe_bystanders(bystanders: Bystanders, vanished: int | None) -> Iterator[ReportPart]:
    median = bystanders.iou_of_cut["q50"]
    yield (
        f"untouched neighbours: {bystanders.items}; {bystanders.cut} lost "
        f"{bystanders.pixels} pixels"
        + (f" (their median IoU: {median:.3f})" if median is not None else "")
    )
    yield f"without a pixel left: {vanished} touched, {bystanders.vanished} untouched objects"
