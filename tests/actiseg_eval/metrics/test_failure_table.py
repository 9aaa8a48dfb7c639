"""The table of failures: costs by brute-force repair, and what it names."""

from __future__ import annotations

import json

import numpy as np
import pytest

from actiseg_data.annotations.masks import find_ids, read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.tables import render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_eval import score
from actiseg_eval.measures.failure_modes import FAILURE_MODES, diagnose
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.predictions.ground_truth import open_truth
from actiseg_eval.reporting.score_tables import make_score_page
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.paths import ROOT
from tests.helpers.predicted import predict, shifted
from tests.helpers.roots import make_root


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """Clips of four frames; in the second of every other, an object is out of sight."""
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25, 35))
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01", frames=frames) for at in range(1, 19)]
    split = open_split(make_root(tmp_path_factory.mktemp("failing") / "clean", clips), "train")
    for sequence in split.sequences[::2]:
        path = split.find_mask(sequence, frames[1])
        mask = read_index_mask(path)
        write_index_mask(path, np.where(mask == min(sequence.object_ids), 0, mask).astype(np.uint8))
    return open_split(split.root, "train")


def spoilt(at, masks, label):
    """Some masks in which every mode occurs: clip by clip another fault."""
    fault = at % 9
    found = []
    for mask in masks:
        if fault == 0:
            mask = shifted(mask, 5, 4)
        elif fault == 1:  # two change names
            one, other = label[0], label[1]
            mask = np.where(mask == one, other, np.where(mask == other, one, mask))
        elif fault == 2:  # a little out of all objects
            grown = np.maximum.reduce([np.roll(mask, by, axis=1) for by in (-1, 0, 1)])
            mask = np.where(mask == 0, grown, mask)
        elif fault == 7:  # far out of all objects
            for by in range(1, 25):
                mask = np.where(mask == 0, np.roll(mask, by, axis=1), mask)
        elif fault == 8:  # a little is lacking of all objects
            kept = np.logical_and.reduce([np.roll(mask, by, axis=1) == mask for by in (-1, 1)])
            mask = np.where(kept, mask, 0)
        elif fault == 3:  # the left third of all is lacking
            mask = np.where(np.arange(mask.shape[1])[None] % 40 < 13, 0, mask)
        elif fault == 4:  # stray squares
            mask = mask.copy()
            mask[:9, :9] = label[2]
        elif fault == 5:  # a cut through all
            mask = np.where(np.arange(mask.shape[1])[None] % 24 < 3, 0, mask)
        else:
            mask = np.zeros_like(mask)
        found.append(mask.astype(np.uint8))
    return found[::-1] if at % 5 == 4 else found


