"""VOST and VSCOS become roots that ActionVOS's loader and metrics read. Both are made folders."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import PALETTE, read_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.prepare.vost import prepare_vost
from actiseg_data.make.prepare.vscos import prepare_vscos
from actiseg_data.records.licence_terms import identify_licences
from tests.helpers.action_sources import CLIPS, VOST_NAMES, make_vost, make_vscos, save_palette
from tests.helpers.command import run


@pytest.fixture
def vost(tmp_path):
    return make_vost(tmp_path / "VOST")


@pytest.fixture
def vscos(tmp_path):
    return make_vscos(tmp_path / "VSCOS")


def open_as_metrics_do(root, split="val"):
    """Transcribes which files ActionVOS's metrics open: (record, frame, pixels) of each."""
    for record in json.loads((root / IMAGE_SETS / f"{split}.json").read_text()):
        if record["redundant"] or record["other"] or record["missing"]:
            continue
        folder = "{:08d}_{}_{}_{}".format(
            *(record[key] for key in ("seq_id", "video", "verb", "noun"))
        )
        for frame in record["sparse_frames"]:
            path = root / MASKS / "val" / folder / frame.replace("jpg", "png")
            with Image.open(path) as image:
                assert image.mode == "P"
                assert bytes(image.getpalette())[:30] == PALETTE[:30]
                yield record, frame, np.array(image)


def test_vost_is_what_actionvos_makes_of_it(vost, tmp_path):
    done = run("prepare", "vost", vost, "--split", "val", "--out", tmp_path / "root")
    assert done.returncode == 0, done.stderr
    assert "3 sequences, 12 masks, 3 objects, 12 photographs" in done.stdout
    assert "8 masks had several objects, which became one" in done.stdout
    assert "12 masks have void pixels (255)" in done.stdout
    seen = 0
    for record, frame, mask in open_as_metrics_do(tmp_path / "root"):
        name = VOST_NAMES[record["seq_id"] - 1]
        # The published script, but for the frames: each photograph, of which half have no mask.
        assert record["narration"] == " ".join(name.split("_")[1:])
        assert (record["verb"], record["verb_class"]) == (name.split("_")[1], -1)
        assert (record["noun"], record["noun_class"]) == (" ".join(name.split("_")[2:]), -1)
        assert (record["start"], record["end"]) == (0, 0)
        flags = dict.fromkeys(("handbox", "narration", "positive"), 1)
        expected = {"1": {"name": record["noun"], "class_id": -1, **flags}}
        assert record["object_classes"] == expected
        with Image.open(vost / "Annotations_raw" / name / frame.replace("jpg", "png")) as image:
            raw = np.array(image)
        assert ((mask == 1) == ((raw != 0) & (raw != 255))).all()
        assert ((mask == 255) == (raw == 255)).all()
        assert set(np.unique(mask)) == {0, 1, 255}
        seen += 1
    assert seen == 12


def test_photographs_of_frames_are_linked_copied_or_left_out(vost, tmp_path):
    for images in ("link", "copy", "none"):
        made = prepare_vost(vost, "val", tmp_path / "deep" / images, images=images)
        assert made.photographs == (0 if images == "none" else 12)
    split = open_split(tmp_path / "deep" / "link", "val")
    for sequence in split:
        for path in split.frames(sequence):
            assert path.is_symlink()
            assert not path.readlink().is_absolute()
            name = VOST_NAMES[sequence.seq_id - 1]
            assert path.resolve() == (vost / "JPEGImages" / name / path.name).resolve()
    copied = sorted((tmp_path / "deep" / "copy" / FRAMES).rglob("*.jpg"))
    assert len(copied) == 12
    assert not any(path.is_symlink() for path in copied)
    assert not (tmp_path / "deep" / "none" / FRAMES).exists()


def test_frames_without_photograph_and_sequences_without_object_are_counted(vost, tmp_path):
    (vost / "JPEGImages" / VOST_NAMES[0] / "frame00002.jpg").unlink()
    shutil.rmtree(vost / "JPEGImages" / VOST_NAMES[1])
    for path in (vost / "Annotations_raw" / VOST_NAMES[2]).iterdir():
        save_palette(path, np.full((48, 64), 255, np.uint8))
    done = run("prepare", "vost", vost, "--split", "val", "--out", tmp_path / "root")
    assert "12 masks, 3 objects, 7 photographs" in done.stdout
    assert "5 frames have no photograph" in done.stdout
    assert "1 sequence shows no object" in done.stdout


