"""A card for each metric: its formula, inputs, range and limitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.manifests import load_installed
from actiseg_eval.measures.failure_modes import FAILURE_MODES
from actiseg_eval.metrics.computing import list_computed_groups
from actiseg_eval.metrics.definitions import METRICS, format_heading
from actiseg_eval.protocols import load_protocols

SCHEMA = "actiseg/metric-cards/1"
FILE = "metrics.json"

_BETTER = {
    "higher": "higher is better",
    "lower": "lower is better",
    None: "neither direction is better",
}


@dataclass(frozen=True)
class MetricCard:
    """The documentation of a metric.

    Attributes
    ----------
    metric : str
        Its key in `METRICS`.
    formula, inputs, hides, source : str
        Texts. `hides` says what the metric does not show.
    edge_cases : tuple of str
        The treatment of each edge case.
    groups : mapping of str to str
        The metric group that has it, by the name of each protocol that has it.
    """

    metric: str
    formula: str
    inputs: str
    edge_cases: tuple[str, ...]
    hides: str
    source: str
    groups: Mapping[str, str]

    @property
    def range(self) -> str:
        """The possible values, and which are better."""
        metric = METRICS[self.metric]
        values = "whole numbers" if metric.count else f"{metric.least:g} to 1"
        return f"{values}, {_BETTER[metric.better]}"

    @property
    def conditions(self) -> str:
        """The values of `metrics` and `protocol` that compute the metric.

        >>> load_cards()["giou"].conditions
        '`metrics` core with `protocol` actionvos or gres'
        """
        protocols: dict[str, list[str]] = {}
        for protocol, group in self.groups.items():
            protocols.setdefault(group, []).append(protocol)
        return "; ".join(
            f"`metrics` {group} with `protocol` {_join_names(names)}"
            for group, names in protocols.items()
        )

    def list_entries(self) -> list[tuple[str, str]]:
        """List the texts of the card, each with its title.

        >>> dict(load_cards()["acc"].list_entries())["range"]
        '0 to 1, higher is better'
        """
        return [
            ("formula", self.formula),
            ("inputs", self.inputs),
            ("range", self.range),
            ("edge cases", "; ".join(self.edge_cases) or "none"),
            ("hides", self.hides),
            ("source", self.source or "this project"),
            ("enable with", self.conditions),
        ]


def load_cards() -> dict[str, MetricCard]:
    """Load all cards by metric, in the order of `METRICS`."""
    cards = load_installed(FILE, SCHEMA)["cards"]
    computed = {name: list_computed_groups(protocol) for name, protocol in load_protocols().items()}
    return {
        metric: _parse_card(
            metric,
            entry,
            {name: groups[metric] for name, groups in computed.items() if metric in groups},
        )
        for metric, entry in cards.iterate_members()
    }


def _parse_card(metric: str, entry: Cursor, groups: Mapping[str, str]) -> MetricCard:
    return MetricCard(
        metric=metric,
        edge_cases=tuple(text.as_text() for text in entry["edge_cases"].iterate_elements()),
        groups=groups,
        **{name: entry[name].as_text() for name in ("formula", "inputs", "hides", "source")},
    )


def choose_cards(metrics: Iterable[str]) -> list[MetricCard]:
    """Return the cards of some metrics; raise `InputError` for unknown ones."""
    metrics = list(metrics)
    cards = load_cards()
    unknown = [name for name in metrics if name not in cards]
    if unknown:
        raise refuse(
            f"there is no metric {', '.join(repr(name[:60]) for name in unknown)}"
            f"{suggest(unknown[0], cards)}",
            "metrics",
            f"use one or more of {', '.join(cards)}",
        )
    return [cards[name] for name in metrics]


def format_cards(cards: Mapping[str, MetricCard]) -> str:
    """Format all cards and the failure modes as a Markdown page."""
    lines = ["# Metric cards", "", _PREFACE, ""]
    for metric, card in cards.items():
        lines += [
            f"## `{metric}`: {format_heading(metric)}",
            "",
            f"{_begin_sentence(METRICS[metric].about)}.",
            "",
        ]
        lines += [*(f"* {title}: {text}" for title, text in card.list_entries()), ""]
    lines += ["## Failure modes", "", "[scoring.md](scoring.md) has the rules.", ""]
    lines += [
        f"* {mode.symbol}: {mode.about}. Repaired mask: {mode.repair}."
        for mode in FAILURE_MODES.values()
    ]
    return "\n".join(lines) + "\n"


def _join_names(names: Sequence[str]) -> str:
    """Join names with commas and a final ``or``.

    >>> _join_names(["a", "b", "c"])
    'a, b or c'
    """
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _begin_sentence(text: str) -> str:
    return text[0].upper() + text[1:]


_PREFACE = (
    "All metrics of `actiseg-eval`, as `actiseg-eval metrics` prints them. A unit is an object in "
    "a frame.\nAn active object takes part in the action (`positive` in the list). Undefined "
    "metrics are `null`.\nThis page is generated by `actiseg-eval metrics --markdown "
    "docs/metrics.md`."
)
