"""Noise on the fly: the documents, rows and pixels of the copy that `corrupt` writes."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from actiseg_data import make_sample
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.records.ledger_record import read_ledger
from actiseg_data.records.recipe_record import read_recipe
from actiseg_data.records.split_documents import read_digests
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.noisy_labels import NoisyLabels, open_noisy_labels
from actiseg_noise.kits.importing import import_split
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from tests.helpers.kitchens import make_kitchen
from tests.helpers.made_layouts import make_folder

SPLIT = "val"


def preset(name, **settings):
    return load_preset(name).make_recipe(split=SPLIT, **settings)


def recipe(kind, rate=0.5, **settings):
    return make_recipe(kind, rate, split=SPLIT, seed=5, **settings)


def mixture():
    """Outlines, whole objects, flags and words at once."""
    noises = [
        *recipe("boundary").noises,
        *recipe("missing", 0.2).noises,
        *recipe("swap").noises,
        *recipe("activity").noises,
        *recipe("text").noises,
    ]
    return replace(recipe("boundary"), noises=tuple(noises))


RECIPES = {
    "dilate": lambda: recipe("dilate"),
    "erode": lambda: recipe("erode", objects="all"),
    "jitter": lambda: recipe("jitter"),
    "boundary": lambda: recipe("boundary", 0.7, overlap="reference"),
    "boundary, exact": lambda: recipe("boundary", exact=True),
    "first frame clean": lambda: recipe("morphology", first_frame="clean"),
    "markov": lambda: recipe("markov", 0.1),
    "runs": lambda: preset("ms-tfal/50"),
    "smart/de-EAD": lambda: preset("smart/de-EAD"),
    "missing": lambda: recipe("missing"),
    "ghost": lambda: recipe("ghost"),
    "merge": lambda: recipe("merge", span="frame"),
    "category": lambda: recipe("category"),
    "within-category": lambda: recipe("within-category"),
    "text": lambda: recipe("text"),
    "text, exact": lambda: recipe("text", exact=True),
    "narrations": lambda: recipe("category", scope="narration"),
    "prompts and narrations": lambda: recipe("category", scope="both"),
    "exchange": lambda: recipe("exchange"),
    "frequency": lambda: preset("actiseg/frequency-40"),
    "activity": lambda: recipe("activity"),
    "activity, exact": lambda: recipe("activity", exact=True),
    "mixed": lambda: recipe("mixed"),
    "mixture": mixture,
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return make_sample(tmp_path_factory.mktemp("fly") / "sample").path


def assert_equal_copy(labels, out):
    """All that a noisy copy has, read by what reads copies, is what is made on the fly."""
    copy = open_action_split(out, labels.split.name)
    assert labels.recipe.digest == read_recipe(out / "recipe.json").digest
    assert labels.split.sequences == copy.sequences
    assert labels.split.fingerprint == copy.fingerprint
    assert labels.split.list_documents() == copy.list_documents()
    digests = read_digests(out / "digests.json")
    for name in copy.list_documents():
        made, _ = labels.split.cut_document(name, labels.split.sequences)
        assert made == read_json(out / name)
        assert digest_json(made) == digests[name]
    masks = 0
    for sequence in copy:
        for frame, path in zip(sequence.frames, copy.find_masks(sequence), strict=True):
            mask = labels.read_mask(sequence, frame)
            assert mask.dtype == np.uint8
            assert np.array_equal(mask, read_index_mask(path)), path
            masks += 1
    assert masks == sum(name.startswith(MASKS) for name in digests)
    on_disk = [row.to_json() for row in read_ledger(out / "ledger.jsonl")]
    assert [row.to_json() for row in labels.iterate_rows()] == on_disk
    assert on_disk


@pytest.mark.parametrize("name", RECIPES)
def test_labels_equal_those_of_a_copy(name, sample, tmp_path):
    if "narrations" in name:
        pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    wanted = RECIPES[name]()
    out = corrupt(sample, wanted, out=tmp_path / "noisy", images="none", weights="none").out
    assert_equal_copy(open_noisy_labels(sample, wanted), out)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("fly") / "clean", 4)


@pytest.fixture(scope="module")
def labels(kitchen):
    return open_noisy_labels(kitchen, make_recipe("mixed", 0.6))


def read_all(labels, sequence):
    return labels.split.read_masks(sequence)


def test_masks_are_the_same_whoever_reads_them_in_which_order(labels):
    expected = [read_all(labels, sequence) for sequence in labels.split]
    items = [(sequence.folder, frame) for sequence in labels.split for frame in sequence.frames]
    flat = [mask for masks in expected for mask in masks]
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda item: labels.read_mask(*item), items[::-1]))
    elsewhere = run_parallel(read_all, labels, labels.split.sequences, 2)
    assert all(map(np.array_equal, backwards[::-1], flat))
    assert all(
        np.array_equal(one, two)
        for pair in zip(elsewhere, expected, strict=True)
        for one, two in zip(*pair, strict=True)
    )
    clean = [
        mask for sequence in labels.split.clean for mask in labels.split.clean.read_masks(sequence)
    ]
    assert not all(map(np.array_equal, flat, clean))


def test_a_part_of_the_frames_has_the_noise_of_the_whole(labels):
    sequence = labels.split[0]
    (last,) = labels.split.iterate_masks(sequence.restrict(sequence.frames[-1:]))
    assert np.array_equal(last, labels.read_mask(sequence.folder, sequence.frames[-1]))
    assert np.array_equal(last, labels.split.mask(sequence, sequence.frames[-1]))


def test_a_pickled_copy_reads_the_same(labels):
    copied = pickle.loads(pickle.dumps(labels))
    assert isinstance(copied, NoisyLabels)
    sequence = labels.split[1]
    assert all(map(np.array_equal, read_all(copied, sequence), read_all(labels, sequence)))
    assert copied.split.read_expressions() == labels.split.read_expressions()


def test_nothing_is_written_and_no_mask_is_read_at_opening(kitchen, tmp_path, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in kitchen.rglob("*")}
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("actiseg_data.layouts.split.read_index_mask", None)
        opened = open_noisy_labels(kitchen, make_recipe("mixed", 1.0))
    read_all(opened, opened.split[0])
    assert {path: path.stat().st_mtime_ns for path in kitchen.rglob("*")} == before
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_file_is_read_with_the_lexicon_beside_it(kitchen, tmp_path):
    """A copy carries the lexicon that its recipe names."""
    document = load_lexicon().document | {"title": "mine"}
    write_json(tmp_path / "mine.json", document)
    out = corrupt(
        kitchen, "category", rate=1, lexicon=tmp_path / "mine.json", out=tmp_path / "noisy"
    ).out
    assert_equal_copy(open_noisy_labels(kitchen, out / "recipe.json"), out)
    with pytest.raises(InputError, match="another lexicon"):
        open_noisy_labels(kitchen, read_recipe(out / "recipe.json"))
    carried = tmp_path / "mine.json"
    assert_equal_copy(
        open_noisy_labels(kitchen, read_recipe(out / "recipe.json"), lexicon=carried), out
    )


def test_there_are_no_files_of_masks_and_weights(labels):
    sequence = labels.split[0]
    for kind in (MASKS, WEIGHTS):
        with pytest.raises(InputError, match=f"writes no {kind}"):
            labels.split.find_files(kind, sequence)
    assert labels.split.frames(sequence) == labels.split.clean.frames(sequence)


def test_unknown_sequences_and_frames_are_refused(labels):
    sequence = labels.split[0]
    with pytest.raises(InputError, match="no frame 'frame_x'") as refused:
        labels.read_mask(sequence, "frame_x")
    assert refused.value.problems[0].where == "`frame`"
    with pytest.raises(InputError, match="nowhere"):
        labels.read_mask("nowhere", sequence.frames[0])


def test_a_damaged_mask_is_refused_when_it_is_read(kitchen, tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    opened = open_noisy_labels(root, make_recipe("dilate", 1.0))
    sequence = opened.split[0]
    first, second = opened.split.clean.find_masks(sequence)
    write_index_mask(first, np.full((120, 160), 200, np.uint8))
    second.write_bytes(b"no picture")
    opened.read_mask(opened.split[1], opened.split[1].frames[0])
    with pytest.raises(InputError) as refused:
        opened.split.read_masks(sequence)
    assert [problem.where for problem in refused.value.problems] == [str(first), str(second)]


def test_a_noisy_dataset_is_refused(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("dilate", 1.0), out=tmp_path / "noisy").out
    with pytest.raises(InputError, match="already a noisy split"):
        open_noisy_labels(out, make_recipe("dilate", 1.0))


def test_a_dataset_without_action_lists_is_refused(tmp_path):
    make_folder(tmp_path / "plain")
    with pytest.raises(InputError, match="no action lists"):
        open_noisy_labels(tmp_path / "plain", make_recipe("dilate", 1.0, split="all"))


def test_the_recipe_of_an_import_is_refused(kitchen, tmp_path):
    noisy = corrupt(kitchen, make_recipe("dilate", 1.0), out=tmp_path / "noisy").out
    (noisy / "recipe.json").unlink()
    out = import_split(noisy, kitchen, tmp_path / "imported").corruption.out
    with pytest.raises(InputError, match="made by an import") as refused:
        open_noisy_labels(kitchen, out / "recipe.json")
    assert refused.value.problems[0].hint == "read the labels of the imported copy itself"


def test_noise_in_categories_is_refused_as_in_a_copy(kitchen, tmp_path):
    wanted = make_recipe("class", 0.5)
    with pytest.raises(InputError) as of_copy:
        corrupt(kitchen, wanted, out=tmp_path / "noisy")
    with pytest.raises(InputError) as of_labels:
        open_noisy_labels(kitchen, wanted)
    assert str(of_labels.value) == str(of_copy.value)


REAL = {
    "boundary": lambda: make_recipe("boundary", 0.4),
    "text": lambda: make_recipe("text", 0.4),
    "mixed": lambda: make_recipe("mixed", 0.4),
}


@pytest.mark.slow(reason="writes copies of all real training videos")
@pytest.mark.parametrize("name", REAL)
def test_labels_of_the_real_training_split_equal_those_of_a_copy(name, prepare, tmp_path):
    root = prepare("train", None, workers=2).root
    wanted = REAL[name]()
    out = corrupt(
        root, wanted, out=tmp_path / "noisy", images="none", weights="none", workers=2
    ).out
    assert_equal_copy(open_noisy_labels(root, wanted), out)
