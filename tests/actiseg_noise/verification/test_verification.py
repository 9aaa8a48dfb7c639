"""`verify` finds what is not as it should be."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import digest_pixels, read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.verification.verification import verify
from tests.helpers.roots import clip, make_root


@pytest.fixture
def roots(tmp_path):
    root = make_root(tmp_path / "clean")
    return root, corrupt(root, make_recipe("boundary", 0.5), out=tmp_path / "noisy").out


def first_mask(out):
    return sorted((out / MASKS).rglob("*.png"))[0]


def flip_a_pixel(out):
    path = first_mask(out)
    mask = read_index_mask(path).copy()
    mask[0, 0] = 0 if mask[0, 0] else 1
    write_index_mask(path, mask)


def edit_list(out):
    path = out / IMAGE_SETS / "train.json"
    records = json.loads(path.read_text())
    records[0]["narration"] = "take cap"
    path.write_text(json.dumps(records))


def edit_summary(out):
    path = out / "summary.json"
    path.write_text(path.read_text().replace('"recipe_digest": "', '"recipe_digest": "0'))


def test_a_fresh_split_is_as_it_should_be(roots):
    root, out = roots
    assert verify(out).ok
    found = verify(out, root, workers=2)
    assert found.ok
    assert found.counts["masks"] == 12
    assert found.counts["untouched_whole"] > 0


def test_repacked_files_are_still_the_same_pixels(roots):
    root, out = roots
    path = first_mask(out)
    with Image.open(path) as image:
        image.load()
    image.save(path, compress_level=0)
    assert verify(out, root).ok


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_pixel,
        edit_list,
        edit_summary,
        lambda out: first_mask(out).unlink(),
        lambda out: first_mask(out).write_bytes(first_mask(out).read_bytes()[:99]),
        lambda out: shutil.copy(first_mask(out), first_mask(out).with_name("frame_more.png")),
    ],
    ids=["pixel", "list", "summary", "missing", "truncated", "more"],
)
def test_damage_is_found_without_the_source(roots, damage):
    root, out = roots
    damage(out)
    assert not verify(out).ok
    assert not verify(out, root).ok


def test_forged_digests_are_found_with_the_source(roots):
    """Somebody who changes masks and digests alike passes the first check, not the second."""
    root, out = roots
    flip_a_pixel(out)
    path = first_mask(out)
    file = out / "digests.json"
    digests = json.loads(file.read_text())
    digests[path.relative_to(out).as_posix()] = digest_pixels(read_index_mask(path))
    file.write_text(json.dumps(digests))
    assert verify(out).ok
    found = verify(out, root)
    assert any("1 pixels differ" in line for line in found.mismatches)


def test_forged_ledger_is_found_with_the_source(roots):
    root, out = roots
    file = out / "ledger.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[1:]) + "\n")
    found = verify(out, root)
    assert any("ledger" in line for line in found.mismatches)


def test_another_source_is_a_mismatch(roots, tmp_path):
    root, out = roots
    other = tmp_path / "other"
    shutil.copytree(root, other)
    path = first_mask(other)
    mask = np.roll(read_index_mask(path), 5, axis=1)
    write_index_mask(path, mask)
    assert not verify(out, other).ok


def test_only_looks_at_the_named_sequences(roots):
    root, out = roots
    flip_a_pixel(out)
    bad = first_mask(out).parent.name
    good = sorted(p.name for p in (out / MASKS / "train").iterdir())[1]
    assert verify(out, root, only=[good]).ok
    assert not verify(out, root, only=[bad]).ok
    with pytest.raises(InputError, match="no noisy sequence"):
        verify(out, only=["nope"])


@pytest.mark.parametrize("name", ["recipe.json", "digests.json", "ledger.jsonl", "summary.json"])
def test_missing_or_broken_documents_are_refused(roots, name):
    _, out = roots
    (out / name).write_text("{")
    with pytest.raises(InputError, match=name):
        verify(out)
    (out / name).unlink()
    with pytest.raises(InputError, match=name):
        verify(out)


@pytest.mark.parametrize(
    "name",
    ["../x.png", f"{MASKS}/../../x", f"{MASKS}/x", "/etc/passwd", "a\0b", f"{IMAGE_SETS}/.."],
)
def test_digests_cannot_lead_outside(roots, name):
    _, out = roots
    file = out / "digests.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {name: "0" * 32}))
    with pytest.raises(InputError, match="digests"):
        verify(out)


def drop_sequence(out):
    """Forget a sequence everywhere but in the action list."""
    folder = first_mask(out).parent
    shutil.rmtree(folder)
    for name in ("digests.json", "ledger.jsonl"):
        file = out / name
        if name == "digests.json":
            kept = {k: v for k, v in json.loads(file.read_text()).items() if folder.name not in k}
            file.write_text(json.dumps(kept))
        else:
            lines = [line for line in file.read_text().splitlines() if folder.name not in line]
            file.write_text("\n".join(lines))


def gut(out):
    shutil.rmtree(out / MASKS)
    (out / "digests.json").write_text("{}")
    (out / "ledger.jsonl").write_text("")


def cut_ledger(out):
    file = out / "ledger.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[:3]))


def drop_list(out):
    (out / IMAGE_SETS / "train.json").unlink()
    file = out / "digests.json"
    digests = json.loads(file.read_text())
    del digests[f"{IMAGE_SETS}/train.json"]
    file.write_text(json.dumps(digests))


@pytest.mark.parametrize(
    "damage",
    [drop_sequence, gut, cut_ledger, drop_list, lambda o: (o / IMAGE_SETS / "x.json").touch()],
    ids=["sequence", "gutted", "ledger", "list", "stray list"],
)
def test_documents_that_do_not_fit_are_found_without_the_source(roots, damage):
    _, out = roots
    damage(out)
    assert not verify(out).ok


def test_counts_say_what_was_looked_at(roots):
    _, out = roots
    folder = first_mask(out).parent.name
    assert verify(out).counts["files"] == 17
    assert verify(out, only=[folder]).counts["files"] == 7


def test_an_unknown_sequence_is_refused_with_the_one_that_may_be_meant(tmp_path):
    root = make_root(tmp_path / "clean")
    out = corrupt(root, make_recipe("boundary", 0.6), out=tmp_path / "noisy").out
    folder = clip(1).folder
    with pytest.raises(InputError, match=f"did you mean '{folder}'"):
        verify(out, only=[folder[:-1]])
