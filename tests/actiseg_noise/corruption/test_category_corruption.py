"""Drawn categories in COCO and YouTube-VOS: files, records, checks, presets, releases."""

from __future__ import annotations

import copy
import csv
import hashlib
import json
import shutil
from collections import Counter

import pytest

from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_noise import audit, corrupt, inspect, make_recipe, verify
from actiseg_noise.recipes.presets import load_preset
from tests.helpers.command import run
from tests.helpers.made_layouts import SEQUENCES, make_coco, make_davis, make_youtube_vos

CATEGORIES = {7: ("ape", "animal"), 2: ("car", "vehicle"), 3: ("cow", "animal"), 9: ("bus", "x")}
LICENCE = {"licence": "CC-BY-4.0"}


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """COCO instances of four categories, the ids out of order."""
    path = make_coco(tmp_path_factory.mktemp("coco") / "clean").path
    document = read(path)
    document["categories"] = [
        {"id": number, "name": name, "supercategory": group}
        for number, (name, group) in CATEGORIES.items()
    ]
    for annotation in document["annotations"]:
        annotation["category_id"] = list(CATEGORIES)[annotation["id"] % 4]
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """YouTube-VOS with three categories in two videos of two objects."""
    root = make_youtube_vos(tmp_path_factory.mktemp("videos") / "clean").path
    meta = read(root / "train" / "meta.json")
    meta = copy.deepcopy(meta)
    meta["videos"]["swan"]["objects"]["1"]["category"] = "swan"
    (root / "train" / "meta.json").write_text(json.dumps(meta))
    return root


@pytest.fixture(scope="module")
def noisy_coco(coco, tmp_path_factory):
    out = tmp_path_factory.mktemp("noisy") / "coco"
    return corrupt(coco, "class", rate=0.5, seed=4, out=out, **LICENCE).out


