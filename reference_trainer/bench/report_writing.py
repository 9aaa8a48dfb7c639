"""Write the report of a benchmark: tables, their numbers, and curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from actiseg_data.core.files import write_bytes, write_json
from actiseg_data.core.tables import FORMATS, Table, format_cell, render_csv
from actiseg_data.records.bench_report_reading import REPORT_SCHEMA
from actiseg_eval import parse_run_record
from actiseg_eval.raw_scores.record_figures import CURVE_GATES, name_rate
from reference_trainer.bench.bench_report import BenchReport
from reference_trainer.bench.bench_tables import make_bench_page
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN
from reference_trainer.bench.run_results import Results

REPORT_FILE = "report.json"


def write_bench_report(report: BenchReport, results: Results, out: Path) -> list[Path]:
    """Write ``report.json``, ``report.md``, ``report.csv`` and ``curves.csv``.

    Returns
    -------
    list of Path
        The files.
    """
    out.mkdir(parents=True, exist_ok=True)
    page = make_bench_page(report)
    paths = {
        name: out / f"report{ending}" for name, ending in (("markdown", ".md"), ("csv", ".csv"))
    }
    for name, path in paths.items():
        write_bytes(path, FORMATS[name].render(page).encode())
    write_json(out / REPORT_FILE, describe_as_json(report, results), indent=1)
    write_bytes(out / "curves.csv", render_csv(tabulate_curves(results)).encode())
    return [out / REPORT_FILE, *paths.values(), out / "curves.csv"]


def describe_as_json(report: BenchReport, results: Results) -> dict[str, Any]:
    """Return the JSON document of a report, of schema `REPORT_SCHEMA`.

    Besides the tables it has what identifies the training labels of each cell, and the digest of
    the predictions of each run.
    """
    document = asdict(report)
    _identify_runs(document, results)
    plan = document.pop("plan")
    return {
        "schema": REPORT_SCHEMA,
        "plan": plan["name"],
        "about": plan["about"],
        "seeds": list(report.plan.seeds),
        **document,
    }


def _identify_runs(document: dict[str, Any], results: Results) -> None:
    """Add to each cell what its training labels were made from, and to each row its predictions."""
    digests: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for run in results.runs:
        if run.predictions:
            entry = {"fold": run.fold, "seed": run.seed, "digest": run.predictions}
            digests[run.arm, run.cell, run.method, run.variant].append(entry)
    ends = {FROZEN: (CLEAN, FROZEN), CLEAN: (CLEAN, PLAIN)}
    for arm in document["arms"]:
        for cell in arm["cells"]:
            noises = results.noises.get(f"{arm['name']}/{cell['cell']}", ())
            cell["noises"] = list(map(asdict, noises))
            for row in cell["rows"]:
                place = ends.get(row["method"], (cell["cell"], row["method"]))
                key = (arm["name"], *place, row["variant"])
                known_runs = digests[key]
                row["predictions"] = [run for run in known_runs if run["seed"] in row["seeds"]]


def tabulate_curves(results: Results) -> Table:
    """Tabulate activity at all gates, and what nets memorise after each epoch."""
    columns = ["arm", "cell", "method", "variant", "fold", "seed", "curve", "x", "value"]
    return Table("", columns, list(_iterate_points(results)))


def _iterate_points(results: Results) -> Iterator[list[str]]:
    for run in results.runs:
        place = [run.arm, run.cell, run.method, run.variant, str(run.fold), str(run.seed)]
        if run.record is not None:
            values = parse_run_record(dict(run.record)).values
            for rate in ("p_rate", "n_rate"):
                for gate in CURVE_GATES:
                    value = values[name_rate(rate, gate)]
                    yield [*place, rate, f"{gate:.2f}", format_cell(value)]
        for term, series in run.meter.items():
            for epoch, value in enumerate(series, 1):
                yield [*place, term, str(epoch), format_cell(value)]
