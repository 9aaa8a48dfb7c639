"""Datasets of other kinds are recognised, and every command that gets one says what it is."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_eval.predictions.ground_truth import open_truth
from tests.helpers.command import run
from tests.helpers.roots import make_root

SPARSE = {"video_annotations": [{"image": {"name": "a.jpg"}, "annotations": []}]}
DENSE = {
    "info": {},
    "video_annotations": [{"image": {"name": "a.png", "interpolation": "1"}, "annotations": []}],
}
COCO = {"info": {}, "images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}
RESULTS = [{"image_id": 1, "category_id": 2, "segmentation": {}, "score": 0.5}]
META = {"videos": {"a": {"objects": {"1": {"category": "ape", "frames": ["00000"]}}}}}


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(document).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def archive(path):
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("__MACOSX/x", "")
        packed.writestr("DAVIS/README.md", "")


def tarball(path):
    touch(path.parent / "VISOR" / "a.json")
    with tarfile.open(path, "w:gz") as packed:
        packed.add(path.parent / "VISOR", "VISOR")


KINDS = {
    "raw VISOR annotations (actiseg-noise prepare visor": [
        lambda root: write(root / "P01_01.json", SPARSE),
        lambda root: write(root / "val" / "P01_01.json.gz", SPARSE),
        lambda root: write(
            root / "GroundTruth-SparseAnnotations" / "annotations" / "P01_01.json", SPARSE
        ),
        lambda root: write(root / "P01_01_interpolations.json", DENSE),
        lambda root: write(root / "train" / "P01_01_interpolations.json.gz", DENSE),
    ],
    "DAVIS": [
        lambda root: touch(root / "Annotations" / "480p" / "bear" / "00000.png"),
        lambda root: touch(root / "Annotations_unsupervised" / "480p" / "bear" / "00000.png"),
    ],
    "YouTube-VOS": [
        lambda root: (touch(root / "Annotations" / "a" / "0.png"), write(root / "meta.json", META)),
        lambda root: write(root / "valid" / "meta.json", META),
    ],
    "COCO annotations": [
        lambda root: write(root / "instances.json", COCO),
    ],
    "a folder around COCO": [
        lambda root: write(root / "annotations" / "instances_val2017.json", COCO),
    ],
    "a list of COCO results": [lambda root: write(root / "results.json", RESULTS)],
    "a folder of masks": [
        lambda root: touch(root / "clip" / "0.PNG"),
        lambda root: touch(root / "whatever" / "clip" / "0.png"),
        lambda root: (
            touch(root / "clip" / "0.png"),
            touch(root / "ImageSets" / "2017" / "val.txt"),
        ),
    ],
    "a folder of archives such as visor.zip": [
        lambda root: (touch(root / "visor.zip"), touch(root / "Thumbs.db"))
    ],
    "a folder around ActionVOS": [lambda root: make_root(root / "dataset_visor")],
    "a folder around DAVIS": [
        lambda root: touch(root / "DAVIS" / "Annotations" / "480p" / "bear" / "00000.png"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "make"), [(kind, make) for kind, makers in KINDS.items() for make in makers]
)
def test_every_kind_is_recognised_and_refused_by_name_in_a_split(kind, make, tmp_path):
    make(tmp_path / "data")
    assert recognise_dataset(tmp_path / "data").startswith(kind)
    with pytest.raises(InputError) as caught:
        open_action_split(tmp_path / "data", "train")
    (problem,) = caught.value.problems
    assert kind in problem.what


@pytest.mark.parametrize("kind", ["a folder around COCO", "a list of COCO"])
def test_truth_of_another_kind_is_refused_by_name(kind, tmp_path):
    make = next(makers[0] for name, makers in KINDS.items() if name.startswith(kind))
    make(tmp_path / "data")
    with pytest.raises(InputError, match=kind):
        open_truth(tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "make", "held"), [("d.zip", archive, "DAVIS"), ("d.tar.gz", tarball, "VISOR")]
)
def test_an_archive_is_to_be_unpacked_and_what_it_holds_is_said(name, make, held, tmp_path):
    make(tmp_path / name)
    assert recognise_dataset(tmp_path / name).startswith(f"an archive of {held} (unpack it")


def test_a_large_archive_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "d.tar"
    with tarfile.open(path, "w") as packed:
        member = tarfile.TarInfo("videos/P01_01.mp4")
        packed.addfile(member)
    with path.open("r+b") as stream:  # the header of a member whose data are 100 GB
        member.size = 100 << 30
        stream.write(member.tobuf(tarfile.GNU_FORMAT))
        stream.truncate(member.size)
    assert recognise_dataset(path).startswith("an archive of videos (unpack it")


@pytest.mark.parametrize("name", ["d.zip", "d.tar.gz", "d.tar", "d.json.gz", "d.7z"])
def test_a_damaged_file_is_no_error(name, tmp_path):
    (tmp_path / name).write_bytes(b"PK\x03\x04 and nothing more")
    kind = recognise_dataset(tmp_path / name)
    assert kind == (None if "json" in name else "an archive (unpack it, and give the folder)")


def test_documents_of_visor_are_told_apart(tmp_path):
    for document, kind in ((SPARSE, "raw VISOR annotations"), (DENSE, "VISOR's dense")):
        write(tmp_path / "P01_01.json", document)
        assert recognise_dataset(tmp_path / "P01_01.json").startswith(kind)


def test_an_actionvos_root_and_an_unknown_folder_are_no_other_kind(tmp_path):
    assert recognise_dataset(make_root(tmp_path / "root")) is None
    assert recognise_dataset(tmp_path / "nowhere") is None
    (tmp_path / "empty").mkdir()
    assert recognise_dataset(tmp_path / "empty") is None


def test_a_list_of_texts_does_not_make_davis_of_an_actionvos_root(tmp_path):
    root = make_root(tmp_path / "root")
    touch(root / "ImageSets" / "mine.txt")
    assert recognise_dataset(root) is None
    assert open_truth(root, "train").name == "train"


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("actiseg_noise.cli", ("corrupt", "data", "--type", "dilate", "--rate", "1")),
        ("actiseg_noise.cli", ("render", "data")),
        ("actiseg_eval.cli", ("score", "preds", "--gt", "data")),
        ("actiseg_eval.cli", ("compare", "a=preds", "b=preds/clip", "--gt", "data")),
    ],
)
def test_each_command_names_what_none_takes(module, arguments, tmp_path):
    write(tmp_path / "data" / "results.json", RESULTS)
    touch(tmp_path / "preds" / "clip" / "0.png")
    done = run(*arguments, cwd=tmp_path, module=module)
    assert done.returncode == 2
    assert "a list of COCO results" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data", "preds"}
