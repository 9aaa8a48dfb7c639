"""`actiseg-noise render`: frames painted from clean masks."""

from __future__ import annotations

import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.tables import render_csv, render_markdown_page
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.render import render_frame
from actiseg_data.make.render import split_rendering as dataset
from actiseg_data.make.render.split_rendering import render_split
from actiseg_data.records.rendered_note import has_rendered_frames, read_rendered
from actiseg_eval import score
from actiseg_eval.reporting.score_tables import make_score_page
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.command import run
from tests.helpers.kitchens import make_kitchen
from tests.helpers.predicted import predict
from tests.helpers.roots import add_frames, clip, make_root


def files(root):
    return {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*.jpg"))}


def test_frames_are_those_of_the_renderer_whatever_the_workers(tmp_path):
    one, two = make_root(tmp_path / "one"), make_root(tmp_path / "two")
    report = render_split(one)
    assert (report.rendered, report.kept, report.replaced) == (12, 0, 0)
    render_split(two, workers=2)
    assert files(one) == files(two)
    split = open_split(one, "train")
    sequence = split.sequences[3]
    painted = render_frame(split.read_masks(sequence)[1], sequence, sequence.frames[1])
    read = cv2.imread(str(split.find_folder(FRAMES, sequence) / f"{sequence.frames[1]}.jpg"))
    assert read.shape == painted.shape
    assert np.abs(read[..., ::-1].astype(int) - painted).mean() < 4  # what JPEG loses


def test_a_dataset_is_marked_and_its_tables_say_so(tmp_path):
    root = make_kitchen(tmp_path / "clean", 4)
    preds = predict(open_split(root, "train"), "shift", tmp_path / "preds")
    assert not has_rendered_frames(root)
    assert "rendered" not in render_markdown_page(
        make_score_page(score(preds, gt=root, split="train", resamples=0))
    )
    render_split(root)
    assert has_rendered_frames(root)
    report = score(preds, gt=root, split="train", resamples=0)
    assert report.to_dict()["rendered_frames"] is True
    assert "# train (rendered frames), protocol" in render_markdown_page(make_score_page(report))
    rows = render_csv(make_score_page(report).rows).splitlines()
    assert all(row.endswith(",1") for row in rows[1:])
    assert len(read_rendered(root)) == 4


@pytest.mark.parametrize("images", ["copy", "link", "none"])
def test_a_noisy_copy_is_marked_as_its_source_is(tmp_path, images):
    root = make_kitchen(tmp_path / "clean", 4)
    render = tmp_path / "rendered"
    shutil.copytree(root, render)
    render_split(render)
    for source, marked in ((root, False), (render, True)):
        preds = predict(open_split(source, "train"), "shift", tmp_path / f"preds of {source.name}")
        out = tmp_path / f"copy of {source.name}"
        copy = corrupt(source, make_recipe("dilate", 0.5), out=out, images=images).out
        assert has_rendered_frames(copy) is marked
        report = score(preds, gt=copy, split="train", resamples=0)
        assert ("(rendered frames)" in render_markdown_page(make_score_page(report))) is marked


def test_run_again_it_keeps_what_is_there_and_paints_what_lacks_or_changed(tmp_path):
    root = make_root(tmp_path / "clean")
    render_split(root)
    before = files(root)
    assert render_split(root).rendered == 0
    lost = root / next(iter(before))
    lost.unlink()
    (lost.parent / f".{lost.name}.1.draft").write_bytes(b"half of it")
    assert (render_split(root).rendered, files(root)) == (1, before)
    assert not list(root.rglob("*.draft"))
    split = open_split(root, "train")
    sequence = split.sequences[0]
    write_index_mask(split.find_mask(sequence, sequence.frames[0]), np.zeros((120, 160), np.uint8))
    report = render_split(root)
    assert (report.rendered, report.replaced) == (2, 2)
    changed = [path for path, data in files(root).items() if data != before[path]]
    assert {path.parent.name for path in changed} == {sequence.folder}


def test_a_killed_run_is_completed(tmp_path, monkeypatch):
    whole, root = make_root(tmp_path / "whole"), make_root(tmp_path / "killed")
    render_split(whole)
    painted = dataset.render_jpeg
    calls = iter(range(5))

    def fails_in_the_end(*arguments):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return painted(*arguments)

    monkeypatch.setattr(dataset, "render_jpeg", fails_in_the_end)
    with pytest.raises(KeyboardInterrupt):
        render_split(root)
    monkeypatch.setattr(dataset, "render_jpeg", painted)
    report = render_split(root)
    assert (report.rendered, report.kept) == (7, 5)
    assert files(root) == files(whole)


def test_splits_that_share_folders_share_frames(tmp_path):
    root = make_root(tmp_path / "clean")
    some = [
        dataclasses.replace(of, objects=tuple(map(turned, of.objects)))
        for of in open_split(root, "train").sequences[:2]
    ]
    for name, document in make_image_sets("mine", some).items():
        write_json(root / IMAGE_SETS / name, document)
    render_split(root)
    assert (render_split(root, "mine").kept, render_split(root).kept) == (4, 12)


def turned(label):
    """What is active is no business of a picture's."""
    return dataclasses.replace(label, positive=not label.positive)


def test_photographs_stay_unless_overwritten(tmp_path):
    root = make_root(tmp_path / "clean")
    add_frames(root)
    with pytest.raises(InputError, match=r"12 existing frames.*overwrite"):
        render_split(root)
    assert all(data == b"a picture" for data in files(root).values())
    assert not has_rendered_frames(root)
    assert render_split(root, overwrite=True).replaced == 12
    assert all(data.startswith(b"\xff\xd8") for data in files(root).values())


def test_photographs_behind_a_link_are_never_touched(tmp_path):
    root = make_root(tmp_path / "clean")
    add_frames(root)
    shutil.move(root / FRAMES, tmp_path / "photographs")
    (root / FRAMES).symlink_to(tmp_path / "photographs")
    with pytest.raises(InputError, match="is a link"):
        render_split(root, overwrite=True)
    assert len(files(tmp_path / "photographs")) == 12


def test_a_noisy_split_is_refused(tmp_path):
    root = make_root(tmp_path / "clean")
    corrupt(root, make_recipe("dilate", 0.5), out=tmp_path / "noisy")
    with pytest.raises(InputError, match="noisy split"):
        render_split(tmp_path / "noisy")


def test_faulty_masks_are_all_named_before_anything_is_written(tmp_path):
    root = make_root(tmp_path / "clean", [clip(1), clip(2)])
    for sequence in open_split(root, "train").sequences:
        (root / MASKS / "train" / sequence.folder / f"{sequence.frames[0]}.png").write_bytes(b"no")
    with pytest.raises(InputError) as refused:
        render_split(root)
    assert len(refused.value.problems) == 2
    assert not (root / FRAMES).exists()
    assert not has_rendered_frames(root)


def test_the_command(tmp_path):
    root = make_root(tmp_path / "clean")
    done = run("render", root, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "rendered 12 frames of 6 sequences" in done.stdout
    assert "next: actiseg-train fit" in done.stdout
    assert "rendering frames: 100 %" in done.stderr
    assert json.loads((root / "rendered-train.json").read_text())["algorithm"] == 1
    none = run("render", root, "--split", "val", "--quiet")
    assert (none.returncode, none.stdout.count("\n")) == (2, 1)
    assert "splits here: train" in none.stderr
