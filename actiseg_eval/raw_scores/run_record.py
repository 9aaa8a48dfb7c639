"""The record of a run: its figures as sums of each video, without predictions and dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_keys, check_schema
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import refuse_value
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.raw_scores.raw_score_result import TunedGate
from actiseg_eval.raw_scores.record_figures import RANKINGS, RECORD_FIGURES, list_sums
from actiseg_eval.resampling.linearised import DivisibleStatistic, Ratio, WeightRows
from actiseg_eval.resampling.rankings import Auroc, AveragePrecision, make_ranking

RECORD_SCHEMA = "actiseg/run-record/1"

_MEMBERS = (
    *("schema", "split", "rendered_frames", "objects", "active_objects", "dataset_fingerprint"),
    *("clusters", "n_rate", "gates", "activity", "figures"),
)
_HINT = "record the run again"


@dataclass(frozen=True)
class ClusterActivity:
    """The activity of the objects of a video, in [0, 1] and in ascending order.

    Attributes
    ----------
    active, inactive : tuple of float
        Of the objects that take part in the action, and of those that do not.
    """

    active: tuple[float, ...]
    inactive: tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class RunRecord:
    """The figures of a run, by video.

    Attributes
    ----------
    split : str
        The split that was scored.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs.
    dataset_fingerprint : str
        Of the split, see `actiseg_data.layouts.actionvos.Split`.
    clusters : tuple of str, length C
        The videos, sorted.
    n_rate : float or None
        The largest n-rate on the tuning split. None without one.
    gates : tuple of TunedGate
        The gate from the tuning split, one for each record that was joined. Empty without one.
    activity : tuple of ClusterActivity, length C
        The raw activity. AUROC and average precision follow from it for any weights of videos.
    sums : mapping of str to Sums
        All other figures, by key of `RECORD_FIGURES`, each with C groups.
    """

    split: str
    rendered: bool
    dataset_fingerprint: str
    clusters: tuple[str, ...]
    n_rate: float | None
    gates: tuple[TunedGate, ...]
    activity: tuple[ClusterActivity, ...]
    sums: Mapping[str, Sums]

    def __repr__(self) -> str:
        return f"<RunRecord of split {self.split}: {len(self.clusters)} videos>"

    @property
    def active(self) -> int:
        """The number of active objects."""
        return sum(len(item.active) for item in self.activity)

    @property
    def objects(self) -> int:
        """The number of objects."""
        return self.active + sum(len(item.inactive) for item in self.activity)

    @property
    def figures(self) -> tuple[str, ...]:
        """The keys of the figures, in the order of tables."""
        return tuple(name for name in RECORD_FIGURES if name in RANKINGS or name in self.sums)

    @property
    def values(self) -> dict[str, float | None]:
        """Every figure over all videos; None if it is undefined."""
        rows = WeightRows(np.ones((1, len(self.clusters))))
        known = {
            name: float(rows.linearise(self.make_statistic(name))[0][0]) for name in self.figures
        }
        return {name: value if math.isfinite(value) else None for name, value in known.items()}

    def make_statistic(self, figure: str) -> DivisibleStatistic:
        """Return a figure as a statistic of the videos, to resample them."""
        if figure not in RANKINGS:
            return Ratio(self.sums[figure])
        pairs = [(item.active, item.inactive) for item in self.activity]
        items = [len(active) + len(inactive) for active, inactive in pairs]
        ranking = make_ranking(
            np.array([score for pair in pairs for part in pair for score in part], np.float64),
            np.array([kind == 0 for pair in pairs for kind in (0, 1) for _ in pair[kind]], bool),
            np.repeat(np.arange(len(pairs)), items),
            len(pairs),
        )
        return Auroc(ranking) if figure == "auroc" else AveragePrecision(ranking)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `RECORD_SCHEMA`."""
        return {
            "schema": RECORD_SCHEMA,
            "split": self.split,
            "rendered_frames": self.rendered,
            "objects": self.objects,
            "active_objects": self.active,
            "dataset_fingerprint": self.dataset_fingerprint,
            "clusters": list(self.clusters),
            "n_rate": self.n_rate,
            "gates": [dict(vars(gate)) for gate in self.gates],
            "activity": [
                {name: list(scores) for name, scores in vars(item).items()}
                for item in self.activity
            ],
            "figures": {
                name: {part: values.tolist() for part, values in vars(sums).items()}
                for name, sums in self.sums.items()
            },
        }


