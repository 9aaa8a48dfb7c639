"""Metric cards: one for each figure, and true."""

from __future__ import annotations

import re

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_eval import score
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.metrics.metric_cards import choose_cards, format_cards, load_cards
from actiseg_eval.protocols import load_protocols
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.paths import ROOT
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root

CARDS = load_cards()


def test_every_figure_has_a_card_that_says_everything():
    assert list(CARDS) == list(METRICS)
    for card in CARDS.values():
        assert all(text for _, text in card.list_entries())
    assert CARDS["j_decay"].range == "-1 to 1, lower is better"
    assert CARDS["tp"].range == "whole numbers, neither direction is better"


def test_cards_say_what_enables_a_metric_in_words_that_can_be_typed():
    assert CARDS["j_recall"].conditions == (
        "`metrics` jf with `protocol` actionvos or gres; `metrics` core with `protocol` davis, "
        "davis-2016, davis-unsupervised, vos-benchmark or vost"
    )


def test_the_command_spells_only_parameters_as_flags():
    """The terminal turns every word in backticks into a flag."""
    texts = " ".join(text for card in CARDS.values() for _, text in card.list_entries())
    assert set(re.findall(r"`(\w+)`", texts)) == {"metrics", "protocol", "filter"}
    assert not re.search(r"(?<!\w)--\w", texts)


def test_the_page_is_what_the_command_writes():
    page = ROOT / "docs" / "metrics.md"
    assert page.read_text() == format_cards(CARDS), "run what the page's head says"


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25))
    clips = [kitchen_clip(at, video=f"P{at}_01", frames=frames) for at in range(1, 10)]
    split = open_split(make_root(tmp_path_factory.mktemp("cards") / "clean", clips), "train")
    return split, predict(split, "shift", tmp_path_factory.mktemp("shifted") / "preds")


@pytest.mark.parametrize("name", load_protocols())
def test_figures_come_from_the_protocols_and_measures_that_cards_name(shifted, name):
    protocol = load_protocols()[name]
    found = {}
    for measures in (["core"], ["jf"], ["boundary"], ["failures"], ["all"]):
        if measures == ["failures"] and protocol.matching != "id":
            continue
        report = score(shifted[1], gt=shifted[0], protocol=protocol, metrics=measures)
        found[measures[0]] = set(report.metrics)
        for figure, ends in report.intervals.items():
            assert ends is None or METRICS[figure].least <= ends[0] <= ends[1] <= 1
    assert found["all"] == {figure for figure, card in CARDS.items() if name in card.groups}
    for figure in found["all"]:
        assert figure in found[CARDS[figure].groups[name]]


def test_unknown_figures_are_refused():
    with pytest.raises(InputError, match="no metric 'iou', 'x'"):
        choose_cards(["iou", "giou", "x"])
