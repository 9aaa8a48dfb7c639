"""Errors in the user's input."""

from __future__ import annotations

import pytest

from actiseg_data.core.errors import InputError, check_choice


def test_an_unknown_value_is_refused_with_the_nearest_one_and_all_known_ones():
    check_choice("copy", ("link", "copy"), "images")
    with pytest.raises(InputError) as refused:
        check_choice("linkk", ("link", "copy"), "images")
    [problem] = refused.value.problems
    assert problem.what == "'linkk' is unknown; did you mean 'link'?"
    assert problem.where == "`images`"
    assert problem.hint == "use one of link, copy"


def test_an_unknown_value_far_from_all_known_ones_gets_no_suggestion():
    with pytest.raises(InputError, match=r"'x' is unknown\. Hint: use one of iou, ba"):
        check_choice("x", {"iou": 1, "ba": 2}, "pair_metric")
