from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from actiseg_data.annotations.masks import IndexMask, digest_pixels
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS
from actiseg_data.layouts.image_sets import PROMPT_STYLES
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.make import render
from actiseg_data.make.sample import is_whole_sample, make_sample, make_sized_sample
from actiseg_data.make.sample import sample_writing as writing
from actiseg_data.make.sample.catalogue import ACTIONS, CLASS_IDS, LOOK_ALIKES, THINGS
from actiseg_data.make.sample.hands import list_holds
from actiseg_data.make.sample.object_outlines import make_outlines
from actiseg_data.records.rendered_note import has_rendered_frames
from tests.helpers.command import run

GOLDEN = "973bb5af47cfe221950062d7a83c29e3"
HANDS = ("left hand", "right hand")


@pytest.fixture(scope="module")
def splits(sample: Path) -> dict[str, Split]:
    return {name: open_split(sample, name) for name in ("train", "val", "val_human")}


@pytest.fixture(scope="module")
def masks(splits: dict[str, Split]) -> dict[str, list[IndexMask]]:
    """Masks by sequence folder; reading them checks sizes and ids."""
    return {
        sequence.folder: splits[name].read_masks(sequence)
        for name in ("train", "val")
        for sequence in splits[name].sequences
    }


def every(splits: dict[str, Split], *names: str) -> list[tuple[VideoSequence, ObjectLabel]]:
    return [
        (sequence, label)
        for name in names or ("train", "val")
        for sequence in splits[name].sequences
        for label in sequence.objects
    ]


def parts_and_holes(mask: IndexMask, object_id: int) -> tuple[int, int]:
    """Parts, and background-side components that do not reach the border."""
    inside = np.pad((mask == object_id).astype(np.uint8), 1)
    parts = cv2.connectedComponents(inside, connectivity=8)[0] - 1
    return parts, cv2.connectedComponents(1 - inside, connectivity=4)[0] - 2


def test_masks_and_lists_are_golden(sample: Path, splits: dict[str, Split]) -> None:
    """The digest in the marker, recomputed from what is on disk."""
    digests = {
        f"{name}/{sequence.folder}/{frame}": digest_pixels(mask)
        for name in ("train", "val")
        for sequence in splits[name].sequences
        for frame, mask in zip(sequence.frames, splits[name].read_masks(sequence), strict=True)
    }
    documents = {
        path.name: json.loads(path.read_text("utf-8")) for path in (sample / IMAGE_SETS).iterdir()
    }
    digest = digest_json({"masks": digests, "image_sets": documents})
    assert digest == json.loads((sample / "sample.json").read_text())["digest"]
    assert digest == GOLDEN


@pytest.mark.slow
def test_another_process_with_another_hash_seed_makes_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from actiseg_data.make.sample import make_sample;"
        "print(make_sample(Path(sys.argv[1])).digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "again")],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == GOLDEN


def test_layout_is_complete_and_small(sample: Path, splits: dict[str, Split]) -> None:
    sizes = [path.stat().st_size for path in sample.rglob("*") if path.is_file()]
    assert sum(sizes) < 5_000_000
    assert not list(sample.parent.glob("*.partial"))
    assert "Apache-2.0" in (sample / "LICENSE").read_text()
    assert "synthetic" in (sample / "NOTICE").read_text()
    for split in splits.values():
        objects = split.read_objects()
        for style in PROMPT_STYLES:
            prompts = split.read_expressions(style)
            assert set(prompts) == set(objects) == {s.folder for s in split.sequences}
        for sequence in split.sequences:
            for frame in sequence.frames:
                picture = cv2.imread(str(split.find_folder(FRAMES, sequence) / f"{frame}.jpg"))
                assert picture is not None
                assert picture.shape == (240, 428, 3)


