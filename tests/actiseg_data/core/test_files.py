from __future__ import annotations

import json
import os
import stat

import pytest

from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import (
    check_outside,
    is_occupied,
    move_clutter,
    new_folder,
    remove_path,
    write_bytes,
    write_json,
)
from actiseg_data.records.licences import (
    VISOR_LICENSE,
    VISOR_NOTICE,
    read_licences,
    write_licences,
)


def files_under(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_replaces_the_old_one_and_leaves_no_draft(tmp_path):
    path = tmp_path / "deep" / "folder" / "file.json"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert files_under(tmp_path) == ["file.json"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch, error):
    path = tmp_path / "file.json"
    write_bytes(path, b"old")
    drafts = []

    def fail(draft, target):
        drafts.append((draft.read_bytes(), draft.parent))
        raise error

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(type(error)):
        write_bytes(path, b"new")
    assert drafts == [(b"new", tmp_path)]  # beside the file: renames are whole on one disk only
    assert path.read_bytes() == b"old"
    assert files_under(tmp_path) == ["file.json"]


def test_a_folder_in_the_files_place_is_left_alone(tmp_path):
    (tmp_path / "file.json" / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match=r"file\.json"):
        write_bytes(tmp_path / "file.json", b"new")
    assert (tmp_path / "file.json" / "inner").is_dir()
    assert files_under(tmp_path) == []


@pytest.mark.parametrize("indent", [None, 2])
def test_json_keeps_key_order_and_letters(tmp_path, indent):
    document = {"b": "café 茶", "a": [1, 2.5, None, True]}
    write_json(tmp_path / "file.json", document, indent=indent)
    text = (tmp_path / "file.json").read_text("utf-8")
    assert list(json.loads(text).items()) == list(document.items())
    assert "café 茶" in text
    assert text.endswith("}\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(pipe, b"words")
        assert os.read(reader, 100) == b"words"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_without_a_value_for_a_number_is_never_written(tmp_path, number):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", {"a": number})
    with pytest.raises(ValueError, match="JSON"):
        digest_json({"a": number})
    assert files_under(tmp_path) == []


def test_digests_of_json_are_of_content():
    digest = digest_json({"a": [1, {"c": 2, "b": "é"}]})
    assert digest == "dbc2e6cb52d07b75b37ea9dfecec060b"
    assert digest == digest_json({"a": [1, {"b": "\u00e9", "c": 2}]})
    others = [{"a": [1, {"c": 2, "b": "e"}]}, {"a": [{"c": 2, "b": "é"}, 1]}, {"a": []}, [], {}]
    assert len({digest, *map(digest_json, others)}) == 6


def test_licences_come_from_the_dataset_or_are_visors(tmp_path):
    assert read_licences(tmp_path) == (VISOR_LICENSE, VISOR_NOTICE)
    assert "CC BY-NC 4.0" in VISOR_LICENSE
    write_licences(tmp_path, "own terms, é\n", "own notice\n")
    assert read_licences(tmp_path) == ("own terms, é\n", "own notice\n")
    (tmp_path / "NOTICE").unlink()
    assert read_licences(tmp_path) == ("own terms, é\n", VISOR_NOTICE)


def test_halves_of_surrogate_pairs_are_written_as_escapes(tmp_path):
    document = {"exp": "caf\u00e9 \ud800"}
    write_json(tmp_path / "file.json", document)
    assert json.loads((tmp_path / "file.json").read_bytes().decode("ascii")) == document


def test_a_new_folder_appears_when_complete_and_keeps_clutter(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").write_bytes(b"x")
    with new_folder(out) as folder:
        write_bytes(folder / "a.txt", b"a")
        assert not (out / "a.txt").exists()
    assert files_under(out) == [".DS_Store", "a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_new_folder_that_fails_leaves_nothing(tmp_path):
    def fail():
        with new_folder(tmp_path / "out") as folder:
            write_bytes(folder / "a.txt", b"a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_does_not_replace_anything(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a")
    for out in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(InputError, match=r"already exists\. Hint: give another folder as out"):
            new_folder(out).__enter__()
    assert files_under(tmp_path) == ["a.txt"]


def test_an_error_of_the_disk_names_the_new_folder(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OSError, match="out'") as raised, new_folder(out) as folder:
        (folder / "absent").read_bytes()
    assert raised.value.filename == str(out)


def test_a_folder_of_clutter_is_not_occupied(tmp_path):
    assert not is_occupied(tmp_path / "absent")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert not is_occupied(tmp_path)
    (tmp_path / "mask.png").write_bytes(b"x")
    assert is_occupied(tmp_path)


def test_removing_a_link_keeps_what_it_points_to(tmp_path):
    write_bytes(tmp_path / "kept" / "0.txt", b"0")
    (tmp_path / "link").symlink_to("kept")
    for name in ("link", "absent"):
        remove_path(tmp_path / name)
    assert files_under(tmp_path) == ["0.txt"]
    remove_path(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []


def test_an_output_is_neither_a_dataset_nor_inside_one(tmp_path):
    clean, noisy = tmp_path / "clean", tmp_path / "noisy"
    clean.mkdir()
    (tmp_path / "link").symlink_to(clean)
    check_outside(noisy, [clean], "out")
    check_outside(tmp_path / "clean-copy", [clean], "out")
    for path in (clean / "new" / "noisy", tmp_path / "link" / "noisy"):
        with pytest.raises(InputError, match="is inside the input") as refused:
            check_outside(path, [noisy, clean], "out")
        assert refused.value.problems[0].hint == "give a path outside it as `out`"
    with pytest.raises(InputError, match="link: is the input"):
        check_outside(tmp_path / "link", [clean], "out")


def test_moved_clutter_replaces_nothing(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for name in (".git", ".kept", "mask.png"):
        write_bytes(old / name, b"old")
    write_bytes(new / ".kept", b"new")
    move_clutter(old, new)
    assert files_under(old) == [".kept", "mask.png"]
    assert files_under(new) == [".git", ".kept"]
    assert (new / ".kept").read_bytes() == b"new"
