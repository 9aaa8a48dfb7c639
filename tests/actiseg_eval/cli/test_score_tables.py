"""What `actiseg-eval` shows on a terminal of 80 columns, where nothing may be broken or cut."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_eval.metrics.computing import list_metrics
from actiseg_eval.metrics.definitions import list_directed
from actiseg_eval.protocols import METRIC_GROUPS, load_protocol
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.kitchens import kitchen_clip, label
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root
from tests.helpers.terminal import Screen, check_unbroken, run_in_terminal

KNOWN = list_directed(list_metrics(load_protocol("actionvos"), METRIC_GROUPS))
FIGURES = [part for name in KNOWN for part in ("--metric", name)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A root of long names, predictions, runs and a ledger, side by side."""
    root = tmp_path_factory.mktemp("terminal")
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25))
    clips = [
        kitchen_clip(at, video=f"P{at:02d}_{100 + at}", frames=frames, verb="take-out-of-the-box")
        for at in range(1, 10)
    ]
    clips[0] = replace(
        clips[0],
        objects=(*clips[0].objects, replace(label(7, "celery"), name="ripe celery stalks")),
    )
    split = open_split(make_root(root / "clean", clips), "train")
    for recipe in ("shift", "swap", "pseudo", "blank"):
        predict(split, recipe, root / recipe)
    noisy = corrupt(split.root, make_recipe("boundary", 0.5), out=root / "labels_copy").out
    for method, recipes in (
        ("plain", ("pseudo", "swap", "shift")),
        ("a-method-of-a-very-long-name-with-warm-up-and-heads", ("pseudo", "shift", "blank")),
    ):
        for level, recipe in zip(("clean", "0.2", "0.4_s1"), recipes, strict=True):
            shutil.copytree(root / recipe, root / "runs" / method / level)
        shutil.copytree(root / "swap", root / "runs" / method / "0.4_s2")
    shutil.copytree(noisy, root / "runs" / "labels" / "0.4")
    return root


COMMANDS = {
    "score": ("score", "swap", "--metrics", "all", "--strata", "labels_copy/ledger.jsonl"),
    "compare": (
        *(
            "compare",
            "a-method-of-a-long-name=shift,pseudo",
            "plain=swap,blank",
            "third=runs/plain/clean",
        ),
        *("--metrics", "all", "--resamples", "500"),
    ),
    "robustness": ("robustness", "runs", "--metrics", "all", "--resamples", "500", *FIGURES),
    "protocols": ("protocols", "shift"),
}


@pytest.mark.parametrize(
    "command",
    [
        "score",
        "protocols",
        *(pytest.param(c, marks=pytest.mark.slow) for c in ("compare", "robustness")),
    ],
)
def test_nothing_is_broken_at_80_columns(place, command):
    arguments = (*COMMANDS[command], "--gt", "clean", "--split", "train", "--quiet")
    narrow, wide = (
        run_in_terminal(*arguments, columns=columns, cwd=place) for columns in (80, 250)
    )
    check_unbroken(narrow, wide)
    numbers = re.findall(r"\d\.\d{4}", narrow.text)
    assert sorted(set(numbers)) == sorted(set(re.findall(r"\d\.\d{4}", wide.text)))
    assert len(numbers) > 10


@pytest.mark.parametrize("arguments", [("protocols",), ("metrics",), ("metrics", "giou", "f")])
def test_running_text_is_wrapped_between_words(arguments, place):
    narrow, wide = (
        run_in_terminal(*arguments, columns=columns, cwd=place) for columns in (80, 250)
    )
    check_unbroken(narrow, wide)


def test_a_broken_word_would_be_seen():
    whole = Screen(0, "│ 0.1234 │ celery │\n")
    with pytest.raises(AssertionError, match="celery"):
        check_unbroken(Screen(0, "│ 0.1234 │ cel │\n│ ery │"), whole)
    with pytest.raises(AssertionError):
        check_unbroken(Screen(0, whole.text + "x" * 81), whole)
