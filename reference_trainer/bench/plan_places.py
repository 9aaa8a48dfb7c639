"""Places in a plan, for messages about settings that other parts of the package check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from actiseg_data.core.errors import InputError, Problem

_PARAMETER = re.compile(r"`(\w+)`")


@contextmanager
def name_plan_place(place: str) -> Iterator[None]:
    """Let the problems of settings name their place in a plan.

    Other parts of the package name a parameter in backticks, which a command line shows as its
    flag. `actiseg-train bench` has no such flags: the setting is a key in the plan.

    Parameters
    ----------
    place : str
        The file, and the keys that lead to the settings.

    Raises
    ------
    InputError
        With the problems of the one that is raised inside.

    Examples
    --------
    >>> from actiseg_data.core.errors import refuse
    >>> try:
    ...     with name_plan_place("plan.yaml: cells: masks: noise"):
    ...         raise refuse("8 is outside [0, 1]", "`rate`", "give `rate` a share")
    ... except InputError as error:
    ...     print(error)
    plan.yaml: cells: masks: noise: rate: 8 is outside [0, 1]. Hint: give rate a share
    """
    try:
        yield
    except InputError as error:
        raise InputError(_move_problem(problem, place) for problem in error.problems) from None


def _move_problem(problem: Problem, place: str) -> Problem:
    what, where, hint = (
        _PARAMETER.sub(r"\1", text) for text in (problem.what, problem.where, problem.hint)
    )
    is_placed = problem.where.startswith(place)
    return Problem(what, problem.where if is_placed else f"{place}: {where}", hint)
