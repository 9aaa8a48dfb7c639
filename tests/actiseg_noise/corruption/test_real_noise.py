"""Boundary noise on real VISOR masks: strength, spread, and the same pixels for a part."""

from __future__ import annotations

import numpy as np
import pytest

from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records.ledger_record import read_ledger
from actiseg_data.records.split_documents import read_digests
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.verification.verification import verify

VIDEOS = ("P03_22", "P18_01", "P26_01", "P32_07")


@pytest.fixture(scope="session")
def kitchen(prepare):
    return prepare("val", VIDEOS).root


@pytest.fixture(scope="session")
def noisy(kitchen, tmp_path_factory):
    out = tmp_path_factory.mktemp("noisy") / "split"
    return corrupt(kitchen, make_recipe("boundary", 1.0, split="val"), out=out, workers=2)


@pytest.fixture(scope="session")
def rows(noisy):
    return list(read_ledger(noisy.out / "ledger.jsonl"))


@pytest.mark.slow
def test_every_pixel_is_derived_again(noisy, kitchen):
    found = verify(noisy.out, kitchen, workers=2)
    assert found.ok
    assert found.counts["ledger_rows"] == noisy.summary["noise"]["selected"]


@pytest.mark.parametrize(("kind", "area"), [("dilate", 400), ("jitter", 400), ("erode", 1500)])
def test_drawn_outlines_meet_the_target(rows, kind, area):
    ious = np.array([row.iou_drawn for row in rows if row.kind == kind and row.area >= area])
    assert len(ious) > 50
    assert (abs(ious - 0.8) <= 0.02).mean() >= 0.95


def test_on_disk_the_asked_strength_is_there(rows):
    ious = np.array([row.iou for row in rows if row.status == "met"])
    assert abs(np.median(ious) - 0.8) <= 0.05
    assert (ious > 0.95).mean() <= 0.10


def test_jitter_has_no_bias_in_area(rows):
    ratios = [row.area_ratio for row in rows if row.kind == "jitter"]
    assert abs(np.median(ratios) - 1) <= 0.02


def masks_by_clip(out):
    """Mask digests by clip and frame, without the sequences' numbers."""
    return {
        (name.split("/")[2].partition("_")[2], name.split("/")[3]): digest
        for name, digest in read_digests(out / "digests.json").items()
        if name.startswith(MASKS)
    }


def test_a_part_of_the_videos_gets_the_pixels_of_the_whole(prepare, noisy, tmp_path):
    part = prepare("val", VIDEOS[:1]).root
    fewer = corrupt(part, make_recipe("boundary", 1.0, split="val"), out=tmp_path / "part").out
    whole = masks_by_clip(noisy.out)
    assert masks_by_clip(fewer).items() <= whole.items()
