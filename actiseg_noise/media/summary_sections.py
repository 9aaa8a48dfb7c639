"""What the sections of ``summary.json`` have in common: realised rates, and their check."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from actiseg_data.core.statistics import wilson_interval
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.recipe_record import EXCHANGE, RECIPE_FILE, Noise
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.split.noisy_documents import SplitDocuments


def describe_rate(selected: int, items: int, *, exact: bool) -> dict[str, Any]:
    """Describe a share of items as counts, a rate, and its 95 % confidence interval.

    An exact share has no interval.
    """
    interval = None if exact else wilson_interval(selected, items)
    return {
        "items": items,
        "selected": selected,
        "realised_rate": round(selected / items, 6) if items else None,
        "interval_95": [round(bound, 6) for bound in interval] if interval else None,
    }


def describe_noise(noise: Noise, selected: int, items: int) -> dict[str, Any]:
    """Describe the kind of a noise, its rate, and its realised rate.

    The rate has no interval if a draw selects several items: all in the frames of a clip, or two
    that trade names.
    """
    together = (noise.medium == "masks" and has_clip_units(noise)) or noise.kind == EXCHANGE
    return {
        "kind": noise.kind,
        "rate": noise.rate,
        **describe_rate(selected, items, exact=noise.exact or together),
    }


def compare_section(
    documents: SplitDocuments, name: str, expected: Mapping[str, Any], noise: Noise | None = None
) -> Iterator[str]:
    """Compare a section of the summary with what recipe and ledger give.

    Parameters
    ----------
    documents : SplitDocuments
        The documents of the noisy split.
    name : str
        Name of the section, such as ``noise``.
    expected : mapping
        Its members, with ``selected`` among them.
    noise : Noise, optional
        If given, the realised rate of this noise is compared as well.

    Yields
    ------
    str
        One line for each member that differs.
    """
    yield from compare_members(documents.read_section(name), name, expected, noise)


def compare_members(
    section: Mapping[str, Any], name: str, expected: Mapping[str, Any], noise: Noise | None = None
) -> Iterator[str]:
    """Compare the members of a section; see `compare_section`."""
    if noise is not None:
        items, selected = section.get("items"), expected["selected"]
        if type(items) is int and items >= selected:
            expected = {**expected, **describe_noise(noise, selected, items)}
        else:
            yield _format_line(f"{name}.items")
    for member, value in expected.items():
        if section.get(member) != value:
            yield _format_line(f"{name}.{member}")


def compare_counts(
    summary: Mapping[str, Any],
    tally: Mapping[str, int],
    places: Mapping[str, tuple[str, ...]],
    optional: Collection[str] = (),
) -> list[str]:
    """Compare reproduced counts with the summary, which has them at the given places.

    The summary may lack the `optional` ones that are 0.

    >>> compare_counts({"noise": {"items": 3}}, {"items": 4}, {"items": ("noise", "items")})
    ['summary.json: noise.items is not 4, the reproduced count']
    """
    lines = []
    for name, place in places.items():
        value: Any = summary
        for member in place:
            value = value.get(member) if isinstance(value, Mapping) else None
        if value is None and name in optional:
            value = 0
        if value != tally[name]:
            line = f"{SUMMARY_FILE}: {'.'.join(place)} is not {tally[name]}"
            lines.append(f"{line}, the reproduced count")
    return lines


def _format_line(member: str) -> str:
    return f"{SUMMARY_FILE}: {member} is not what {RECIPE_FILE} and {LEDGER_FILE} give"
