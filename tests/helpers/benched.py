"""A benchmark so small that it takes seconds: tests import this after they have found torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from reference_trainer.bench.bench_report import make_report
from reference_trainer.bench.job_work import Workplace, perform
from reference_trainer.bench.matrix import Matrix
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.report_writing import write_bench_report
from reference_trainer.bench.run_results import Results
from reference_trainer.bench.running import gather_results

torch.set_num_threads(1)

SMALL_PLAN = """
schema: actiseg/bench-plan/1
about: a plan of a test
seeds: [0]
figures: [p_miou_ungated, auroc]
arms:
  S:
    about: synthetic clips
    data:
      start: {clips: 2, videos: 1, seed: 1}
      train: {clips: 2, videos: 1, seed: 2}
      test: {clips: 4, videos: 2, seed: 3, split: val_human}
    start: {height: 32, width: 48, channels: 8, prompt_width: 16, epochs: 1, meter: false}
    settings: {height: 32, width: 48, channels: 8, prompt_width: 16, epochs: 1, meter: false}
    cells: {clean: [plain], masks: [plain, half]}
cells:
  clean: {about: clean labels}
  masks: {about: every mask, noise: {type: dilate, rate: 1, target_iou: 0.55}}
methods:
  plain: {}
  half: {stop_after: 0.5, control: true}
"""


def run_small_bench(folder: Path) -> Path:
    """Run the small plan in this process, and write its report; returns the benchmark's folder."""
    file = folder / "small.yaml"
    file.write_text(SMALL_PLAN)
    run_bench(file, folder / "bench", {})
    return folder / "bench"


def run_bench(file: Path, out: Path, roots: Mapping[str, Path]) -> Results:
    """Run a plan in this process, and write its report."""
    plan = load_plan(file)
    matrix = Matrix(plan, plan.arms, out)
    place = Workplace(out, roots, on_the_fly=False, device="cpu")
    while (assignment := matrix.choose_next(set())) is not None:
        matrix.add_record(assignment.job, perform(place, assignment))
    results = gather_results(matrix)
    write_bench_report(make_report(plan, results), results, out)
    return results
