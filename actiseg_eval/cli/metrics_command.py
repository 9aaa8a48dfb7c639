"""`actiseg-eval metrics`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_eval.cli.scoring_flags import print_document, write_text

if TYPE_CHECKING:
    from actiseg_eval.metrics.metric_cards import Card


def explain_metrics(
    keys: Annotated[
        Optional[list[str]],
        typer.Argument(help="Keys such as giou. Default: a line for each.", show_default=False),
    ] = None,
    markdown_file: Annotated[
        Optional[Path], typer.Option("--markdown", help="Also write all cards to this file.")
    ] = None,
) -> None:
    """Explain metrics: what they are, their range, and what they hide.

    Example: actiseg-eval metrics giou n_miou
    """
    from actiseg_eval.metrics.metric_cards import cards_markdown, chosen_cards, load_cards

    print_document(_describe_cards(chosen_cards(keys)) if keys else _list_metrics())
    if markdown_file is not None:
        write_text(markdown_file, cards_markdown(load_cards()))


def _describe_cards(cards: Sequence[Card]) -> Iterator[str]:
    """Yield the lines of some metric cards."""
    from actiseg_eval.metrics.definitions import METRICS
    from actiseg_eval.reporting.score_report import heading

    for card in cards:
        yield f"{card.figure}: {heading(card.figure)}: {METRICS[card.figure].about}"
        for head, text in card.lines():
            yield f"  {head}: {text}"


def _list_metrics() -> Iterator[str]:
    """Yield a line for each metric."""
    from actiseg_eval.metrics.definitions import METRICS
    from actiseg_eval.reporting.score_report import heading

    for name, metric in METRICS.items():
        yield f"{name}: {heading(name)}: {metric.about}"
    yield "next: actiseg-eval metrics KEY, which shows the range and what the metric hides"