def test_instances_keep_their_ids_and_masks_of_the_evaluation(vost, tmp_path):
    made = prepare_vost(vost, "val", tmp_path / "root", objects="instances")
    assert (made.objects, made.merged, made.void) == (6, 0, 12)
    split = open_split(tmp_path / "root", "val")
    names = [[label.name for label in sequence.objects] for sequence in split]
    assert names[1] == ["onion 1", "onion 2"]
    for sequence in split:
        for path in split.find_masks(sequence):
            source = vost / "Annotations" / VOST_NAMES[sequence.seq_id - 1] / path.name
            with Image.open(source) as image:
                assert (read_index_mask(path) == np.array(image)).all()


def test_merged_masks_come_from_the_other_folder_if_there_is_one_only(vost, tmp_path):
    shutil.rmtree(vost / "Annotations_raw")
    assert prepare_vost(vost, "val", tmp_path / "root").masks == 12
    shutil.rmtree(vost / "Annotations")
    with pytest.raises(InputError, match="has no folder Annotations_raw or Annotations"):
        prepare_vost(vost, "val", tmp_path / "other")


def test_a_lexicon_gives_objects_their_classes(vost, tmp_path):
    done = run(
        *("prepare", "vost", vost, "--split", "val", "--out", tmp_path / "root"),
        *("--lexicon", "epic"),
    )
    assert done.returncode == 0, done.stderr
    found = {
        sequence.noun: sequence.objects[0].class_id
        for sequence in open_split(tmp_path / "root", "val")
    }
    table = json.loads((tmp_path / "root" / IMAGE_SETS / "val_objects_category.json").read_text())
    assert found == {"bell pepper": 37, "onion": 16, "aluminium foil": 123}
    assert table["videos"]["00000002_3_peel_onion"]["objects"]["1"]["class_id"] == 16
    assert "that is no name of one class" not in done.stdout
    names = ("1_cut_gramophone", "2_cut_onions")
    (vost / "ImageSets" / "val.txt").write_text("\n".join(names))
    for old, new in zip(VOST_NAMES, names, strict=False):
        (vost / "Annotations_raw" / old).rename(vost / "Annotations_raw" / new)
    made = prepare_vost(vost, "val", tmp_path / "other", lexicon="epic")
    assert made.unclassified == 1
    other = open_split(tmp_path / "other", "val")
    assert [sequence.objects[0].class_id for sequence in other] == [-1, 16]
    with pytest.raises(InputError, match="the lexicon is missing"):
        prepare_vost(vost, "val", tmp_path / "none", lexicon=tmp_path / "own.json")


def test_the_licence_of_vost_is_the_published_one_unless_another_is_given(vost, vscos, tmp_path):
    prepare_vost(vost, "val", tmp_path / "published", images="none")
    (terms,) = identify_licences(tmp_path / "published")
    assert terms.identifier == "CC-BY-NC-SA-4.0"
    assert "Tokmakov" in (tmp_path / "published" / "NOTICE").read_text()
    (vost / "LICENSE.txt").write_text("Copyright 2023")
    assert prepare_vost(vost, "val", tmp_path / "own").licence == "LICENSE.txt"
    assert prepare_vost(vost, "val", tmp_path / "given", licence="MIT").licence == "MIT"
    made = prepare_vscos(vscos, "val", tmp_path / "vscos")
    assert made.licence is None
    with pytest.raises(InputError, match="does not state one known licence"):
        identify_licences(tmp_path / "vscos")