def test_sequences_are_numbered_and_named_as_published_ones(splits: dict[str, Split]) -> None:
    both = splits["train"].sequences + splits["val"].sequences
    assert [s.seq_id for s in both] == list(range(1, len(both) + 1))
    assert len({s.identity for s in both}) == len(both)
    assert [s.folder for s in splits["val"].sequences] == [
        s.folder for s in splits["val_human"].sequences
    ]
    assert "00000003_S01_01_take_board:cutting" in {s.folder for s in both}
    participants = [
        {s.video.split("_")[0] for s in splits[name].sequences} for name in ("train", "val")
    ]
    assert participants == [{"S01", "S02", "S03", "S04"}, {"S05", "S06"}]
    counts = [len(s.frames) for s in both]
    assert min(counts) == 2
    assert max(counts) == 8
    assert {3, 4} < set(counts)
    for s in both:
        numbers = [int(frame.removeprefix("frame_")) for frame in s.frames]
        assert s.start <= numbers[0] < numbers[-1] <= s.end
        assert numbers == sorted(set(numbers))
        names = [label.name for label in s.objects]
        assert names == sorted(names)
        assert [label.object_id for label in s.objects] == list(range(1, len(names) + 1))
    for before, after in pairwise(both):
        assert before.video != after.video or before.end < after.start


def test_every_listed_object_is_in_sight_somewhere(
    splits: dict[str, Split], masks: dict[str, list[IndexMask]]
) -> None:
    for sequence, label in every(splits):
        assert any((mask == label.object_id).any() for mask in masks[sequence.folder])


def test_labels_follow_the_rules(splits: dict[str, Split]) -> None:
    nouns = {action.narration: {action.noun_class, *action.also} for action in ACTIONS}
    for sequence, label in every(splits, "train", "val", "val_human"):
        assert label.class_id == CLASS_IDS[label.name]
        assert label.narration == (label.class_id in nouns[sequence.narration])
        assert label.handbox or label.name not in HANDS
    for _, label in every(splits):
        assert label.positive == (label.handbox or label.narration)


def test_a_person_disagrees_now_and_then(splits: dict[str, Split]) -> None:
    pairs = [
        (pseudo.positive, human.positive, human.name in HANDS)
        for (_, pseudo), (_, human) in zip(
            every(splits, "val"), every(splits, "val_human"), strict=True
        )
    ]
    assert (True, False, False) in pairs  # lay in the box by chance
    assert (True, False, True) in pairs  # an idle hand
    assert (False, True, False) in pairs  # used, but neither near a hand nor named
    assert np.mean([pseudo == human for pseudo, human, _ in pairs]) > 0.8
    flagged = [
        s for s in splits["val_human"].sequences if s.redundant or s.missing or s.flagged_other
    ]
    assert 1 <= len(flagged) <= 5
    assert not any(s.redundant or s.missing or s.flagged_other for s in splits["val"].sequences)


def test_some_sequences_have_no_active_object(splits: dict[str, Split]) -> None:
    for split in splits.values():
        assert any(not any(o.positive for o in s.objects) for s in split.sequences)


def test_hard_shapes_occur(splits: dict[str, Split], masks: dict[str, list[IndexMask]]) -> None:
    seen = dict.fromkeys(("absent", "cut", "hole", "parts", "thin", "tiny", "large"), 0)
    for sequence, label in every(splits):
        for mask in masks[sequence.folder]:
            inside = mask == label.object_id
            area = int(inside.sum())
            if not area:
                seen["absent"] += 1
                continue
            edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
            parts, holes = parts_and_holes(mask, label.object_id)
            width = 2 * cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 5)
            seen["cut"] += bool(edge.any()) and label.name not in HANDS
            seen["hole"] += holes > 0
            seen["parts"] += parts > 1
            seen["thin"] += area > 200 and width.max() < 12
            seen["tiny"] += area < 150
            seen["large"] += area > 10_000
    assert all(count >= 5 for count in seen.values()), seen


def test_names_share_classes_and_masks_touch(
    splits: dict[str, Split], masks: dict[str, list[IndexMask]]
) -> None:
    assert any(
        len({o.class_id for o in s.objects}) < len(s.objects) for s in splits["train"].sequences
    )
    touching = 0
    for frames in masks.values():
        right, left = frames[0][:, 1:], frames[0][:, :-1]
        touching += bool(((right != left) & (right > 0) & (left > 0)).any())
    assert touching > 0.8 * len(masks)