@pytest.fixture(scope="module")
def noisy_videos(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("noisy") / "videos"
    return corrupt(videos, "class", rate=0.8, seed=2, out=out, **LICENCE).out


def read(path):
    return json.loads(path.read_text())


def hash_by_hand(*words):
    text = json.dumps(words, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def draw_by_hand(seed, place, class_id, rate, pool):
    """The category of an object at a place, drawn without this project's code."""
    others = [number for number in sorted(pool) if number != class_id]
    head = int.from_bytes(hash_by_hand(seed, 1, "class.select", *place)[:8], "little")
    if (head >> 11) / 2**53 >= rate:
        return class_id
    choice = int.from_bytes(hash_by_hand(seed, 1, "class.choose", *place), "little")
    return others[choice * len(others) >> 256]


def list_categories(path):
    return {entry["id"]: entry["category_id"] for entry in read(path)["annotations"]}


def test_a_document_of_coco_has_the_drawn_categories_and_is_equal_otherwise(coco, noisy_coco):
    expected = read(coco)
    for annotation in expected["annotations"]:
        if not annotation["iscrowd"]:
            place = (str(annotation["image_id"]), str(annotation["id"]))
            annotation["category_id"] = draw_by_hand(
                4, place, annotation["category_id"], 0.5, CATEGORIES
            )
    assert read(noisy_coco / "instances.json") == expected
    assert list_categories(coco) != list_categories(noisy_coco / "instances.json")


def test_meta_json_has_the_drawn_categories_and_is_equal_otherwise(videos, noisy_videos):
    expected = read(videos / "train" / "meta.json")
    pool = ("ape", "car", "swan")
    changed = 0
    for video, entry in expected["videos"].items():
        for number, member in entry["objects"].items():
            old = pool.index(member["category"]) + 1
            new = draw_by_hand(2, (video, number), old, 0.8, range(1, 4))
            changed += new != old
            member["category"] = pool[new - 1]
    assert changed
    assert read(noisy_videos / "train" / "meta.json") == expected


@pytest.mark.parametrize("name", ["coco", "videos"])
def test_the_list_of_the_copy_keeps_the_clean_categories(name, request):
    clean, noisy = request.getfixturevalue(name), request.getfixturevalue(f"noisy_{name}")
    untouched = corrupt(clean, "class", rate=0, out=noisy.with_name(f"{name}_0"), **LICENCE).out
    assert read(noisy / "sequences.json") == read(untouched / "sequences.json")
    rows = [json.loads(line) for line in (noisy / "ledger.jsonl").read_text().splitlines()]
    listed = {
        (entry["sequence"], int(number)): member
        for entry in read(noisy / "sequences.json")["sequences"]
        for number, member in entry["objects"].items()
    }
    assert rows
    for row in rows:
        member = listed[row["sequence"], row["object_id"]]
        assert row["value_org"] == {"id": member["class_id"], "name": member["name"]}


@pytest.mark.parametrize("name", ["coco", "videos"])
def test_a_copy_is_verified_and_reproduced(name, request):
    clean, noisy = request.getfixturevalue(name), request.getfixturevalue(f"noisy_{name}")
    assert verify(noisy).mismatches == ()
    assert verify(noisy, clean).mismatches == ()
    assert verify(noisy, clean).counts["masks"] == (12 if name == "coco" else 6)


def swap_category(copy_):
    """Give the first annotation another category than it has, and make the digest true again."""
    path = copy_ / "instances.json"
    document = read(path)
    first = document["annotations"][0]
    first["category_id"] = 9 if first["category_id"] != 9 else 3
    path.write_text(json.dumps(document))
    digests = read(copy_ / "digests.json")
    digests["instances.json"] = digest_json(document)
    (copy_ / "digests.json").write_text(json.dumps(digests))


def drop_row(copy_):
    lines = (copy_ / "ledger.jsonl").read_text().splitlines(keepends=True)
    (copy_ / "ledger.jsonl").write_text("".join(lines[1:]))


def rename_row(copy_):
    lines = (copy_ / "ledger.jsonl").read_text().splitlines(keepends=True)
    row = json.loads(lines[0])
    row["value"]["name"] = "horse"
    (copy_ / "ledger.jsonl").write_text("".join([json.dumps(row) + "\n", *lines[1:]]))


def lower_count(copy_):
    summary = read(copy_ / "summary.json")
    summary["labels"]["class"]["selected"] -= 1
    (copy_ / "summary.json").write_text(json.dumps(summary))


def drop_noise(copy_):
    recipe = read(copy_ / "recipe.json")
    recipe["noises"] = make_recipe("dilate", 0.0).to_dict()["noises"]
    (copy_ / "recipe.json").write_text(json.dumps(recipe))


@pytest.mark.parametrize(
    ("damage", "alone", "said"),
    [
        (swap_category, True, "the category of 1, object 1 is not what ledger.jsonl says"),
        (drop_row, True, "is not what ledger.jsonl says"),
        (rename_row, True, "has an unknown category"),
        (lower_count, True, "labels is not what recipe.json and ledger.jsonl give"),
        (drop_noise, True, "has rows for categories, which recipe.json does not ask for"),
        (drop_noise, True, "is not clean, and recipe.json lacks such noise"),
        (swap_category, False, "instances.json: differs from what the source gives"),
        (drop_row, False, "the rows for labels (class) of"),
    ],
)
def test_damage_is_found(damage, alone, said, coco, noisy_coco, tmp_path):
    damaged = tmp_path / "noisy"
    shutil.copytree(noisy_coco, damaged)
    damage(damaged)
    found = verify(damaged, None if alone else coco).mismatches
    assert any(said in line for line in found), found


def test_a_part_gets_the_same_categories(coco, noisy_coco, tmp_path):
    part = corrupt(coco, "class", rate=0.5, seed=4, only=["11", "2"], out=tmp_path / "p", **LICENCE)
    whole = list_categories(noisy_coco / "instances.json")
    own = list_categories(part.out / "instances.json")
    assert len(own) == 4
    assert own.items() <= whole.items()
    assert verify(part.out, coco).mismatches == ()


def test_an_exact_rate_is_met(coco, tmp_path):
    out = corrupt(coco, "class", rate=0.25, exact=True, out=tmp_path / "noisy", **LICENCE).out
    old, new = list_categories(coco), list_categories(out / "instances.json")
    assert sum(old[number] != new[number] for number in old) == 3
    assert verify(out, coco).mismatches == ()


def test_a_matrix_names_categories(coco, tmp_path):
    table = tmp_path / "matrix.csv"
    table.write_text("clean,ape,car,cow,bus\nape,,0,1,0\ncar,0,,0,2\n3,1,0,,0\nbus,0,3,0,\n")
    options = ("--change", "matrix", "--matrix", table, "--licence", "CC-BY-4.0", "--quiet")
    out = tmp_path / "noisy"
    done = run("corrupt", coco, "--type", "class", "--rate", "1", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    old, new = list_categories(coco), list_categories(out / "instances.json")
    pairs = {(old[number], new[number]) for number in old if number != 99}
    assert pairs == {(7, 3), (3, 7), (2, 9), (9, 2)}
    again = corrupt(coco, "class", rate=1, change="matrix", matrix=table, out=tmp_path / "b")
    assert (again.out / "digests.json").read_bytes() == (out / "digests.json").read_bytes()


@pytest.mark.parametrize("preset", ["coco-n/medium", "una/20"])
@pytest.mark.parametrize("name", ["coco", "videos"])
def test_presets_with_categories_are_whole(preset, name, request, tmp_path):
    clean = request.getfixturevalue(name)
    whole = corrupt(clean, preset, out=tmp_path / "whole", seed=1, **LICENCE).out
    masks = corrupt(clean, preset, label_rate=0, out=tmp_path / "masks", seed=1, **LICENCE).out
    for out in (whole, masks):
        assert verify(out).mismatches == ()
        assert verify(out, clean).mismatches == ()
    rows, other = (
        [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
        for out in (whole, masks)
    )
    assert [row for row in rows if row["kind"] != "class"] == other
    assert len(rows) > len(other)
    assert inspect(whole).categories is not None
    assert audit(whole).findings == ()


def test_statistics_count_the_files(coco, noisy_coco):
    old, new = list_categories(coco), list_categories(noisy_coco / "instances.json")
    del old[99], new[99]
    changed = [number for number in old if old[number] != new[number]]
    groups = {number: group for number, (_, group) in CATEGORIES.items()}
    akin = sum(groups[old[number]] == groups[new[number]] for number in changed)
    for statistics in (inspect(noisy_coco).categories, audit(noisy_coco).categories):
        assert (statistics.all.changed.items, statistics.all.changed.hits) == (12, len(changed))
        assert (statistics.akin.items, statistics.akin.hits) == (len(changed), akin)
        by_class = Counter(old[number] for number in changed)
        assert {k: g.changed.hits for k, g in statistics.by_class.items() if g.changed.hits} == (
            by_class
        )


def test_an_audit_compares_categories_with_the_recipe(noisy_coco, tmp_path):
    found = audit(noisy_coco)
    assert found.ok
    assert any(line.startswith("categories: ") for line in found.agreements)
    damaged = tmp_path / "noisy"
    shutil.copytree(noisy_coco, damaged)
    swap_category(damaged)
    assert audit(damaged).findings == (
        "1 object has other categories than the recipe draws for them",
    )
    drop_noise(damaged)
    assert any("which no recipe asks for" in line for line in audit(damaged).findings)


@pytest.mark.parametrize("own", [True, False])
def test_an_audit_knows_the_share_of_objects_that_keep_their_category(own, coco, tmp_path):
    out = corrupt(coco, "class", rate=1, own=own, out=tmp_path / "noisy", **LICENCE).out
    (line,) = [line for line in audit(out).agreements if line.startswith("categories: ")]
    assert f"the recipe asks for ({'75.0%' if own else '100.0%'})" in line


def test_differences_list_categories(coco, noisy_coco, tmp_path):
    other = corrupt(coco, "class", rate=0.5, seed=5, out=tmp_path / "other", **LICENCE).out
    done = run("diff", noisy_coco, other)
    assert done.returncode == 1
    assert "labels: " in done.stdout
    assert run("diff", noisy_coco, noisy_coco).returncode == 0


def test_a_preview_shows_categories(noisy_videos, tmp_path):
    done = run("preview", noisy_videos, "--to", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert "labelled as" in done.stdout


def test_categories_that_a_dataset_lacks_are_refused(coco, videos, noisy_coco, tmp_path):
    davis = make_davis(tmp_path / "davis").path
    with pytest.raises(InputError, match="and the dataset has none") as refused:
        corrupt(davis, "una/20", out=tmp_path / "o", **LICENCE)
    assert "set label_rate to 0" in str(refused.value)
    with pytest.raises(InputError, match="has 3 categories that the dataset lacks"):
        corrupt(videos, noisy_coco / "recipe.json", split="train", out=tmp_path / "o", **LICENCE)
    matrix = tmp_path / "matrix.csv"
    with pytest.raises(InputError, match="names categories, and the dataset has none"):
        corrupt(davis, "class", rate=1, change="matrix", matrix=matrix, out=tmp_path / "o")
    with pytest.raises(InputError, match="the dataset has no action lists"):
        corrupt(coco, "activity", rate=0.4, out=tmp_path / "o", **LICENCE)
    assert not (tmp_path / "o").exists()


def test_a_preset_without_its_class_noise_is_taken_by_any_dataset(tmp_path):
    davis = make_davis(tmp_path / "davis").path
    out = corrupt(davis, "coco-n/easy", label_rate=0, out=tmp_path / "o", **LICENCE).out
    alone = [load_preset("coco-n/easy").make_recipe().mask_noise]
    assert [noise for noise in read(out / "recipe.json")["noises"] if "overlap" in noise] == [
        noise.to_dict() for noise in alone
    ]
    assert verify(out, davis).mismatches == ()
    assert audit(out).ok


def test_a_release_has_the_categories_before_and_after(coco, noisy_coco, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="it is in the extra [publish]")
    release = tmp_path / "release"
    text = ("--title", "Made", "--author", "Josiah Carberry", "--quiet")
    done = run("publish", noisy_coco, "--to", release, *text)
    assert done.returncode == 0, done.stderr
    assert "no fault" in run("publish", "--check", release, "--quiet").stdout
    (table,) = release.glob("data/*/*.parquet")
    old, new = list_categories(coco), list_categories(noisy_coco / "instances.json")
    names = {number: name for number, (name, _) in CATEGORIES.items()}
    ids = {
        (entry["sequence"], int(number)): int(member["source_id"])
        for entry in read(noisy_coco / "sequences.json")["sequences"]
        for number, member in entry["objects"].items()
    }
    rows = parquet.read_table(table).to_pylist()
    assert len(rows) == 12
    for row in rows:
        number = ids[row["sequence"], row["object_id"]]
        assert (row["class_id"], row["class_id_clean"]) == (new[number], old[number])
        assert (row["name"], row["name_clean"]) == (names[new[number]], names[old[number]])
    changed = sum(old[number] != new[number] for number in old)
    with (release / "statistics.csv").open(newline="") as stream:
        (line,) = [row for row in csv.DictReader(stream) if row["medium"] == "categories"]
    assert (line["items"], line["noisy"]) == ("12", str(changed))
    card = (release / "README.md").read_text().replace("\\_", "_")
    assert "another category is drawn from all of the dataset" in card
    assert "class_id unlike class_id_clean for wrong categories" in card
    rebuilt = tmp_path / "rebuilt"
    done = run("rebuild", release, "--source", coco, "--out", rebuilt, "--quiet")
    assert "identical" in done.stdout, done.stderr
    assert (rebuilt / "ledger.jsonl").read_bytes() == (noisy_coco / "ledger.jsonl").read_bytes()


def test_all_frames_of_a_video_share_a_category(noisy_videos):
    rows = [json.loads(line) for line in (noisy_videos / "ledger.jsonl").read_text().splitlines()]
    assert {row["frame"] for row in rows} == {None}
    assert {row["sequence"] for row in rows} <= set(SEQUENCES)