@pytest.fixture(scope="module")
def preds(kitchen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spoilt") / "preds"
    for at, sequence in enumerate(kitchen.sequences):
        ids = sorted(sequence.object_ids)
        masks = spoilt(at, kitchen.read_masks(sequence), ids)
        for frame, mask in zip(sequence.frames, masks, strict=True):
            write_index_mask(folder / sequence.folder / f"{frame}.png", mask)
    return folder


@pytest.fixture(scope="module")
def report(kitchen, preds):
    return score(preds, gt=kitchen, metrics=["failures"], resamples=0)


def repaired(split, preds, modes, folder, *, listed, wholly=False):
    """Folders of a mask for each object, with some modes mended; and how many units that were.

    listed: whether the objects are those of the list, else all of the truth, each to be segmented.
    wholly: whether the units get their true masks.
    """
    count = 0
    for sequence in split.sequences:
        known = {of.object_id: of for of in sequence.objects} if listed else None
        for frame in sequence.frames:
            truth = read_index_mask(split.find_mask(sequence, frame))
            mask = read_index_mask(preds / sequence.folder / f"{frame}.png")
            ids = set(known) if known is not None else set(find_ids(truth)) | set(find_ids(mask))
            for at in ids:
                active = known is None or known[at].positive
                others = set(known) if known is not None else set(find_ids(truth))
                failure = diagnose(truth, at, mask == at, others, active=active)
                own = mask == at
                if failure is not None and failure.mode in modes:
                    own = truth == at if wholly else failure.repaired
                    count += 1
                path = folder / sequence.folder / str(at) / f"{frame}.png"
                write_index_mask(path, own.astype(np.uint8))
    return folder, count


@pytest.mark.parametrize("mode", [*FAILURE_MODES, "all"])
def test_a_cost_is_what_scoring_repaired_masks_gains(kitchen, preds, report, tmp_path, mode):
    modes = set(FAILURE_MODES) if mode == "all" else {mode}
    folder, count = repaired(kitchen, preds, modes, tmp_path / "mended", listed=True)
    after = score(folder, gt=kitchen, metrics=["failures"], resamples=0).metrics
    rows = {row.mode: row for row in report.failures.rows}
    row = report.failures.together if mode == "all" else rows[mode]
    costs = row.recoverable
    assert count == row.count
    assert count, "every mode occurs"
    compared = [name for name in costs if METRICS[name].better]
    assert {"giou", "jf", "p_miou", "n_miou", "p_ciou", "p_rate"} <= set(compared)
    for name in compared:
        sign = -1 if METRICS[name].better == "lower" else 1
        before = report.metrics[name]
        if costs[name] is None:
            assert before is None or after[name] is None
        else:
            assert costs[name] == pytest.approx(sign * (after[name] - before), abs=1e-12), name


def test_what_adds_up_and_what_does_not(report):
    """A unit has one mode, so repairs of two modes never meet; each mends its own part alone."""
    table = report.failures
    for figure in ("giou", "jf"):
        lost = [row.lost[figure] for row in table.rows]
        costs = [row.recoverable[figure] for row in table.rows]
        assert all(0 <= cost <= most + 1e-12 for cost, most in zip(costs, lost, strict=True))
        missing = 1 - report.metrics[figure]
        assert sum(lost) == pytest.approx(missing, abs=1e-12)
        assert table.together.lost[figure] == pytest.approx(missing, abs=1e-12)
        assert sum(costs) == pytest.approx(table.together.recoverable[figure], abs=1e-12)
        assert sum(costs) < missing - 0.01
    assert sum(row.recoverable["p_miou"] for row in table.rows) != pytest.approx(
        table.together.recoverable["p_miou"], abs=1e-6
    )


def test_what_is_lost_is_what_scoring_right_masks_gains(kitchen, preds, report, tmp_path):
    """Of one mode whose repair is partial."""
    folder, count = repaired(
        kitchen, preds, {"leakage"}, tmp_path / "right", listed=True, wholly=True
    )
    after = score(folder, gt=kitchen, metrics=["jf", "core"], resamples=0).metrics
    (row,) = (row for row in report.failures.rows if row.mode == "leakage")
    assert count == row.count
    for name in ("giou", "jf", "p_miou", "p_ciou", "j", "f"):
        assert row.lost[name] == pytest.approx(after[name] - report.metrics[name], abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["vos-benchmark", "gres"])
def test_costs_under_other_protocols(kitchen, preds, tmp_path, protocol):
    before = score(preds, gt=kitchen, protocol=protocol, metrics=["failures"], resamples=0)
    for row in before.failures.rows:
        folder, _ = repaired(
            kitchen, preds, {row.mode}, tmp_path / row.mode, listed=protocol == "gres"
        )
        after = score(
            folder,
            gt=kitchen,
            protocol=protocol,
            metrics=["failures"],
            missing="empty",
            resamples=0,
        )
        for name in ("jf", "giou"):
            if name in before.metrics:
                gain = after.metrics[name] - before.metrics[name]
                assert row.recoverable[name] == pytest.approx(gain, abs=1e-12), (row.mode, name)


def test_masks_alone_have_failures_too(kitchen, preds):
    """A plain folder of sequences: every object is to be segmented."""
    truth = open_truth(kitchen.root / "Annotations_Sparse" / "train")
    found = score(
        preds, gt=truth, protocol="davis", metrics=["failures"], missing="empty", resamples=0
    )
    assert found.failures.metric == "jf"
    assert found.failures.shown == ("jf",)
    assert found.profile == ()


def test_the_story_of_known_predictions(kitchen, tmp_path):
    def counts(recipe):
        folder = predict(kitchen, recipe, tmp_path / recipe)
        table = score(folder, gt=kitchen, metrics=["failures"], resamples=0).failures
        return {row.mode: row.count for row in table.rows if row.count}

    sequences = kitchen.sequences
    masks = {of.folder: kitchen.read_masks(of) for of in sequences}
    there = [
        (label.positive, label.handbox or label.narration)
        for of in sequences
        for label in of.objects
        for mask in masks[of.folder]
        if (mask == label.object_id).any()
    ]
    inactive, active = (sum(positive is kind for positive, _ in there) for kind in (False, True))
    assert counts("all") == {"wrong_activation": inactive}
    assert counts("blank") == {"miss": active}
    assert counts("oracle") == {}
    pseudo = {
        "wrong_activation": sum(not positive and held for positive, held in there),
        "miss": sum(positive and not held for positive, held in there),
    }
    assert counts("pseudo") == {mode: n for mode, n in pseudo.items() if n}
    shift = counts("shift")
    assert max(set(shift) - {"wrong_activation"}, key=lambda mode: shift[mode]) == "mislocalisation"


def test_what_is_named(kitchen, preds, report):
    table = report.failures
    assert table.units == report.metrics["n_units"]
    worst = table.worst
    assert [each.lost for each in worst] == sorted((each.lost for each in worst), reverse=True)
    by_sequence = {each.name: each.metrics for each in report.strata["sequence"]}
    missing = sum((1 - of["giou"]) * of["n_units"] for of in by_sequence.values())
    for each in worst:
        own = by_sequence[each.sequence]
        assert each.value == pytest.approx(own["giou"])
        assert each.units == own["n_units"]
        assert each.lost == pytest.approx((1 - own["giou"]) * own["n_units"] / missing)
    swapped = kitchen.sequences[1]
    names = {of.object_id: of.name for of in swapped.objects}
    ids = sorted(names)
    pairs = {(each.name, each.confused_with) for each in table.confusions}
    assert (names[ids[0]], names[ids[1]]) in pairs
    assert {"substitution", "hallucination"} <= {each.mode for each in table.confusions}
    for groups in table.counts_by_division.values():
        total = sum(sum(of.values()) for of in groups.values())
        assert total == sum(row.count for row in table.rows)


def test_a_report_holds_it(report, kitchen, preds):
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(document["failures"]["modes"]) == set(FAILURE_MODES)
    together = document["failures"]["together"]
    assert together["lost"]["giou"] == pytest.approx(1 - report.metrics["giou"])
    text = render_markdown_page(make_score_page(report))
    assert "identity substitution" in text
    assert "Sequences that lose most" in text
    assert "p-rate" in text
    plain = score(preds, gt=kitchen, resamples=0)
    assert plain.failures is None
    assert plain.to_dict()["failures"] is None


def test_the_profile_says_what_miou_is_made_of(kitchen, tmp_path):
    figures = score(
        predict(kitchen, "pseudo", tmp_path / "preds"), gt=kitchen, metrics=["failures"]
    ).metrics
    for kind in ("p", "n"):
        rate, quality = figures[f"{kind}_rate"], figures[f"{kind}_quality"]
        assert figures[f"{kind}_miou"] == pytest.approx(rate * (quality or 0))
    there = [
        (label.positive, (mask == label.object_id).any() and (label.handbox or label.narration))
        for of in kitchen.sequences
        for label in of.objects
        for mask in kitchen.read_masks(of)
        if (mask == label.object_id).any()
    ]
    for kind, positive in (("p", True), ("n", False)):
        held = [found for active, found in there if active is positive]
        assert figures[f"{kind}_rate"] == pytest.approx(np.mean(held))


def test_matching_protocols_have_no_failures(kitchen, preds):
    with pytest.raises(InputError, match="no metric group 'failures' under"):
        score(preds, gt=kitchen, protocol="davis-unsupervised", metrics=["failures"])
    found = score(preds, gt=kitchen, protocol="davis-unsupervised", metrics=["all"], resamples=0)
    assert found.failures is None


STORIES = {
    "shift": {
        "wrong_activation": (249, 0.3700),
        "substitution": (5, 0.0073),
        "mislocalisation": (343, 0.1735),
        "shrinkage": (34, 0.0127),
    },
    "pseudo": {"wrong_activation": (131, 0.1947), "miss": (6, 0.0089)},
    "swap": {
        "hallucination": (41, 0.0609),
        "wrong_activation": (227, 0.3373),
        "miss": (19, 0.0282),
        "substitution": (37, 0.0540),
        "mislocalisation": (199, 0.2392),
        "leakage": (33, 0.0193),
        "shrinkage": (29, 0.0155),
        "over_segmentation": (31, 0.0311),
        "under_segmentation": (33, 0.0328),
        "fragmentation": (1, 0.0010),
    },
    "dilate": {
        "wrong_activation": (249, 0.3700),
        "mislocalisation": (2, 0.0006),
        "leakage": (347, 0.0785),
        "shrinkage": (31, 0.0066),
        "under_segmentation": (2, 0.0012),
    },
    "erode": {"wrong_activation": (249, 0.3700), "shrinkage": (382, 0.1141)},
    "jitter": {
        "wrong_activation": (249, 0.3700),
        "mislocalisation": (10, 0.0029),
        "leakage": (78, 0.0228),
        "shrinkage": (294, 0.0855),
    },
}
"""Units and what they lose in gIoU, as docs/scoring.md tells, of 59 unflagged sequences."""


@pytest.fixture(scope="module")
def human(validation):
    return validation.split("val_human")


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(story, marks=pytest.mark.slow if story in ("dilate", "erode") else ())
        for story in STORIES
    ],
)
def test_stories_of_real_masks_are_those_of_the_documentation(human, tmp_path, story):
    if story in ("dilate", "erode", "jitter"):
        recipe = make_recipe(story, 1.0, split="val_human")
        corrupt(human.root, recipe, out=tmp_path / "preds")
    else:
        predict(human, story, tmp_path / "preds")
    report = score(tmp_path / "preds", gt=human, metrics=["failures"], resamples=0)
    rows = {row.mode: row for row in report.failures.rows if row.count}
    found = {mode: (row.count, round(row.lost["giou"], 4)) for mode, row in rows.items()}
    assert found == STORIES[story]
    # The counts of the public script are sums of modes.
    counts, figures = {mode: row.count for mode, row in rows.items()}, report.metrics
    assert figures["fn"] == counts.get("miss", 0)
    assert figures["fp"] == counts["wrong_activation"] + counts.get("hallucination", 0)
    page = (ROOT / "docs" / "scoring.md").read_text()
    lines = [line for line in page.splitlines() if line.count("|") == 8]
    for mode, (count, lost) in STORIES[story].items():
        (line,) = (of for of in lines if of.startswith(f"| {FAILURE_MODES[mode].symbol} |"))
        assert line.split(" | ")[1 + list(STORIES).index(story)].rstrip(" |") == (
            f"{count} ({lost:.4f})"
        )


@pytest.mark.slow
def test_masks_of_davis_are_judged_as_documented(real_data):
    truth = open_truth(real_data / "davis" / "osvos")
    found = score(
        real_data / "davis" / "rvos",
        gt=truth,
        protocol="vos-benchmark",
        metrics=["failures"],
        resamples=0,
    )
    lost = {row.mode: round(row.lost["jf"], 4) for row in found.failures.rows}
    assert lost["mislocalisation"] == 0.4284
    assert lost["substitution"] == 0.1564
    assert lost["over_segmentation"] == 0.0728
    assert lost["leakage"] + lost["shrinkage"] == pytest.approx(0.0151)
    assert round(1 - found.metrics["jf"], 4) == 0.8167
