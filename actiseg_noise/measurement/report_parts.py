"""Parts that the reports of inspections and audits share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actiseg_data.core.tables import ReportPart
from actiseg_noise.measurement.proportions import Proportion


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
