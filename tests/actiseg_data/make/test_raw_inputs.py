"""The raw files in the report of a prepared split."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.make.prepare.raw_inputs import RawInput, read_prepared_inputs
from tests.helpers.visor_files import VisorFiles, human_record


@pytest.fixture
def files(tmp_path: Path) -> VisorFiles:
    return VisorFiles(tmp_path)


def digest(path: Path) -> str:
    """By another program than Python's."""
    return subprocess.run(
        ["sha256sum", path], capture_output=True, text=True, check=True
    ).stdout.split()[0]


def test_report_lists_every_file_that_was_read(files):
    given = files.write()
    labels = files.write_json("val_human.json", [human_record(7, 10, 20)])
    corrections = files.write_json("hos.json", {})
    files.prepare(human_labels=[labels], hos_corrections=corrections)
    read = [
        ("annotations", files.annotations / "P01_01.json"),
        ("frame_mapping", given["frame_mapping"]),
        ("narrations", given["narrations"][0]),
        ("noun_classes", given["noun_classes"]),
        ("human_labels", labels),
        ("hos_corrections", corrections),
    ]
    expected = tuple(RawInput(role, path.name, digest(path)) for role, path in read)
    assert read_prepared_inputs(files.out, "val") == expected
    assert read_prepared_inputs(files.out, "val_human") == expected
    assert read_prepared_inputs(files.out, "val_novel") == ()
    assert read_prepared_inputs(files.out, "train") == ()


def test_packed_files_have_the_digest_of_their_content(files):
    files.write()
    plain = files.annotations / "P01_01.json"
    content = plain.read_bytes()
    plain.with_suffix(".json.gz").write_bytes(gzip.compress(content))
    plain.unlink()
    from actiseg_data.make.prepare.preparation import prepare_visor

    mapping = files.folder / "mapping.json"
    prepare_visor(
        annotations=files.annotations,
        split="train",
        frame_mapping=mapping,
        narrations=[files.folder / "narrations.csv"],
        noun_classes=files.folder / "classes.csv",
        out=files.out,
        workers=2,
    )
    first = read_prepared_inputs(files.out, "train")[0]
    sha256 = hashlib.sha256(content).hexdigest()
    assert first == RawInput("annotations", "P01_01.json", sha256, "train")


def test_report_of_an_earlier_release_lists_nothing(files):
    files.prepare()
    path = files.out / "prepare-val.json"
    report = json.loads(path.read_text())
    del report["inputs"]
    path.write_text(json.dumps(report))
    assert read_prepared_inputs(files.out, "val") == ()


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("name", "../P01_01.json", "path separator"),
        ("role", "weights", "must be one of annotations"),
        ("sha256", "0" * 63, "64 hexadecimal digits"),
    ],
)
def test_damaged_report_is_refused(files, member, value, message):
    files.prepare()
    path = files.out / "prepare-val.json"
    report = json.loads(path.read_text())
    report["inputs"][0][member] = value
    path.write_text(json.dumps(report))
    with pytest.raises(InputError, match=message):
        read_prepared_inputs(files.out, "val")


def test_annotations_may_be_files(files):
    given = files.write()
    whole = files.prepare()
    listed = files.prepare(
        annotations=list(files.annotations.iterdir()), out=files.folder / "listed"
    )
    assert listed == whole
    assert given["out"] == files.out
