"""Files of a release with any content: they are refused or are faults, and break no check."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from actiseg_data.annotations.png import encode_bilevel
from actiseg_data.core.errors import InputError
from actiseg_data.core.names import is_plain_text
from actiseg_noise.differences.release_comparison import compare_splits
from actiseg_noise.releases.checks import release_check
from actiseg_noise.releases.checks.archive_checking import ArchiveCheck, digest_objects
from actiseg_noise.releases.checks.document_checks import check_card, check_croissant
from actiseg_noise.releases.checks.release_check import check_release
from actiseg_noise.releases.checks.row_checking import ListedRows, check_rows
from actiseg_noise.releases.checks.statement_checking import find_statement_faults
from actiseg_noise.releases.contents.checksums import read_checksums
from actiseg_noise.releases.contents.release_note import read_note
from actiseg_noise.releases.data_files.parquet_shards import make_cells, make_schema
from actiseg_noise.releases.data_files.release_rows import ReleaseRow, RowTask, RowWords
from actiseg_noise.split.split_archive import parse_names

NOTE = {
    "schema": "actiseg/release/1",
    "description": {
        "title": "Cups",
        "authors": [{"name": "Ada Lace", "orcid": None}],
        "version": "1.0.0",
        **dict.fromkeys(("url", "doi", "maintenance", "date")),
    },
    "data": "none",
    "licence": "CC-BY-4.0",
    "frames_licence": None,
    "configurations": [],
    "changes": {},
}


def write_note(folder: Path, **changes) -> Path:
    (folder / "release.json").write_text(json.dumps(NOTE | changes))
    return folder


def test_note_names_no_version_that_forges_a_line(tmp_path):
    assert read_note(write_note(tmp_path, changes={"0.9": ["all: added"]})).changes
    with pytest.raises(InputError, match="must be text without control characters"):
        read_note(write_note(tmp_path, changes={"0.9\nno fault": ["all: added"]}))


@pytest.mark.parametrize("name", ["", " ", "\u2003"])
def test_note_with_an_author_without_a_name_is_refused(tmp_path, name):
    description = NOTE["description"] | {"authors": [{"name": name, "orcid": None}]}
    with pytest.raises(InputError, match="the name of an author"):
        read_note(write_note(tmp_path, description=description))


def test_note_that_names_a_configuration_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="names 'one' a second time"):
        read_note(write_note(tmp_path, configurations=["one", "two", "one"]))


@pytest.mark.parametrize("orcid", [5, ["0000-0002-1825-0097"], {"a": 1}])
def test_orcid_of_any_type_is_compared(tmp_path, orcid):
    creators = [{"name": "Lace, Ada", "orcid": orcid}]
    document = {"title": "Cups", "version": "1.0.0", "creators": creators}
    (tmp_path / ".zenodo.json").write_text(json.dumps(document))
    lines = list(find_statement_faults(tmp_path, read_note(write_note(tmp_path))))
    assert ".zenodo.json: its authors are not those of release.json" in lines


@pytest.mark.parametrize("name", ["a\x1b[2Kb", "../a", "a\u202eb", "/a"])
def test_checksum_of_an_unsafe_name_is_refused(tmp_path, name):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n", "utf-8")
    with pytest.raises(InputError, match="line 1: is not the checksum of a file"):
        read_checksums(tmp_path)


def test_checksum_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  NOTICE\n" * 2)
    with pytest.raises(InputError, match="line 2: lists 'NOTICE' a second time"):
        read_checksums(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
@pytest.mark.parametrize("name", ["NOTICE", "data/one/train.parquet", "archives/one.tar", "x"])
def test_pipe_in_a_release_is_named_and_not_opened(tmp_path, name):
    write_note(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / name)
    lines = check_release(tmp_path).lines
    assert lines == (f"{name}: is not a regular file", "nothing else was checked")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
@pytest.mark.parametrize("name", ["one.tar", "one.json"])
def test_pipe_in_the_place_of_a_compared_file_is_refused(tmp_path, name):
    folder = tmp_path / ("archives" if name.endswith("tar") else "rebuild")
    folder.mkdir()
    os.mkfifo(folder / name)
    with pytest.raises(InputError, match="not a regular file"):
        compare_splits(tmp_path, tmp_path)


def test_link_in_a_release_is_named_and_not_opened(tmp_path):
    write_note(tmp_path)
    (tmp_path / "NOTICE").symlink_to("/dev/zero")
    assert check_release(tmp_path).lines[0] == "NOTICE: is a link, which does not travel"


def test_table_of_names_with_a_path_that_forges_a_line_is_refused():
    with pytest.raises(InputError, match="must be text without control characters"):
        parse_names(b"masks/a\x1b\ta:b\n", Path("a.tar"))


CARDS = {
    "no YAML": ("---\nlicense: [\n---\n", "its header cannot be read"),
    "licence is an object": ("---\nlicense: [{a: 1}]\n---\n", "does not state the licence"),
    "configurations are a text": ("---\nlicense: cc-by-4.0\nconfigs: all\n---\n", None),
    "configuration is a text": ("---\nlicense: cc-by-4.0\nconfigs: [a]\n---\n", None),
    "files are a text": ("configs: [{config_name: [a], data_files: x}]", None),
    "file is a number": ("configs: [{data_files: [{path: 3}]}]", "names 'int', and no file"),
    "path is empty": ("configs: [{data_files: [{path: ''}]}]", "names '', and no file"),
    "path is absolute": ("configs: [{data_files: [{path: /*}]}]", "names '/*', and no file"),
    "path leads outside": ("configs: [{data_files: ['../*']}]", "names '../*', and no file"),
}


@pytest.mark.parametrize("case", CARDS)
def test_card_of_any_content_is_checked(tmp_path, case):
    pytest.importorskip("huggingface_hub", reason="it is in the extra [publish]")
    header, fault = CARDS[case]
    whole = header if header.startswith("---") else f"---\nlicense: cc-by-4.0\n{header}\n---\n"
    (tmp_path / "README.md").write_text(whole)
    lines = list(check_card(tmp_path, read_note(write_note(tmp_path))))
    assert fault is None or any(fault in line for line in lines), lines


def test_card_with_an_unknown_licence_in_the_note_is_checked(tmp_path):
    pytest.importorskip("huggingface_hub", reason="it is in the extra [publish]")
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    note = read_note(write_note(tmp_path, licence="own-1.0"))
    (line,) = check_card(tmp_path, note)
    assert line == "release.json: names the licence 'own-1.0', which is unknown"


@pytest.mark.parametrize(
    "document", ["[" * 5000, "[]", "{}", '{"distribution": {"contentUrl": 3}}', "{", ""]
)
def test_croissant_of_any_content_is_checked(tmp_path, document):
    pytest.importorskip("mlcroissant", reason="it is in the extra [publish]")
    (tmp_path / "croissant.json").write_text(document)
    assert check_croissant(tmp_path)


def test_faults_are_plain_lines(tmp_path, monkeypatch):
    """What a library says of a document has the text of the document."""
    monkeypatch.setattr(release_check, "check_card", lambda *_: ["README.md: a\x1b[2Kb"])
    monkeypatch.setattr(release_check, "check_croissant", lambda _: ["Fie\u202eld"])
    write_note(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("")
    lines = check_release(tmp_path).lines
    assert len(lines) > 2
    assert all(map(is_plain_text, lines))


WORDS = RowWords(1, "cup to take", "cup to take", "cup", "cup", 13, 13, True, True, None)


@pytest.fixture
def rows(tmp_path):
    """A function that writes the Parquet file of an archive with one mask, and checks it."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="it is in the extra [publish]")
    pyarrow = pytest.importorskip("pyarrow", reason="it is in the extra [publish]")
    mask = np.eye(4, dtype=np.uint8)
    masks = {("seq", "frame_1"): digest_objects(mask)}
    check = ArchiveCheck((), 1, 0, masks, {})
    sequence = SimpleNamespace(folder="seq", frames=("frame_1",))
    task = RowTask(sequence, (WORDS,), {}, ("a.png",), (None,), ())
    (tmp_path / "data/one").mkdir(parents=True)
    right = make_cells(ReleaseRow("seq", "frame_1", WORDS, encode_bilevel(mask == 1)))
    schema = make_schema(frames=False)

    def write(schema=schema, **cells):
        table = pyarrow.Table.from_pylist([right | cells], schema=schema)
        parquet.write_table(table, tmp_path / "data/one/train-00000-of-00001.parquet")
        listed = ListedRows("train", (task,), {}, has_noise=False)
        return list(check_rows(tmp_path, "one", [listed], check))

    return SimpleNamespace(write=write, schema=schema, right=right)


