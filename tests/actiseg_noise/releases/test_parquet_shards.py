"""Parquet files: rows recomputed from the files on disk, equal bytes, and other software."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.data_files import parquet_shards
from actiseg_noise.releases.data_files.parquet_shards import COLUMNS, write_shards
from tests.helpers.command import run_alone
from tests.helpers.released_data import make_configuration, open_configuration
from tests.helpers.roots import make_root

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is in the extra [publish]")


@pytest.fixture(scope="module")
def mixed(sample, tmp_path_factory):
    out = tmp_path_factory.mktemp("noisy") / "mixed"
    recipe = make_recipe("mixed", 0.5, split="val")
    return make_configuration("mixed-50", sample, recipe, out, with_clean=["train"])


@pytest.fixture(scope="module")
def release(mixed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    return folder, write_shards(mixed, folder)


def read_rows(folder: Path, name: str) -> list[dict]:
    return parquet.read_table(folder / "data" / name).to_pylist()


def decode(cell) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(cell["bytes"])))


def test_the_masks_of_a_frame_compose_the_index_mask_on_disk(mixed, release):
    rows = read_rows(release[0], "mixed-50/val-00000-of-00001.parquet")
    composed: dict[tuple[str, str], np.ndarray] = {}
    for row in rows:
        member = decode(row["mask"])
        assert member.dtype == np.bool_
        mask = composed.setdefault((row["sequence"], row["frame"]), np.zeros(member.shape, int))
        assert not mask[member].any()
        mask[member] = row["object_id"]
    split = mixed.split.noisy
    for sequence in split:
        for frame in sequence.frames:
            expected = split.mask(sequence, frame)
            actual = composed.get((sequence.folder, frame), np.zeros(expected.shape, int))
            assert np.array_equal(actual, expected)


def test_iou_kind_and_presence_follow_from_the_masks_and_the_ledger(mixed, release):
    rows = read_rows(release[0], "mixed-50/val-00000-of-00001.parquet")
    kinds = {}
    for line in (mixed.folder / "ledger.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["frame"]:
            kinds[row["sequence"], row["frame"], row["object_id"]] = row["kind"], row["iou"]
    seen = set()
    for row in rows:
        key = row["sequence"], row["frame"], row["object_id"]
        seen.add(key)
        clean, noisy = (
            split.mask(*key[:2]) == key[2] for split in (mixed.split.source, mixed.split.noisy)
        )
        iou = (clean & noisy).sum() / (clean | noisy).sum()
        kind, listed = kinds.get(key, (None, None))
        assert row["kind"] == kind
        if kind is None and iou == 1:
            assert row["iou"] is None
        else:
            assert row["iou"] == pytest.approx(iou, abs=1e-6)
            assert listed is None or row["iou"] == pytest.approx(listed, abs=1e-6)
    assert kinds.keys() <= seen
    both = {
        (sequence.folder, frame, int(number))
        for sequence in mixed.split.noisy
        for frame in sequence.frames
        for split in (mixed.split.source, mixed.split.noisy)
        for number in np.unique(split.mask(sequence, frame))
        if number
    }
    assert seen == both


def test_words_are_those_of_the_files(mixed, release):
    lists = mixed.folder / "ImageSets"
    prompts = json.loads((lists / "val_meta_expressions_promptaction.json").read_text())["videos"]
    clean = json.loads((mixed.split.source.root / "ImageSets" / "val.json").read_text())
    labels = {f"{r['seq_id']:08d}_{r['video']}_{r['verb']}_{r['noun']}": r for r in clean}
    changed = 0
    for row in read_rows(release[0], "mixed-50/val-00000-of-00001.parquet"):
        entries = prompts[row["sequence"]]["expressions"].values()
        (entry,) = [e for e in entries if e["obj_id"] == str(row["object_id"])]
        record = labels[row["sequence"]]
        label = record["object_classes"][str(row["object_id"])]
        assert (row["prompt"], row["class_id"]) == (entry["exp"], entry["class_id"])
        assert row["prompt_clean"] == f"{label['name']} used in the action of {record['narration']}"
        assert (row["name_clean"], row["class_id_clean"]) == (label["name"], label["class_id"])
        assert row["prompt"].startswith(row["name"])
        assert row["positive"] == bool(label["positive"])
        assert (row["kind_text"] is None) == (row["name"] == row["name_clean"])
        changed += row["kind_text"] is not None
    assert changed > 50


def test_clean_lists_beside_it_have_clean_rows(release):
    rows = read_rows(release[0], "mixed-50/train-00000-of-00001.parquet")
    assert rows
    for row in rows:
        assert (row["prompt"], row["name"]) == (row["prompt_clean"], row["name_clean"])
        assert row["kind"] is row["kind_text"] is row["iou"] is None


def test_bytes_do_not_depend_on_workers_and_files_are_described(mixed, release, tmp_path):
    folder, files = release
    again = write_shards(mixed, tmp_path, workers=2)
    assert again == files
    for file in files:
        assert (tmp_path / file.name).read_bytes() == (folder / file.name).read_bytes()
        assert (folder / file.name).stat().st_size == file.size
        assert parquet.ParquetFile(folder / file.name).metadata.num_rows == file.rows
    assert len(list(tmp_path.rglob("*.*"))) == len(files)


def test_row_groups_and_files_are_small(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_shards, "MAX_SHARD", 1 << 18)
    files = write_shards(mixed, tmp_path)
    names = sorted(file.name for file in files if file.split == "val")
    assert len(names) > 1
    assert names[0].endswith(f"val-00000-of-{len(names):05}.parquet")
    rows = [row for name in names for row in read_rows(tmp_path, name.removeprefix("data/"))]
    assert len(rows) == sum(file.rows for file in files if file.split == "val")
    data = parquet.ParquetFile(tmp_path / names[0]).metadata
    assert all(data.row_group(i).num_rows <= 100 for i in range(data.num_row_groups))


def test_pictures_are_small_and_show_what_changed(release):
    for row in read_rows(release[0], "mixed-50/val-00000-of-00001.parquet"):
        picture = Image.open(io.BytesIO(row["picture"]["bytes"]))
        assert picture.size == (320, 118)
        colours = {colour for _, colour in picture.convert("RGB").getcolors()}
        marked = bool(colours & {(255, 145, 0), (50, 150, 255)})
        if row["iou"] is None:
            assert not marked
        elif row["kind"] is not None:
            assert marked


def test_frames_are_stored_once_per_group_as_they_are(sample, tmp_path):
    recipe = make_recipe("text", 0.4, split="val")
    configuration = make_configuration("text-40", sample, recipe, tmp_path / "n")
    (file,) = write_shards(configuration, tmp_path, frames=True)
    rows = read_rows(tmp_path, file.name.removeprefix("data/"))
    paths = {}
    for row in rows:
        name = f"{row['frame']}.jpg"
        paths[row["sequence"], name] = row["image"]["bytes"]
        assert row["image"]["path"] == name
        assert row["kind"] is row["iou"] is None
    for (folder, name), data in paths.items():
        assert (sample / "JPEGImages_Sparse" / "val" / folder / name).read_bytes() == data
    assert file.size < sum(map(len, paths.values())) * 1.5 + 3000 * len(rows)


def test_a_split_without_prompts_and_masks_has_null_columns(tmp_path):
    source = make_root(tmp_path / "source")
    for name in ("promptaction", "action", "noaction"):
        (source / "ImageSets" / f"train_meta_expressions_{name}.json").unlink()
    configuration = make_configuration(
        "boundary-40", source, make_recipe("boundary", 0.4), tmp_path / "n"
    )
    write_shards(configuration, tmp_path)
    for row in read_rows(tmp_path, "boundary-40/train-00000-of-00001.parquet"):
        assert row["prompt"] is row["prompt_clean"] is None
        assert row["name"] == row["name_clean"]


def test_a_split_of_lists_has_a_row_for_each_object(tmp_path):
    source = make_root(tmp_path / "source")
    shutil.rmtree(source / "Annotations_Sparse")
    configuration = make_configuration("text-40", source, make_recipe("text", 0.4), tmp_path / "n")
    write_shards(configuration, tmp_path)
    rows = read_rows(tmp_path, "text-40/train-00000-of-00001.parquet")
    split = open_split(source, "train", masks=False)
    assert len(rows) == sum(len(sequence.objects) for sequence in split)
    assert all(row["frame"] is row["mask"] is row["picture"] is row["iou"] is None for row in rows)


def test_masks_that_were_touched_are_all_named(mixed, tmp_path):
    out = shutil.copytree(mixed.folder, tmp_path / "touched", symlinks=True)
    opened = open_configuration("mixed-50", out)
    split = replace(opened.split, clean=mixed.split.clean)
    configuration = replace(opened, split=split)
    touched = sorted(out.rglob("Annotations_Sparse/*/*/*.png"))[3:5]
    for path in touched:
        mask = read_index_mask(path).copy()
        mask[:4, :4] = 0 if mask[0, 0] else mask.max()
        write_index_mask(path, mask)
    with pytest.raises(InputError) as refused:
        write_shards(configuration, tmp_path / "r")
    assert {problem.where for problem in refused.value.problems} == set(map(str, touched))


def test_without_pyarrow_the_message_names_the_extra(mixed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"actiseg\[publish\]"):
        write_shards(mixed, tmp_path)
    assert not list(tmp_path.iterdir())


def test_features_name_every_column(release):
    schema = parquet.read_schema(release[0] / release[1][0].name)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names == list(COLUMNS)


LOAD = """
import json, sys
from datasets import load_dataset
rows = load_dataset(sys.argv[1], "mixed-50", split="val")
print(json.dumps([
    {k: v for k, v in row.items() if k not in ("mask", "picture")}
    | {"size": row["mask"].size, "pixels": sum(map(bool, row["mask"].getdata()))}
    for row in rows.select(range(10))
]))
"""


def test_the_library_of_the_hub_loads_the_rows_offline(mixed, release, tmp_path):
    pytest.importorskip("datasets", reason="datasets is in the extra [dev]")
    folder = shutil.copytree(release[0], tmp_path / "release")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: mixed-50\n  data_files:\n"
        "  - split: val\n    path: data/mixed-50/val-*.parquet\n---\n"
    )
    environment = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = run_alone(folder, code=LOAD, cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    rows = read_rows(release[0], "mixed-50/val-00000-of-00001.parquet")
    assert len(loaded) == 10
    for left, right in zip(loaded, rows, strict=False):
        noisy = mixed.split.noisy.mask(left["sequence"], left["frame"]) == left["object_id"]
        assert left.pop("size") == list(noisy.shape[::-1])
        assert left.pop("pixels") == noisy.sum()
        assert left == {name: value for name, value in right.items() if name in left}
