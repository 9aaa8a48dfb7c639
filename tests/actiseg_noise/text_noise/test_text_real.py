"""Text noise on about 1,000 real sequences of training videos and on ``val_human``."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from scipy.stats import binom

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import TextRow, read_ledger
from actiseg_data.records.split_documents import read_digests
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.assignment import CATEGORY, WITHIN
from actiseg_noise.verification.verification import verify

TRAIN = (
    "P01_03", "P01_07", "P02_07", "P03_03", "P03_05", "P03_112", "P04_11", "P04_25", "P04_33",
    "P06_01", "P06_11", "P06_14", "P07_08", "P08_09", "P12_03", "P18_03", "P18_06", "P23_05",
    "P28_06", "P28_14", "P32_01",
)  # fmt: skip
HUMAN = ("P01_107", "P06_10", "P28_05")

LEXICON = load_lexicon()


class PreparedRoots(dict):
    """Roots by split, each prepared when a test first asks for it."""

    def __init__(self, prepare, real_data):
        self.prepare, self.lists = prepare, [real_data / "actionvos" / "val_human.json"]

    def __missing__(self, split):
        if split == "train":
            self[split] = self.prepare("train", TRAIN, workers=2).root
        else:
            self[split] = self.prepare("val", HUMAN, human_labels=self.lists).root
        return self[split]


@pytest.fixture(scope="module")
def roots(prepare, real_data):
    return PreparedRoots(prepare, real_data)


@pytest.fixture(params=[pytest.param("train", marks=pytest.mark.slow), "val_human"])
def split(request):
    return request.param


def rows_of(out):
    return [row for row in read_ledger(out / "ledger.jsonl") if isinstance(row, TextRow)]


def counts(split, names, rows):
    """(flips, items that can be flipped, substitutions, items of the rest that can be renamed),
    counted without the code under test, but for names that collide, which it is told."""
    flipped = {(row.sequence, row.object_id) for row in rows if row.kind == CATEGORY}
    substituted = sum(row.kind == WITHIN for row in rows)
    objects = [(s.folder, each) for s in split.sequences for each in s.objects]
    rest = sum(
        len([name for name in names(each) if name != each.name.casefold()]) > 0
        for folder, each in objects
        if (folder, each.object_id) not in flipped
    )
    return len(flipped), len(objects), substituted, rest


def class_names(label):
    return [name.text for name in LEXICON.classes[label.class_id].names if name.written]


def plausible(count, items, rate):
    low, high = binom.interval(0.999, items, rate)
    return low <= count <= high


def test_there_is_enough_to_see(roots, split):
    least, most = {"train": (900, 1200), "val_human": (20, 900)}[split]
    assert least < len(open_split(roots[split], split).sequences) < most


@pytest.mark.parametrize(
    ("kind", "rule", "flip", "substitute"),
    [
        ("category", "uniform", 0.4, 0),
        ("category", "sister", 0.4, 0),
        ("within-category", None, 0, 0.4),
        ("text", "uniform", 0.2, 0.2 / 0.8),
    ],
)
def test_realised_rates_are_those_asked_for_and_verify_agrees(
    roots, split, tmp_path, kind, rule, flip, substitute
):
    parameters = {} if rule is None else {"flip": rule}
    recipe = make_recipe(kind, 0.4, split=split, parameters=parameters)
    done = corrupt(roots[split], recipe, out=tmp_path / "noisy")
    assert verify(done.out, roots[split]).ok
    rows = rows_of(done.out)
    clean = open_split(roots[split], split)
    flips, items, substitutions, rest = counts(clean, class_names, rows)
    text = done.summary["text"]
    if rule == "sister":
        with_sisters = sum(
            bool(LEXICON.classes[each.class_id].sisters)
            for sequence in clean.sequences
            for each in sequence.objects
        )
        items, most = text["flips"]["items"], with_sisters
        assert most - done.summary["handled"]["no_flip_target"] <= items <= most
    assert plausible(flips, items, flip)
    assert (text["flips"]["selected"], text["substitutions"]["selected"]) == (flips, substitutions)
    if substitute:
        collide = done.summary["handled"].get("names_collide", 0)
        told = text["substitutions"]["items"]
        assert rest - collide <= told <= rest
        assert plausible(substitutions, told, substitute)


def test_exact_shares_are_exact(roots, split, tmp_path):
    recipe = make_recipe("text", 0.4, split=split, exact=True)
    text = corrupt(roots[split], recipe, out=tmp_path / "noisy").summary["text"]
    for share, rate in ((text["flips"], 0.2), (text["substitutions"], 0.25)):
        assert abs(share["selected"] - rate * share["items"]) <= 0.5
        assert share["items"] > 50


@pytest.mark.parametrize("kind", ["category", "within-category", "text"])
def test_levels_nest_and_replacements_stay(roots, split, tmp_path, kind):
    levels = []
    for rate in (0.2, 0.4, 0.6):
        recipe = make_recipe(kind, rate, split=split)
        rows = rows_of(corrupt(roots[split], recipe, out=tmp_path / f"{rate}").out)
        levels.append({(row.sequence, row.object_id): (row.kind, row.name) for row in rows})
    for less, more in itertools.pairwise(levels):
        assert len(less) < len(more)
        assert less.keys() <= more.keys()
        for item, (how, name) in less.items():
            if more[item][0] == how:
                assert more[item][1] == name
            else:  # of text: what is substituted at one level may be flipped at a higher one
                assert (kind, how, more[item][0]) == ("text", WITHIN, CATEGORY)


def test_workers_order_part_and_hash_seed_do_not_matter(roots, split, tmp_path):
    root = roots[split]
    recipe = make_recipe("text", 0.4, split=split)
    whole = corrupt(root, recipe, out=tmp_path / "whole", workers=2)
    digests = read_digests(whole.out / "digests.json")
    for seed in ("1", "2"):
        out = tmp_path / f"seed{seed}"
        command = [sys.executable, "-m", "actiseg_noise.cli", "corrupt", str(root), "--quiet"]
        command += ["--type", "text", "--rate", "0.4", "--split", split, "--out", str(out)]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        assert read_digests(out / "digests.json") == digests

    turned = tmp_path / "turned"
    (turned / IMAGE_SETS).mkdir(parents=True)
    for name in name_image_sets_files(split):
        document = json.loads((root / IMAGE_SETS / name).read_text())
        if isinstance(document, list):
            document.reverse()
        else:
            document["videos"] = dict(reversed(document["videos"].items()))
        (turned / IMAGE_SETS / name).write_text(json.dumps(document))
    other = corrupt(turned, recipe, out=tmp_path / "other")
    assert sorted(map(str, rows_of(other.out))) == sorted(map(str, rows_of(whole.out)))

    folders = [sequence.folder for sequence in open_split(root, split).sequences][10:20]
    part = corrupt(root, recipe, out=tmp_path / "part", only=folders)
    assert rows_of(part.out) == [row for row in rows_of(whole.out) if row.sequence in folders]


def unnumbered(out, videos):
    """What changed in some videos, without the sequences' numbers."""
    return Counter(
        (folder, row.object, row.kind, row.name, row.prompt)
        for row in rows_of(out)
        for folder in [row.sequence.partition("_")[2]]
        if folder.startswith(videos)
    )


