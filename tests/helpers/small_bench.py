"""A benchmark so small that a test can run it: tests import this after they have found torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from reference_trainer.bench.bench_report_making import make_report
from reference_trainer.bench.job_work import Workplace, perform
from reference_trainer.bench.matrix import Matrix
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.report_writing import write_bench_report
from reference_trainer.bench.run_results import Results
from reference_trainer.bench.running import gather_results, open_matrix

torch.set_num_threads(1)  # processes side by side, tiny tensors

PLAN = """
schema: actiseg/bench-plan/1
about: A benchmark for tests.
seeds: [0, 1]
figures: [auroc, p_miou_ungated]
tuning: {arm: S, cells: [masks], seed: 0, figure: auroc}
primary: {arm: S, cells: {masks: auroc}, methods: [gce]}
arms:
  S:
    about: synthetic clips
    data:
      start: {clips: 2, videos: 1, seed: 301}
      train: {clips: 3, videos: 2, seed: 302}
      tune: {clips: 2, videos: 1, seed: 303}
      test: {clips: 4, videos: 2, seed: 304, split: val_human}
    start: {SIZES, epochs: 2}
    settings: {SIZES, epochs: 1, learning_rate: 0.005}
    cells: {clean: [plain], masks: [plain, gce]}
cells:
  clean: {about: clean labels}
  masks: {about: "masks and names", noise: {type: mixed, rate: 0.8, target_iou: 0.5}}
methods:
  plain: {tune: [{learning_rate: 0.005}, {learning_rate: 0.002}]}
  gce: {strategy: gce, options: {q: 0.7}, tune: [{options: {q: 0.7}}, {options: {q: 0.3}}]}
""".replace("SIZES", "height: 32, width: 48, channels: 8, prompt_width: 16")


def write_plan(folder: Path, *changes: tuple[str, str], name: str = "small") -> Path:
    """Write the plan, with changes of its text."""
    text = PLAN
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return file


def open_small(plan: Path, out: Path) -> Matrix:
    return open_matrix(load_plan(plan), out)


def run_bench(plan: Path, out: Path, roots: Mapping[str, Path] | None = None) -> Results:
    """Run a plan in this process, and write its report."""
    matrix = open_small(plan, out)
    run_here(matrix, out, roots)
    results = gather_results(matrix)
    write_bench_report(make_report(matrix.plan, results), results, out)
    return results


def run_here(
    matrix: Matrix,
    out: Path,
    roots: Mapping[str, Path] | None = None,
    *,
    on_the_fly: bool = False,
    most: int = 1000,
) -> list[str]:
    """Do jobs in this process; return their paths."""
    place = Workplace(out.resolve(), roots or {}, on_the_fly, "cpu")
    done: list[str] = []
    while len(done) < most and (assignment := matrix.choose_next(set())) is not None:
        matrix.add_record(assignment.job, perform(place, assignment))
        done.append(assignment.job.path)
    return done
