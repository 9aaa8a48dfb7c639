"""`diff` by item: what each pair of splits must and must not differ in."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.masks import digest_pixels, read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_noise import compare_splits, corrupt
from actiseg_noise.differences.difference_report import describe_changes
from tests.helpers.command import run
from tests.helpers.roots import add_weights, clip, make_root

CLIP = "{:08d}_P01_01_take_cup"


def compare(a, b):
    (pair,) = compare_splits(a, b).configurations.values()
    return pair


def count(medium):
    return {name: n for name in CATEGORIES if (n := medium.count(name))}


CATEGORIES = ("only_a", "only_b", "other_noise", "other_overlap", "other_words", "unexplained")


def read_rows(out):
    """The ledger by item, read without the package; items are named without numbers."""
    rows = {}
    for line in (out / "ledger.jsonl").read_text().splitlines():
        row = json.loads(line)
        row.pop("object_id")
        place = row.pop("sequence").partition("_")[2]
        rows[place, row.get("frame"), row["object"]] = row
    return rows


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = make_root(tmp_path_factory.mktemp("root") / "clean")
    add_weights(root)
    return root


@pytest.fixture(scope="module")
def make(sample, tmp_path_factory):
    """Return a function that makes a noisy split of the sample's val."""
    made = {}

    def run_once(noise, **settings):
        key = (noise, *sorted(settings.items()))
        if key not in made:
            out = tmp_path_factory.mktemp("noisy") / "out"
            made[key] = corrupt(sample, noise, split="val", out=out, **settings).out
        return made[key]

    return run_once


def test_a_split_does_not_differ_from_itself(make):
    out = make("mixed", rate=0.4)
    pair = compare(out, out)
    assert pair.same
    assert pair.masks.same + pair.text.same == len(read_rows(out))
    assert count(pair.masks) == count(pair.text) == {}


def test_the_number_of_workers_changes_nothing(sample, tmp_path):
    a, b = (
        corrupt(sample, "mixed", rate=0.4, split="val", out=tmp_path / f"{n}", workers=n).out
        for n in (1, 2)
    )
    assert compare_splits(a, b).same
    assert describe_changes(compare_splits(a, b)) == ("1: unchanged",)


def test_two_seeds_differ_as_their_ledgers_do(make):
    a, b = make("mixed", rate=0.4), make("mixed", rate=0.4, seed=1)
    pair = compare(a, b)
    old, new = read_rows(a), read_rows(b)
    changes = [*pair.masks.changes, *pair.text.changes]
    assert not [change for change in changes if change.category == "unexplained"]
    for category, places in (("only_a", old.keys() - new), ("only_b", new.keys() - old)):
        listed = [
            (change.sequence.partition("_")[2], change.frame, change.object)
            for change in changes
            if change.category == category
        ]
        assert sorted(map(str, listed)) == sorted(map(str, places))
    shared = old.keys() & new.keys()
    assert pair.masks.same + pair.text.same == sum(old[place] == new[place] for place in shared)
    assert [(c.name, c.a, c.b) for c in pair.recipe] == [("seed", 0, 1)]


@settings(max_examples=5)
@given(low=st.sampled_from([0.1, 0.2, 0.3]), more=st.sampled_from([0.2, 0.4]))
def test_a_higher_rate_only_adds_items(make, low, more):
    """Noise nests: at a higher rate no item loses its noise, and none is drawn differently."""
    rates = (low, round(low + more, 1))
    masks = compare(*(make("boundary", rate=rate) for rate in rates)).masks
    assert set(count(masks)) <= {"only_b", "other_overlap"}
    text = compare(*(make("text", rate=rate) for rate in rates)).text
    assert set(count(text)) <= {"only_b", "other_words"}
    kinds = {change.changes["kind"] for change in text.changes if change.category != "only_b"}
    assert kinds <= {("within-category", "category")}


def test_flips_alone_only_gain_items(make):
    text = compare(make("category", rate=0.2), make("category", rate=0.6)).text
    assert set(count(text)) == {"only_b"}


def test_text_and_boundary_share_no_item(make):
    pair = compare(make("text", rate=0.4), make("boundary", rate=0.4))
    assert set(count(pair.text)) == {"only_a"}
    assert set(count(pair.masks)) == {"only_b"}
    assert {change.name for change in pair.recipe} == {"masks", "text"}
    assert pair.files["masks"].different > 0


def test_a_part_has_the_noise_of_the_whole(sample, make, tmp_path):
    whole = make("boundary", rate=0.4)
    folder = json.loads((whole / "summary.json").read_text())["sequences"][3]
    part = corrupt(sample, "boundary", rate=0.4, split="val", only=[folder], out=tmp_path / "p").out
    pair = compare(part, whole)
    assert not pair.same
    assert (pair.sequences.shared, len(pair.sequences.only_b)) == (1, 19)
    assert pair.masks.changes == ()
    assert pair.masks.items[0] == pair.masks.same == len(read_rows(part))
    assert pair.origin.source == ()


def test_a_renumbered_part_has_the_same_items(root, tmp_path):
    clips = [clip(number) for number in range(1, 7)]
    kept = [clip(n, seq_id=n + 40, start=100 * n) for n in (2, 4)]
    kept = [
        type(one)(**{**vars(one), "frames": old.frames, "end": old.end})
        for one, old in zip(kept, (clips[1], clips[3]), strict=True)
    ]
    other = make_root(tmp_path / "other", kept)
    add_weights(other)
    a = corrupt(root, "mixed", rate=0.7, out=tmp_path / "a").out
    b = corrupt(other, "mixed", rate=0.7, out=tmp_path / "b").out
    pair = compare(a, b)
    assert pair.masks.changes == pair.text.changes == ()
    assert pair.masks.same > 0
    assert pair.sequences.renumbered == tuple((CLIP.format(n), CLIP.format(n + 40)) for n in (2, 4))
    assert len(pair.sequences.only_a) == 4
    assert [change.name for change in pair.origin.source] == ["clean list"]
    assert pair.files["weights"].changed == 0
    (line,) = describe_changes(compare_splits(a, b))
    assert line == (
        "a: 4 sequences were removed; 2 sequences have another number; made from another source"
    )