def test_right_row_has_no_fault(rows):
    assert rows.write() == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"mask": {"bytes": None}}, "cannot be read"),
        ({"mask": {"path": "a"}}, "cannot be read"),
        ({"mask": {"bytes": b"\x89PNG"}}, "cannot be read"),
        ({"mask": None}, "the mask is not that of the archive"),
        ({"sequence": None}, "is not in the archive"),
        ({"object_id": None}, "is not in the archive"),
        ({"frame": None}, "is not in the archive"),
        ({"iou": 0.5}, "iou is not that of the archive"),
        ({"iou": float("nan")}, "iou is not that of the archive"),
        ({"positive": None}, "positive is not that of the archive"),
    ],
)
def test_rows_of_any_form_are_checked(rows, cells, fault):
    lines = rows.write(**cells)
    assert any(fault in line for line in lines), lines


def test_columns_of_other_names_types_or_order_are_a_fault(rows):
    for schema in (
        rows.schema.remove(0),
        rows.schema.set(2, rows.schema.field(2).with_type(rows.schema.field("iou").type)),
        rows.schema.remove(0).insert(1, rows.schema.field(0)),
        rows.schema.append(rows.schema.field("mask").with_name("image")),
    ):
        lines = rows.write(schema)
        assert any("its columns are not those" in line for line in lines), lines


