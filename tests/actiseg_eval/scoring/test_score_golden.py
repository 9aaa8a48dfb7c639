"""The golden tables of real VISOR and DAVIS masks, to 1e-6."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.layouts.split import Split
from actiseg_eval.measures.boundary_measures import (
    boundary_f,
    draw_boundary,
    find_image_tolerance,
    region_iou,
)
from actiseg_eval.measures.pixel_counts import count_ids, count_pairs
from actiseg_eval.protocols import load_protocol
from actiseg_eval.scoring.folder_scoring import score
from tests.helpers.predicted import predict, shifted
from tests.helpers.real_visor import Prepared

KEYS = ("p_miou", "n_miou", "p_ciou", "n_ciou", "giou", "acc", "tn", "tp", "fn", "fp")

FEW = {
    "all": (1, 1, 1, 1, 0.5, 0.5, 2, 30, 0, 32),
    "oracle": (1, 0, 1, 0, 1, 1, 34, 30, 0, 0),
    "pseudo": (0.9, 0.25, 0.986019, 0.526061, 0.828125, 0.828125, 26, 27, 3, 8),
    "blank": (0, 0, 0, 0, 0.53125, 0.53125, 34, 0, 30, 0),
    "shift": (0.715431, 0.674183, 0.816547, 0.853203, 0.366608, 0.5, 2, 30, 0, 32),
    "swap": (0.362370, 0.392936, 0.259344, 0.557424, 0.191148, 0.46875, 1, 29, 1, 33),
}
UNFLAGGED = {
    "all": (1, 1, 1, 1, 0.630015, 0.630015, 42, 382, 0, 249),
    "oracle": (1, 0, 1, 0, 1, 1, 291, 382, 0, 0),
    "pseudo": (0.984293, 0.526104, 0.995123, 0.662856, 0.796434, 0.796434, 160, 376, 6, 131),
    "blank": (0, 0, 0, 0, 0.432392, 0.432392, 291, 0, 382, 0),
    "shift": (0.659040, 0.655596, 0.799612, 0.823720, 0.436483, 0.630015, 42, 382, 0, 249),
    "swap": (0.245638, 0.299899, 0.322115, 0.492876, 0.180536, 0.573551, 23, 363, 19, 268),
}
EVERY = {
    "all": (1, 1, 1, 1, 0.653159, 0.653159, 55, 493, 0, 291),
    "oracle": (1, 0, 1, 0, 1, 1, 346, 493, 0, 0),
    "pseudo": (0.971602, 0.518900, 0.933111, 0.650629, 0.803337, 0.803337, 195, 479, 14, 151),
    "blank": (0, 0, 0, 0, 0.412396, 0.412396, 346, 0, 493, 0),
    "shift": (0.651509, 0.654692, 0.802323, 0.814660, 0.448384, 0.653159, 55, 493, 0, 291),
    "swap": (0.256071, 0.308436, 0.337813, 0.491233, 0.190309, 0.584029, 26, 464, 29, 320),
}


@pytest.fixture(scope="session")
def human_split(validation: Prepared) -> Split:
    return validation.split("val_human")


@pytest.fixture(scope="session")
def predictions(human_split: Split, tmp_path_factory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def get(recipe: str) -> Path:
        if recipe not in made:
            made[recipe] = predict(human_split, recipe, tmp_path_factory.mktemp(recipe))
        return made[recipe]

    return get


def figures_of(report):
    return [report.metrics[key] for key in KEYS]


@pytest.mark.parametrize("recipe", FEW)
def test_the_six_figures_are_the_public_ones(human_split, predictions, recipe):
    folder = predictions(recipe)
    some = {4, 5, 13, 17, 3151}
    few = tuple(
        of
        for of in human_split.sequences
        if (of.video, of.seq_id) in {("P01_107", at) for at in some} | {("P32_07", 3151)}
    )
    assert len(few) == 5
    for truth, filtered, golden in (
        (replace(human_split, sequences=few), False, FEW),
        (human_split, True, UNFLAGGED),
        (human_split, False, EVERY),
    ):
        report = score(folder, gt=truth, filter=filtered)
        assert figures_of(report) == pytest.approx(golden[recipe], abs=1e-6)
        for beside, figures in (
            ("blank", report.references.blank),
            ("all", report.references.everything),
        ):
            known = [figures[key] for key in KEYS]
            assert known == pytest.approx(golden[beside], abs=1e-6)


def test_workers_do_not_matter_and_novel_actions_are_told_apart(human_split, predictions):
    one = score(predictions("shift"), gt=human_split, metrics=["all"])
    assert score(predictions("shift"), gt=human_split, metrics=["all"], workers=2) == one
    groups = {stratum.name: stratum.metrics for stratum in one.strata["action"]}
    assert set(groups) == {"seen", "novel"}
    novel = score(predictions("shift"), gt=human_split.root, split="val_novel")
    assert novel.metrics["p_miou"] == pytest.approx(groups["novel"]["p_miou"], abs=1e-12)
    assert novel.metrics["n_units"] == groups["novel"]["n_units"]


def test_j_and_f_of_visor_masks_against_themselves_shifted(human_split):
    sequence = next(of for of in human_split.sequences if of.folder.startswith("00000004_P01_107"))
    truth = read_index_mask(human_split.find_mask(sequence, "frame_0000000954"))
    moved = shifted(truth)
    counts = count_ids(truth, moved)[:, 1:5]
    assert counts[0].tolist() == [7232, 192869, 6128, 9198]
    assert counts[2].tolist() == [5904, 185508, 5108, 7511]
    region = counts[2] / (counts[0] + counts[1] - counts[2])
    assert region == pytest.approx([0.804908, 0.933740, 0.768005, 0.766507], abs=1e-6)
    tolerance = find_image_tolerance(truth.shape)
    found = [boundary_f(truth == at, moved == at, tolerance) for at in range(1, 5)]
    assert found == pytest.approx([0.588812, 0.241938, 0.739138, 0.285012], abs=1e-6)


@pytest.fixture(scope="session")
def davis(real_data: Path) -> Path:
    return real_data / "davis"


def test_j_and_f_of_real_predictions(real_data, davis):
    truth = read_index_mask(real_data / "vos_examples/bike/masks/00000.png")
    osvos = read_index_mask(davis / "osvos/bmx-trees/00000.png")
    rvos = read_index_mask(davis / "rvos/bmx-trees/00000.png")

    def region(one, other):
        return (one & other).sum() / (one | other).sum()

    tolerance = find_image_tolerance(truth.shape)
    for at, j, f in ((1, 0.5876196, 0.9274860), (2, 0.9121980, 0.9766382)):
        assert region(truth == at, osvos == at) == pytest.approx(j, abs=1e-6)
        assert boundary_f(truth == at, osvos == at, tolerance) == pytest.approx(f, abs=1e-6)
    assert boundary_f(truth == 1, rvos == 1, tolerance) == pytest.approx(0.5901363, abs=1e-6)
    shared = count_pairs(truth, rvos, np.array([1, 2]), np.array([1]))[:, 0]
    areas = np.bincount(truth.ravel(), minlength=3)[1:] + (rvos == 1).sum()
    assert shared / (areas - shared) == pytest.approx([0.2242336, 0.5717406], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("frames", ["all", "inner"])
def test_j_and_f_of_whole_clips(davis, frames):
    """OSVOS taken for the truth of RVOS; one clip is 910 x 480."""
    protocol = replace(load_protocol("davis"), frames=frames, extra_ids="ignored")
    found = score(davis / "rvos", gt=davis / "osvos", protocol=protocol, missing="error")
    by_object = {of.name.strip(): of.metrics for of in found.strata["object"]}
    at = ("all", "inner").index(frames)
    for name, j, f in (
        ("blackswan/1", (0.9267740, 0.9268347), (0.9534879, 0.9537580)),
        ("bike-packing/1", (0.1855165, 0.1817594), (0.4075022, 0.4061489)),
        ("bike-packing/2", (0.0210055, 0.0177524), (0.3061746, 0.3028333)),
    ):
        assert by_object[name]["j"] == pytest.approx(j[at], abs=1e-6)
        assert by_object[name]["f"] == pytest.approx(f[at], abs=1e-6)


def test_proposals_are_matched_on_real_clips(davis, tmp_path):
    """OSVOS taken for the truth, RVOS for proposals, against plain loops over whole frames."""
    name, frames = "bike-packing", [f"{at:05d}" for at in (0, 20, 40)]
    for place, method in (("truth", "osvos"), ("proposals", "rvos")):
        (tmp_path / place / name).mkdir(parents=True)
        for frame in frames:
            shutil.copy(davis / method / name / f"{frame}.png", tmp_path / place / name)
    found = score(tmp_path / "proposals", gt=tmp_path / "truth", protocol="davis-unsupervised")
    truths, others = (
        [read_index_mask(tmp_path / place / name / f"{frame}.png") for frame in frames]
        for place in ("truth", "proposals")
    )
    objects, most = int(truths[0].max()), max(int(mask.max()) for mask in others)
    tolerance = find_image_tolerance(truths[0].shape)
    table = np.zeros((2, objects, max(most, objects)))
    for one, other in zip(truths, others, strict=True):
        for row, column in np.ndindex(table.shape[1:]):
            pair = (one == row + 1, other == column + 1)
            table[0, row, column] += region_iou(*pair) / len(frames)
            table[1, row, column] += f_by_distances(*pair, tolerance) / len(frames)
    choices = itertools.permutations(range(table.shape[2]), objects)
    best = max(choices, key=lambda choice: table[:, range(objects), choice].sum())
    j, f = table[:, range(objects), best].mean(axis=1)
    assert (found.metrics["j"], found.metrics["f"]) == pytest.approx((j, f), abs=1e-9)
    assert found.metrics["n_objects"] == objects == 2


def f_by_distances(truth, prediction, tolerance):
    edges = [draw_boundary(mask) for mask in (truth, prediction)]
    if not all(edge.any() for edge in edges):
        return float(edges[0].any() == edges[1].any())
    precision, recall = (
        (ndimage.distance_transform_edt(~edges[at])[edges[1 - at]] <= tolerance).mean()
        for at in (0, 1)
    )
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0