def test_geometry_tells_activity(
    splits: dict[str, Split], masks: dict[str, list[IndexMask]]
) -> None:
    """What hands touch is mostly active, and most active things are touched."""
    touched = {True: [0, 0], False: [0, 0]}
    for sequence, label in every(splits, "val_human"):
        hands = [o.object_id for o in sequence.objects if o.name in HANDS]
        if label.name in HANDS:
            continue
        meets = False
        for mask in masks[sequence.folder]:
            near = cv2.dilate(np.isin(mask, hands).astype(np.uint8), np.ones((3, 3), np.uint8))
            meets |= bool((near.astype(bool) & (mask == label.object_id)).any())
        touched[label.positive][meets] += 1
    assert touched[True][1] > 0.75 * sum(touched[True])
    assert touched[False][1] < 0.35 * sum(touched[False])


def test_tables_fit_together() -> None:
    assert {thing.outline for thing in THINGS.values()} <= set(make_outlines())
    assert {name for row in LOOK_ALIKES for name in row} <= set(THINGS)
    named = {name for a in ACTIONS for name in (a.main, a.tool, a.base) if name}
    assert named <= set(THINGS)
    for outline in (part for o in make_outlines().values() for part in o.parts):
        for ring in outline:
            assert ring.shape[1:] == (2,)
            assert np.abs(ring).max() < 0.75
    assert set(list_holds()) == {"fist", "wrap", "pinch", "flat"}


def test_a_whole_sample_is_left_alone(sample: Path) -> None:
    before = (sample / "sample.json").stat().st_mtime_ns
    report = make_sample(sample)
    assert not report.made
    assert report.digest == GOLDEN
    assert (sample / "sample.json").stat().st_mtime_ns == before
    assert "56 sequences" in str(report)


def test_an_occupied_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InputError, match="already exists"):
            make_sample(place)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(InputError, match="name"):
        make_sample(Path())


@pytest.mark.slow
def test_leftovers_block_nobody_and_permissions_are_ordinary(tmp_path: Path) -> None:
    for name in ("new.partial", ".new.partial"):
        (tmp_path / name).mkdir()
    assert make_sample(tmp_path / "new").made
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert {p.name for p in tmp_path.iterdir()} == {"new.partial", ".new.partial", "new", "plain"}


@pytest.mark.slow
def test_of_two_at_once_the_later_uses_what_the_first_made(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = writing._write

    def overtaken(root: Path) -> writing.SampleReport:
        shutil.copytree(sample, tmp_path / "sample")
        return write(root)

    monkeypatch.setattr(writing, "_write", overtaken)
    report = make_sample(tmp_path / "sample")
    assert (report.made, report.digest) == (False, GOLDEN)
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(writing, "write_index_mask", fail)
    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt):
        make_sample(tmp_path / "sample")
    assert not list(tmp_path.iterdir())


def test_a_damaged_sample_is_not_whole(sample: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    marker = json.loads((sample / "sample.json").read_text())
    copy.mkdir()
    for entry in sample.iterdir():
        if entry.name != "sample.json":
            (copy / entry.name).symlink_to(entry)
    assert not is_whole_sample(copy)
    (copy / "sample.json").write_text(json.dumps(marker))
    assert is_whole_sample(copy)
    changes: list[dict[str, object]] = [{"algorithm": 2}, {"schema": "other/1"}, {"splits": {}}]
    for change in changes:
        (copy / "sample.json").write_text(json.dumps(marker | change))
        assert not is_whole_sample(copy)
    (copy / "sample.json").write_text(json.dumps(marker))
    (copy / "Annotations_Sparse").unlink()
    (copy / "Annotations_Sparse").mkdir()
    assert not is_whole_sample(copy)


def scene() -> tuple[IndexMask, VideoSequence]:
    labels = (
        ObjectLabel(1, "knife", 4, True, True, True),
        ObjectLabel(2, "left hand", 300, True, True, False),
        ObjectLabel(3, "plate", 2, False, False, False),
    )
    sequence = VideoSequence(
        "00000001_S01_01_take_knife", 1, "S01_01", 1, 9, "take knife", "take", 0, "knife", 4,
        ("frame_0000000004", "frame_0000000008"), labels,
    )  # fmt: skip
    mask = np.zeros((120, 214), np.uint8)
    mask[20:26, 30:90] = 1
    mask[22:120, 80:110] = 2
    mask[50:90, 140:200] = 3
    return mask, sequence


def test_frames_do_not_tell_activity() -> None:
    mask, sequence = scene()
    turned = tuple(
        dataclasses.replace(o, positive=not o.positive, handbox=False, narration=False)
        for o in sequence.objects
    )
    other = dataclasses.replace(sequence, objects=turned)
    first, second = (render.render_frame(mask, s, s.frames[0]) for s in (sequence, other))
    assert (first == second).all()


def test_texture_moves_with_its_object_and_light_changes() -> None:
    mask, sequence = scene()
    first = render.render_frame(mask, sequence, sequence.frames[0]).astype(float)
    shifted = np.where(mask == 3, 0, mask)
    shifted[54:94, 134:194] = 3
    moved = render.render_frame(shifted, sequence, sequence.frames[0]).astype(float)
    difference = np.abs(first[55:85, 145:195] - moved[59:89, 139:189]).mean()
    assert difference < 8
    again = render.render_frame(mask, sequence, sequence.frames[1]).astype(float)
    assert np.abs(first - again).mean() > 0.5


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (480, 854)])
def test_masks_of_any_size_are_rendered(size: tuple[int, int]) -> None:
    _, sequence = scene()
    for value in (0, 1, 9):  # nothing, one thing everywhere, an id that is not listed
        mask = np.full(size, value, np.uint8)
        frame = render.render_frame(mask, sequence, sequence.frames[0])
        assert frame.shape == (*size, 3)
        assert frame.dtype == np.uint8


