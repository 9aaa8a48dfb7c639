"""A card for every figure: what goes in, what may come out, and what it hides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.errors import refuse, suggest
from actiseg_eval.measures.failure_modes import MODES
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.reporting.score_report import heading

SCHEMA = "actiseg/metric-cards/1"
FILE = "metrics.json"

_BETTER = {"higher": "higher is better", "lower": "lower is better", None: "neither way is better"}


@dataclass(frozen=True)
class Card:
    """What there is to know of a figure.

    figure: its key. formula, inputs, range, hides, source: in words. edge_cases: what becomes of
    each. measure: of ``--metrics``, that gives it. protocols: names of those that have it.
    """

    figure: str
    formula: str
    inputs: str
    range: str
    edge_cases: tuple[str, ...]
    hides: str
    source: str
    measure: str
    protocols: tuple[str, ...]

    def lines(self) -> list[tuple[str, str]]:
        """What it says, each under its head.

        >>> dict(load_cards()["acc"].lines())["range"]
        '0 to 1, higher is better'
        """
        return [
            ("formula", self.formula),
            ("inputs", self.inputs),
            ("range", f"{self.range}, {_BETTER[METRICS[self.figure].better]}"),
            ("edge cases", "; ".join(self.edge_cases) or "none"),
            ("hides", self.hides),
            ("source", self.source or "this project"),
            ("to have it", f"--metrics {self.measure}; --protocol {', '.join(self.protocols)}"),
        ]


def load_cards() -> dict[str, Card]:
    """All cards by figure, in the order of `METRICS`."""
    data = (resources.files("data_manifests") / FILE).read_bytes()
    document = Cursor(parse_json(data, FILE), FILE)
    if document["schema"].as_text() != SCHEMA:
        raise refuse(f"is no document of schema {SCHEMA!r}", FILE, "reinstall actiseg")
    return {figure: _card(figure, of) for figure, of in document["cards"].iterate_members()}


def _card(figure: str, of: Cursor) -> Card:
    return Card(
        figure=figure,
        edge_cases=tuple(each.as_text() for each in of["edge_cases"].iterate_elements()),
        protocols=tuple(each.as_text() for each in of["protocols"].iterate_elements()),
        **{
            name: of[name].as_text()
            for name in ("formula", "inputs", "range", "hides", "source", "measure")
        },
    )


def chosen_cards(figures: Iterable[str]) -> list[Card]:
    """The cards of some figures; raises `InputError` for unknown ones."""
    cards = load_cards()
    unknown = [name for name in figures if name not in cards]
    if unknown:
        raise refuse(
            f"there is no figure {', '.join(repr(name[:60]) for name in unknown)}"
            f"{suggest(unknown[0], cards)}",
            "metrics",
            f"use some of {', '.join(cards)}",
        )
    return [cards[name] for name in figures]


def cards_markdown(cards: Mapping[str, Card]) -> str:
    """All cards and the modes of failure as a page."""
    lines = ["# Metric cards", "", _PREFACE, ""]
    for figure, card in cards.items():
        lines += [f"## `{figure}`: {heading(figure)}", "", f"{METRICS[figure].about}.", ""]
        lines += [*(f"* {head}: {text}" for head, text in card.lines()), ""]
    lines += ["## Modes of failure", "", "How one is chosen: [scoring.md](scoring.md).", ""]
    lines += [f"* {of.symbol}: {of.about}. Mended: {of.repair}." for of in MODES.values()]
    return "\n".join(lines) + "\n"


_PREFACE = (
    "Every figure that `actiseg-eval` gives, as `actiseg-eval metrics` prints it. A unit is an "
    "object in a\nframe; an active object takes part in the action (`positive` in the list). "
    "Undefined figures are `null`.\nThis page is written by `actiseg-eval metrics --markdown "
    "docs/metrics.md`."
)
