"""`actiseg-eval metrics`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.terminal.report_printing import print_report

if TYPE_CHECKING:
    from actiseg_eval.metrics.metric_cards import MetricCard


def explain_metrics(
    keys: Annotated[
        Optional[list[str]],
        typer.Argument(
            help="Keys of metrics, such as giou. Default: one line for each metric.",
            show_default=False,
        ),
    ] = None,
    markdown_file: Annotated[
        Optional[Path], typer.Option("--markdown", help="Also write all cards to this file.")
    ] = None,
) -> None:
    """Explain metrics: what they are, their range, and what they hide.

    Example: actiseg-eval metrics giou n_miou
    """
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_data.terminal.file_writing import write_text
    from actiseg_eval.metrics.metric_cards import choose_cards, format_cards, load_cards

    if markdown_file is not None:
        check_report_file(markdown_file, (), "markdown")
    print_report(_describe_cards(choose_cards(keys)) if keys else _list_metrics())
    if markdown_file is not None:
        write_text(markdown_file, format_cards(load_cards()))


def _describe_cards(cards: Sequence[MetricCard]) -> Iterator[str]:
    """Yield the lines of some metric cards."""
    from actiseg_eval.metrics.definitions import METRICS, format_heading

    for card in cards:
        yield f"{card.metric}: {format_heading(card.metric)}: {METRICS[card.metric].about}"
        for head, text in card.list_entries():
            yield f"  {head}: {text}"


def _list_metrics() -> Iterator[str]:
    """Yield a line for each metric."""
    from actiseg_eval.metrics.definitions import METRICS, format_heading

    for name, metric in METRICS.items():
        yield f"{name}: {format_heading(name)}: {metric.about}"
    yield "next: actiseg-eval metrics KEY, which shows the range and what the metric hides"