def parse_run_record(document: Any, where: Path | str = "the record") -> RunRecord:
    """Parse the JSON document of a record.

    Parameters
    ----------
    document : object
        What `RunRecord.to_dict` returned, also after a round trip through JSON.
    where : path or str
        The file, for messages.

    Raises
    ------
    InputError
        With every unknown or missing member, wrong type, and impossible number.

    Examples
    --------
    >>> try:
    ...     parse_run_record({"schema": "actiseg/run-record/9"}, "run1.json")
    ... except ValueError as error:
    ...     print(str(error)[:47])
    run1.json: has the schema 'actiseg/run-record/9
    """
    top = Cursor(document, str(where))
    check_schema(top, RECORD_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    check_keys(top, _MEMBERS, problems)
    parsed: dict[str, Any] = {"clusters": (), "gates": ()}
    with problems.collect():
        parsed["split"] = top["split"].as_text()
    with problems.collect():
        parsed["rendered"] = top["rendered_frames"].as_flag()
    with problems.collect():
        parsed["dataset_fingerprint"] = top["dataset_fingerprint"].as_text()
    with problems.collect():
        parsed["clusters"] = _parse_clusters(top["clusters"])
    with problems.collect():
        n_rate = top["n_rate"]
        parsed["n_rate"] = None if n_rate.value is None else _parse_share(n_rate)
    with problems.collect():
        parsed["gates"] = _parse_gates(top["gates"], tuned=parsed.get("n_rate") is not None)
    clusters = len(parsed["clusters"])
    with problems.collect():
        items = list(top["activity"].iterate_elements())
        _check_length(items, clusters, top["activity"])
        parsed["activity"] = tuple(_parse_activity(item) for item in items)
    with problems.collect():
        tuned = bool(parsed["gates"])
        parsed["sums"] = _parse_sums(top["figures"], list_sums(tuned=tuned), clusters)
    problems.raise_if_any()
    record = RunRecord(**parsed)
    for name, count in (("objects", record.objects), ("active_objects", record.active)):
        with problems.collect():
            if top[name].as_integer() != count:
                what = f"is {top[name].value}, but there is the activity of {count}"
                raise refuse(what, top[name].where, _HINT)
    problems.raise_if_any()
    return record


def _parse_clusters(cursor: Cursor) -> tuple[str, ...]:
    names = tuple(name.as_text() for name in cursor.iterate_elements())
    if not names or list(names) != sorted(set(names)):
        raise refuse("must be sorted names of videos, each once", cursor.where, _HINT)
    return names


def _parse_gates(cursor: Cursor, *, tuned: bool) -> tuple[TunedGate, ...]:
    problems = ProblemCollector()
    gates = []
    for item in cursor.iterate_elements():
        with problems.collect():
            check_keys(item, ("gate", "n_rate"), problems)
            gate = item["gate"]
            gates.append(TunedGate(_parse_number(gate, 2.0), _parse_share(item["n_rate"])))
    problems.raise_if_any()
    if bool(gates) != tuned:
        raise refuse("must be there exactly if n_rate is", cursor.where, _HINT)
    return tuple(gates)


def _parse_activity(cursor: Cursor) -> ClusterActivity:
    problems = ProblemCollector()
    check_keys(cursor, ("active", "inactive"), problems)
    scores: dict[str, tuple[float, ...]] = {}
    for name in ("active", "inactive"):
        with problems.collect():
            scores[name] = tuple(map(_parse_share, cursor[name].iterate_elements()))
            if list(scores[name]) != sorted(scores[name]):
                raise refuse("must be in ascending order", f"{cursor.where}: {name}", _HINT)
    problems.raise_if_any()
    return ClusterActivity(**scores)


def _parse_sums(cursor: Cursor, names: tuple[str, ...], clusters: int) -> dict[str, Sums]:
    problems = ProblemCollector()
    check_keys(cursor, names, problems)
    sums = {}
    for name in names:
        with problems.collect():
            figure = cursor[name]
            check_keys(figure, ("numerator", "denominator"), problems)
            parts = [_parse_sum(figure[part], clusters) for part in ("numerator", "denominator")]
            # A sum of shares may be above their number by a rounding error.
            if (parts[0] > parts[1] * (1 + 1e-9)).any():
                raise refuse("has a numerator above its denominator", figure.where, _HINT)
            sums[name] = Sums(*parts)
    problems.raise_if_any()
    return sums


def _parse_sum(cursor: Cursor, clusters: int) -> NDArray[np.float64]:
    items = list(cursor.iterate_elements())
    _check_length(items, clusters, cursor)
    return np.array([_parse_number(item, math.inf) for item in items], np.float64)


def _check_length(items: list[Cursor], clusters: int, cursor: Cursor) -> None:
    """Raise `InputError` if there is not one item for each cluster; 0 clusters are unknown."""
    if clusters and len(items) != clusters:
        what = f"has {len(items)} elements for {clusters} clusters"
        raise refuse(what, cursor.where, _HINT)


def _parse_share(cursor: Cursor) -> float:
    return _parse_number(cursor, 1.0)


def _parse_number(cursor: Cursor, most: float) -> float:
    """Parse a finite number from 0 to `most`."""
    number = cursor.as_number()
    if not (math.isfinite(number) and 0 <= number <= most):
        wanted = "a number from 0" if most == math.inf else f"a number from 0 to {most:g}"
        raise refuse_value(wanted, number, cursor.where)
    return number
