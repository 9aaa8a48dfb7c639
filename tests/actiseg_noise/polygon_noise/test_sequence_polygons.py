"""The noise of the polygons of one VISOR document."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from actiseg_data.layouts.mask_document import DocumentChange
from actiseg_data.layouts.visor_document import VisorDocument, make_visor_document
from actiseg_data.layouts.visor_json import parse_video
from actiseg_noise.polygon_noise.sequence_polygons import (
    SequencePolygons,
    corrupt_polygons,
    draw_polygon_selection,
)
from tests.helpers.visor_folders import make_document, polygon_recipe

PATH = Path("P01_01.json")


def read(document: dict[str, Any]) -> VisorDocument:
    return make_visor_document(document, parse_video(document, PATH), str(PATH))


def corrupt(document: dict[str, Any], kind: str = "jitter", rate: float = 1.0) -> SequencePolygons:
    recipe = polygon_recipe(kind, rate)
    noise = recipe.polygon_noise
    assert noise is not None
    opened = read(document)
    return corrupt_polygons(opened.sequences[0], opened, noise, recipe.seed, rate)


def write(document: dict[str, Any], kind: str = "jitter") -> dict[str, Any]:
    """The noisy document."""
    opened = read(document)
    views = opened.sequences[0].views
    made = opened.replace(
        {
            ("P01_01", views[n].frame, views[n].objects[0].object_id): DocumentChange(segment)
            for n, segment in corrupt(document, kind).segments.items()
        }
    )
    assert made is not None
    return made


def take_segments(document: dict[str, Any]) -> list[Any]:
    return [
        entity.pop("segments")
        for frame in document["video_annotations"]
        for entity in frame["annotations"]
    ]


@pytest.mark.parametrize("kind", ["dilate", "erode", "jitter", "boundary"])
def test_only_the_polygons_change(kind: str) -> None:
    clean = make_document()
    before = json.dumps(clean)
    noisy = write(clean, kind)
    assert json.dumps(clean) == before
    noisy = json.loads(json.dumps(noisy))
    old, new = take_segments(clean), take_segments(noisy)
    assert json.dumps(noisy) == json.dumps(clean)  # order of keys included
    changed = [one != two for one, two in zip(old, new, strict=True)]
    assert changed == [True] * 6 + [False, True, False]  # no polygon; outside of the image
    for segments in (two for two, new_one in zip(new, changed, strict=True) if new_one):
        for polygon in segments:
            assert shapely.Polygon(polygon).is_valid
            assert np.array(polygon).min() >= 0
            assert all(type(x) is float for point in polygon for x in point)
    assert len(new[3]) == 2  # the hole stays
    assert len(new[7]) == 1  # the polygon of two points does not


def test_rows_and_counts() -> None:
    made = corrupt(make_document())
    assert [row.object for row in made.rows] == [
        *("cup", "plate", "right hand", "cup", "cup", "left hand", "glove", "tap")
    ]
    # In the order of their names: cup, cup#2, glove, left hand, plate, right hand, tap.
    assert [row.object_id for row in made.rows] == [1, 5, 6, 1, 2, 4, 3, 7]
    frames = [row.frame for row in made.rows]
    assert frames == [f"P01_01_frame_{n:010d}" for n in (10, 10, 10, 20, 20, 20, 30, 30)]
    glove = made.rows[-2]
    assert (glove.status, glove.iou, glove.area) == ("short", 1.0, 0)
    assert +made.tally == {
        "items": 8,
        "kept": 1,
        "short_polygons": 1,
        "polygons_clean": 9,
        "polygons_noisy": 9,
    }


def test_a_higher_rate_changes_the_same_entities_and_more() -> None:
    document = make_document()
    before: dict[str, str] = {}
    for rate in (0.0, 0.3, 0.6, 1.0):
        made = corrupt(document, rate=rate)
        rows = {f"{row.frame} {row.object_id}": row.to_json() for row in made.rows}
        assert before.items() <= rows.items()
        before = rows
    draws = draw_polygon_selection(0, read(document).sequences[0])
    assert len(draws) == len(before) == 8
    assert len(corrupt(document, rate=0.6).rows) == sum(draw < 0.6 for draw in draws)


def test_a_part_of_a_document_gets_the_noise_of_the_whole() -> None:
    document = make_document()
    whole = write(document)["video_annotations"]
    part = copy.deepcopy(document)
    part["video_annotations"] = part["video_annotations"][1:2]
    del part["video_annotations"][0]["annotations"][2]
    made = write(part)["video_annotations"]
    assert made[0]["annotations"] == whole[1]["annotations"][:2]


def test_equal_names_of_a_frame_get_noise_of_their_own() -> None:
    document = make_document()
    things = document["video_annotations"][1]["annotations"]
    things[1]["segments"] = copy.deepcopy(things[0]["segments"])
    made = write(document)["video_annotations"][1]["annotations"]
    assert made[0]["segments"] != made[1]["segments"]


def test_interpolated_frames_have_their_own_size() -> None:
    document = make_document()
    for one in document["video_annotations"]:
        one["image"]["interpolation"] = 1
        for entity in one["annotations"]:
            entity.pop("exhaustive")
            entity["segments"] = [
                [[x * 854 / 1920, y * 480 / 1080] for x, y in polygon]
                for polygon in entity["segments"]
            ]
    made = corrupt(document)
    hand = write(document)["video_annotations"][1]["annotations"][2]["segments"][0]
    assert np.array(hand).max(axis=0)[1] == 480
    assert np.array(hand).min(axis=0)[0] == 0
    assert made.rows[5].iou == pytest.approx(0.8, abs=0.02)
