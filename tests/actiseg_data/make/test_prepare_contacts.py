"""Hands and what they touch, and the drawing rules, each checked against a plainer way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from actiseg_data.annotations.polygons import Patch, _paint_spans
from actiseg_data.core.errors import InputError
from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.visor_document import fill_polygons
from actiseg_data.layouts.visor_json import FULL, SMALL, Frame, read_video
from actiseg_data.make.prepare.contacts import (
    HANDS,
    HeldEntity,
    are_close,
    correct_contacts,
    find_held_entities,
    is_dropped,
    iterate_touches,
)
from actiseg_data.make.prepare.polygon_fills import Fills, sample_map, sample_patch
from tests.helpers.visor_files import VisorFiles, entity, entity_id, frame, rectangle

N = 10


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def as_frame(*entities: dict[str, Any]) -> Frame:
        document = {"video_annotations": [frame(N, *entities)]}
        return read_video(VisorFiles(tmp_path).write_json("video.json", document)).frames[0]

    return as_frame


def hand(side: str = "left", left: int = 100, **more: Any) -> dict[str, Any]:
    return entity(f"{side} hand", N, rectangle(left, 100, 80, 80), **more)


def cup(left: int = 185, name: str = "cup") -> dict[str, Any]:
    return entity(name, N, rectangle(left, 100, 50, 50))


def glove(left: int = 185, worn_on: Any = ("left hand",), **more: Any) -> dict[str, Any]:
    worn = list(worn_on) if isinstance(worn_on, tuple) else worn_on
    return entity("glove", N, rectangle(left, 100, 50, 50), on_which_hand=worn, **more)


def boxes(of: Frame) -> list[tuple[int, int, int, int]]:
    return [held.box for held in find_held_entities(correct_contacts(of, {}), Fills())]


def test_a_hand_near_what_it_touches_gives_its_box(read: Any) -> None:
    assert boxes(read(hand(touches="cup"), cup())) == [(185, 100, 50, 50)]


def test_each_hand_gives_a_box(read: Any) -> None:
    both = read(hand(touches="cup"), hand("right", 240, touches="cup"), cup())
    assert boxes(both) == [(185, 100, 50, 50)] * 2


@pytest.mark.parametrize(("left", "count"), [(190, 1), (191, 0)])
def test_reach_is_ten_pixels(read: Any, left: int, count: int) -> None:
    assert len(boxes(read(hand(touches="cup"), cup(left)))) == count


def test_only_polygons_near_the_hand_count(read: Any) -> None:
    parts = [rectangle(185, 100, 50, 50), rectangle(900, 900, 50, 50), rectangle(150, 60, 20, 35)]
    assert boxes(read(hand(touches="cup"), entity("cup", N, *parts))) == [(150, 60, 85, 90)]


@pytest.mark.parametrize(
    "contact", ["hand-not-in-contact", "none-of-the-above", "inconclusive", "0" * 32, None]
)
def test_no_contact_gives_no_box(read: Any, contact: str | None) -> None:
    assert boxes(read(hand(in_contact_object=contact), cup())) == []


def test_contacts_with_nothing_in_the_frame_are_told(read: Any) -> None:
    (touch,) = iterate_touches(read(hand(in_contact_object="0" * 32), cup()))
    assert touch.thing is None


def test_a_worn_glove_joins_its_hand_and_its_own_contact_counts(read: Any) -> None:
    worn = read(hand(touches="glove"), glove(touches="cup"), cup(240))
    assert boxes(worn) == [(240, 100, 50, 50)]


@pytest.mark.parametrize(
    "contact", ["glove-not-in-contact", "none-of-the-above", "inconclusive", None]
)
def test_a_worn_glove_without_contact_gives_no_box(read: Any, contact: str | None) -> None:
    assert boxes(read(hand(touches="glove"), glove(in_contact_object=contact), cup(240))) == []


@pytest.mark.parametrize("worn_on", [None, ("right hand",), "inconclusive"])
def test_a_glove_not_on_this_hand_is_a_thing(read: Any, worn_on: Any) -> None:
    frame_ = read(hand(touches="glove"), glove(worn_on=worn_on, in_contact_object=None))
    assert boxes(frame_) == [(185, 100, 50, 50)]


@pytest.mark.parametrize(
    ("worn_on", "count"),
    [(("left hand",), 1), (("left hand", "rigth hand"), 1), ("inconclusive", 1), (None, 0)],
)
def test_a_glove_whose_hands_are_absent_is_a_hand(read: Any, worn_on: Any, count: int) -> None:
    assert len(boxes(read(glove(worn_on=worn_on, touches="cup"), cup(240)))) == count


def test_a_worn_glove_whose_hand_is_there_is_no_hand(read: Any) -> None:
    idle = hand(in_contact_object="hand-not-in-contact")
    assert boxes(read(idle, glove(touches="cup"), cup(240))) == []


def test_corrections(read: Any) -> None:
    raw = read(
        hand(in_contact_object="inconclusive"),
        glove(worn_on=("left hand", "rigth hand"), touches="cup"),
        entity("oven glove", N, rectangle(0, 0, 9, 9), touches="cup"),
        cup(),
    )
    fixed = correct_contacts(raw, {raw.name: {"left hand": entity_id("cup", N)}}).entities
    assert fixed[0].contact == entity_id("cup", N)
    assert fixed[1].worn_on == HANDS
    assert fixed[2].contact is None
    assert fixed[3] is raw.entities[3]


@pytest.mark.parametrize(
    ("entities", "dropped"),
    [
        ([hand(touches="cup"), cup()], False),
        ([hand(in_contact_object="none-of-the-above")], True),
        ([hand(in_contact_object="inconclusive")], True),
        ([hand(in_contact_object="hand-not-in-contact")], False),
        ([glove(in_contact_object="inconclusive")], True),
        ([glove(worn_on="inconclusive", in_contact_object="none-of-the-above")], True),
        ([glove(worn_on=None, in_contact_object="inconclusive")], False),
        ([glove(worn_on="inconclusive", in_contact_object=None)], False),
        ([glove(worn_on=("left hand", "rigth hand"), touches="cup"), cup()], True),
    ],
)
def test_dropped_frames(read: Any, entities: list[dict[str, Any]], dropped: bool) -> None:
    assert is_dropped(correct_contacts(read(*entities), {})) is dropped


@pytest.mark.parametrize(
    ("box", "rows", "columns", "cut"),
    [
        ((10, 20, 30, 40), (20, 60), (10, 40), False),
        ((-2, -1, 30, 40), (0, 39), (0, 28), True),
        ((1900, 1070, 50, 30), (1070, 1080), (1900, 1920), True),
    ],
)
def test_boxes_are_cut_to_the_image(
    box: tuple[int, int, int, int], rows: tuple[int, int], columns: tuple[int, int], cut: bool
) -> None:
    held = HeldEntity(box, ())
    assert held.window == (slice(*rows), slice(*columns))
    assert held.is_cut is cut


def test_closeness_is_that_of_grown_shapes() -> None:
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(200):
        first, second = (
            Patch(*map(int, random.integers(0, 30, 2)), random.random((6, 7)) < 0.15)
            for _ in range(2)
        )
        grown = [binary_dilation(p.to_image((40, 40)), iterations=5) for p in (first, second)]
        overlap = bool((grown[0] & grown[1]).any())
        assert are_close(first, second) is overlap
        seen.add(overlap)
    assert seen == {True, False}


def test_polygons_far_outside_cost_nothing() -> None:
    far = 90_000.0
    corners = [[far, -far], [far, far]] * 4000
    zigzag = np.array([[100.0, 100.0], *corners, [100.0, 200.0]])
    assert fill_polygons((zigzag,)).mask.shape == (1080, 1820)
    assert fill_polygons((zigzag + 2000,)).mask.size == 0


def test_opencv_that_cannot_be_loaded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match="opencv-python-headless"):
        load_cv2.__wrapped__()


def test_sampling_is_pillows_nearest() -> None:
    random = np.random.default_rng(0)
    full = random.integers(0, 255, FULL, np.uint8)
    small = Image.fromarray(full).resize((SMALL[1], SMALL[0]), Image.Resampling.NEAREST)
    assert np.array_equal(sample_map(full), np.asarray(small))


@pytest.mark.parametrize(("top", "left"), [(0, 0), (1, 1), (537, 811), (1049, 1881), (1079, 1919)])
def test_sampling_a_patch_is_sampling_the_frame(top: int, left: int) -> None:
    size = min(30, FULL[0] - top), min(40, FULL[1] - left)
    patch = Patch(top, left, np.random.default_rng(0).random(size) < 0.5)
    assert np.array_equal(
        sample_patch(patch).to_image(SMALL),
        sample_map(patch.to_image(FULL).view(np.uint8)).astype(bool),
    )


@pytest.mark.parametrize("count", [9, 32_768, 65_536])
def test_any_number_of_spans_may_meet(count: int) -> None:
    spans = np.zeros(count, np.int64), np.ones(count, np.int64), np.full(count, 3)
    assert _paint_spans(*spans, (0, 0, 1, 4)).tolist() == [[False, True, True, False]]
