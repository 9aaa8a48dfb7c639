"""The report of a finished corruption, as notes and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from actiseg_data.core.tables import Table
from actiseg_noise.mask_noise.frame_noise import APPEARED
from actiseg_noise.recipes.kind_specs import IMPORTED

if TYPE_CHECKING:
    from actiseg_data.core.tables import ReportPart

_COLUMNS = ("kind", "n", "5 %", "25 %", "median", "75 %", "95 %", "median drawn")
_QUANTILES = ("q05", "q25", "q50", "q75", "q95")


def describe_corruption(summary: Mapping[str, Any]) -> Iterator[ReportPart]:
    """Describe the summary of a noisy split: what was selected and what is on disk."""
    if "text" in summary:
        yield from _describe_text(summary["text"])
    if "noise" in summary:
        yield from _describe_masks(summary)
    for kind, counts in summary.get("objects", {}).items():
        selected = _format_selected(counts, f"selected, one for each {counts['span']}")
        yield f"{kind}: {selected}, requested {counts['rate']:g}; {counts['rows']} masks changed"
    if "bystanders" in summary:
        yield _describe_bystanders(summary["bystanders"])
    for section in summary.get("labels", {}).values():
        yield from _describe_labels(section)
    handled = {name: count for name, count in summary["handled"].items() if count}
    if handled:
        counts = (f"{name.replace('_', ' ')} {count}" for name, count in handled.items())
        yield "handled: " + ", ".join(counts)


def _describe_text(text: Mapping[str, Any]) -> Iterator[ReportPart]:
    unit = {"narration": "narrations", "nouns": "nouns"}.get(text["scope"], "prompts")
    # Summaries of early releases lack both.
    whole, changeable = text.get("of_all", text), text.get("could_change", text)
    line = f"text: {whole['selected']} of {whole['items']} {unit} changed{_format_rate(whole)}"
    if changeable["items"] != whole["items"]:
        line += f", of the {changeable['items']} that could change{_format_rate(changeable)}"
    yield line
    for name, kind in (("flips", "category"), ("substitutions", "within-category")):
        counts = text[name]
        if counts["rate"] > 0:
            similarity = text["similarity"].get(kind, {}).get("mean")
            line = f"  {name}: {_format_selected(counts, 'that could be')}"
            if text["kind"] != IMPORTED:
                line += f", requested {counts['rate']:.4g}"
            if similarity not in (None, 1):
                line += f"; mean WordNet similarity {similarity:.3f}"
            yield line


def _describe_masks(summary: Mapping[str, Any]) -> Iterator[ReportPart]:
    noise = summary["noise"]
    if noise["kind"] == IMPORTED:
        yield from _describe_imported_masks(noise)
    else:
        selected = _format_selected(noise, "items selected")
        medium = "polygons" if "polygons" in noise else "masks"
        yield f"{medium}: {selected}, requested {noise['rate']:g}"
    rows = []
    for kind, quantiles in noise["iou"].items():
        if quantiles["n"]:
            values = [*(quantiles[name] for name in _QUANTILES), noise["iou_drawn"][kind]["q50"]]
            rows.append([kind, str(quantiles["n"]), *(f"{value:.3f}" for value in values)])
    if rows:
        where = "in polygons" if "polygons" in noise else "on disk (after overlaps)"
        yield Table(f"IoU with the clean object, {where}", _COLUMNS, rows)


def _describe_bystanders(bystanders: Mapping[str, Any]) -> str:
    median = bystanders["iou_of_cut"]["q50"]
    return f"untouched neighbours: {bystanders['items']}; {bystanders['cut']} lost pixels" + (
        f" (their median IoU: {median:.3f})" if median is not None else ""
    )


def _describe_labels(section: Mapping[str, Any]) -> Iterator[str]:
    selected = _format_selected(section, "objects selected")
    yield f"labels ({section['kind']}): {selected}, requested {section['rate']:g}"
    for name, unit in (
        ("forgotten", "active objects"),
        ("marked", "inactive objects"),
        ("changed", "objects have another category"),
    ):
        if section.get(name, {}).get("items"):
            counts = section[name]
            verb = "" if name == "changed" else f" {name}"
            yield f"  {counts['selected']} of {counts['items']} {unit}{verb}{_format_rate(counts)}"


def _describe_imported_masks(noise: Mapping[str, Any]) -> Iterator[str]:
    yield f"masks: {noise['selected']} of {noise['items']} items differ{_format_rate(noise)}"
    appeared = noise["status"].get(IMPORTED, {}).get(APPEARED, 0)
    if appeared:
        yield f"  {appeared} of them are objects that only the noisy masks show"


def _format_rate(counts: Mapping[str, Any]) -> str:
    rate = counts["realised_rate"]
    return "" if rate is None else f" ({rate:.1%})"


def _format_selected(counts: Mapping[str, Any], unit: str) -> str:
    """Format the number of selected items, with their rate and its 95 % interval."""
    text = f"{counts['selected']} of {counts['items']} {unit}"
    if counts["realised_rate"] is not None:
        text += f", realised rate {counts['realised_rate']:.3f}"
    if counts["interval_95"]:
        low, high = counts["interval_95"]
        text += f" (95 % interval {low:.3f} to {high:.3f})"
    return text
