"""Names of metric groups are checked, and completed by the groups that they need."""

from __future__ import annotations

import pytest

from actiseg_data.core.errors import InputError
from actiseg_eval.protocols import (
    METRIC_GROUPS,
    choose_comparable_groups,
    choose_metric_groups,
    load_protocol,
)

ACTIONVOS = load_protocol("actionvos")


@pytest.mark.parametrize("groups", ["jf,core", ["jf", "core"], ("core", "jf")])
def test_groups_come_in_a_fixed_order(groups):
    assert choose_metric_groups(groups, ACTIONVOS) == ("core", "jf")


def test_failures_need_the_metrics_that_they_lose():
    assert choose_metric_groups(["failures"], ACTIONVOS) == ("core", "jf", "failures")
    assert choose_metric_groups("all", ACTIONVOS) == METRIC_GROUPS


def test_the_default_depends_on_the_protocol():
    assert choose_metric_groups(None, ACTIONVOS) == ("core",)
    assert choose_metric_groups(None, load_protocol("davis")) == ("core", "jf")


def test_comparisons_and_matching_protocols_have_no_failures():
    unsupervised = load_protocol("davis-unsupervised")
    assert choose_comparable_groups("all", ACTIONVOS) == ("core", "jf", "boundary")
    assert choose_metric_groups("all", unsupervised) == ("core", "jf", "boundary")
    for choose, protocol in (
        (choose_comparable_groups, ACTIONVOS),
        (choose_metric_groups, unsupervised),
    ):
        with pytest.raises(InputError, match="there is no metric group 'failures'"):
            choose("failures", protocol)


def test_the_nearest_group_is_suggested():
    with pytest.raises(InputError, match="'jff' under 'actionvos'; did you mean 'jf'"):
        choose_metric_groups("core,jff", ACTIONVOS)


def test_no_group_is_refused():
    with pytest.raises(InputError, match="no metric group is given"):
        choose_metric_groups([], ACTIONVOS)
