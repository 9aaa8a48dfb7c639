"""Noise of whole objects from end to end: written, verified, audited, published and rebuilt."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from actiseg_data import open_split
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise import audit, corrupt, inspect, load_preset, make_recipe, verify
from actiseg_noise.differences.release_comparison import compare_splits
from actiseg_noise.preview.sheet import make_preview
from actiseg_noise.recipes.building import check_recipe
from tests.helpers.kitchens import make_kitchen
from tests.helpers.made_layouts import make_coco, make_mevis, make_sav_documents

KINDS = ("missing", "merge", "swap", "ghost")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    root = make_kitchen(tmp_path_factory.mktemp("objects") / "clean", 24)
    for sequence in open_split(root, "train").sequences[:12]:  # a few objects out of sight
        path = root / MASKS / "train" / sequence.folder / f"{sequence.frames[0]}.png"
        mask = read_index_mask(path)
        write_index_mask(path, np.where(mask == 2, 0, mask).astype(np.uint8))
    return root


def make_mixture(seed=0, **more):
    settings = {"objects": "all", **more}
    recipes = [make_recipe(kind, 0.4, **settings) for kind in KINDS]
    recipes.append(make_recipe("erode", 0.5, **settings))
    return check_recipe(Recipe("train", seed, tuple(r.noises[0] for r in recipes)))


@pytest.mark.parametrize("span", ["clip", "frame"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_written_verified_and_consistent_with_its_recipe(kitchen, kind, span, tmp_path):
    made = corrupt(kitchen, kind, rate=0.5, span=span, objects="all", out=tmp_path / "noisy")
    counts = made.summary["objects"][kind]
    assert (counts["rate"], counts["span"]) == (0.5, span)
    assert counts["interval_95"][0] <= counts["realised_rate"] <= counts["interval_95"][1]
    assert 0 < counts["selected"] <= counts["rows"]
    assert "noise" not in made.summary
    assert f"{kind}={counts['selected']} of {counts['items']}" in repr(made)
    assert verify(made.out, source=kitchen).ok
    audited = audit(made.out)
    assert not audited.findings
    assert any(line.startswith(f"{kind}: of {counts['items']}") for line in audited.agreements)
    masks = inspect(made.out).masks
    assert masks.all.touched == counts["rows"]


@pytest.mark.parametrize(("make", "crowds"), [(make_coco, 1), (make_mevis, 0)])
def test_documents_may_lose_all_their_objects(make, crowds, tmp_path):
    clean = make(tmp_path / "clean").path
    made = corrupt(clean, "missing", rate=1, out=tmp_path / "noisy", licence="CC-BY-4.0")
    assert verify(made.out, clean).ok
    split = open_split(made.out)
    assert not any(mask.any() for sequence in split for mask in split.iterate_masks(sequence))
    assert made.summary["handled"].get("crowds_left_alone", 0) == crowds


def test_all_kinds_at_once_are_verified_by_pixel_and_ledger(kitchen, tmp_path):
    made = corrupt(kitchen, make_mixture(), out=tmp_path / "noisy")
    assert {*KINDS} == {*made.summary["objects"]}
    result = verify(made.out, source=kitchen)
    assert result.ok
    rows = (made.out / "ledger.jsonl").read_text().splitlines()
    parsed = [json.loads(row) for row in rows]
    keys = [(r["sequence"], r["frame"], r["object_id"], r["kind"]) for r in parsed]
    assert len(keys) == len(set(keys)) > len({key[:3] for key in keys})
    assert not audit(made.out).findings
    sheet = make_preview(made.out, parsed[0]["sequence"])
    assert sheet.width >= 900


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda s: s["objects"]["swap"].update(items=1), "objects.swap.items"),
        (lambda s: s["objects"]["missing"].update(selected=0), "objects.missing.selected"),
        (lambda s: s["objects"].pop("merge"), "objects.merge"),
        (lambda s: s["handled"].update(swap_without_partner=99), "swap_without_partner"),
    ],
)
def test_a_wrong_summary_is_found(kitchen, tmp_path, change, line):
    made = corrupt(kitchen, make_mixture(), out=tmp_path / "noisy")
    change(made.summary)
    write_json(made.out / "summary.json", made.summary)
    assert any(line in text for text in verify(made.out, source=kitchen).mismatches)


def test_rows_of_a_kind_that_the_recipe_lacks_are_found(kitchen, tmp_path):
    noisy = corrupt(kitchen, make_mixture(), out=tmp_path / "noisy").out
    plain = corrupt(kitchen, "erode", rate=0.5, out=tmp_path / "plain").out
    (plain / "ledger.jsonl").write_bytes((noisy / "ledger.jsonl").read_bytes())
    lines = verify(plain).mismatches
    assert any("has rows of the kind 'swap', which recipe.json lacks" in line for line in lines)


def test_exact_shares_are_of_what_is_left(kitchen, tmp_path):
    """An object that is left out has no outline, and is not counted among those that could."""
    whole = corrupt(kitchen, make_mixture(exact=True), out=tmp_path / "noisy")
    for counts in [whole.summary["noise"], *whole.summary["objects"].values()]:
        assert counts["interval_95"] is None
        if counts["kind"] != "ghost":  # a swap may have drawn the object
            assert counts["selected"] == int(counts["rate"] * counts["items"] + 0.5)
    folder = whole.summary["sequences"][3]
    part = corrupt(kitchen, make_mixture(exact=True), only=[folder], out=tmp_path / "part")
    frames = sorted((part.out / MASKS / "train" / folder).iterdir())
    for path in frames:
        other = whole.out / MASKS / "train" / folder / path.name
        assert (read_index_mask(path) == read_index_mask(other)).all()
    assert verify(whole.out, source=kitchen).ok
    assert verify(part.out, source=kitchen).ok


def test_a_split_is_published_and_rebuilt(kitchen, tmp_path):
    pytest.importorskip("pyarrow")
    from actiseg_noise import publish, rebuild
    from actiseg_noise.releases.checks.release_check import check_release

    root = tmp_path / "clean"
    shutil.copytree(kitchen, root)
    (root / "LICENSE").write_text("SPDX-License-Identifier: CC-BY-NC-4.0\n")
    noisy = corrupt(root, make_mixture(), out=tmp_path / "noisy").out
    publish([noisy], tmp_path / "release", title="Objects", author="A. B.")
    checked = check_release(tmp_path / "release")
    assert checked.ok
    (kit,) = (tmp_path / "release" / "rebuild").iterdir()
    rebuilt = rebuild(tmp_path / "release", config=kit.stem, source=root, out=tmp_path / "again")
    assert rebuilt.identical
    card = (tmp_path / "release" / "README.md").read_text()
    assert "(swap, algorithm 1): 40 % of the pairs of listed objects in clips" in card
    assert "are exchanged, so that each has the id of the other" in card


def test_splits_differ_kind_by_kind(kitchen, tmp_path):
    a = corrupt(kitchen, make_mixture(), out=tmp_path / "a").out
    b = corrupt(kitchen, make_mixture(seed=1), out=tmp_path / "b").out
    (same,), (other,) = (compare_splits(a, out).configurations.values() for out in (a, b))
    assert not same.masks.changes
    assert other.masks.changes
    names = {change.name for change in other.recipe}
    assert names == {"seed"}


def test_presets_say_what_they_are(kitchen, tmp_path):
    recipe = load_preset("una/30").make_recipe()
    assert [noise.kind for noise in recipe.noises] == ["class", "missing", "relocate", "ghost"]
    assert [noise.rate for noise in recipe.noises] == [0.428571, 0.3, 0.428571, 0.428571]
    made = corrupt(kitchen, "una/30", label_rate=0, out=tmp_path / "una")
    rest = made.summary["noise"]
    # Of all objects in frames, as many are relocated as are left out.
    items = made.summary["objects"]["missing"]["items"]
    assert rest["items"] == items - made.summary["objects"]["missing"]["selected"]
    assert abs(rest["selected"] / items - 0.3) < 0.1
    run = corrupt(kitchen, "ms-tfal/50", out=tmp_path / "runs")
    assert run.summary["noise"]["interval_95"] is None
    assert not audit(run.out).findings
    assert verify(run.out, source=kitchen).ok


def test_an_image_of_many_objects_may_lose_some(tmp_path):
    """The others stay in their sequences, although fewer sequences would do."""
    rle = {"size": [4, 4], "counts": [5, 2, 9]}
    entries = [
        {"id": number, "image_id": 7, "category_id": 1, "iscrowd": 0, "segmentation": rle}
        for number in range(260)
    ]
    image = {"id": 7, "file_name": "7.jpg", "height": 4, "width": 4}
    path = tmp_path / "instances.json"
    document = {"images": [image], "categories": [{"id": 1, "name": "ape"}], "annotations": entries}
    path.write_text(json.dumps(document))
    made = corrupt(path, "missing", rate=0.5, out=tmp_path / "noisy", licence="CC0-1.0")
    assert verify(made.out, source=path).ok
    left = json.loads((made.out / path.name).read_text())["annotations"]
    assert len(left) == 260 - made.summary["objects"]["missing"]["selected"]


def test_ghosts_of_single_frames_are_blank_in_the_others(tmp_path):
    """SA-V lists a mask of each object in each frame, but in a frame without masks."""
    root = make_sav_documents(tmp_path / "clean").path
    path = root / "bear_manual.json"
    document = json.loads(path.read_text())
    document["masklet"][1] = [None, None]
    path.write_text(json.dumps(document))
    made = corrupt(root, "ghost", rate=0.4, span="frame", out=tmp_path / "noisy", licence="MIT")
    assert verify(made.out, source=root).ok
    rows = json.loads((made.out / path.name).read_text())["masklet"]
    assert len(rows[0]) > 2
    assert set(rows[1]) == {None}
    assert None not in rows[0] + rows[2]
