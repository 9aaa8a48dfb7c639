"""A layout is one entry of the table, which all commands use."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from actiseg_data.core.errors import InputError
from actiseg_data.layouts import layout_table
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.layout_table import LAYOUTS, PLAIN_LAYOUT
from actiseg_data.layouts.mask_folders import open_folder
from actiseg_data.layouts.opening import open_action_split, open_masks
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_eval.cli.app import app
from tests.helpers.roots import clip, make_root

TOY = Layout(
    key="toy",
    name="a toy",
    description="a toy dataset (a test takes it)",
    is_root=lambda root: (root / "toy.txt").is_file(),
    documents=(DocumentKind(frozenset((b"toys",)), "a list of toys"),),
    open_masks=lambda root, split, whole: replace(
        open_folder(root / "deep" / "masks"), name=split or "toy"
    ),
)
LABELS = Layout(
    key="labels",
    name="a folder of labels",
    description="labels and lists (a test takes it)",
    is_root=lambda root: (root / "labels").is_dir(),
    open_masks=lambda root, split, whole: open_folder(
        root / "labels", root / "ImageSets", split, whole
    ),
)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A root in a layout that is registered by one line, and predictions for it."""
    monkeypatch.setattr(layout_table, "LAYOUTS", (*LAYOUTS, TOY))
    root = make_root(tmp_path / "source", [clip(1)])
    sequences = root / "Annotations_Sparse" / "train"
    (tmp_path / "toy" / "deep").mkdir(parents=True)
    (tmp_path / "toy" / "toy.txt").touch()
    sequences.rename(tmp_path / "toy" / "deep" / "masks")
    shutil.rmtree(root)
    return tmp_path / "toy"


def test_score_takes_the_masks_of_a_layout_of_the_table(toy, tmp_path):
    out = tmp_path / "report.json"
    preds = toy / "deep" / "masks"
    arguments = ("score", preds, "--gt", toy, "--split", "x", "--protocol", "davis-unsupervised")
    done = CliRunner().invoke(app, [*map(str, arguments), "--json", str(out), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "1 sequence of x" in done.output
    report = json.loads(out.read_text())
    assert (report["truth"], report["split"]) == (str(preds), "x")


def test_messages_name_a_layout_of_the_table(toy, tmp_path):
    assert recognise_dataset(toy) == TOY.description
    assert recognise_dataset(tmp_path) == "a folder around a toy (give its folder toy)"
    (tmp_path / "toys.json").write_text('{"toys": []}')
    assert recognise_dataset(tmp_path / "toys.json") == "a list of toys"
    with pytest.raises(InputError, match="not an ActionVOS root but a toy dataset"):
        open_action_split(toy, "train")


@pytest.mark.parametrize(("split", "listed"), [(None, True), ("2017/val", True), (None, False)])
def test_a_layout_names_its_folder_of_masks_and_its_folder_of_lists(
    tmp_path, monkeypatch, split, listed
):
    monkeypatch.setattr(layout_table, "LAYOUTS", (*LAYOUTS, LABELS))
    for name in ("bear", "cow"):
        (tmp_path / "labels" / name).mkdir(parents=True)
        (tmp_path / "labels" / name / "0.png").touch()
    (tmp_path / "ImageSets" / "2017").mkdir(parents=True)
    for name in ("val.txt", "2017/val.txt"):
        (tmp_path / "ImageSets" / name).write_text("cow\n")
    assert recognise_dataset(tmp_path) == LABELS.description
    opened = open_masks(tmp_path, split, whole=not listed)
    assert [sequence.folder for sequence in opened.sequences] == ["bear", "cow"][listed:]
    assert opened.list_names == ["2017/val", "val"]
    with pytest.raises(InputError, match="has no lists"):
        open_folder(tmp_path / "labels", split="val")


def test_a_plain_folder_is_recognised_exactly_if_it_can_be_opened(tmp_path):
    deep = tmp_path / "whatever" / "clip"
    deep.mkdir(parents=True)
    for can_be_opened in (False, True):
        assert PLAIN_LAYOUT.is_root(tmp_path) is can_be_opened
        assert (recognise_dataset(tmp_path) == PLAIN_LAYOUT.description) is can_be_opened
        if can_be_opened:
            assert open_masks(tmp_path).sequences[0].folder == "clip"
        else:
            with pytest.raises(InputError, match="no sequence of masks"):
                open_masks(tmp_path)
        (deep / "0.png").touch()


def test_a_layout_without_masks_to_open_is_refused_by_name(toy, monkeypatch):
    monkeypatch.setattr(layout_table, "LAYOUTS", (replace(TOY, open_masks=None),))
    with pytest.raises(InputError, match="is a toy dataset"):
        open_masks(toy)


def test_names_of_layouts_are_unique_and_all_can_be_recognised():
    layouts = (*LAYOUTS, PLAIN_LAYOUT)
    assert len({layout.name for layout in layouts}) == len(layouts)
    for layout in layouts:
        assert layout.documents or layout.description