@pytest.mark.slow
def test_a_part_of_the_videos_gets_the_words_of_the_whole(roots, prepare, tmp_path):
    recipe = make_recipe("text", 0.4)
    whole = corrupt(roots["train"], recipe, out=tmp_path / "whole").out
    part = corrupt(prepare("train", TRAIN[:4]).root, recipe, out=tmp_path / "part").out
    assert unnumbered(part, TRAIN[:4]) == unnumbered(whole, TRAIN[:4])
    assert unnumbered(part, TRAIN[:4]).total() > 50


@pytest.mark.slow
def test_mixed_noise_on_both(roots, tmp_path):
    recipe = make_recipe("mixed", 0.4, split="val_human", text_rate=0.6)
    done = corrupt(roots["val_human"], recipe, out=tmp_path / "noisy")
    assert verify(done.out, roots["val_human"]).ok
    flips, masks = done.summary["text"]["flips"], done.summary["noise"]
    assert plausible(flips["selected"], flips["items"], 0.3)
    assert plausible(masks["selected"], masks["items"], 0.4)


@pytest.mark.parametrize("scope", ["both", "narration"])
def test_narrations_are_reworded_and_verify_agrees(roots, split, tmp_path, scope):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    recipe = make_recipe("category", 0.4, split=split, scope=scope)
    done = corrupt(roots[split], recipe, out=tmp_path / "noisy")
    assert verify(done.out, roots[split]).ok
    text = done.summary["text"]
    assert plausible(text["selected"], text["items"], 0.4)
    sequences = len(open_split(roots[split], split).sequences)
    if scope == "narration":
        assert 0.9 * sequences < text["items"] <= sequences