def test_all_faulty_sequences_and_masks_of_vost_are_named(vost, tmp_path):
    (vost / "ImageSets" / "val.txt").write_text("\n".join((*VOST_NAMES, "5_wash", "9_cut_x")))
    for name in ("5_wash", "9_cut_x"):
        (vost / "Annotations_raw" / name).mkdir()
    with pytest.raises(InputError) as refused:
        prepare_vost(vost, "val", tmp_path / "root")
    whats = [problem.what for problem in refused.value.problems]
    assert whats == ["'5_wash' does not name an action", "has no masks"]
    (vost / "ImageSets" / "val.txt").write_text("\n".join(VOST_NAMES))
    folder = vost / "Annotations_raw" / VOST_NAMES[0]
    (folder / "frame00000.png").write_bytes(b"nothing")
    save_palette(folder / "frame00004.png", np.zeros((40, 64), np.uint8))
    with pytest.raises(InputError) as refused:
        prepare_vost(vost, "val", tmp_path / "root")
    assert [problem.where for problem in refused.value.problems] == [
        str(folder / name) for name in ("frame00000.png", "frame00004.png")
    ]
    assert not (tmp_path / "root").exists()
    assert not list(tmp_path.glob(".root*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "test"), "there is no list of 'test' (lists here: val)"),
        (("--split", "val", "--objects", "all"), "--objects: 'all' is unknown"),
        (("--split", "val", "--images", "move"), "--images: 'move' is unknown"),
        (("--split", "a/b"), "--split: the split name 'a/b' contains a path separator"),
        (("--split", "val", "--licence", "CC"), "names the licence 'CC', which is unknown"),
    ],
)
def test_options_that_do_not_fit_are_refused(vost, tmp_path, arguments, message):
    done = run("prepare", "vost", vost, "--out", tmp_path / "root", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "root").exists()


def test_a_folder_that_is_not_the_dataset_is_refused(vost, vscos, tmp_path):
    with pytest.raises(InputError, match=r"has no EPIC_val_split/EPIC100_state_positive_val\.yaml"):
        prepare_vscos(vost, "val", tmp_path / "root")
    with pytest.raises(InputError, match="has no folder Annotations_raw or Annotations; it has EP"):
        prepare_vost(vscos, "val", tmp_path / "root")
    with pytest.raises(InputError, match="cannot be listed"):
        prepare_vscos(tmp_path / "nowhere", "val", tmp_path / "root")
    with pytest.raises(InputError, match="is inside the input"):
        prepare_vscos(vscos, "val", vscos / "root")


def test_vscos_is_what_actionvos_makes_of_it_with_the_object_as_1(vscos, tmp_path):
    done = run("prepare", "vscos", vscos, "--split", "val", "--out", tmp_path / "root")
    assert done.returncode == 0, done.stderr
    assert "2 sequences, 7 masks, 2 objects, 7 photographs" in done.stdout
    assert "1 listed sequence has no masks: left out" in done.stdout
    seen = []
    for record, frame, mask in open_as_metrics_do(tmp_path / "root"):
        clip = list(CLIPS)[record["seq_id"] - 1]
        participant, video, verb, noun, narration, start, stop, verb_class, noun_class = CLIPS[clip]
        assert [record[key] for key in ("video", "verb", "noun", "narration")] == [
            *(video, verb, noun, narration)
        ]
        assert [record[key] for key in ("start", "end", "verb_class", "noun_class")] == [
            *(start, stop, verb_class, noun_class)
        ]
        assert record["object_classes"]["1"]["class_id"] == noun_class
        place = f"EPIC_val_split/{participant}/anno_masks/{video}/{clip}"
        with Image.open(vscos / place / frame.replace("jpg", "png")) as image:
            assert (mask == np.array(image.convert("1"))).all()  # as VSCOS's loader
        seen.append(frame)
    assert seen == [f"frame_{n:010d}.jpg" for n in (100, 120, 140, 20, 40, 60, 80)]
    names = [sequence.objects[0].name for sequence in open_split(tmp_path / "root", "val")]
    assert names == ["onion", "bell pepper"]


def test_masks_of_one_object_are_read_in_any_mode(vscos, tmp_path):
    folder = vscos / "EPIC_val_split" / "P01" / "anno_masks" / "P01_107" / "P01_107_3"
    first, second, third = sorted(folder.iterdir())
    inside = np.zeros((48, 64), bool)
    inside[10:30, 10:40] = True
    Image.fromarray(inside).save(first)  # of one bit
    colour = np.where(inside[..., None], (0, 128, 0), 0).astype(np.uint8)
    Image.fromarray(colour).save(second)
    blended = np.where(inside, 255, 0).astype(np.uint8)
    blended[10:30, 9], blended[10:30, 40] = 60, 200
    Image.fromarray(blended, "L").save(third)
    done = run(
        "prepare", "vscos", vscos / "EPIC_val_split", "--split", "val", "--out", tmp_path / "r"
    )
    assert "1 mask has blended pixels: those of at least half white" in done.stdout
    masks = sorted((tmp_path / "r" / MASKS / "val" / "00000001_P01_107_cut_onion").iterdir())
    assert [(read_index_mask(path) == inside).all() for path in masks] == [True, True, False]
    wider = inside.copy()
    wider[10:30, 40] = True
    assert (read_index_mask(masks[2]) == wider).all()


