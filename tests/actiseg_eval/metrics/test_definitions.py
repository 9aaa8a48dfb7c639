"""Sums of metrics, and how metrics are printed."""

from __future__ import annotations

import numpy as np
import pytest

from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.metrics.sums import Sums


def test_the_ratio_of_all_groups_weights_groups_by_their_denominators():
    sums = Sums(np.array([1.0, 3.0, 0.0]), np.array([2.0, 4.0, 0.0]))
    assert sums.values[:2].tolist() == [0.5, 0.75]
    assert np.isnan(sums.values[2])
    assert sums.ratio == pytest.approx(4 / 6)


def test_counts_and_empty_sums_have_no_ratio():
    assert np.isnan(Sums(np.array([3.0])).ratio)
    assert np.isnan(Sums(np.zeros(2), np.zeros(2)).ratio)


def test_every_metric_has_a_heading_and_undefined_values_are_dashes():
    assert {format_heading(name)[-1] for name in METRICS if METRICS[name].better} == {"↑", "↓"}
    assert format_value(None) == "-"
