"""What `inspect`, `audit` and `corrupt` print on a terminal of 80 columns."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from tests.helpers.kitchens import kitchen_clip, make_kitchen
from tests.helpers.roots import make_root
from tests.helpers.terminal import check_unbroken, run_in_terminal
from tests.helpers.visor_files import VIDEO, VisorFiles

LONG = "a glass measuring jug with graduation marks and a wooden spoon in it"
NOISE = "actiseg_noise.cli"


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("terminal") / "clean", 12)


@pytest.fixture(scope="module")
def mixed(kitchen):
    recipe = make_recipe("mixed", 0.6)
    return corrupt(kitchen, recipe, out=kitchen.parent / "a_folder_with_a_rather_long_name").out


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A noisy split whose objects have long names that no lexicon knows."""
    folder = tmp_path_factory.mktemp("odd")
    clips = [kitchen_clip(number, verb="take_apart_very_slowly") for number in (1, 2)]
    named = [
        replace(
            clip,
            objects=tuple(
                replace(
                    each, name=f"{LONG} {each.object_id}" * (1 + each.object_id % 2), class_id=at
                )
                for at, each in enumerate(clip.objects, 9000)
            ),
        )
        for clip in clips
    ]
    root = make_root(folder / "clean", named)
    return corrupt(root, load_preset("actiseg-nl/mask-9").make_recipe(), out=folder / "noise40").out


def check(*arguments):
    narrow, wide = (
        run_in_terminal(*arguments, "--quiet", columns=columns, module=NOISE)
        for columns in (80, 200)
    )
    check_unbroken(narrow, wide)
    return narrow.text


@pytest.mark.parametrize("command", ["inspect", pytest.param("audit", marks=pytest.mark.slow)])
def test_no_line_is_too_wide_and_no_word_broken(mixed, command):
    text = check(command, mixed)
    for column in ("interval", "similarity", "|shift|", "rate of renames"):
        assert all(word in text for word in column.split())


def test_long_names_of_classes_are_shown_whole(odd):
    for command in ("inspect", "audit"):
        text = check(command, odd)
        assert "graduation" in text


def test_corrupt_prints_its_figures_for_narrow_terminals(kitchen):
    noise = ("--type", "mixed", "--rate", "0.5", "--images", "none", "--quiet")
    figures = []
    for columns in (80, 200):
        screen = run_in_terminal(
            *("corrupt", "clean", *noise, "--out", f"n{columns}"),
            columns=columns,
            module=NOISE,
            cwd=kitchen.parent,
        )
        text = screen.text
        figures.append(replace(screen, text=text[text.index("text:") : text.index("made ")]))
    check_unbroken(*figures)
    assert "median drawn" in figures[0].text


def test_prepare_prints_special_cases_for_narrow_terminals(tmp_path):
    files = VisorFiles(tmp_path)
    files.videos[VIDEO][0]["annotations"][0]["segments"].append([])
    files.write()
    screens = []
    for columns in (80, 200):
        shutil.rmtree(files.out, ignore_errors=True)
        screen = run_in_terminal(
            *("prepare", "visor", "--annotations", "annotations", "--split", "val", "--quiet"),
            *("--frame-mapping", "mapping.json", "--narrations", "narrations.csv"),
            *("--noun-classes", "classes.csv", "--out", "root"),
            columns=columns,
            module=NOISE,
            cwd=tmp_path,
        )
        screens.append(screen)
    check_unbroken(*screens)
    assert "1 polygons of fewer than 3 points: left out" in screens[0].text