def test_twins_are_told_apart_by_their_time(tmp_path):
    """Two actions share name and frames; a part has only the second of them."""
    first = clip(2)
    second = clip(4, frames=first.frames, start=first.start + 9, end=first.end, narration="get cup")
    whole = make_root(tmp_path / "whole", [first, second])
    a = corrupt(whole, "boundary", rate=0.9, out=tmp_path / "a").out
    b = corrupt(whole, "boundary", rate=0.9, only=[second.folder], out=tmp_path / "b").out
    pair = compare(a, b)
    assert pair.sequences.only_a == (first.folder,)
    assert pair.masks.changes == ()
    assert pair.sequences.renumbered == pair.sequences.other_annotations == ()


def forge_a_mask(out):
    """Change a pixel and its digest, but not the ledger."""
    path = sorted((out / MASKS).rglob("*.png"))[0]
    mask = read_index_mask(path).copy()
    mask[0, 0] = 0 if mask[0, 0] else 1
    write_index_mask(path, np.asarray(mask))
    file, name = out / "digests.json", path.relative_to(out).as_posix()
    digests = json.loads(file.read_text())
    digests[name] = digest_pixels(read_index_mask(path))
    file.write_text(json.dumps(digests))
    return path.parent.name, path.stem


def test_other_pixels_under_the_same_ledger_are_named(make, tmp_path):
    out = make("boundary", rate=0.4)
    touched = shutil.copytree(out, tmp_path / "touched")
    place = forge_a_mask(touched)
    pair = compare(out, touched)
    (change,) = pair.masks.changes
    assert (change.category, (change.sequence, change.frame)) == ("unexplained", place)
    assert pair.masks.same == len(read_rows(out))
    done = run("diff", out, touched)
    assert done.returncode == 1
    assert "a file was changed after the split was made" in done.stdout
    summary = json.loads((touched / "summary.json").read_text())
    summary["versions"]["opencv"] = "0.1"
    (touched / "summary.json").write_text(json.dumps(summary))
    assert "perhaps because the versions of the software differ" in run("diff", out, touched).stdout


def test_other_words_under_the_same_ledger_are_named(make, tmp_path):
    out = make("text", rate=0.4)
    touched = shutil.copytree(out, tmp_path / "touched")
    file = touched / IMAGE_SETS / "val_objects_category.json"
    document = json.loads(file.read_text())
    folder = next(iter(document["videos"]))
    entry = next(iter(document["videos"][folder]["objects"].values()))
    entry["category"] += " |<b>\N{PILE OF POO}"
    file.write_text(json.dumps(document))
    (change,) = compare(out, touched).text.changes
    assert (change.category, change.sequence) == ("unexplained", folder)
    assert change.changes["name"][1] == entry["category"]
    assert run("diff", out, touched).returncode == 1


def test_changed_labels_are_named(make, tmp_path):
    out = make("boundary", rate=0.4)
    touched = shutil.copytree(out, tmp_path / "touched")
    file = touched / IMAGE_SETS / "val.json"
    records = json.loads(file.read_text())
    records[1]["object_classes"]["1"]["handbox"] ^= 1
    file.write_text(json.dumps(records))
    pair = compare(out, touched)
    assert len(pair.sequences.other_annotations) == 1
    assert pair.masks.changes == ()
    assert not pair.same


def test_narrations_explain_their_prompts(root, tmp_path):
    a = corrupt(root, "category", rate=0, scope="narration", out=tmp_path / "a").out
    b = corrupt(root, "category", rate=1, scope="narration", out=tmp_path / "b").out
    text = compare(a, b).text
    assert set(count(text)) == {"only_b"}
    assert {change.object for change in text.changes} == {None}


def test_clean_lists_are_compared_by_file(sample, make, tmp_path):
    a, b = make("boundary", rate=0.4), tmp_path / "b"
    corrupt(sample, "boundary", rate=0.4, split="val", with_clean=["train"], out=b)
    pair = compare(a, b)
    assert pair.files["files of clean lists"].only_b == 141 + 5
    assert not pair.masks.changes
    assert not pair.same


@pytest.mark.parametrize("file", ["recipe.json", "summary.json", "digests.json", "ledger.jsonl"])
def test_a_damaged_document_is_refused(make, tmp_path, file):
    out = make("boundary", rate=0.4)
    for name, damage in (("cut", lambda data: data[: len(data) // 2]), ("gone", None)):
        broken = shutil.copytree(out, tmp_path / name)
        path = broken / file
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage(path.read_bytes()))
        done = run("diff", out, broken)
        assert done.returncode == 2, done.stdout
        assert "error:" in done.stderr


@pytest.mark.parametrize(
    ("member", "value"), [("sequence", "../../x"), ("frame", "\x1b[2J"), ("object_id", 99)]
)
def test_a_ledger_of_other_items_is_refused(make, tmp_path, member, value):
    out = make("boundary", rate=0.4)
    broken = shutil.copytree(out, tmp_path / "broken")
    lines = (broken / "ledger.jsonl").read_text().splitlines()
    lines[2:4] = [json.dumps({**json.loads(line), member: value}) for line in lines[2:4]]
    lines.append(lines[0])
    (broken / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as error:
        compare_splits(out, broken)
    assert len(error.value.problems) == 3
    assert "\x1b" not in str(error.value)