# Samples of other sizes.


def read_all(root: Path, split: str) -> dict[tuple[str, int], bytes]:
    """The masks of each frame, by video and frame."""
    opened = open_split(root, split)
    return {
        (sequence.video, int(frame[-10:])): mask.tobytes()
        for sequence in opened.sequences
        for frame, mask in zip(sequence.frames, opened.read_masks(sequence), strict=True)
    }


def test_a_sized_sample_is_keyed_by_its_videos(tmp_path: Path) -> None:
    """More clips add frames to videos; another seed or split has other videos."""
    small = make_sized_sample(tmp_path / "small", clips=3, videos=2, seed=7)
    large = make_sized_sample(tmp_path / "large", clips=6, videos=2, seed=7)
    assert (small.splits["train"].sequences, large.splits["train"].sequences) == (3, 6)
    before, after = read_all(small.path, "train"), read_all(large.path, "train")
    assert before.items() < after.items()
    assert {video for video, _ in before} == {"S7t001_01", "S7t001_02"}
    names = [sequence.folder for sequence in open_split(small.path, "train")]
    assert [name[:8] for name in names] == ["00000001", "00000002", "00000003"]
    assert [name[9:18] for name in names] == ["S7t001_01", "S7t001_01", "S7t001_02"]
    for seed, split in ((8, "train"), (7, "val")):
        out = tmp_path / f"{split}{seed}"
        other = make_sized_sample(out, clips=2, videos=1, seed=seed, split=split)
        assert not {v for v, _ in before} & {v for v, _ in read_all(other.path, split)}


def test_a_sized_sample_is_golden_and_is_no_built_in_one(tmp_path: Path) -> None:
    report = make_sized_sample(tmp_path / "sized", clips=4, videos=2, seed=1, split="val")
    assert report.digest == "194f4a7375b8e63936cdac552f3a3cc9"
    assert not is_whole_sample(report.path)
    assert has_rendered_frames(report.path)
    automatic, human = (open_split(report.path, name) for name in ("val", "val_human"))
    assert [s.folder for s in automatic] == [s.folder for s in human]
    assert [s.objects for s in automatic] != [s.objects for s in human]
    assert report.splits["val"].frames == len(read_all(report.path, "val_human"))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"clips": 0, "videos": 1}, "clips.*give 1 or more"),
        ({"clips": 2, "videos": 3}, "at most as many videos as clips"),
        ({"clips": 2, "videos": 1, "seed": -1}, "seed.*give 0 or more"),
        ({"clips": 2, "videos": 1, "split": "test"}, "'test' is unknown"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(
    size: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        make_sized_sample(tmp_path / "sized", **size)
    assert not list(tmp_path.iterdir())


def test_the_command_makes_a_sample_of_a_size(tmp_path: Path) -> None:
    done = run("sample", tmp_path / "sized", "--clips", "9", "--split", "val")
    assert "val_human: 9 sequences" in done.stdout, done.stderr
    assert "corrupt" in done.stdout
    assert "--split val" in done.stdout
    done = run("sample", tmp_path / "other", "--videos", "2")
    assert done.returncode == 2
    assert "give --clips" in done.stderr
