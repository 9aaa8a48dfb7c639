"""Folders of masks and a table of actions become datasets with actions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.prepare.mask_actions import prepare_mask_actions
from tests.helpers.action_sources import save_photograph
from tests.helpers.command import run

TABLE = """\
# objects and actions
sequence\tobject\taction\tobject_id\tnote
bear\tbrown bear\tpick up  fish\t\tone object
cows\tcow\twalk\t1\t
# the second and third of four
cows\tcow\twalk\t2\t
cows\tfence\tstand\t3\t
cows\twall\t\t5\t
"""


def make_davis(root, ids):
    """Masks of three frames, and photographs of the first two."""
    for name, objects in ids.items():
        for frame in range(3):
            mask = np.zeros((12, 16), np.uint8)
            for position, object_id in enumerate(objects):
                mask[1 + 2 * position : 3 + 2 * position, frame : frame + 8] = object_id
            write_index_mask(root / "Annotations" / "480p" / name / f"{frame:05d}.png", mask)
            if frame < 2:
                save_photograph(root / "JPEGImages" / "480p" / name / f"{frame:05d}.jpg", (12, 16))
    return root


@pytest.fixture
def davis(tmp_path):
    return make_davis(tmp_path / "DAVIS", {"bear": (7,), "cows": (1, 2, 3, 5)})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "actions.tsv"
    path.write_text(TABLE)
    return path


def test_prompts_folders_and_photographs_are_those_of_the_table(davis, table, tmp_path):
    root = tmp_path / "root"
    done = run(
        "prepare", "masks", davis, "--split", "val", "--out", root, "--actions", table, "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert "3 sequences, 9 masks, 9 objects, 6 photographs" in done.stdout
    assert "have no row" not in done.stdout
    assert "3 frames have no photograph" in done.stdout
    assert sorted(path.name for path in (root / IMAGE_SETS).iterdir()) == sorted(
        name_image_sets_files("val")
    )
    prompts = json.loads(
        (root / IMAGE_SETS / "val_meta_expressions_promptaction.json").read_text()
    )["videos"]
    active = {
        folder: [(e["exp"], e["obj_id"]) for e in video["expressions"].values() if e["positive"]]
        for folder, video in prompts.items()
    }
    assert active == {
        "00000001_bear_pick_brown-bear": [("brown bear used in the action of pick up  fish", "7")],
        "00000002_cows_walk_cow": [
            ("cow 1 used in the action of walk", "1"),
            ("cow 2 used in the action of walk", "2"),
        ],
        "00000003_cows_stand_fence": [("fence used in the action of stand", "3")],
    }
    inactive = prompts["00000003_cows_stand_fence"]["expressions"].values()
    assert [e["exp"].partition(" used")[0] for e in inactive if not e["positive"]] == [
        *("cow 1", "cow 2", "wall")
    ]
    for sequence in open_split(root, "val"):
        for frame in sequence.frames:
            copy = read_index_mask(root / MASKS / "val" / sequence.folder / f"{frame}.png")
            own = davis / "Annotations" / "480p" / sequence.video / f"{frame}.png"
            with Image.open(own) as image:
                assert (copy == np.array(image)).all()
            link = root / FRAMES / "val" / sequence.folder / f"{frame}.jpg"
            photograph = davis / "JPEGImages" / "480p" / sequence.video / f"{frame}.jpg"
            assert link.is_symlink() == photograph.exists()
            if photograph.exists():
                assert link.resolve() == photograph.resolve()


def test_the_only_object_may_be_255_and_frames_may_need_photographs(tmp_path):
    davis = make_davis(tmp_path / "DAVIS", {"bear": (255,), "swan": (255,)})
    write_index_mask(davis / "Annotations/480p/bear/00002.png", np.full((12, 16), 3, np.uint8))
    path = tmp_path / "actions.csv"
    path.write_text('sequence,object,action\nswan,"swan, black",swim\nbear,bear,run\ncow,cow,run\n')
    made = prepare_mask_actions(
        davis / "Annotations", "val", tmp_path / "root", actions=path, photographed=True
    )
    assert (made.masks, made.photographs, made.absent, made.void) == (4, 4, 0, 0)
    assert made.unknown == ("cow",)
    first, second = open_split(tmp_path / "root", "val").sequences
    assert (first.object_ids, first.frames) == ({255}, ("00000", "00001"))
    assert second.folder == "00000002_swan_swim_swan,-black"
    assert second.objects[0].name == "swan, black"


def test_objects_without_a_row_are_counted_and_inactive(davis, table, tmp_path):
    table.write_text(TABLE.replace("cows\twall\t\t5\t\n", ""))
    made = prepare_mask_actions(davis, "val", tmp_path / "root", actions=table)
    assert made.unnamed == 1
    names = {
        label.name: label.positive
        for label in open_split(tmp_path / "root", "val")["00000002_cows_walk_cow"].objects
    }
    assert names == {"cow 1": True, "cow 2": True, "fence": False, "object 5": False}


def test_a_list_chooses_the_sequences_that_need_rows(davis, table, tmp_path):
    lists = davis / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("bear\n")
    made = prepare_mask_actions(
        davis, "val", tmp_path / "root", actions=table, images="none", workers=2
    )
    assert (made.sequences, made.photographs, made.unknown) == (1, 0, ())
    assert not (tmp_path / "root" / FRAMES).exists()


def refuse_problems(davis, path, tmp_path, **options):
    with pytest.raises(InputError) as refused:
        prepare_mask_actions(davis, "val", tmp_path / "root", actions=path, **options)
    assert not (tmp_path / "root").exists()
    return [(problem.where.rpartition(": ")[2], problem.what) for problem in refused.value.problems]


def test_sequences_without_a_row_are_refused_and_misspelt_ones_named(davis, tmp_path):
    path = tmp_path / "actions.tsv"
    path.write_text("sequence\tobject\taction\nbaer\tbear\trun\n")
    places = refuse_problems(davis, path, tmp_path)
    assert [what for _, what in places] == [
        "has no row of the sequence 'bear'",
        "has no row of the sequence 'cows'",
        "there is no sequence 'baer'; did you mean 'bear'?",
    ]


def test_rows_that_fit_no_object_are_refused_together(davis, tmp_path):
    path = tmp_path / "actions.tsv"
    header = "sequence\tobject\taction\tobject_id\n"
    path.write_text(f"{header}bear\tbear\trun\t1\ncows\tcow\trun\t\n")
    assert refuse_problems(davis, path, tmp_path) == [
        ("line 2", "no mask of 'bear' has the object 1 (objects there: 7)"),
        ("line 3", "'cows' has several objects: 1, 2, 3, 5"),
    ]


def test_every_faulty_row_is_refused(davis, tmp_path):
    path = tmp_path / "actions.tsv"
    rows = (
        "bear\tbear\trun\n",
        "bear\t\trun\t1\n",
        "bear\t../bear\trun\t7\n",
        "cows\tcow\trun\t256\n",
        "bear\tbear\trun\t7\n",
        "bear\tbear\trun\t7\n",
        "bear\tlion\tsleep\t7\n",
        "bear\tbear\trun\t\n",
        "cows\tcow\t\t1\n",
        "cows\tcow\t\t\n",
    )
    path.write_text("sequence\tobject\taction\tobject_id\n" + "".join(rows))
    places = refuse_problems(davis, path, tmp_path)
    assert places == [
        ("line 2", "has 3 cells where the table has 4 columns"),
        ("line 3", "the object is empty"),
        ("line 4", "the object name '../bear' contains a path separator"),
        ("line 5", "'256' is not an object id"),
        ("line 11", "the action is empty"),
        ("line 7", "repeats a row of 'bear'"),
        ("line 8", "gives an object of 'bear' a second name"),
        ("line 9", "only some rows of 'bear' have one"),
        ("line 10", "no row of 'cows' has an action"),
    ]
    for text, message in (
        ("", "has no rows"),
        ("sequence\tobject\n", "does not have the columns action"),
        ("sequence,object,action,action\n", "has several columns action"),
    ):
        path.write_text(text)
        assert [what for _, what in refuse_problems(davis, path, tmp_path)] == [message]


def test_places_without_photographs_and_options_without_a_table_are_refused(davis, table, tmp_path):
    for path in (davis / "JPEGImages" / "480p" / "cows").iterdir():
        path.unlink()
    places = refuse_problems(davis, table, tmp_path, photographed=True)
    assert [what for _, what in places] == ["has no photograph of a frame with a mask"]
    done = run(
        *("prepare", "masks", davis, "--split", "val", "--out", tmp_path / "root"),
        *("--photographed", "--images", "copy"),
    )
    assert done.returncode == 2
    assert "--images: has an effect only if a table" in done.stderr
    assert "--photographed: has an effect only if a table" in done.stderr


def test_equal_sources_give_equal_bytes(davis, table, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        prepare_mask_actions(
            davis, "val", tmp_path / name, actions=table, images="copy", workers=workers
        )
    files = [path for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) == 9 + 6 + 5 + 2
    for path in files:
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


def test_real_sequences_of_davis_get_the_prompts_of_their_table(real_data, tmp_path):
    davis = real_data / "photographs" / "davis"
    made = prepare_mask_actions(
        davis, "val", tmp_path / "root", actions=davis / "actions.tsv", photographed=True
    )
    assert (made.sequences, made.masks, made.photographs, made.void) == (16, 286, 286, 0)
    assert sorted(made.unknown) == ["cows", "kite-surf", "libby", "scooter-black"]
    lines = (davis / "actions.tsv").read_text().splitlines()[2:]
    expected = {
        name: f"{thing} used in the action of {action}"
        for name, thing, action in (line.split("\t") for line in lines)
    }
    path = tmp_path / "root" / IMAGE_SETS / "val_meta_expressions_promptaction.json"
    videos = json.loads(path.read_text())["videos"]
    assert len(videos) == 16
    for folder, video in videos.items():
        (prompt,) = video["expressions"].values()
        assert (prompt["exp"], prompt["obj_id"]) == (expected[folder.split("_")[1]], "255")
        for frame in video["frames"]:
            link = tmp_path / "root" / FRAMES / "val" / folder / f"{frame}.jpg"
            assert link.read_bytes()[:2] == b"\xff\xd8"
