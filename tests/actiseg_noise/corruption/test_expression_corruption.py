"""Text noise of referring datasets from end to end: written, verified, audited, published."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections import Counter

import pytest

from actiseg_data import open_split
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.tables import render_report_html
from actiseg_noise import audit, check_release, corrupt, inspect, publish, rebuild, verify
from actiseg_noise.differences.release_comparison import compare_splits
from actiseg_noise.measurement.text_tables import describe_text
from actiseg_noise.preview.noisy_sequences import find_rewording
from actiseg_noise.preview.sheet import make_preview
from tests.helpers.documents import edited
from tests.helpers.farm_lexicon import farm_lexicon
from tests.helpers.kitchens import make_kitchen
from tests.helpers.mask_documents import make_mevis
from tests.helpers.referring import DOCUMENT, TEXTS, make_refyoutube

pytest.importorskip("spacy", reason="spaCy is in the extra [text]")

LEXICON = farm_lexicon()
MEVIS = "train/meta_expressions.json"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_refyoutube(tmp_path_factory.mktemp("referring") / "refytvos", 8)


@pytest.fixture(scope="module")
def noisy(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("noisy") / "all"
    return corrupt(dataset, "text", rate=0.6, scope="nouns", lexicon=LEXICON, out=out).out


def read_json(path):
    return json.loads(path.read_text())


def read_rows(out):
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def make_mevis_root(root):
    masks, expressions = make_mevis()
    (root / "train").mkdir(parents=True)
    write_json(root / "train" / "mask_dict.json", masks)
    write_json(root / MEVIS, expressions)
    return root


def test_only_the_texts_change_and_the_clean_ones_are_beside(dataset, tmp_path):
    made = corrupt(dataset, "category", rate=0.5, lexicon=LEXICON, out=tmp_path / "noisy")
    clean, new = read_json(dataset / DOCUMENT), read_json(made.out / DOCUMENT)
    rows = {(row["sequence"], row["parameters"]["expression"]): row for row in read_rows(made.out)}
    heads = {TEXTS[0]: "person", TEXTS[1]: "dog", TEXTS[3]: "person", TEXTS[5]: "dog"}
    seen = Counter()
    for folder, video in new["videos"].items():
        for exp_id, entry in video["expressions"].items():
            old = clean["videos"][folder]["expressions"][exp_id]["exp"]
            assert list(entry) == ["exp", "obj_id", "exp_org"]
            assert entry.pop("exp_org") == old
            row = rows.get((folder, exp_id))
            seen[row is not None] += 1
            assert entry["exp"] == (old if row is None else row["prompt"])
            if row is not None:
                assert old == row["prompt_org"] != row["prompt"]
                assert LEXICON.classes[row["class_id_org"]].name == heads[old]
                assert str(row["object_id"]) == entry["obj_id"]
            entry["exp"] = old
    assert new == clean
    assert seen[True] == made.summary["text"]["selected"] > 5
    # A lady is no noun of the lexicon, and two of its objects are no animals of it.
    words = [entry["exp"] for v in clean["videos"].values() for entry in v["expressions"].values()]
    assert made.summary["handled"]["expression_without_noun"] == words.count(TEXTS[2])
    assert made.summary["handled"]["expression_empty"] == words.count("")
    assert made.summary["text"]["items"] == sum(text in heads for text in words)
    assert "spacy" in made.summary["versions"]
    assert verify(made.out).ok
    checked = verify(made.out, dataset)
    assert checked.ok
    assert checked.counts["expressions"] == len(words)
    masks = "train/Annotations/00ab/00005.png"
    assert (made.out / masks).read_bytes() == (dataset / masks).read_bytes()


def test_categories_of_objects_decide_which_noun_is_the_head(dataset, tmp_path):
    root = shutil.copytree(dataset, tmp_path / "copy")
    document = read_json(root / DOCUMENT)
    for video in document["videos"].values():
        for entry in video["expressions"].values():
            entry["exp"] = "on the left of the car, a man"
    write_json(root / DOCUMENT, document)
    made = corrupt(root, "category", rate=1, lexicon=LEXICON, out=tmp_path / "noisy")
    rows = read_rows(made.out)
    assert len(rows) == 8 * 2  # the object 1 of each video, which is a person
    assert {(row["object_id"], row["object"]) for row in rows} == {(1, "man")}
    assert not {row["name"] for row in rows} & {"dog", "hound"}  # as another object is


def test_the_audit_finds_every_noun_by_the_text_alone(dataset, noisy):
    rows = read_rows(noisy)
    result = audit(noisy)
    assert not result.findings
    assert len(result.agreements) == 2
    flips = [row for row in rows if row["kind"] == "category"]
    renames = [row for row in rows if row["kind"] == "within-category"]
    for statistics in (result.text, inspect(noisy).text, audit(noisy, dataset).text):
        assert statistics.all.flips.hits == len(flips)
        assert statistics.all.substitutions.hits == len(renames)
        assert statistics.all.flips.items == 8 * (2 + 2 + 1 + 2 + 0 + 2)
        changed = {(row["sequence"], row["parameters"]["expression"]) for row in rows}
        assert (statistics.changed.items, statistics.changed.hits) == (48, len(changed))
        by_class = Counter(row["class_id_org"] for row in flips)
        for class_id, group in statistics.by_class.items():
            assert group.flips.hits == by_class[class_id]
    shown = render_report_html(describe_text(result.text))
    assert "<th>nouns</th>" in shown
    assert "expressions that differ" in shown
    assert "prompt" not in shown


def test_a_changed_expression_is_found_without_the_source(dataset, noisy, tmp_path):
    row = read_rows(noisy)[0]
    place = ("videos", row["sequence"], "expressions", row["parameters"]["expression"])
    document = read_json(noisy / DOCUMENT)
    for edit, says in (
        (edited(document, *place, "exp", to="a cow"), "is not what ledger.jsonl says"),
        (edited(document, *place, "exp_org", to="a cow"), "is not what ledger.jsonl says"),
        (edited(document, *place, "exp_org", to=...), "lacks its clean text (exp_org)"),
    ):
        copy = shutil.copytree(noisy, tmp_path / "copy", symlinks=True)
        write_json(copy / DOCUMENT, edit)
        lines = verify(copy).mismatches
        assert any(says in line for line in lines), lines
        assert any("content is not what" in line for line in lines)
        assert says == "lacks its clean text (exp_org)" or audit(copy).findings
        shutil.rmtree(copy)
    copy = shutil.copytree(noisy, tmp_path / "copy", symlinks=True)
    ledger = (copy / "ledger.jsonl").read_text().splitlines(keepends=True)
    alone = Counter((r["sequence"], r["parameters"]["expression"]) for r in read_rows(noisy))
    single = next(
        at
        for at, r in enumerate(read_rows(noisy))
        if alone[r["sequence"], r["parameters"]["expression"]] == 1
    )
    (copy / "ledger.jsonl").write_text("".join(ledger[:single] + ledger[single + 1 :]))
    assert any("changed, which ledger.jsonl lacks" in line for line in verify(copy).mismatches)


def test_text_noise_that_no_recipe_asks_for_is_found(dataset, noisy, tmp_path):
    made = corrupt(dataset, "dilate", rate=0.5, radius=1, out=tmp_path / "masks")
    assert verify(made.out, dataset).ok
    shutil.copy(noisy / DOCUMENT, made.out / DOCUMENT)
    lines = verify(made.out).mismatches
    assert any("has text noise, which recipe.json lacks" in line for line in lines)


def test_expressions_of_mevis_name_objects_by_their_masks(tmp_path):
    root = make_mevis_root(tmp_path / "mevis")
    settings = {"rate": 1.0, "lexicon": LEXICON}
    made = corrupt(root, "mixed", out=tmp_path / "noisy", **settings)
    rows = [row for row in read_rows(made.out) if row["frame"] is None]
    shown = {(r["sequence"], r["parameters"]["expression"]): r for r in rows}
    split = open_split(root, "train")
    sources = {label.object_id: label.source_id for label in split["aa"].objects}
    assert shown["aa", "0"]["object_id"] is None
    objects = shown["aa", "0"]["parameters"]["objects"]
    assert [sources[number] for number in objects] == ["10", "2"]
    assert sources[shown["aa", "1"]["object_id"]] == "2"
    assert verify(made.out, root).ok
    assert not audit(made.out).findings
    prompts = open_split(made.out, "train").read_prompts()["aa"]
    assert [(p.exp_id, p.object_id, p.exp_org) for p in prompts] == [
        ("0", 2, "dogs that run"),
        ("0", 1, "dogs that run"),
        ("1", 1, "the left dog"),
    ]
    text = corrupt(root, "text", out=tmp_path / "text", **settings)
    assert read_json(text.out / "train/mask_dict.json") == read_json(root / "train/mask_dict.json")
    checked = verify(text.out, root)
    assert checked.ok
    assert checked.counts["masks"] == sum(len(sequence.views) for sequence in split)


def test_a_packed_document_gives_the_same_noise(tmp_path):
    root = make_mevis_root(tmp_path / "mevis")
    plain = corrupt(root, "category", rate=0.5, lexicon=LEXICON, out=tmp_path / "plain").out
    (root / f"{MEVIS}.gz").write_bytes(gzip.compress((root / MEVIS).read_bytes()))
    (root / MEVIS).unlink()
    packed = corrupt(root, "category", rate=0.5, lexicon=LEXICON, out=tmp_path / "packed").out
    assert (packed / MEVIS).read_bytes() == (plain / MEVIS).read_bytes()
    assert verify(packed, root).ok
    masks = corrupt(root, "dilate", rate=0.5, out=tmp_path / "masks").out
    assert read_json(masks / MEVIS) == make_mevis()[1]


def test_a_part_of_an_exact_split_gets_the_noise_of_the_whole(dataset, tmp_path):
    settings = {"rate": 0.25, "exact": True, "lexicon": LEXICON, "scope": "nouns"}
    whole = corrupt(dataset, "category", out=tmp_path / "whole", **settings)
    counts = whole.summary["text"]["flips"]
    assert counts["selected"] == round(0.25 * counts["items"])
    only = ["03ab", "05ab"]
    part = corrupt(dataset, "category", out=tmp_path / "part", only=only, **settings)
    new, old = read_json(part.out / DOCUMENT), read_json(whole.out / DOCUMENT)
    assert new["videos"] == {folder: old["videos"][folder] for folder in only}
    assert verify(part.out, dataset).ok


def test_a_preview_shows_each_expression_once(noisy):
    rows = read_rows(noisy)
    per_expression = Counter((r["sequence"], r["parameters"]["expression"]) for r in rows)
    folder = next(key[0] for key, n in per_expression.items() if n > 1)
    shown = find_rewording(noisy, folder)
    assert len(shown) == sum(key[0] == folder for key in per_expression)
    kinds = {row.parameters["expression"]: set(row.kind.split("+")) for row in shown}
    for row in rows:
        if row["sequence"] == folder:
            assert row["kind"] in kinds[row["parameters"]["expression"]]
    assert make_preview(noisy, folder).height > 300


def test_a_comparison_names_the_expressions(dataset, noisy, tmp_path):
    again = corrupt(
        dataset, "text", rate=0.6, scope="nouns", lexicon=LEXICON, seed=1, out=tmp_path / "b"
    ).out
    (pair,) = compare_splits(noisy, again).configurations.values()
    a, b = (
        {(r["sequence"], *map(r["parameters"].get, ("expression", "noun"))): r for r in rows}
        for rows in map(read_rows, (noisy, again))
    )
    assert pair.text.count("only_a") == len(a.keys() - b.keys())
    assert pair.text.count("only_b") == len(b.keys() - a.keys())
    assert not any(file.changed for file in pair.files.values())
    assert compare_splits(noisy, noisy).same
    copy = shutil.copytree(noisy, tmp_path / "copy", symlinks=True)
    document = read_json(copy / DOCUMENT)
    place = ("videos", "00ab", "expressions", "4", "exp")
    write_json(copy / DOCUMENT, edited(document, *place, to="a cow"))
    (pair,) = compare_splits(noisy, copy).configurations.values()
    (change,) = pair.text.changes
    assert (change.category, change.sequence) == ("unexplained", "00ab")
    assert change.object == "expression 4"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"scope": "both"}, "'both' is for datasets with action lists"),
        ({"scope": "narration"}, "'narration' is for datasets with action lists"),
        ({"pool": "dataset"}, "has no action lists, whose classes"),
    ],
)
def test_settings_that_do_not_fit_expressions_are_refused(dataset, tmp_path, settings, says):
    out = tmp_path / "noisy"
    with pytest.raises(InputError, match=says):
        corrupt(dataset, "category", rate=0.5, lexicon=LEXICON, out=out, **settings)
    assert not out.exists()


def test_datasets_that_cannot_get_noise_in_expressions_are_refused(dataset, tmp_path):
    def try_on(root, says, **settings):
        more = {"rate": 0.5, "lexicon": LEXICON, "out": tmp_path / "noisy", **settings}
        with pytest.raises(InputError, match=says):
            corrupt(root, "category", **more)

    root = shutil.copytree(dataset, tmp_path / "copy")
    document = read_json(dataset / DOCUMENT)
    write_json(root / "train/meta_expressions.json", document)
    try_on(root, "has 2 documents of expressions")
    (root / "train/meta_expressions.json").unlink()
    place = ("videos", "00ab", "expressions", "0", "exp_org")
    write_json(root / DOCUMENT, edited(document, *place, to="a dog"))
    try_on(root, "has noisy expressions")
    write_json(root / DOCUMENT, edited(document, "videos", "00ab", to=...))
    try_on(root, "lacks 1 sequence with masks")
    (root / DOCUMENT).unlink()
    try_on(root, "neither action lists nor referring expressions")
    kitchen = make_kitchen(tmp_path / "kitchen", 2)
    try_on(kitchen, "'nouns' is for datasets with referring", scope="nouns", lexicon=None)


def test_without_spacy_the_extra_is_named(dataset, noisy, tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "spacy"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "spacy", None)
    for action in (
        lambda: corrupt(dataset, "category", rate=0.5, lexicon=LEXICON, out=tmp_path / "noisy"),
        lambda: audit(noisy),
    ):
        with pytest.raises(InputError) as refused:
            action()
        assert 'pip install "actiseg[text]"' in refused.value.problems[0].hint
    assert verify(noisy).ok


def test_a_release_of_noisy_expressions_is_whole_and_rebuilt(dataset, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    settings = {"rate": 0.6, "lexicon": LEXICON, "licence": "CC-BY-4.0"}
    noisy = corrupt(dataset, "category", out=tmp_path / "noisy", **settings).out
    release = publish([noisy], tmp_path / "release", title="Test", author="A. B.").path
    assert check_release(release).ok
    rebuilt = rebuild(release, source=dataset, out=tmp_path / "rebuilt")
    assert rebuilt.difference is None
    assert compare_splits(noisy, release).same
    kinds = {(r["sequence"], r["parameters"]["expression"]): r["kind"] for r in read_rows(noisy)}
    document = read_json(noisy / DOCUMENT)["videos"]
    (file,) = (release / "data").rglob("*.parquet")
    for row in parquet.read_table(file).to_pylist():
        exp_id = str(2 * (row["object_id"] - 1))  # its first expression
        entry = document[row["sequence"]]["expressions"][exp_id]
        assert (row["prompt"], row["prompt_clean"]) == (entry["exp"], entry["exp_org"])
        assert row["kind_text"] == kinds.get((row["sequence"], exp_id))


def test_expressions_of_objects_without_a_mask_are_counted(tmp_path):
    root = make_refyoutube(tmp_path / "clean", 2)
    document = read_json(root / DOCUMENT)
    video = next(iter(document["videos"].values()))
    exp_id = next(iter(video["expressions"]))
    video["expressions"][exp_id]["obj_id"] = "77"
    write_json(root / DOCUMENT, document)
    made = corrupt(root, "text", rate=0.6, lexicon=LEXICON, out=tmp_path / "noisy")
    assert made.summary["handled"]["expression_object_without_mask"] == 1


def test_special_cases_of_documents_are_counted(tmp_path):
    made = corrupt(
        make_mevis_root(tmp_path / "clean"), "erode", rate=1, out=tmp_path / "noisy", licence="MIT"
    )
    assert made.summary["handled"]["objects_without_expression"] == 1
