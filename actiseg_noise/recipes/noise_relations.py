"""Checks of the settings of a noise against one another."""

from __future__ import annotations

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.records.recipe_record import ACTIVITY, Noise


def check_relations(noise: Noise, problems: ProblemCollector) -> None:
    """Collect settings that contradict one another, or have no effect beside others."""
    _check_strength(noise, problems)
    _check_matrix(noise, problems)
    _check_scope(noise, problems)
    _check_sisters(noise, problems)
    if noise.kind == ACTIVITY and noise.objects != "all":
        problems.add(
            "objects have no effect on noise of kind 'activity'",
            "`objects`",
            "leave it out, or give `change`: forget changes active objects, mark the others",
        )


def _check_strength(noise: Noise, problems: ProblemCollector) -> None:
    given = noise.parameters
    strengths = [name for name in ("target_iou", "radius") if name in given]
    if strengths and sum(given[name] is not None for name in strengths) != 1:
        problems.add(
            "exactly one of target_iou and radius must be given",
            "`target_iou`",
            "give `target_iou` or `radius`; in a file, set the other to null",
        )


def _check_matrix(noise: Noise, problems: ProblemCollector) -> None:
    given = noise.parameters
    rule, value = ("flip", given.get("flip")) if "flip" in given else ("change", noise.change)
    if "matrix" in given and (value == "matrix") != bool(given["matrix"]):
        problems.add(
            f"a matrix and the {rule} 'matrix' go together",
            "`matrix`",
            f"set `{rule}` to matrix and give `matrix`, or neither",
        )
    if value == "matrix" and given.get("own") is True:
        problems.add("has no effect on the change 'matrix'", "`own`", "leave it out")


def _check_sisters(noise: Noise, problems: ProblemCollector) -> None:
    if noise.parameters.get("flip") == "sister" and noise.parameters.get("pool") is not None:
        problems.add(
            "a pool has no effect on the flip 'sister', which keeps classes",
            "`pool`",
            "leave it out",
        )


def _check_scope(noise: Noise, problems: ProblemCollector) -> None:
    if noise.scope == "narration" and noise.objects != "all":
        problems.add(
            "objects have no effect on the scope 'narration', which changes sequences",
            "`objects`",
            "leave out `objects`",
        )
    if noise.scope == "prompt" and noise.parameters.get("pipeline", "blank") != "blank":
        problems.add(
            "a language pipeline has no effect on the scope 'prompt'",
            "`pipeline`",
            "leave it out, or set `scope` to both or narration",
        )
