"""Rebuild splits of real VISOR from its raw files."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from actiseg_noise import corrupt, rebuild
from tests.helpers.released import make_split_kit

VIDEOS = ("P01_107", "P18_01")

pytestmark = pytest.mark.slow  # prepares real videos several times: 2 seconds each


@pytest.fixture(scope="module")
def release(prepare, real_data, tmp_path_factory) -> Path:
    """Kits of three kinds of noise, and nothing else."""
    lists = [real_data / "actionvos/val_human.json"]
    root = prepare("val", VIDEOS, human_labels=lists).root
    folder = tmp_path_factory.mktemp("real")
    for noise in ("boundary", "text", "mixed"):
        out = folder / "splits" / noise
        corrupt(root, noise, rate=0.4, split="val_human", out=out)
        name = f"{noise}-40"
        kit = make_split_kit(name, out)
        path = folder / "release/rebuild" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kit.to_dict()))
    shutil.rmtree(folder / "splits")
    return folder / "release"


@pytest.fixture
def raw(real_data, tmp_path) -> Path:
    """A copy of the raw files of the two videos."""
    folder = tmp_path / "raw"
    shutil.copytree(real_data / "epic", folder / "epic")
    (folder / "visor/val").mkdir(parents=True)
    for video in VIDEOS:
        shutil.copy(real_data / f"visor/val/{video}.json.gz", folder / "visor/val")
    for file in ("visor/frame_mapping.json.gz", "visor/hos_corrections.json"):
        shutil.copy(real_data / file, folder / file)
    shutil.copy(real_data / "actionvos/val_human.json", folder)
    return folder


@pytest.mark.parametrize("noise", ["boundary", "text", "mixed"])
def test_raw_files_give_the_published_split(release, raw, tmp_path, noise):
    result = rebuild(release, config=f"{noise}-40", visor=raw, out=tmp_path / "again")
    assert result.verdict == "identical to the published split"
    assert result.sequences > 1
    assert result.changed == ()


def test_one_video_gives_its_part(release, raw, tmp_path):
    (raw / f"visor/val/{VIDEOS[1]}.json.gz").unlink()
    result = rebuild(release, config="mixed-40", visor=raw, out=tmp_path / "again")
    assert 0 < result.sequences < result.published
    whole = f"{result.sequences} of {result.published} sequences"
    assert result.verdict == f"identical to the published split for {whole}"


def test_changed_polygon_is_named(release, raw, tmp_path):
    """An object of every labelled frame of one video, as if another release had corrected it."""
    path = raw / f"visor/val/{VIDEOS[0]}.json.gz"
    document = json.loads(gzip.decompress(path.read_bytes()))
    for frame in document["video_annotations"]:
        for polygon in frame["annotations"][-1]["segments"]:
            polygon[0] = [max(0.0, polygon[0][0] - 90.0), polygon[0][1]]
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    result = rebuild(release, config="boundary-40", visor=raw, out=tmp_path / "again")
    assert not result.identical
    assert result.difference.file.startswith("Annotations_Sparse/val/")
    assert VIDEOS[0] in result.difference.file
    assert result.difference.raw_file == f"{VIDEOS[0]}.json"
