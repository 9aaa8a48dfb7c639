"""The report of an audit, as notes and tables."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.tables import ReportPart
from actiseg_noise.measurement.activity_changes import describe_activity
from actiseg_noise.measurement.auditing import Audit
from actiseg_noise.measurement.category_changes import describe_categories
from actiseg_noise.measurement.mask_audit import MaskAudit
from actiseg_noise.measurement.mask_tables import tabulate_mask_classes, tabulate_masks
from actiseg_noise.measurement.report_parts import describe_left_out, format_proportion
from actiseg_noise.measurement.text_tables import describe_text


def describe_audit(audit: Audit) -> Iterator[ReportPart]:
    """Describe an audit: statistics, then comparisons with the recipe and the name."""
    yield f"compared with: {audit.clean}" + (f"; split {audit.split}" if audit.split else "")
    if audit.text is not None:
        yield f"flips: {format_proportion(audit.text.all.flips)}"
        renames = audit.text.all.substitutions
        yield f"renames within a class, of the others: {format_proportion(renames)}"
        yield from describe_text(audit.text)
    if audit.narrations is not None:
        yield f"narrations changed: {format_proportion(audit.narrations)}"
    if audit.masks is not None:
        yield from _describe_masks(audit.masks)
    if audit.activity is not None:
        yield from describe_activity(audit.activity)
    if audit.categories is not None:
        yield from describe_categories(audit.categories)
    yield from describe_left_out(audit.left_out)
    yield from _describe_findings(audit)


def _describe_masks(masks: MaskAudit) -> Iterator[ReportPart]:
    if masks.untouched:
        yield "masks: equal to the clean masks"
        return
    groups = (masks.all, masks.positive, masks.inactive)
    yield tabulate_masks("object", "changed", [group for group in groups if group is not None])
    if masks.by_class:
        yield tabulate_mask_classes("changed", masks.by_class)
    yield (
        "interval: 95 % interval of the rate. Medians: area, noisy / clean; shift, of the boundary "
        "in pixels, outward positive. Neighbours of touched objects count as changed as well."
    )


def _describe_findings(audit: Audit) -> Iterator[ReportPart]:
    for line in audit.agreements:
        yield f"match: {line}"
    for line in audit.findings:
        yield f"MISMATCH: {line}"
    if audit.findings:
        yield "result: this split does not match its recipe or its name"
    elif audit.agreements:
        yield "result: this split matches its recipe and its name"
    else:
        yield "result: there is no recipe and no claim in the name to compare this split with"
