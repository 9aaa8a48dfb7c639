"""The parts of a report, notes and tables as data, and their rendering for notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from actiseg_data.core.tables import Table, render_html
from actiseg_noise.measurement.proportions import Proportion

ReportPart: TypeAlias = "str | Table"
"""A note of one paragraph, or a table."""


def render_parts_html(parts: Iterable[ReportPart]) -> str:
    """Render a report as HTML.

    >>> render_parts_html(["2 sequences"])
    '<p>2 sequences</p>'
    """
    return "".join(
        f"<p>{html.escape(part)}</p>" if isinstance(part, str) else render_html(part)
        for part in parts
    )


def format_proportion(proportion: Proportion) -> str:
    """Format a proportion with its rate and its interval.

    >>> format_proportion(Proportion(100, 40))
    '40 of 100, 40.0% (99.9 % interval 25.6% to 56.3%)'
    """
    text = f"{proportion.hits} of {proportion.items}"
    interval = proportion.interval_999
    if interval is not None:
        text += f", {proportion.percentage}"
        text += f" (99.9 % interval {interval[0]:.1%} to {interval[1]:.1%})"
    return text


def describe_left_out(left_out: Mapping[str, str]) -> Iterator[ReportPart]:
    """Describe what could not be measured, one note for each reason."""
    for reason in dict.fromkeys(left_out.values()):
        names = [name for name, why in left_out.items() if why == reason]
        yield f"left out: {', '.join(names).replace('_', ' ')}: {reason}"
