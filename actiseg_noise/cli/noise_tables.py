"""What commands print of what they did and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actiseg_data.terminal.console import print_note, print_table

if TYPE_CHECKING:
    from actiseg_data.make.prepare.preparation_report import PrepareReport
    from actiseg_data.records.split_records import TextRow
    from actiseg_noise.measurement.auditing import Audit
    from actiseg_noise.measurement.inspection import Bystanders, Inspection, MaskInspection
    from actiseg_noise.measurement.mask_changes import MaskGroup
    from actiseg_noise.measurement.word_changes import Share, WordFigures, WordGroup


def print_corruption(summary: dict[str, Any]) -> None:
    """The figures of a finished `corrupt`: what was selected and what is on disk."""
    if "text" in summary:
        _print_words(summary["text"])
    if "noise" in summary:
        _print_masks(summary)
    odd = {name.replace("_", " "): count for name, count in summary["handled"].items() if count}
    if odd:
        print_note("handled: " + ", ".join(f"{name} {count}" for name, count in odd.items()))


def _print_words(text: dict[str, Any]) -> None:
    of = "narrations" if text["scope"] == "narration" else "prompts"
    # Summaries of early releases lack both.
    whole, part = text.get("of_all", text), text.get("could_change", text)
    line = f"words: {whole['selected']} of {whole['items']} {of} changed{_percentage(whole)}"
    if part["items"] != whole["items"]:
        line += f", of the {part['items']} that could change{_percentage(part)}"
    print_note(line)
    for name, kind in (("flips", "category"), ("substitutions", "within-category")):
        figures = text[name]
        if figures["rate"] > 0:
            similar = text["similarity"].get(kind, {}).get("mean")
            print_note(
                f"  {name}: {selected_of(figures, 'that could be')}, asked {figures['rate']:.4g}"
                + (f"; mean WordNet similarity {similar:.3f}" if similar not in (None, 1) else "")
            )


def _percentage(figures: Mapping[str, Any]) -> str:
    rate = figures["realised_rate"]
    return "" if rate is None else f" ({rate:.1%})"


def selected_of(figures: Mapping[str, Any], of: str) -> str:
    """``40 of 100 prompts, rate 0.400 (95 % interval 0.309 to 0.498)``."""
    text = f"{figures['selected']} of {figures['items']} {of}"
    if figures["realised_rate"] is not None:
        text += f", realised rate {figures['realised_rate']:.3f}"
    if figures["interval_95"]:
        low, high = figures["interval_95"]
        text += f" (95 % interval {low:.3f} to {high:.3f})"
    return text


def _print_masks(summary: dict[str, Any]) -> None:
    noise = summary["noise"]
    print_note(f"masks: {selected_of(noise, 'items selected')}, asked {noise['rate']:g}")
    names = ["q05", "q25", "q50", "q75", "q95"]
    rows = []
    for kind, figures in noise["iou"].items():
        if figures["n"]:
            drawn = noise["iou_drawn"][kind]["q50"]
            rows.append(
                [kind, str(figures["n"])]
                + [f"{figures[name]:.3f}" for name in names]
                + [f"{drawn:.3f}"]
            )
    if rows:
        columns = ["kind", "n", "5 %", "25 %", "median", "75 %", "95 %", "median drawn"]
        print_table("IoU with the clean object, on disk (after overlaps)", columns, rows)
    bystanders = summary["bystanders"]
    cut = bystanders["iou_of_cut"]["q50"]
    print_note(
        f"untouched neighbours: {bystanders['items']}, of which {bystanders['cut']} lost pixels"
        + (f" (median IoU of these {cut:.3f})" if cut is not None else "")
    )


def print_preparation(report: PrepareReport) -> None:
    """What `prepare visor` made, and everything unusual that it met."""
    from actiseg_data.make.prepare.preparation_report import KINDS

    print_note(
        f"{report.sequences} sequences of {report.videos} videos in {report.split}.json: "
        f"{report.objects} objects, {report.positive} of them active"
    )
    for each in report.lists:
        print_note(
            f"{each.sequences} sequences in {each.name}.json: {each.absent} others are of videos "
            f"that are not here, {len(each.left_out)} do not fit, "
            f"{len(each.without_narration)} stand in this list only"
        )
    print_note(f"{report.folders} folders, {report.frames} distinct frames, {report.masks} masks")
    if report.images is not None:
        print_note(f"{report.images} frames have an image")
    print_note(f"numbering: {report.numbering.note}")
    for kind, count in report.counts.items():
        if count:
            print_note(f"{count:8d} {KINDS[kind]}")


_MASK_COLUMNS = (
    *("rate", "interval", "IoU 5 %", "IoU 50 %", "IoU 95 %"),
    *("area", "shift", "|shift|"),
)
_MOST_CLASSES = 11
"""Classes that a table names; the JSON document has all."""


def print_inspection(found: Inspection) -> None:
    """The realised noise of a split, as tables; what could not be told, and why."""
    print_note(f"{found.sequences} sequences, {found.frames} frames")
    for noise in found.recipe.noises:
        print_note(f"asked: {noise.kind}, rate {noise.rate:g}, {noise.objects} objects")
    if found.text is not None:
        _print_word_figures(found.text)
    if found.masks is not None:
        _print_mask_figures(found.masks)
    _print_left_out(found.left_out)


def _print_left_out(left_out: Mapping[str, str]) -> None:
    for reason in dict.fromkeys(left_out.values()):
        names = [name for name, why in left_out.items() if why == reason]
        print_note(f"left out: {', '.join(names).replace('_', ' ')}: {reason}")


def _print_mask_figures(masks: MaskInspection) -> None:
    columns = ["items", "touched", *_MASK_COLUMNS]
    _print_groups("kind", columns, [masks.all, *masks.by_kind])
    _print_groups("object size", columns, list(masks.by_size))
    _print_groups("class", columns, *_most(masks.by_class.values(), _mask_weight))
    _print_groups("supercategory", columns, list(masks.by_supercategory))
    print_note("IoU: quantiles of what is on disk.")
    if masks.bystanders is not None:
        print_note(
            "interval: of the rate, 95 %. Medians: area, noisy / clean; shift, mean distance of a "
            "noisy boundary from the clean one in pixels, outward positive; |shift|, unsigned."
        )
        _print_bystanders(masks.bystanders, masks.all.vanished)


def _mask_weight(group: MaskGroup) -> int:
    return group.items or group.touched


def _most(groups: Any, weight: Any) -> tuple[list[Any], list[Any]]:
    """The groups with the most items, and the others."""
    ranked = sorted(groups, key=lambda group: (-weight(group), group.name))
    return ranked[:_MOST_CLASSES], ranked[_MOST_CLASSES:]


def _print_bystanders(bystanders: Bystanders, vanished: int | None) -> None:
    cut = bystanders.iou_of_cut["q50"]
    print_note(
        f"untouched neighbours: {bystanders.items}, of which {bystanders.cut} lost "
        f"{bystanders.pixels} pixels"
        + (f" (median IoU of these {cut:.3f})" if cut is not None else "")
    )
    print_note(f"without a pixel left: {vanished} touched, {bystanders.vanished} untouched objects")


def _print_groups(
    by: str, columns: list[str], groups: list[MaskGroup], others: Sequence[MaskGroup] = ()
) -> None:
    rows = [[group.name, *_cells(group)] for group in groups]
    if others:
        items = [group.items for group in others if group.items is not None]
        touched = sum(group.touched for group in others)
        rate = f"{touched / sum(items):.3f}" if sum(items) else "-"
        counts = [str(sum(items)) if items else "-", str(touched), rate]
        rows.append([f"{len(others)} others", *counts, *["-"] * (len(columns) - 3)])
    kept = [at for at in range(len(columns)) if any(row[at + 1] != "-" for row in rows)]
    print_table(
        f"by {by}",
        [by, *(columns[at] for at in kept)],
        [[row[0], *(row[at + 1] for at in kept)] for row in rows],
    )


def _cells(group: MaskGroup) -> list[str]:
    """The figures of one group; a dash for what is undefined."""

    def figure(numbers: Mapping[str, Any] | None, name: str, form: str) -> str:
        return "-" if numbers is None or numbers[name] is None else format(numbers[name], form)

    interval = group.interval_95
    return [
        "-" if group.items is None else str(group.items),
        str(group.touched),
        "-" if group.rate is None else f"{group.rate:.3f}",
        f"{interval[0]:.2f}-{interval[1]:.2f}" if interval else "-",
        *(figure(group.iou, name, ".3f") for name in ("q05", "q50", "q95")),
        figure(group.area_ratio, "q50", ".3f"),
        figure(group.shift, "q50", "+.2f"),
        figure(group.shift_absolute, "q50", ".2f"),
    ]


def _print_word_figures(words: WordFigures) -> None:
    columns = ["objects", "flipped", "share", "similarity", "renamed", "of", "share of these"]
    shown, others = _most(words.by_class.values(), lambda group: group.flips.items)
    groups = [words.all, *words.by_supercategory]
    for by, of in (("supercategory", groups), ("class", shown)):
        rows = [[group.name, *_word_cells(group)] for group in of]
        if by == "class" and others:
            rows.append([f"{len(others)} others", *_sum_cells(others)])
        print_table(f"words by {by}", [by, *columns], rows)
    print_note("of: objects that were not flipped and whose class has another name.")
    seen = words.renames_seen
    if seen.items != words.all.substitutions.items:
        print_note(f"renames where these files have another name of the class: {_share(seen)}")
    if words.renamed_one_name:
        print_note(
            f"renamed though the lexicon has no other name to write: {words.renamed_one_name}"
        )
    if words.harmless:
        print_note(
            f"flips that are no error: {words.harmless} go to a class that holds the clean one, as "
            "hand does a right hand"
        )
    changed = words.changed
    print_note(f"prompts that differ from the clean ones: {_share(changed)}")
    mean = words.all.similarity["mean"]
    if mean is not None and words.uniform_similarity is not None:
        print_note(
            f"WordNet similarity of flips: mean {mean:.3f}; uniform flips would have "
            f"{words.uniform_similarity:.3f}"
        )
    print_note(
        f"collisions: {words.name_collisions} changed objects are called like another of their "
        f"clip, {words.class_collisions} are of a class that it has"
    )
    if words.contradictions is not None:
        print_note(
            f"contradictions: {words.contradictions} flipped prompts have a narration that still "
            "names the clean class"
        )
    if words.unknown_classes:
        print_note(f"{words.unknown_classes} objects are of classes that the lexicon lacks")


def _word_cells(group: WordGroup) -> list[str]:
    mean = group.similarity["mean"]
    return [
        str(group.flips.items),
        str(group.flips.hits),
        _rate(group.flips),
        "-" if mean is None else f"{mean:.3f}",
        str(group.substitutions.hits),
        str(group.substitutions.items),
        _rate(group.substitutions),
    ]


def _sum_cells(groups: list[WordGroup]) -> list[str]:
    sums = [
        sum(getattr(getattr(group, part), name) for group in groups)
        for part in ("flips", "substitutions")
        for name in ("items", "hits")
    ]
    return [str(sums[0]), str(sums[1]), "-", "-", str(sums[3]), str(sums[2]), "-"]


def _rate(share: Share) -> str:
    return "-" if share.rate is None else f"{share.rate:.3f}"


def _share(share: Share) -> str:
    text = f"{share.hits} of {share.items}"
    interval = share.interval_999
    if share.rate is not None and interval is not None:
        text += f", {share.rate:.1%} (99.9 % interval {interval[0]:.1%} to {interval[1]:.1%})"
    return text


def print_audit(found: Audit) -> None:
    """What an audit found: figures first, then what agrees with the claims and what does not."""
    print_note(f"held against: {found.clean}" + (f"; split {found.split}" if found.split else ""))
    if found.text is not None:
        print_note(f"flips: {_share(found.text.all.flips)}")
        print_note(f"renames within a class, of the others: {_share(found.text.all.substitutions)}")
        _print_word_figures(found.text)
    if found.narrations is not None:
        print_note(f"narrations changed: {_share(found.narrations)}")
    if found.masks is not None and found.masks.untouched:
        print_note("masks: the clean ones, untouched")
    elif found.masks is not None:
        columns = ["items", "changed", *_MASK_COLUMNS]
        masks = found.masks
        known = [group for group in (masks.all, masks.positive, masks.others) if group is not None]
        _print_groups("object", columns, known)
        _print_groups("class", columns, *_most(masks.by_class.values(), _mask_weight))
        print_note(
            "interval: of the rate, 95 %. Medians: area, noisy / clean; shift, of the boundary in "
            "pixels, outward positive. Untouched neighbours of touched objects changed, too."
        )
    _print_left_out(found.left_out)
    for line in found.agreements:
        print_note(f"as claimed: {line}")
    for line in found.findings:
        print_note(f"NOT AS CLAIMED: {line}")
    if found.findings:
        print_note("this split is not what it claims to be")
    elif found.agreements:
        print_note("this split is what it claims to be")
    else:
        print_note("neither a recipe nor the name says what this split should be")


def print_rewording(rows: list[TextRow]) -> None:
    """Prompts, or a narration, before and after; the words that changed in brackets."""
    from actiseg_noise.text_noise.word_diff import mark_changes

    for row in rows:
        print(row.prompt_org)
        print(f"  {mark_changes(row.prompt_org, row.prompt)}   ({row.kind})")
    if not rows:
        print("no words of this sequence were changed")
