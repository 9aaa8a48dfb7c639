"""VISOR's dense interpolations: read, numbered, and prepared."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, MASKS, WEIGHTS
from actiseg_data.layouts.visor_json import SMALL, join_frames, read_video
from actiseg_data.make.prepare.dense_mapping import extend_mapping
from tests.helpers.visor_files import CLASSES, VIDEO, VisorFiles, narration, rectangle, scene


def thing(name: str, *polygons: list[list[float]], kind: int = 0, **more: Any) -> dict[str, Any]:
    made = {"id": f"{name}-{kind}", "name": name, "class_id": CLASSES[name], "type": kind}
    return made | {"segments": list(polygons)} | more


def dense(
    number: int, run: int, *things: dict[str, Any], marked: bool = True, **more: Any
) -> dict[str, Any]:
    """A frame as VISOR's interpolations have it; marked: with the fields that say so."""
    name = f"{VIDEO}_frame_{number:010d}.png"
    image = {"image_path": f"{VIDEO}/{name}", "name": name, "video": VIDEO}
    if marked:
        image |= {"interpolation": run, "interpolation_start_frame": name}
    return {"image": image, "annotations": list(things)} | more


CUP, PLATE = rectangle(100, 100, 80, 60), rectangle(400, 200, 90, 70)
HAND = rectangle(160, 120, 50, 50)


@pytest.fixture
def files(tmp_path: Path) -> VisorFiles:
    """Frames 10 to 20 and 20 to 24, at both ends of which a person drew."""
    frames = [
        dense(n, 7, thing("cup", CUP), thing("right hand", HAND), thing("plate", PLATE))
        for n in range(10, 21)
    ]
    frames += [dense(n, 8, thing("cup", CUP, kind=1), thing("tap", HAND)) for n in range(20, 25)]
    mapping = {10: 11, 20: 21, 24: 24}
    return VisorFiles(
        tmp_path,
        videos={VIDEO: frames},
        rows=[narration(0, 11, 16), narration(1, 17, 40, "turn-on tap")],
        mapping={
            VIDEO: {
                f"{VIDEO}_frame_{visor:010d}.jpg": f"frame_{epic:010d}.jpg"
                for visor, epic in mapping.items()
            }
        },
    )


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_dense_interpolations_are_recognised(files: VisorFiles, marked: bool, packed: bool) -> None:
    frames = [dense(n, 1, thing("cup", CUP), marked=marked) for n in range(5)]
    path = files.write_json("P01_01_interpolations.json", {"video_annotations": frames})
    if packed:
        plain, path = path, path.with_name(f"{path.name}.gz")
        path.write_bytes(gzip.compress(plain.read_bytes()))
    video = read_video(path)
    assert (video.name, video.is_dense, video.size) == (VIDEO, True, SMALL)
    assert [frame.subsequence for frame in video.frames] == ["1" if marked else ""] * 5
    (entity,) = video.frames[0].entities
    assert (entity.name, entity.exhaustive, entity.contact) == ("cup", "", None)


def test_fields_that_interpolations_may_lack(files: VisorFiles) -> None:
    nameless = [{key: thing("cup", CUP)[key] for key in ("name", "class_id", "segments")}] * 2
    path = files.write_json("a.json", {"video_annotations": [dense(1, 1, *nameless)]})
    assert [entity.entity_id for entity in read_video(path).frames[0].entities] == ["", ""]
    bad = [dense(1, 1, thing("cup", CUP, class_id="x"), {"id": "1"}), dense(2, 1, *nameless)]
    path = files.write_json("b.json", {"video_annotations": bad})
    with pytest.raises(InputError) as caught:
        read_video(path)
    assert len(caught.value.problems) == 4  # a class, and three fields of an entity
    sparse = files.write_json("c.json", {"video_annotations": [scene(10), scene(10)]})
    with pytest.raises(InputError, match="twice"):
        read_video(sparse)


def test_the_frame_between_two_interpolations_has_the_entities_of_both(files: VisorFiles) -> None:
    path = files.write_json("a.json", {"video_annotations": files.videos[VIDEO]})
    frames = join_frames(read_video(path))
    assert len(frames) == 15
    joined = frames[f"{VIDEO}_frame_{20:010d}.png"]
    names = [(entity.name, entity.entity_id) for entity in joined.entities]
    assert names == [
        *[("cup", "cup-0"), ("right hand", "right hand-0"), ("plate", "plate-0"), ("tap", "tap-0")]
    ]


