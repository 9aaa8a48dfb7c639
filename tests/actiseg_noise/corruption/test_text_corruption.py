"""Text noise on disk: what changes and what stays, drop-in for the published readers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import resources

import pytest

from actiseg_data.annotations.lexicon import load_lexicon, parse_lexicon
from actiseg_data.core.errors import InputError, Interruption
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    make_prompt,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
)
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import TextRow, read_ledger
from actiseg_data.records.split_documents import read_digests
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.preview.noisy_sequences import find_rewording
from actiseg_noise.preview.sheet import make_preview
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.verification.verification import verify
from tests.helpers.documents import edited
from tests.helpers.kitchens import NARRATIONS, kitchen_clip, make_kitchen
from tests.helpers.roots import add_frames, add_weights, make_root

LEXICON = load_lexicon()
RECIPE = make_recipe("text", 0.6)


@pytest.fixture
def kitchen(tmp_path):
    return make_kitchen(tmp_path / "clean")


@pytest.fixture
def noisy(kitchen, tmp_path):
    return corrupt(kitchen, RECIPE, out=tmp_path / "noisy").out


def read(root, name):
    return json.loads((root / IMAGE_SETS / name).read_text())


def rows_of(out):
    return [row for row in read_ledger(out / "ledger.jsonl") if isinstance(row, TextRow)]


def test_prompts_objects_and_ledger_say_the_same(kitchen, noisy):
    rows = {(row.sequence, row.object_id): row for row in rows_of(noisy)}
    assert len(rows) > 10
    objects = read(noisy, name_objects_file("train"))["videos"]
    seen = 0
    for style in PROMPT_STYLES:
        clean = read(kitchen, name_expressions_file("train", style))["videos"]
        dirty = read(noisy, name_expressions_file("train", style))["videos"]
        for folder, video in dirty.items():
            for exp_id, entry in video["expressions"].items():
                before = clean[folder]["expressions"][exp_id]
                thing = objects[folder]["objects"][entry["obj_id"]]
                row = rows.get((folder, int(entry["obj_id"])))
                assert entry["exp_org"] == before["exp"]
                assert entry["class_id_org"] == before["class_id"] == thing["class_id_org"]
                assert entry["class_id"] == thing["class_id"]
                if row is None:
                    assert entry["exp"] == before["exp"]
                    assert thing["category"] == thing["category_org"]
                    continue
                seen += 1
                assert (row.class_id, row.name) == (thing["class_id"], thing["category"])
                assert (row.object, row.class_id_org) == (
                    thing["category_org"],
                    thing["class_id_org"],
                )
                narration = next(
                    record["narration"]
                    for record in read(kitchen, "train.json")
                    if folder.startswith(f"{record['seq_id']:08d}")
                )
                assert entry["exp"] == make_prompt(style, row.name, narration)
                if style == "promptaction":
                    assert (row.prompt_org, row.prompt) == (before["exp"], entry["exp"])
                assert row.synset == LEXICON.classes[row.class_id].synset
                assert row.synset_org == LEXICON.classes[row.class_id_org].synset
    assert seen == len(rows) * len(PROMPT_STYLES)


def without_org(document):
    if isinstance(document, dict):
        return {k: without_org(v) for k, v in document.items() if not k.endswith("_org")}
    return [without_org(item) for item in document] if isinstance(document, list) else document


def test_key_order_and_all_that_is_untouched_stay(kitchen, tmp_path):
    """At rate 0 nothing but the keys of the clean words is added, behind all others."""
    out = corrupt(kitchen, make_recipe("text", 0.0), out=tmp_path / "none").out
    for name in name_image_sets_files("train"):
        before, after = read(kitchen, name), read(out, name)
        assert json.dumps(without_org(after)) == json.dumps(before)
    entry = next(iter(read(out, name_objects_file("train"))["videos"].values()))["objects"]["1"]
    assert list(entry) == ["category", "positive", "class_id", "class_id_org", "category_org"]
    prompts = read(out, name_expressions_file("train", "promptaction"))["videos"]
    entry = next(iter(prompts.values()))["expressions"]["0"]
    assert list(entry) == ["exp", "obj_id", "positive", "class_id", "class_id_org", "exp_org"]
    assert (out / IMAGE_SETS / "train.json").read_bytes() == (
        kitchen / IMAGE_SETS / "train.json"
    ).read_bytes()


def test_the_list_and_the_flags_never_change(kitchen, noisy):
    assert read(noisy, "train.json") == read(kitchen, "train.json")
    assert open_split(noisy, "train").sequences == open_split(kitchen, "train").sequences


@pytest.mark.parametrize("images", ["link", "copy", "none"])
def test_masks_and_weights_are_files_and_frames_come_as_asked(kitchen, tmp_path, images):
    add_frames(kitchen)
    add_weights(kitchen)
    out = corrupt(kitchen, RECIPE, out=tmp_path / "noisy", images=images).out
    links = [path for path in out.rglob("*") if path.is_symlink()]
    frames = out / FRAMES / "train"
    assert all(path.parent == frames for path in links)
    assert len(links) == (12 if images == "link" else 0)
    assert not any(os.path.isabs(os.readlink(path)) for path in links)
    assert frames.exists() == (images != "none")
    for kind in (MASKS, WEIGHTS):
        copies = sorted((out / kind).rglob("*.png"))
        assert len(copies) == 24
        for path in copies:
            assert path.read_bytes() == (kitchen / path.relative_to(out)).read_bytes()
            assert path.relative_to(out).as_posix() in read_digests(out / "digests.json")
    assert verify(out, kitchen).ok


def lists_of(out):
    digests = read_digests(out / "digests.json")
    return {name: digest for name, digest in digests.items() if name.startswith(IMAGE_SETS)}


def test_a_root_of_lists_alone_is_enough(kitchen, noisy, tmp_path):
    lists = tmp_path / "lists"
    (lists / IMAGE_SETS).mkdir(parents=True)
    for path in (kitchen / IMAGE_SETS).iterdir():
        (lists / IMAGE_SETS / path.name).write_bytes(path.read_bytes())
    out = corrupt(lists, RECIPE, out=tmp_path / "without").out
    assert read_digests(out / "digests.json") == lists_of(noisy)
    assert verify(out, lists).ok
    assert not (out / MASKS).exists()
    with pytest.raises(InputError, match="mask folder is missing"):
        corrupt(lists, make_recipe("mixed", 0.4), out=tmp_path / "mixed")


def test_masks_are_there_for_all_sequences_or_for_none(kitchen, noisy, tmp_path):
    assert verify(noisy).ok
    gone = next((noisy / MASKS / "train").iterdir())
    shutil.rmtree(gone)
    assert any("mask folder is missing" in line for line in verify(noisy).mismatches)
    shutil.rmtree(kitchen / MASKS / "train" / gone.name)
    with pytest.raises(InputError, match="mask folder is missing"):
        corrupt(kitchen, RECIPE, out=tmp_path / "other")


def test_a_noisy_split_is_no_dataset_to_corrupt(noisy, tmp_path):
    for recipe in (RECIPE, make_recipe("boundary", 0.4)):
        with pytest.raises(InputError, match="already a noisy split"):
            corrupt(noisy, recipe, out=tmp_path / "twice")
    assert not (tmp_path / "twice").exists()


def test_a_lexicon_without_groups_has_none_to_flip_within(kitchen, tmp_path):
    document = json.loads(json.dumps(LEXICON.document))
    for noun in document["classes"]:
        noun["supercategory"] = None
    own = parse_lexicon(document, "own")
    recipe = make_recipe("category", 0.4, parameters={"flip": "supercategory"}, lexicon=own)
    with pytest.raises(InputError, match="no supercategories"):
        corrupt(kitchen, recipe, out=tmp_path / "noisy", lexicon=own)


def test_a_part_gets_what_the_whole_gets(kitchen, noisy, tmp_path):
    folders = [sequence.folder for sequence in open_split(kitchen, "train").sequences]
    part = corrupt(kitchen, RECIPE, out=tmp_path / "part", only=folders[3:5]).out
    assert rows_of(part) == [row for row in rows_of(noisy) if row.sequence in folders[3:5]]
    assert verify(part, kitchen).ok
    fewer = make_kitchen(tmp_path / "fewer", 5)
    few = corrupt(fewer, RECIPE, out=tmp_path / "few").out
    known = {row.sequence for row in rows_of(few)}
    assert rows_of(few) == [row for row in rows_of(noisy) if row.sequence in known]


def test_exact_shares_hold_over_the_whole_split_also_for_a_part(kitchen, tmp_path):
    recipe = make_recipe("text", 0.5, exact=True)
    whole = corrupt(kitchen, recipe, out=tmp_path / "whole")
    text = whole.summary["text"]
    assert text["flips"]["selected"] == round(text["flips"]["items"] * 0.25 + 1e-9)
    wanted = text["substitutions"]["rate"] * text["substitutions"]["items"]
    assert abs(text["substitutions"]["selected"] - wanted) <= 0.5
    assert text["flips"]["interval_95"] is None
    folders = [sequence.folder for sequence in open_split(kitchen, "train").sequences][2:6]
    part = corrupt(kitchen, recipe, out=tmp_path / "part", only=folders)
    rows = [row for row in rows_of(whole.out) if row.sequence in folders]
    assert rows_of(part.out) == rows
    assert whole.summary["text_thresholds"] == part.summary["text_thresholds"]
    assert verify(part.out, kitchen).ok


def test_nothing_depends_on_the_hash_seed_or_on_workers(kitchen, noisy, tmp_path):
    for seed in ("1", "2"):
        out = tmp_path / f"seed{seed}"
        command = [sys.executable, "-m", "actiseg_noise.cli", "corrupt", str(kitchen), "--quiet"]
        command += ["--type", "text", "--rate", "0.6", "--out", str(out), "--workers", seed]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        assert (out / "ledger.jsonl").read_bytes() == (noisy / "ledger.jsonl").read_bytes()
        assert read_digests(out / "digests.json") == read_digests(noisy / "digests.json")


def test_mixed_noise_is_both_noises_each_as_alone(kitchen, noisy, tmp_path):
    recipe = make_recipe("mixed", 0.5, text_rate=0.6)
    mixed = corrupt(kitchen, recipe, out=tmp_path / "mixed")
    masks = corrupt(kitchen, make_recipe("boundary", 0.5), out=tmp_path / "masks")
    both, alone = read_digests(mixed.out / "digests.json"), read_digests(masks.out / "digests.json")
    assert {k: v for k, v in both.items() if k.startswith(MASKS)} == {
        k: v for k, v in alone.items() if k.startswith(MASKS)
    }
    assert lists_of(mixed.out) == lists_of(noisy)
    assert rows_of(mixed.out) == rows_of(noisy)
    assert mixed.summary["noise"]["iou"] == masks.summary["noise"]["iou"]
    assert verify(mixed.out, kitchen).ok
    found = inspect(mixed.out)
    assert found.masks is not None
    assert found.text is not None


def test_an_identical_run_is_recognised_and_another_is_not(kitchen, noisy):
    again = corrupt(kitchen, RECIPE, out=noisy)
    assert not again.made
    with pytest.raises(InputError, match=r"a noisy split: text at rate 0\.6, seed 0, split train"):
        corrupt(kitchen, make_recipe("text", 0.2), out=noisy)
    other = corrupt(kitchen, make_recipe("text", 0.2), out=noisy, overwrite=True)
    assert other.made
    assert verify(noisy, kitchen).ok


def test_an_interrupted_run_is_completed(kitchen, noisy, tmp_path, monkeypatch):
    import actiseg_noise.corruption.copy_writing as module

    def fail(*_):
        raise OSError(28, "No space left on device")

    out = tmp_path / "again"
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_licences", fail)
        with pytest.raises(Interruption, match="No space left"):
            corrupt(kitchen, RECIPE, out=out)
    assert not out.exists()
    done = corrupt(kitchen, RECIPE, out=out)
    assert read_digests(done.out / "digests.json") == read_digests(noisy / "digests.json")


def test_the_summary_counts_items_rates_and_what_is_odd(kitchen, noisy):
    summary = json.loads((noisy / "summary.json").read_text())
    text, rows = summary["text"], rows_of(noisy)
    objects = sum(len(sequence.objects) for sequence in open_split(kitchen, "train").sequences)
    assert text["items"] == objects == text["flips"]["items"]
    assert text["selected"] == len(rows)
    flips = [row for row in rows if row.kind == "category"]
    assert text["flips"]["selected"] == len(flips)
    assert text["flips"]["rate"] == 0.3
    mean = sum(row.similarity for row in flips) / len(flips)
    assert text["similarity"]["category"]["mean"] == pytest.approx(mean, abs=1e-5)
    assert summary["handled"]["one_name"] > 0
    assert "noise" not in summary
    assert "shapely" not in summary["versions"]
    assert "WordNet" in (noisy / "NOTICE").read_text()
    assert "'text' noise at rate 0.6 to the text" in (noisy / "NOTICE").read_text()


def test_a_lexicon_of_ones_own_goes_with_the_split(kitchen, tmp_path):
    shipped = resources.files("data_manifests") / "lexicon" / "epic-100.json"
    document = edited(json.loads(shipped.read_bytes()), "title", to="mine")
    lexicon = parse_lexicon(document, "mine")
    recipe = make_recipe("category", 0.5, lexicon=lexicon)
    with pytest.raises(InputError, match="another lexicon"):
        corrupt(kitchen, recipe, out=tmp_path / "noisy")
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy", lexicon=lexicon).out
    assert (out / "lexicon.json").is_file()
    assert verify(out, kitchen).ok
    assert inspect(out).text is not None


def change(root, name, *path, to):
    write_json(root / IMAGE_SETS / name, edited(read(root, name), *path, to=to))


@pytest.mark.parametrize(
    ("file", "path", "value", "says"),
    [
        ("objects", ("objects", "1", "category"), "spade", "is 'spade' of class"),
        ("objects", ("objects", "1", "class_id"), 3, "of class 3"),
        ("objects", ("objects", "1"), ..., "lacks the object '1'"),
        ("objects", ("objects", "9"), {"category": "x"}, "is not in the list"),
        ("objects", ("objects", "\u2028"), {"category": "x"}, r"object '\\u2028' is not"),
        ("objects", ("objects", "1"), 3, "is not a JSON object"),
        ("objects", ("objects",), ..., "has no objects"),
        ("objects", ("objects", "1", "category_org"), "cup", "already has noisy prompts"),
        ("prompts", ("expressions", "0", "class_id"), 3, "has class 3, but"),
        ("prompts", ("expressions", "0", "exp"), "spade, dig", "does not begin with"),
        ("prompts", ("expressions", "0", "exp"), ..., "has no text 'exp'"),
        ("prompts", ("expressions", "0", "obj_id"), "9", "'9' is not in the list"),
        ("prompts", ("expressions", "0", "obj_id"), ..., "None is not in the list"),
        ("prompts", ("expressions", "0", "obj_id"), [1], "is not in the list"),
        ("prompts", ("expressions", "0", "exp"), "a\x1b[2J", "begin with"),
        ("prompts", ("expressions", "0"), ..., "has no prompt for the object"),
        ("prompts", ("expressions", "0", "exp_org"), "cup", "already has noisy prompts"),
        ("prompts", ("expressions",), [], "has no expressions"),
        ("prompts", ("expressions", "0", "class_id"), 13.0, "has class 13.0, but"),
        ("objects", ("objects", "1", "class_id"), True, "of class True"),
    ],
)
def test_files_that_disagree_are_refused(kitchen, tmp_path, file, path, value, says):
    names = {
        "objects": name_objects_file("train"),
        "prompts": name_expressions_file("train", "promptaction"),
    }
    folder = open_split(kitchen, "train").sequences[2].folder
    change(kitchen, names[file], "videos", folder, *path, to=value)
    with pytest.raises(InputError, match=says) as caught:
        corrupt(kitchen, RECIPE, out=tmp_path / "noisy")
    assert names[file] in str(caught.value)
    assert not (tmp_path / "noisy").exists()
    assert not (tmp_path / "noisy.partial").exists()


def test_all_disagreements_are_told_at_once(kitchen, tmp_path):
    folders = [sequence.folder for sequence in open_split(kitchen, "train").sequences]
    for folder in folders[:3]:
        change(
            kitchen, name_objects_file("train"), "videos", folder, "objects", "1", "class_id", to=3
        )
    place = ("videos", folders[4], "expressions", "0", "exp")
    change(kitchen, name_expressions_file("train", "action"), *place, to="spade")
    with pytest.raises(InputError) as caught:
        corrupt(kitchen, RECIPE, out=tmp_path / "noisy")
    assert len(caught.value.problems) == 4


def test_missing_prompts_or_objects_are_refused(kitchen, tmp_path):
    for name in (name_expressions_file("train", "promptaction"), name_objects_file("train")):
        (kitchen / IMAGE_SETS / name).unlink()
    with pytest.raises(InputError) as caught:
        corrupt(kitchen, RECIPE, out=tmp_path / "noisy")
    assert len(caught.value.problems) == 2
    assert "needs the prompts and the objects" in str(caught.value)


def test_the_other_styles_may_be_missing(kitchen, noisy, tmp_path):
    """The published datasets have one style alone."""
    for style in ("action", "noaction"):
        (kitchen / IMAGE_SETS / name_expressions_file("train", style)).unlink()
    out = corrupt(kitchen, RECIPE, out=tmp_path / "one").out
    assert rows_of(out) == rows_of(noisy)
    assert verify(out, kitchen).ok


def test_classes_that_the_lexicon_or_the_matrix_lacks_are_refused(kitchen, tmp_path):
    matrix = {"flip": "matrix", "matrix": {"13": {"4": 1}}}
    with pytest.raises(InputError, match=r"no row for \d+ classes .* 4 \(knife\)"):
        corrupt(kitchen, make_recipe("category", 0.5, parameters=matrix), out=tmp_path / "noisy")
    strange = [kitchen_clip(number) for number in range(1, 4)]
    root = make_kitchen(tmp_path / "strange", 3)
    for number, sequence in enumerate(strange):
        for name, place in (
            ("train.json", (number, "object_classes", "1", "class_id")),
            (name_objects_file("train"), ("videos", sequence.folder, "objects", "1", "class_id")),
            *(
                (
                    name_expressions_file("train", style),
                    ("videos", sequence.folder, "expressions", "0", "class_id"),
                )
                for style in PROMPT_STYLES
            ),
        ):
            change(root, name, *place, to=900 + number)
    with pytest.raises(InputError, match="not in the lexicon") as caught:
        corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert [problem.what.split()[2] for problem in caught.value.problems] == ["900", "901", "902"]


def test_capitals_are_kept(tmp_path):
    root = make_kitchen(tmp_path / "clean", 3)
    folder = open_split(root, "train").sequences[0].folder
    name = name_expressions_file("train", "promptaction")
    entry = read(root, name)["videos"][folder]["expressions"]["0"]
    change(root, name, "videos", folder, "expressions", "0", "exp", to=entry["exp"].capitalize())
    out = corrupt(root, make_recipe("category", 1.0), out=tmp_path / "noisy").out
    after = read(out, name)["videos"][folder]["expressions"]["0"]["exp"]
    assert after[0].isupper()
    assert after != entry["exp"].capitalize()


def test_preview_shows_the_prompts(noisy, capsys):
    from actiseg_noise.cli.preview_command import print_rewording

    row = rows_of(noisy)[0]
    rows = find_rewording(noisy, row.sequence)
    assert rows[0] == row
    print_rewording(rows)
    told = capsys.readouterr().out
    assert row.prompt_org in told
    assert "[" in told
    sheet = make_preview(noisy, row.sequence)
    assert sheet.width > 900
    with pytest.raises(InputError, match="no sequence"):
        find_rewording(noisy, "nope")


# What spaCy does, which the extra [text] brings.


@pytest.fixture(scope="module")
def spacy():
    return pytest.importorskip("spacy", reason="spaCy is in the extra [text]")


def test_scope_both_edits_the_mention_of_the_flipped_class_in_its_own_prompt(
    spacy, kitchen, tmp_path
):
    recipe = make_recipe("text", 1.0, scope="both", parameters={"mix": 0.6})
    done = corrupt(kitchen, recipe, out=tmp_path / "noisy")
    alone = corrupt(kitchen, make_recipe("text", 1.0, parameters={"mix": 0.6}), out=tmp_path / "p")
    edited_prompts = 0
    for row, same in zip(rows_of(done.out), rows_of(alone.out), strict=True):
        assert (row.name, row.kind) == (same.name, same.kind)
        if row.prompt != same.prompt:
            edited_prompts += 1
            assert row.kind == "category"
            assert row.prompt.count(row.name.split()[0].rstrip("s")) >= 2 or "Wash" in row.prompt
    assert edited_prompts > 3
    assert read(done.out, "train.json") == read(kitchen, "train.json")
    assert done.summary["handled"]["narration_without_flipped_noun"] > 0
    assert verify(done.out, kitchen).ok


def test_scope_narration_changes_narrations_alone_once_a_sequence(spacy, kitchen, tmp_path):
    recipe = make_recipe("category", 1.0, scope="narration")
    done = corrupt(kitchen, recipe, out=tmp_path / "noisy")
    rows = {row.sequence: row for row in rows_of(done.out)}
    before, after = read(kitchen, "train.json"), read(done.out, "train.json")
    prompts = read(done.out, name_expressions_file("train", "promptaction"))["videos"]
    empty, foreign = NARRATIONS[4][0], NARRATIONS[5][0]
    for old, new in zip(before, after, strict=True):
        folder = next(name for name in prompts if name.startswith(f"{old['seq_id']:08d}"))
        assert list(new) == [*old, "narration_org"]
        assert new["narration_org"] == old["narration"]
        assert {k: v for k, v in new.items() if "narration" not in k} == {
            k: v for k, v in old.items() if "narration" not in k
        }
        if old["narration"] in (empty, foreign):
            assert folder not in rows
            assert new["narration"] == old["narration"]
            continue
        row = rows[folder]
        assert row.object_id is None
        assert (row.prompt_org, row.prompt) == (old["narration"], new["narration"])
        assert row.class_id_org == old["noun_class"]
        for at, entry in prompts[folder]["expressions"].items():
            name = old["object_classes"][str(int(at) + 1)]["name"]
            assert entry["exp"] == make_prompt("promptaction", name, new["narration"])
            assert entry["class_id"] == entry["class_id_org"]
    handled = done.summary["handled"]
    assert handled["narration_empty"] == sum(not record["narration"] for record in before)
    assert handled["narration_without_noun"] == sum(r["narration"] == foreign for r in before)
    assert verify(done.out, kitchen).ok


def test_numbers_articles_and_case_agree_in_narrations(spacy, kitchen, tmp_path):
    out = corrupt(
        kitchen, make_recipe("category", 1.0, scope="narration"), out=tmp_path / "noisy"
    ).out
    for row in rows_of(out):
        (name,) = [n for n in LEXICON.classes[row.class_id].names if n.text == row.name]
        if row.prompt_org == "cut two carrots":
            assert (
                row.prompt == f"cut {'two' if name.plural else 'some'} {name.plural or name.text}"
            )
        if row.prompt_org == "put a knife on chopping board":
            article = name.article or "some"
            assert row.prompt == f"put {article} {name.text} on chopping board"
        if row.prompt_org == "Wash Knife":
            assert row.prompt.startswith("Wash ")
            assert row.prompt[5].isupper()


def test_prompt_noise_does_without_language_packages(kitchen, noisy, tmp_path):
    code = (
        "import sys\n"
        "for name in ('spacy', 'nltk', 'inflect', 'torch'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from actiseg_noise.corruption.corruption import corrupt\n"
        "from actiseg_noise.recipes.building import make_recipe\n"
        "from actiseg_noise.verification.verification import verify\n"
        f"root, out = Path({str(kitchen)!r}), Path({str(tmp_path / 'bare')!r})\n"
        "corrupt(root, make_recipe('text', 0.6), out=out)\n"
        "assert verify(out, root).ok\n"
        "try: corrupt(root, make_recipe('text', 0.6, scope='both'), out=out.with_name('x'))\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "spacy" in done.stdout
    assert "actiseg[text]" in done.stdout
    assert (tmp_path / "bare" / "ledger.jsonl").read_bytes() == (
        noisy / "ledger.jsonl"
    ).read_bytes()


def test_two_prompts_for_one_object_are_refused(kitchen, tmp_path):
    name = name_expressions_file("train", "promptaction")
    folder = open_split(kitchen, "train").sequences[2].folder
    first = read(kitchen, name)["videos"][folder]["expressions"]["0"]
    change(kitchen, name, "videos", folder, "expressions", "again", to=first)
    with pytest.raises(InputError, match="two prompts for the object '1'"):
        corrupt(kitchen, RECIPE, out=tmp_path / "noisy")


def test_an_object_becomes_the_same_whether_others_are_eligible_or_not(kitchen, noisy, tmp_path):
    recipe = make_recipe("text", 0.6, objects="positive")
    active = corrupt(kitchen, recipe, out=tmp_path / "active").out
    positive = {
        (sequence.folder, label.object_id)
        for sequence in open_split(kitchen, "train").sequences
        for label in sequence.objects
        if label.positive
    }
    of_all = [row for row in rows_of(noisy) if (row.sequence, row.object_id) in positive]
    assert 10 < len(of_all) < len(rows_of(noisy))
    assert rows_of(active) == of_all


def test_object_ids_do_not_matter(kitchen, noisy, tmp_path):
    """An object is its name: numbered otherwise, it gets the same words."""
    other = make_root(
        tmp_path / "renumbered",
        [
            replace(
                sequence,
                objects=tuple(
                    replace(label, object_id=len(sequence.objects) - at)
                    for at, label in enumerate(sequence.objects)
                ),
            )
            for sequence in open_split(kitchen, "train").sequences
        ],
    )
    out = corrupt(other, RECIPE, out=tmp_path / "other").out

    def words(of):
        return sorted((row.sequence, row.object, row.name, row.prompt) for row in rows_of(of))

    assert words(out) == words(noisy)


def test_prompts_that_do_not_end_in_the_narration_keep_theirs(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    name = name_expressions_file("train", "promptaction")
    sequence = open_split(kitchen, "train").sequences[0]
    own = f"{sequence.objects[0].name} used in the action of sing"
    change(kitchen, name, "videos", sequence.folder, "expressions", "0", "exp", to=own)
    recipe = make_recipe("category", 1.0, scope="narration")
    done = corrupt(kitchen, recipe, out=tmp_path / "noisy")
    prompts = read(done.out, name)["videos"][sequence.folder]["expressions"].values()
    assert [entry["exp"] == entry["exp_org"] for entry in prompts].count(True) == 1
    assert done.summary["handled"]["prompts_with_another_narration"] == 1
    assert verify(done.out, kitchen).ok


def test_a_lexicon_is_of_no_use_without_noise_on_words(kitchen, tmp_path):
    with pytest.raises(InputError, match="has no effect without text noise"):
        corrupt(kitchen, make_recipe("erode", 0.4), out=tmp_path / "noisy", lexicon=LEXICON)
