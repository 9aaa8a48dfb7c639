"""`inspect` measures what is on disk: recomputed with loops, files and scipy."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.spatial.distance import cdist

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.sizes import classify_size
from actiseg_data.core.errors import InputError
from actiseg_data.core.statistics import wilson_interval
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.terminal.report_printing import print_report
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.boundary_shift import measure_shift
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.measurement.inspection_report import describe_inspection
from actiseg_noise.preview import make_preview
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.roots import clip, label, make_root


def disc(radius, centre=(60, 60), shape=(121, 121)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


@pytest.mark.parametrize(("clean", "noisy"), [(20, 26), (40, 43), (40, 33), (12, 10), (30, 30)])
def test_shift_of_a_disc_is_the_difference_of_the_radii(clean, noisy):
    shift = measure_shift(disc(clean), disc(noisy))
    assert shift.signed == pytest.approx(noisy - clean, abs=0.3)
    assert shift.absolute == abs(shift.signed)


def test_a_moved_disc_is_hardly_biased():
    shift = measure_shift(disc(30), disc(30, centre=(60, 64)))
    assert shift.signed == pytest.approx(4**2 / (4 * 30), abs=0.05)  # of the second order
    assert shift.absolute == pytest.approx(4 * 2 / np.pi, abs=0.3)  # mean of |4 cos|


def boundary(member):
    """(row, column) of all pixels with a neighbour in the frame that is outside of the object."""
    height, width = member.shape
    found = []
    for y, x in np.argwhere(member):
        around = ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
        if any(0 <= v < height and 0 <= u < width and not member[v, u] for v, u in around):
            found.append((y, x))
    return np.array(found).reshape(-1, 2)


def brute_force(clean, noisy):
    given, moved = boundary(clean), boundary(noisy)
    if not (len(given) and len(moved)):
        return None
    far = cdist(moved, given).min(axis=1)
    signs = np.where(clean[tuple(moved.T)], -1, 1)
    return (signs * far).mean(), far.mean()


MEMBERS = arrays(bool, (9, 11))


@given(MEMBERS, MEMBERS)
def test_shift_equals_that_of_all_pairs_of_boundary_pixels(clean, noisy):
    expected, shift = brute_force(clean, noisy), measure_shift(clean, noisy)
    if expected is None:
        assert shift is None
    else:
        assert (shift.signed, shift.absolute) == pytest.approx(expected, abs=2e-6)


@given(MEMBERS)
def test_an_unmoved_boundary_has_no_shift(member):
    shift = measure_shift(member, member)
    assert shift is None or (shift.signed, shift.absolute) == (0, 0)


def test_the_edge_of_the_frame_is_not_a_boundary():
    clean, noisy = np.zeros((2, 20, 30), bool)
    clean[:10], noisy[:13] = True, True
    shift = measure_shift(clean, noisy)
    assert (shift.signed, shift.absolute) == (3, 3)
    assert measure_shift(np.ones((5, 5), bool), np.ones((5, 5), bool)) is None


@pytest.fixture
def roots(tmp_path):
    root = make_root(tmp_path / "clean")
    return root, corrupt(root, make_recipe("boundary", 0.6), out=tmp_path / "noisy").out


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def ledger(out):
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def every_object(root, out):
    """(record, frame, object id, its entry, clean and noisy pixels) of every object in sight."""
    for record in json.loads((root / IMAGE_SETS / "train.json").read_text()):
        folder = f"{record['seq_id']:08d}_{record['video']}_{record['verb']}_{record['noun']}"
        for file in record["sparse_frames"]:
            place = f"{MASKS}/train/{folder}/{file.replace('.jpg', '.png')}"
            clean, noisy = pixels(root / place), pixels(out / place)
            for name, entry in record["object_classes"].items():
                if (clean == int(name)).any():
                    members = (clean == int(name), noisy == int(name))
                    yield folder, file.removesuffix(".jpg"), int(name), entry, *members


def test_figures_are_those_of_the_files(roots):
    root, out = roots
    rows = {(row["sequence"], row["frame"], row["object_id"]): row for row in ledger(out)}
    items, touched = [], []
    bystanders = {"items": 0, "cut": 0, "pixels": 0}
    for folder, frame, object_id, entry, clean, noisy in every_object(root, out):
        row = rows.get((folder, frame, object_id))
        if entry["positive"]:
            items.append((entry["class_id"], int(clean.sum())))
        if row is None:
            lost = int((clean & ~noisy).sum())
            bystanders["items"] += 1
            bystanders["cut"] += lost > 0
            bystanders["pixels"] += lost
        else:
            iou = (clean & noisy).sum() / (clean | noisy).sum()
            ratio = noisy.sum() / clean.sum()
            shift = brute_force(clean, noisy)
            touched.append(
                (
                    row["kind"],
                    entry["class_id"],
                    classify_size(int(clean.sum())),
                    iou,
                    ratio,
                    *shift,
                )
            )

    def check(group, chosen, eligible):
        assert (group.items, group.touched) == (eligible, len(chosen))
        assert group.rate == pytest.approx(len(chosen) / eligible, abs=1e-6)
        assert group.interval_95 == pytest.approx(wilson_interval(len(chosen), eligible), abs=1e-6)
        for place, figures in enumerate(
            (group.iou, group.area_ratio, group.shift, group.shift_absolute), 3
        ):
            values = [measured[place] for measured in chosen]
            assert figures["n"] == len(values)
            if values:
                assert figures["mean"] == pytest.approx(np.mean(values), abs=2e-6)
                assert figures["q50"] == pytest.approx(np.median(values), abs=2e-6)
                assert figures["q05"] == pytest.approx(np.quantile(values, 0.05), abs=2e-6)

    found = inspect(out)
    check(found.masks.all, touched, len(items))
    assert {group.name for group in found.masks.by_kind} == {kind for kind, *_ in touched}
    for group in found.masks.by_kind:
        check(group, [m for m in touched if m[0] == group.name], len(items))
    assert list(found.masks.by_class) == sorted({class_id for class_id, _ in items})
    for class_id, group in found.masks.by_class.items():
        of_class = [m for m in touched if m[1] == class_id]
        check(group, of_class, sum(item == class_id for item, _ in items))
    for group in found.masks.by_size:
        eligible = sum(classify_size(area) == group.name for _, area in items)
        if eligible:
            check(group, [m for m in touched if m[2] == group.name], eligible)
    assert {name: getattr(found.masks.bystanders, name) for name in bystanders} == bystanders
    assert found.masks.bystanders.iou_of_cut["n"] == bystanders["cut"] > 0


def test_direction_of_the_kinds_shows_in_the_shift(tmp_path):
    root = make_root(tmp_path / "clean")
    for kind, sign in (("dilate", 1), ("erode", -1)):
        out = corrupt(root, make_recipe(kind, 1.0), out=tmp_path / kind).out
        assert sign * inspect(out).masks.all.shift["mean"] > 0.5


def test_workers_do_not_matter(roots):
    _, out = roots
    assert inspect(out, workers=2).to_dict() == inspect(out).to_dict()


def test_without_the_source_the_ledger_speaks(roots, tmp_path):
    root, out = roots
    with_source = inspect(out)
    root.rename(tmp_path / "elsewhere")
    found = inspect(out)
    document = found.to_dict()
    assert found.masks.all.touched == with_source.masks.all.touched
    assert document["masks"]["all"]["iou"] == pytest.approx(
        with_source.to_dict()["masks"]["all"]["iou"], abs=1e-5
    )
    for name in ("items", "rate", "interval_95", "area_ratio", "shift", "vanished"):
        assert document["masks"]["all"][name] is None
    assert document["masks"]["bystanders"] is None
    assert "`source`" in found.left_out["shift"]
    assert inspect(out, tmp_path / "elsewhere").to_dict() == with_source.to_dict()


def test_the_document_is_plain_json(roots):
    _, out = roots
    document = inspect(out).to_dict()
    assert document["schema"] == "actiseg/inspection/2"
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_an_exact_share_has_no_interval(tmp_path):
    root = make_root(tmp_path / "clean")
    out = corrupt(root, make_recipe("erode", 0.5, exact=True), out=tmp_path / "noisy").out
    found = inspect(out)
    assert found.masks.all.interval_95 is None
    assert found.masks.all.rate == pytest.approx(0.5, abs=1 / found.masks.all.items)


def test_all_objects_are_eligible_where_the_recipe_says_so(tmp_path):
    root = make_root(tmp_path / "clean")
    out = corrupt(root, make_recipe("erode", 0.5, objects="all"), out=tmp_path / "noisy").out
    found = inspect(out)
    in_sight = list(every_object(root, out))
    assert found.masks.all.items == len(in_sight)
    assert found.masks.bystanders.items == len(in_sight) - found.masks.all.touched


def test_only_looks_at_the_named_sequences(roots):
    _, out = roots
    rows = ledger(out)
    folder = rows[0]["sequence"]
    found = inspect(out, only=[folder])
    assert found.sequences == 1
    assert found.masks.all.touched == sum(row["sequence"] == folder for row in rows)
    with pytest.raises(InputError, match="nope"):
        inspect(out, only=["nope"])


def test_the_lexicon_names_classes_and_groups_them(roots):
    _, out = roots
    found = inspect(out)
    # The classes of the test's objects: 11 and 14 are hand and fork in EPIC's list.
    assert [group.name for group in found.masks.by_class.values()] == ["hand", "fork"]
    groups = {group.name: group for group in found.masks.by_supercategory}
    assert list(groups) == ["cutlery", "hand"]
    assert groups["hand"].touched == found.masks.by_class[11].touched
    assert sum(group.items for group in groups.values()) == found.masks.all.items


def test_classes_that_a_lexicon_lacks_keep_their_names(roots):
    _, out = roots
    known = load_lexicon()
    few = replace(known, classes={11: known.classes[11]})
    found = inspect(out, lexicon=few)
    assert [group.name for group in found.masks.by_class.values()] == ["hand", "right hand"]
    assert [group.name for group in found.masks.by_supercategory] == ["hand", "not in the lexicon"]


def test_an_object_that_vanished_has_no_shift(roots):
    """Masks that the ledger does not fit are verified elsewhere; here, they are measured."""
    _, out = roots
    row = ledger(out)[0]
    path = out / MASKS / "train" / row["sequence"] / f"{row['frame']}.png"
    mask = pixels(path)
    mask[mask == row["object_id"]] = 0
    write_index_mask(path, mask)
    before = len(ledger(out))
    found = inspect(out)
    assert found.masks.all.vanished == 1
    assert found.masks.all.shift["n"] == before - 1
    assert found.masks.all.iou["n"] == before
    assert found.masks.all.iou["q05"] < 0.8


def test_masks_of_another_size_are_an_error(roots):
    _, out = roots
    path = sorted((out / MASKS).rglob("*.png"))[0]
    for each in path.parent.iterdir():
        write_index_mask(each, pixels(each)[:-2])
    with pytest.raises(InputError, match="160 x 118 pixels, but the clean mask has 160 x 120"):
        inspect(out)


def test_missing_masks_are_an_error(roots):
    root, out = roots
    for path in sorted((out / MASKS).rglob("*.png"))[1:4:2]:
        path.unlink()
    with pytest.raises(InputError) as caught:
        inspect(out)
    assert len(caught.value.problems) == 2
    shutil.rmtree(root / MASKS)
    with pytest.raises(InputError, match="mask folder is missing"):
        inspect(out)


def test_another_source_is_an_error(roots, tmp_path):
    _, out = roots
    other = make_root(tmp_path / "other", [clip(1), clip(2, frames=("frame_1", "frame_2"))])
    with pytest.raises(InputError) as caught:
        inspect(out, other)
    told = str(caught.value)
    assert "has different frames or objects in the sequence" in told
    assert told.count("lacks the sequence") == 4
    with pytest.raises(InputError, match="missing"):
        inspect(out, tmp_path / "nothing")


def test_splits_of_other_releases_are_measured(roots):
    _, out = roots
    before = inspect(out)
    path = out / "recipe.json"
    recipe = json.loads(path.read_text())
    recipe["noises"][0] |= {"algorithm": 99, "parameters": {"kinds": "?", "target_iou": "?"}}
    path.write_text(json.dumps(recipe))
    assert inspect(out).masks.all == before.masks.all
    assert make_preview(out, ledger(out)[0]["sequence"]).width > 1000
    recipe["noises"] *= 2
    path.write_text(json.dumps(recipe))
    with pytest.raises(InputError, match="2 noises"):
        inspect(out)


@pytest.mark.parametrize("name", ["recipe.json", "summary.json", "ledger.jsonl"])
def test_a_folder_without_noisy_split_is_an_error(roots, name):
    _, out = roots
    (out / name).unlink()
    with pytest.raises(InputError, match=name):
        inspect(out)


def test_the_tables_name_the_largest_classes(tmp_path, capsys):
    names = ["cup", "right hand", *(f"thing {number}" for number in range(3, 18))]
    objects = tuple(label(number, name) for number, name in enumerate(names, 1))
    root = make_root(tmp_path / "clean", [clip(number, objects=objects) for number in (1, 2, 3)])
    out = corrupt(root, make_recipe("boundary", 0.5), out=tmp_path / "noisy").out
    found = inspect(out)
    print_report(describe_inspection(found))
    told = capsys.readouterr().out
    assert len(found.masks.by_class) > 12
    assert f"{len(found.masks.by_class) - 11} others" in told
    for words in ("by kind", "by object size", "by class", "untouched neighbours", "supercategory"):
        assert words in told


def test_the_tables_do_without_the_source(roots, tmp_path, capsys):
    root, out = roots
    root.rename(tmp_path / "elsewhere")
    print_report(describe_inspection(inspect(out)))
    told = capsys.readouterr().out
    assert "shift" not in told.split("left out")[0]
    assert "give --source" in told