def test_a_dense_split_has_all_frames_of_the_actions(files: VisorFiles) -> None:
    report = files.prepare()
    assert (report.sequences, report.frames, report.masks) == (2, 14, 14)
    assert report.findings["dense_videos"] == (VIDEO,)
    assert report.findings["joined_frames"] == (f"{VIDEO}_frame_{20:010d}.png",)
    # 24 is EPIC's 24; with a shift of +1 at 20 and of 0 at 24, 21 to 23 become 22, 23, 23.
    assert report.findings["frames_without_mapping"] == (f"{VIDEO}_frame_{23:010d}.png",)
    assert report.counts["contacts_outside_frame"] == report.counts["dropped_frames"] == 0
    assert not report.numbering.published
    assert "dense interpolations" in report.numbering.note
    take, turn = json.loads((files.out / "ImageSets/val.json").read_text())
    assert take["sparse_frames"] == [f"frame_{n:010d}.jpg" for n in range(11, 17)]
    assert turn["sparse_frames"] == [
        f"frame_{n:010d}.jpg" for n in (17, 18, 19, 20, 21, 22, 23, 24)
    ]
    labels = {entry["name"]: entry for entry in take["object_classes"].values()}
    flags = {
        name: [entry[flag] for flag in ("handbox", "narration", "positive")]
        for name, entry in labels.items()
    }
    assert flags == {"cup": [0, 1, 1], "plate": [0, 0, 0], "right hand": [1, 0, 1]}


def test_masks_and_weights_are_drawn_without_resampling(files: VisorFiles) -> None:
    files.prepare()
    place = Path("val") / f"00000001_{VIDEO}_take_cup" / "frame_0000000011.png"
    mask = read_index_mask(files.out / MASKS / place)
    expected = np.zeros(SMALL, np.uint8)
    for object_id, polygon in ((1, CUP), (3, HAND), (2, PLATE)):
        cv2.fillPoly(expected, [np.array(polygon, np.int32)], object_id)
    assert np.array_equal(mask, expected)
    weights = read_index_mask(files.out / WEIGHTS / place)
    assert {int(value) for value in np.unique(weights)} == {1, 2, 3}
    assert (weights[mask == 1] == 2).all()  # named in the narration
    assert (weights[mask == 2] == 3).all()


def test_frames_of_the_size_of_interpolations_are_not_odd(files: VisorFiles) -> None:
    images = files.folder / "images" / VIDEO
    images.mkdir(parents=True)
    for number in range(10, 25):
        size = (360, 640, 3) if number == 12 else (*SMALL, 3)
        cv2.imwrite(str(images / f"{VIDEO}_frame_{number:010d}.jpg"), np.zeros(size, np.uint8))
    report = files.prepare(images=files.folder / "images")
    assert report.images == 14
    assert report.findings["images_of_another_size"] == (f"{VIDEO}_frame_{12:010d}.png: 640 x 360",)
    assert len(list((files.out / FRAMES / "val").rglob("*.jpg"))) == 14


def test_sparse_and_dense_videos_may_be_mixed(files: VisorFiles) -> None:
    files.videos["P01_02"] = [scene(n, "P01_02") for n in (10, 20)]
    files.rows.append(narration(0, 10, 20, video="P01_02"))
    assert files.mapping is not None
    files.mapping["P01_02"] = {
        f"P01_02_frame_{n:010d}.jpg": f"frame_{n:010d}.jpg" for n in (10, 20)
    }
    report = files.prepare()
    assert report.sequences == 3
    assert report.findings["dense_videos"] == (VIDEO,)
    sequences = json.loads((files.out / "ImageSets/val.json").read_text())
    boxes = [
        entry["handbox"]
        for entry in sequences[2]["object_classes"].values()
        if entry["name"] == "cup"
    ]
    assert boxes == [1]


@pytest.mark.parametrize(
    ("numbers", "known", "expected"),
    [
        ((10, 12, 14), {10: 10, 14: 14}, (10, 12, 14)),
        ((8, 10, 16), {10: 13, 14: 17}, (11, 13, 19)),
        ((10, 11, 12, 13, 14), {10: 10, 14: 16}, (10, 12, 13, 15, 16)),
        ((10, 11, 12, 13, 14), {10: 12, 14: 14}, (12, 13, None, None, 14)),
        ((10, 11), {}, (None, None)),
    ],
)
def test_numbers_between_annotated_frames(
    numbers: tuple[int, ...], known: dict[int, int], expected: tuple[int | None, ...]
) -> None:
    mapping = {f"v_frame_{a}.jpg": f"frame_{b:010d}" for a, b in known.items()}
    names = [f"v_frame_{n}.png" for n in numbers]
    extended = extend_mapping([*names, "v_frame_.png"], mapping)
    values = [extended.get(name) for name in names]
    assert values == [None if n is None else f"frame_{n:010d}" for n in expected]
    assert len(set(extended.values())) == len(extended)
