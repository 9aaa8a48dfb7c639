"""Noise on real VISOR polygons: valid, and masks made from them have the target IoU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from actiseg_data.layouts.visor_document import fill_polygons
from actiseg_data.layouts.visor_json import FULL, read_video
from actiseg_noise import corrupt, verify

VIDEOS = [
    pytest.param("val/P32_07", id="a nested polygon"),
    pytest.param("train/P04_26", id="a polygon outside of the image"),
    pytest.param("train/P01_03", id="a video", marks=pytest.mark.slow(reason="200 entities, 5 s")),
]


@pytest.mark.parametrize("kind", ["dilate", "erode", "jitter"])
@pytest.mark.parametrize("video", VIDEOS)
def test_masks_from_noisy_polygons(real_data: Path, tmp_path: Path, video: str, kind: str) -> None:
    source = real_data / "visor" / f"{video}.json.gz"
    out = corrupt(source, kind, rate=1, out=tmp_path / "out").out
    before, after = read_video(source), read_video(out / source.stem)
    ious = []
    for clean, noisy in zip(before.frames, after.frames, strict=True):
        for one, two in zip(clean.entities, noisy.entities, strict=True):
            assert (one.entity_id, one.contact) == (two.entity_id, two.contact)
            masks = [fill_polygons(entity.polygons).to_image(FULL) for entity in (one, two)]
            ious.append((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
            for polygon in two.polygons:
                assert shapely.Polygon(polygon).is_valid
                assert (polygon >= 0).all()
                assert (polygon <= (FULL[1], FULL[0])).all()
    assert np.median(ious) == pytest.approx(0.8, abs=0.01)
    assert np.quantile(ious, [0.05, 0.95]) == pytest.approx(0.8, abs=0.04)


def test_a_real_copy_is_verified(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "visor/val/P32_07.json.gz"
    done = corrupt(source, "boundary", rate=0.5, out=tmp_path / "out")
    assert verify(done.out, source).ok
    assert done.summary["split"] == "P32_07"