def test_files_of_other_lists_and_numbers_are_a_fault(rows, tmp_path):
    rows.write()
    path = tmp_path / "data/one/train-00000-of-00001.parquet"
    for name in ("val-00000-of-00001.parquet", "train.parquet"):
        (path.parent / name).write_bytes(path.read_bytes())
        assert any(f"{name}: belongs to no list" in line for line in rows.write())
    (path.parent / "train-00001-of-00002.parquet").write_bytes(path.read_bytes())
    lines = rows.write()
    assert any("of train are incomplete" in line for line in lines), lines
    assert any("has two rows" in line for line in lines), lines


def test_listed_object_with_the_id_of_void_needs_a_row(tmp_path):
    check = ArchiveCheck(
        (), 1, 0, {("seq", "0"): digest_objects(np.full((4, 4), 255, np.uint8))}, {}
    )
    sequence = SimpleNamespace(folder="seq", frames=("0",))
    task = RowTask(sequence, (replace(WORDS, object_id=255),), {}, ("a.png",), (None,), ())
    listed = ListedRows("train", (task,), {}, has_noise=False)
    assert "data/one: lacks a row for seq, 0, object 255" in check_rows(
        tmp_path, "one", [listed], check
    )


def test_mask_of_another_size_is_not_decoded(rows, monkeypatch):
    """A small file can be a picture of many gigabytes."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("1", (9000, 9000)).save(stream, "PNG")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    lines = rows.write(mask={"bytes": stream.getvalue()})
    assert any("is not that of the archive" in line for line in lines), lines