def test_masks_of_several_objects_and_faulty_clips_are_refused(vscos, tmp_path):
    folder = vscos / "EPIC_val_split" / "P01" / "anno_masks" / "P01_107" / "P01_107_3"
    first, second, third = sorted(folder.iterdir())
    several = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64) % 3
    save_palette(first, several)
    Image.fromarray(several, "L").save(second)
    Image.fromarray(several.astype(np.uint16)).save(third)
    with pytest.raises(InputError) as refused:
        prepare_vscos(vscos, "val", tmp_path / "root")
    assert [problem.what for problem in refused.value.problems] == [
        "has 2 values besides 0, so it does not show one object",
        "has 2 values besides 0, so it does not show one object",
        "is of 16 bits, which is not a mask",
    ]
    Image.new("L", (9000, 1)).save(third)
    with pytest.raises(InputError, match="has 9000 x 1 pixels, too many"):
        prepare_vscos(vscos, "val", tmp_path / "root")
    path = vscos / "EPIC_val_split" / "EPIC100_state_positive_val.yaml"
    text = path.read_text().replace("start_frame: 100", "start_frame: soon")
    path.write_text(text.replace("video_id: P02_09\n", "video_id: ../P02_09\n"))
    with pytest.raises(InputError) as refused:
        prepare_vscos(vscos, "val", tmp_path / "root")
    whats = [problem.what for problem in refused.value.problems]
    assert whats[0] == "must be a whole number, not 'soon'"
    assert sum("contains a path separator" in what for what in whats) == 2
    path.write_text("- a list")
    with pytest.raises(InputError, match="must be an object"):
        prepare_vscos(vscos, "val", tmp_path / "root")


def test_a_root_without_any_mask_is_refused(vscos, tmp_path):
    for participant in ("P01", "P02"):
        shutil.rmtree(vscos / "EPIC_val_split" / participant / "anno_masks")
    with pytest.raises(InputError, match="none of the 3 clips has masks"):
        prepare_vscos(vscos, "val", tmp_path / "root")


def test_equal_sources_give_equal_bytes(vost, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        prepare_vost(vost, "val", tmp_path / name, images="copy", workers=workers)
    files = [path for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) == 12 + 12 + 5 + 2
    for path in files:
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("kind", ["vost", "vscos"])
def test_prepared_roots_are_corrupted_verified_and_scored(kind, tmp_path):
    source = {"vost": make_vost, "vscos": make_vscos}[kind](tmp_path / "raw")
    root, noisy = tmp_path / "root", tmp_path / "noisy"
    assert run("prepare", kind, source, "--split", "val", "--out", root).returncode == 0
    done = run(
        *("corrupt", root, "--split", "val", "--type", "boundary", "--rate", 1, "--out", noisy)
    )
    assert done.returncode == 0, done.stderr
    assert run("verify", noisy, "--source", root).returncode == 0
    for protocol in ("vost", "actionvos"):
        scored = run(
            *("score", noisy / MASKS, "--gt", root, "--split", "val", "--protocol", protocol),
            *("--json", tmp_path / f"{protocol}.json"),
            module="actiseg_eval.cli",
        )
        assert scored.returncode == 0, scored.stderr
    metrics = json.loads((tmp_path / "actionvos.json").read_text())["metrics"]
    clean = {(r["seq_id"], f): m for r, f, m in open_as_metrics_do(root)}
    ious = []
    for record, frame, mask in open_as_metrics_do(noisy):
        pair = mask == 1, clean[record["seq_id"], frame] == 1
        ious.append(np.logical_and(*pair).sum() / np.logical_or(*pair).sum())
    assert metrics["p_miou"] == pytest.approx(np.mean(ious))
    assert 0.6 < metrics["p_miou"] < 0.95
