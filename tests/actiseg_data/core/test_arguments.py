"""Arguments of the Python API: numbers of NumPy are numbers; errors name the parameter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actiseg_data.core.arguments import (
    check_integer,
    check_number,
    check_selection,
    check_string,
)
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import as_path


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.uint8(3), np.float32(3)])
def test_whole_numbers_of_any_type_become_integers(value):
    number = check_integer(value, "resamples")
    assert (type(number), number) == (int, 3)
    assert type(check_number(value, "drop")) is float


@pytest.mark.parametrize(
    "value", [None, "3", 3.5, True, np.bool_(True), [3], float("nan"), float("inf"), 10**400]
)
def test_what_is_no_whole_number_is_refused_by_the_name_of_the_parameter(value):
    with pytest.raises(InputError) as refused:
        check_integer(value, "resamples")
    assert refused.value.problems[0].where == "`resamples`"
    assert len(refused.value.problems[0].what) < 120


def test_paths_are_texts_or_path_objects():
    assert as_path("a", "gt") == as_path(Path("a"), "gt") == Path("a")
    for value in (None, 3, b"a", ["a"], {}):
        with pytest.raises(InputError, match="gt: must be a path, not "):
            as_path(value, "gt")


def test_texts_are_texts():
    with pytest.raises(InputError, match=r"cluster: must be text, not \['video'\]"):
        check_string(["video"], "cluster")


@pytest.mark.parametrize("nothing", [(), [], iter(())])
def test_a_selection_of_nothing_is_refused(nothing):
    assert check_selection(None, "only") is None
    assert check_selection("a", "only") == check_selection(["a"], "only") == ("a",)
    with pytest.raises(InputError, match="selects nothing") as refused:
        check_selection(nothing, "only")
    assert refused.value.problems[0].where == "`only`"
