"""What the person at the terminal sees: progress, problems, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from actiseg_data.errors import Refused
from actiseg_data.parallel import Progress

if TYPE_CHECKING:
    from actiseg_data.prepare.report import PrepareReport
    from actiseg_noise.inspection import Bystanders, Group, Inspection


@contextmanager
def progress_of(name: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Progress of one long step on standard error: a bar on a terminal, else a line per 5 %."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        yield from _bar(name)
    else:
        yield _lines(name)


def _bar(name: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(name: str) -> Progress:
    shown = -1

    def advance(done: int, total: int) -> None:
        nonlocal shown
        step = 20 * done // max(total, 1)
        if step != shown:
            shown = step
            print(f"{name}: {5 * step} % ({done} of {total})", file=sys.stderr, flush=True)

    return advance


def print_problems(refused: Refused) -> None:
    """All problems on standard error, one after the other."""
    for problem in refused.problems:
        print(f"error: {problem.where}: {problem.what}", file=sys.stderr)
        print(f"  cure: {problem.cure}", file=sys.stderr)
    if len(refused.problems) > 1:
        print(f"{len(refused.problems)} problems, nothing was made", file=sys.stderr)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output; the first column is text, the others are figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    # Piped output keeps its columns instead of being folded to 80.
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def print_corruption(summary: dict[str, Any]) -> None:
    """The figures of a finished `corrupt`: what was selected and what is on disk."""
    noise = summary["noise"]
    interval = noise["interval_95"]
    bounds = f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    realised = noise["realised_rate"]
    print(
        f"{noise['selected']} of {noise['items']} items selected"
        + (f", realised rate {realised:.3f}{bounds}" if realised is not None else "")
        + f", asked {noise['rate']:g}"
    )
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
    bystanders, handled = summary["bystanders"], summary["handled"]
    cut = bystanders["iou_of_cut"]["q50"]
    print(
        f"untouched neighbours: {bystanders['items']}, of which {bystanders['cut']} lost pixels"
        + (f" (median IoU of these {cut:.3f})" if cut is not None else "")
    )
    odd = {name.replace("_", " "): count for name, count in handled.items() if count}
    if odd:
        print("handled: " + ", ".join(f"{name} {count}" for name, count in odd.items()))


def print_preparation(report: PrepareReport) -> None:
    """What `prepare visor` made, and everything unusual that it met."""
    from actiseg_data.prepare.report import KINDS

    print(
        f"{report.sequences} sequences of {report.videos} videos in {report.split}.json: "
        f"{report.objects} objects, {report.positive} of them active"
    )
    for each in report.lists:
        print(
            f"{each.sequences} sequences in {each.name}.json: {each.absent} others are of videos "
            f"that are not here, {len(each.left_out)} do not fit, "
            f"{len(each.without_narration)} stand in this list only"
        )
    print(f"{report.folders} folders, {report.frames} distinct frames, {report.masks} masks")
    if report.images is not None:
        print(f"{report.images} frames have an image")
    print(f"numbering: {report.numbering.note}")
    for kind, count in report.counts.items():
        if count:
            print(f"  {count:6d}  {KINDS[kind]}")


_MOST_CLASSES = 11
"""Classes that the table of `print_inspection` names; the JSON document has all."""


def print_inspection(found: Inspection) -> None:
    """The realised noise of a split, as tables; what could not be told, and why."""
    (noise,) = found.recipe.noises
    print(
        f"{found.sequences} sequences, {found.frames} frames; asked: {noise.kind}, "
        f"rate {noise.rate:g}, {noise.objects} objects"
    )
    columns = ["items", "touched", "rate", "interval", "IoU 5 %", "50 %", "95 %", "area"]
    columns += ["shift", "|shift|"]
    _print_groups("kind", columns, [found.all, *found.by_kind])
    _print_groups("object size", columns, list(found.by_size))
    classes = sorted(
        found.by_class.values(), key=lambda group: (-(group.items or group.touched), group.name)
    )
    _print_groups("class", columns, classes[:_MOST_CLASSES], classes[_MOST_CLASSES:])
    if found.by_supercategory is not None:
        _print_groups("supercategory", columns, list(found.by_supercategory))
    print("IoU: quantiles of what is on disk.")
    if found.bystanders is not None:
        print("interval: of the rate, 95 %. Medians: area, noisy / clean; shift, mean distance of")
        print("a noisy boundary from the clean one in pixels, outward positive; |shift|, unsigned.")
        _print_bystanders(found.bystanders, found.all.vanished)
    for reason in dict.fromkeys(found.left_out.values()):
        names = [name for name, why in found.left_out.items() if why == reason]
        print(f"left out: {', '.join(names).replace('_', ' ')}: {reason}")


def _print_bystanders(bystanders: Bystanders, vanished: int | None) -> None:
    cut = bystanders.iou_of_cut["q50"]
    print(
        f"untouched neighbours: {bystanders.items}, of which {bystanders.cut} lost "
        f"{bystanders.pixels} pixels"
        + (f" (median IoU of these {cut:.3f})" if cut is not None else "")
    )
    print(f"without a pixel left: {vanished} touched, {bystanders.vanished} untouched objects")


def _print_groups(
    by: str, columns: list[str], groups: list[Group], others: list[Group] | None = None
) -> None:
    rows = [[_shortened(group.name, 22), *_cells(group)] for group in groups]
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


def _cells(group: Group) -> list[str]:
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


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
