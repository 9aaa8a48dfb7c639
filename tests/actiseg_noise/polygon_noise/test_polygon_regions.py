"""Polygons to regions and back, compared with counts of sample points."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from actiseg_noise.polygon_noise.image_border import extend_region
from actiseg_noise.polygon_noise.lattice_polygons import (
    LATTICE,
    MOST_POINTS,
    list_polygons,
    simplify_region,
    snap_region,
)
from actiseg_noise.polygon_noise.polygon_regions import build_entity_region, measure_iou
from tests.actiseg_noise.polygon_noise.shapes import SIZE, blob, rasterise, rectangle

BOW_TIE = np.array([[20, 20], [120, 120], [120, 20], [20, 120]], float)
ENTITIES = {
    "one": ([blob(150, 150, 60)], False),
    "a hole": ([blob(150, 150, 80), blob(150, 150, 30)], False),
    "a hole drawn first": ([blob(150, 150, 30), blob(150, 150, 80)], False),
    "an island in a hole": (
        [blob(150, 150, 80), blob(150, 150, 40), blob(150, 150, 12)],
        False,
    ),
    "two parts with a hole each": (
        [blob(90, 90, 50), blob(280, 180, 60), blob(90, 90, 20), blob(280, 180, 20)],
        False,
    ),
    "overlapping parts": ([rectangle(20, 20, 100, 100), rectangle(60, 60, 160, 160)], True),
    "a bow tie": ([BOW_TIE], True),
    "a bow tie with a hole": ([BOW_TIE, rectangle(28, 60, 36, 80)], True),
    "the same polygon twice, and another": (
        [blob(90, 90, 50), blob(90, 90, 50), blob(280, 180, 60)],
        True,
    ),
    "beyond the image": ([rectangle(-30, 100, 60, 340)], False),
    "an edge there and back": (
        [np.array([[20, 20], [200, 20], [200, 200], [320, 200], [200, 200], [20, 200]], float)],
        True,
    ),
    "edges of another polygon": (
        [rectangle(20, 20, 120, 120), rectangle(120, 20, 200, 120), rectangle(20, 120, 200, 200)],
        True,
    ),
    "a lattice walk": (
        [20 * np.random.default_rng(3).integers(0, 15, (14, 2)).astype(float)],
        True,
    ),
    "repeated points": ([np.repeat(blob(150, 150, 60), 2, axis=0)], False),
}


@pytest.mark.parametrize("name", ENTITIES)
def test_a_region_covers_what_even_odd_filling_covers(name: str) -> None:
    polygons, is_repaired = ENTITIES[name]
    region = build_entity_region(polygons, SIZE)
    assert region.is_repaired is is_repaired
    assert region.visible.is_valid
    expected = rasterise(polygons, zoom=4).sum() / 16
    assert region.area == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", ENTITIES)
def test_snapped_polygons_give_the_region(name: str) -> None:
    polygons, _ = ENTITIES[name]
    region = build_entity_region(polygons, SIZE)
    snapped, _ = snap_region(region.visible, SIZE)
    made = list_polygons(snapped, polygons)
    assert measure_iou(region.visible, snapped) > 0.99
    assert np.array_equal(rasterise(made), rasterise(made[::-1]))
    assert rasterise(made, zoom=4).sum() / 16 == pytest.approx(region.area, rel=0.01)
    for polygon in made:
        assert len(polygon) >= 3
        assert shapely.Polygon(polygon).is_valid
        assert np.array_equal(np.rint(polygon * LATTICE), polygon * LATTICE)
        assert (polygon >= 0).all()
        assert (polygon <= (SIZE[1], SIZE[0])).all()


def test_rings_that_are_too_tangled_have_no_area() -> None:
    random = np.random.default_rng(0)
    tangle = random.uniform(0, 300, (3_000, 2))
    clean = build_entity_region([tangle, rectangle(20, 20, 120, 120)], SIZE)
    assert (clean.area, clean.is_repaired) == (0, True)
    star = random.uniform(0, 300, (60, 2))
    expected = rasterise([star], zoom=4).sum() / 16
    assert build_entity_region([star], SIZE).area == pytest.approx(expected, rel=0.01)


def test_polygons_keep_the_order_of_the_clean_ones() -> None:
    polygons = ENTITIES["two parts with a hole each"][0]
    region = build_entity_region(polygons, SIZE).visible
    made = list_polygons(snap_region(region, SIZE)[0], polygons)
    centres = [polygon.mean(axis=0) for polygon in made]
    assert [len(made)] == [len(polygons)]
    for centre, polygon, clean in zip(centres, made, polygons, strict=True):
        assert np.allclose(centre, clean.mean(axis=0), atol=2)
        assert np.ptp(polygon[:, 0]) == pytest.approx(np.ptp(clean[:, 0]), abs=0.5)


def test_too_many_vertices_are_thinned_out() -> None:
    angle = 2 * np.pi * np.arange(9_000) / 9_000
    radius = 100 + 2 * (np.arange(9_000) % 2)
    comb = np.stack([150 + radius * np.cos(angle), 150 + radius * np.sin(angle)], axis=1)
    snapped, _ = snap_region(build_entity_region([comb], SIZE).visible, SIZE)
    assert sum(map(len, list_polygons(snapped, [comb]))) <= MOST_POINTS
    assert snapped.area == pytest.approx(np.pi * 101**2, rel=0.03)


def test_thinning_refuses_rings_that_would_cross() -> None:
    bump = np.array([[50, 50], [100, 49.2], [150, 50], [150, 90], [50, 90]], float)
    region = build_entity_region([bump, rectangle(99, 49.6, 101, 60)], SIZE).visible
    assert region.is_valid
    finely = simplify_region(region, 2)
    assert finely is not None
    assert finely.area == pytest.approx(region.area, rel=1e-3)
    assert simplify_region(region, 16) is None  # without the bump, the hole crosses the outline


@pytest.mark.parametrize(
    ("polygon", "bounds"),
    [
        (rectangle(100, 100, 200, 200), (100, 100, 200, 200)),
        (rectangle(1.5, 100, 200, 200), (-400, 100, 200, 200)),
        (rectangle(100, 100, 399, 200), (100, 100, 800, 200)),
        (rectangle(0, 0, 200, 200), (-400, -400, 200, 200)),
        (rectangle(300, 200, 400, 300), (300, 200, 800, 700)),
        (rectangle(100, 3, 200, 200), (100, 3, 200, 200)),
        (rectangle(-20, 100, 200, 330), (-400, 100, 200, 700)),
    ],
)
def test_a_region_continues_beyond_the_border_that_cuts_it(
    polygon: np.ndarray, bounds: tuple[float, ...]
) -> None:
    clean = build_entity_region([polygon], SIZE)
    extended = extend_region(clean)
    assert extended.bounds == bounds
    assert extended.is_valid
    corner = extended.intersection(shapely.box(0, 0, SIZE[1], SIZE[0]))
    assert corner.area == pytest.approx(clean.area, abs=400)
    if bounds[0] < 0 and bounds[1] < 0:
        assert extended.contains(shapely.Point(-100, -100))
