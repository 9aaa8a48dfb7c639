"""Compare methods by the records of their runs, without predictions and dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actiseg_data.core.arguments import check_integer, check_number, check_string, refuse_type
from actiseg_data.core.errors import ProblemCollector, check_choice, check_known, refuse
from actiseg_data.core.names import as_names
from actiseg_eval.comparison.comparison_result import Difference
from actiseg_eval.comparison.primary_metric import check_equivalence
from actiseg_eval.raw_scores.figure_estimation import FigureEstimator, ShareEnds
from actiseg_eval.raw_scores.raw_score_result import Interval
from actiseg_eval.raw_scores.record_comparison import RecordComparison
from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES
from actiseg_eval.raw_scores.run_record import RunRecord
from actiseg_eval.resampling.bootstrap import LEVEL, MIN_CLUSTERS, Bootstrap
from actiseg_eval.resampling.contrasts import SEEDS
from actiseg_eval.resampling.gains import compare_means, find_equivalence

_CLUSTER = "video"


def compare_records(
    methods: Mapping[str, Mapping[int, RunRecord]],
    *,
    figure: str,
    against: str | Sequence[str] | None = None,
    frozen: str | None = None,
    clean: str | None = None,
    level: float = LEVEL,
    equivalence: float | None = None,
) -> RecordComparison:
    """Compare methods in one figure of their records.

    The statistics are those of `actiseg_eval.measure_raw_scores` and `actiseg_eval.compare`: errors
    cover videos and seeds, and three or more shared seeds are paired. With single runs, intervals
    are from a bootstrap over videos.

    Parameters
    ----------
    methods : mapping of str to mapping of int to RunRecord
        By name, the records of a method by seed. All are of the same videos and the same truth.
    figure : str
        A key of `RECORD_FIGURES`, such as ``p_miou_ungated`` or ``auroc``.
    against : str or sequence of str, optional
        The methods that every other one is compared with.
    frozen, clean : str, optional
        The methods that are the floor and the ceiling of shares. Give both or neither.
    level : float
        The level of the confidence intervals, in (0.5, 1).
    equivalence : float, optional
        Test for each pair whether its difference is smaller than this.

    Returns
    -------
    RecordComparison
        Values, shares and differences. p values are not adjusted for several tests.

    Raises
    ------
    InputError
        For unknown names and figures, and with every run of other videos or another truth.

    Examples
    --------
    ::

        found = actiseg_eval.compare_records(
            {"plain": {1: a, 2: b, 3: c}, "gce": {1: d, 2: e, 3: f}},
            figure="p_miou_ungated",
            against="plain",
        )
        found.differences[0].p
    """
    runs = _check_methods(methods)
    check_choice(check_string(figure, "figure"), RECORD_FIGURES, "figure")
    bootstrap = Bootstrap(_check_level(level))
    margin = check_equivalence(equivalence, bootstrap.level)
    opponents = _check_opponents(against, runs)
    ends = _check_ends(frozen, clean, runs)
    _refuse_other_truth(runs, figure)
    parts = {
        name: [record.make_statistic(figure) for record in records.values()]
        for name, records in runs.items()
    }
    seeds = {name: tuple(records) for name, records in runs.items()}
    estimator = FigureEstimator(parts, seeds, bootstrap, ends)
    sign = RECORD_FIGURES[figure].sign
    bounds, gain = estimator.gain_bounds, estimator.gain
    first = _find_first(runs)
    return RecordComparison(
        figure=figure,
        split=first.split,
        rendered=first.rendered,
        clusters=len(first.clusters),
        level=bootstrap.level,
        equivalence=margin,
        frozen=frozen,
        clean=clean,
        seeds=seeds,
        values={name: estimator.build_value(name, sign, _CLUSTER) for name in runs},
        clean_gain=None if gain is None else sign * gain,
        clean_gain_interval=None if bounds is None else _orient(bounds.ends, sign),
        differences=_compare_pairs(estimator, opponents, sign, bootstrap, margin),
        left_out={
            name: "it is undefined"
            if estimator.values[name] is None
            else f"fewer than {MIN_CLUSTERS} {_CLUSTER}s have it"
            for name in runs
            if name not in estimator.rows
        },
    )


def _check_methods(
    methods: Mapping[str, Mapping[int, RunRecord]],
) -> dict[str, dict[int, RunRecord]]:
    """Return the records of each method in the order of seeds."""
    if not isinstance(methods, Mapping):
        raise refuse_type(methods, "a mapping from name to records by seed", "methods")
    problems = ProblemCollector()
    runs: dict[str, dict[int, RunRecord]] = {}
    for name, records in methods.items():
        with problems.collect():
            check_string(name, "methods")
            if not isinstance(records, Mapping):
                raise refuse_type(records, f"the records of {name!r} by seed", "methods")
            if not records:
                raise refuse(f"{name!r} has no record", "`methods`", "give one for each seed")
            for seed, record in records.items():
                check_integer(seed, "methods")
                if not isinstance(record, RunRecord):
                    raise refuse_type(record, f"a record of {name!r}, seed {seed}", "methods")
            runs[name] = {int(seed): records[seed] for seed in sorted(records)}
    if not methods:
        problems.add("there is no method", "`methods`", "give the records of a method")
    problems.raise_if_any()
    return runs


def _check_level(level: float) -> float:
    number = check_number(level, "level")
    if not 0.5 < number < 1:
        raise refuse(f"{number:g} is outside (0.5, 1)", "`level`", "give 0.95, for example")
    return number


def _check_opponents(against: str | Sequence[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    if against is None:
        return ()
    if not isinstance(against, (str, Sequence)):
        raise refuse_type(against, "a name or several", "against")
    names = as_names(against)
    check_known(names, known, "method", "`methods`", "name a method in `against` that is there")
    return tuple(dict.fromkeys(names))


def _check_ends(frozen: str | None, clean: str | None, known: Iterable[str]) -> ShareEnds | None:
    if frozen is None and clean is None:
        return None
    if frozen is None or clean is None:
        given, lacking = ("clean", "frozen") if frozen is None else ("frozen", "clean")
        raise refuse(f"`{lacking}` is missing", f"`{given}`", "give both, or neither")
    hint = "name methods in `frozen` and `clean` that are there"
    check_known((frozen, clean), known, "method", "`methods`", hint)
    if frozen == clean:
        raise refuse(f"{clean!r} is also `frozen`", "`clean`", "name two different methods")
    return ShareEnds(frozen, clean)


def _find_first(runs: Mapping[str, Mapping[int, RunRecord]]) -> RunRecord:
    return next(iter(next(iter(runs.values())).values()))


def _refuse_other_truth(runs: Mapping[str, Mapping[int, RunRecord]], figure: str) -> None:
    """Raise `InputError` with every run that differs from the first one in more than its scores."""
    first = _find_first(runs)
    problems = ProblemCollector()
    for name, records in runs.items():
        for seed, record in records.items():
            where = f"`methods`: {name!r}, seed {seed}"
            if record.clusters != first.clusters:
                hint = "record all runs on the same sequences"
                problems.add("has other videos than the first run", where, hint)
            elif record.dataset_fingerprint != first.dataset_fingerprint:
                hint = "record all runs with the same ground truth"
                problems.add("has another ground truth than the first run", where, hint)
            if figure not in record.figures:
                hint = "record the run with tuning predictions"
                problems.add(f"has no {figure}", where, hint)
            elif figure.endswith("_tuned") and record.n_rate != first.n_rate:
                what = f"was tuned to the n-rate {record.n_rate}, the first run to {first.n_rate}"
                problems.add(what, where, "record all runs with the same `n_rate`")
    problems.raise_if_any()


def _orient(interval: Interval, sign: float) -> Interval:
    """Return an interval of a difference such that larger is better."""
    low, high = sorted(sign * end for end in interval)
    return low, high


def _compare_pairs(
    estimator: FigureEstimator,
    opponents: Sequence[str],
    sign: float,
    bootstrap: Bootstrap,
    margin: float | None,
) -> list[Difference]:
    """Return how much better each method is than each opponent; each pair once."""
    if estimator.means is None:
        return []
    differences: list[Difference] = []
    for position, opponent in enumerate(opponents):
        for name in estimator.rows:
            if opponent not in estimator.rows or name in opponents[: position + 1]:
                continue
            row = sign * (estimator.rows[name] - estimator.rows[opponent])
            gain = compare_means(estimator.means, row, bootstrap)
            equivalence = None
            if margin is not None:
                equivalence = find_equivalence(estimator.means, row, bootstrap, margin)
            source = f"{_CLUSTER}s{SEEDS[gain.seeds]}"
            differences.append(Difference(name, opponent, gain, None, source, equivalence))
    return differences
