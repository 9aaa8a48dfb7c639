"""Rebuild published splits of the sample: whole, in part, and from changed clean data."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from actiseg_data import open_split
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import encode_json, write_json
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_noise import corrupt, rebuild
from actiseg_noise.kits.rebuilt_comparison import RebuiltComparison
from actiseg_noise.split.noisy_documents import THRESHOLDS
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run
from tests.helpers.released import make_split_kit
from tests.helpers.visor_files import VisorFiles, human_record, narration, scene, tree

KINDS = ("Annotations_Sparse", "Weights_Sparse", "JPEGImages_Sparse")


def publish_kit(out: Path, path: Path, name: str = "noisy") -> Path:
    kit = make_split_kit(name, out)
    write_json(path, kit.to_dict(), indent=1)
    return path


def publish(root: Path, folder: Path, noise: str, **settings) -> Path:
    """Corrupt a dataset and write the kit; the split itself is not needed after that."""
    out = folder / "published"
    corrupt(root, noise, out=out, **({"rate": 0.4} | settings))
    return publish_kit(out, folder / "kit.json")


def take_part(root: Path, out: Path, split: str, keep: slice) -> Path:
    """Copy some sequences of a split under other numbers."""
    opened = open_split(root, split)
    renumbered = []
    for number, sequence in enumerate(opened.sequences[keep], 901):
        rest = sequence.folder.partition("_")[2]
        folder = f"{number:08d}_{rest}"
        for kind in KINDS:
            source = root / kind / opened.subsets[sequence.folder] / sequence.folder
            if source.is_dir():
                shutil.copytree(source, out / kind / "val" / folder)
        renumbered.append(replace(sequence, folder=folder, seq_id=number))
    for file, document in make_image_sets(split, renumbered).items():
        write_json(out / "ImageSets" / file, document)
    for file in ("LICENSE", "NOTICE"):
        shutil.copy(root / file, out / file)
    return out


def outputs(root: Path) -> dict[str, bytes]:
    """The files of a split that noise decides."""
    return {
        name: data
        for name, data in tree(root).items()
        if name.startswith(("Annotations", "Weights", "ImageSets", "ledger", "recipe", "digests"))
    }


CASES = {
    "boundary": {"split": "val"},
    "dilate": {"split": "val_human", "exact": True},
    "text": {"split": "val", "exact": True},
    "category": {"split": "val_human", "flip": "near"},
    "within-category": {"split": "train"},
    "mixed": {"split": "val_human", "with_clean": ["train"], "seed": 3},
    "erode": {"split": "val", "weights": "none"},
}


@pytest.mark.parametrize("noise", CASES)
def test_whole_source_gives_the_published_split(weighted_sample, tmp_path, noise):
    kit = publish(weighted_sample, tmp_path, noise, **CASES[noise])
    out = tmp_path / "again"
    result = rebuild(kit, source=weighted_sample, out=out)
    assert result.verdict == "identical to the published split"
    assert result.identical
    assert result.whole
    assert result.lists == 5 * (1 + len(result.clean))
    assert outputs(out) == outputs(tmp_path / "published")


@pytest.mark.parametrize(
    ("noise", "settings"),
    [
        ("boundary", {}),
        ("mixed", {}),
        ("dilate", {"exact": True}),
        ("text", {"exact": True}),
        ("mixed", {"exact": True, "rate": 0.5}),
    ],
)
def test_part_of_the_source_gives_that_part(weighted_sample, tmp_path, noise, settings):
    """Under other numbers, and for an exact recipe with the thresholds of the whole."""
    kit = publish(weighted_sample, tmp_path, noise, split="val", **settings)
    part = take_part(weighted_sample, tmp_path / "part", "val", slice(3, 9))
    result = rebuild(kit, source=part, out=tmp_path / "again")
    assert result.verdict == "identical to the published split for 6 of 20 sequences"
    assert result.lists == 0
    masks = {
        path.relative_to(tmp_path / "again").as_posix()[len("Annotations_Sparse/val/00000901_") :]
        for path in (tmp_path / "again/Annotations_Sparse").rglob("*.png")
    }
    assert len(masks) == sum(len(seq.frames) for seq in open_split(part, "val"))


def test_source_with_more_sequences_is_restricted_to_the_published_ones(weighted_sample, tmp_path):
    folders = [seq.folder for seq in open_split(weighted_sample, "val")][:4]
    kit = publish(weighted_sample, tmp_path, "dilate", split="val", only=folders, exact=True)
    result = rebuild(kit, source=weighted_sample, out=tmp_path / "again")
    assert result.verdict == "identical to the published split"
    assert outputs(tmp_path / "again") == outputs(tmp_path / "published")


def test_split_of_lists_is_compared_by_its_text(sample, tmp_path):
    root = tmp_path / "lists"
    shutil.copytree(sample, root, ignore=shutil.ignore_patterns(*KINDS))
    kit = publish(root, tmp_path, "text", split="val")
    result = rebuild(kit, source=root, out=tmp_path / "again")
    assert result.verdict == "identical to the published split"
    whole = rebuild(kit, source=sample, out=tmp_path / "with_masks")
    assert whole.verdict == "identical to the published split"


@pytest.fixture
def source(weighted_sample, tmp_path):
    root = tmp_path / "source"
    shutil.copytree(weighted_sample, root)
    return root


def find_mask(root: Path) -> tuple[Path, str]:
    split = open_split(root, "val")
    sequence = split.sequences[4]
    name = f"val/{sequence.folder}/{sequence.frames[1]}.png"
    return root / "Annotations_Sparse" / name, name


def test_pixel_of_the_source_that_changed_is_found(source, tmp_path):
    kit = publish(source, tmp_path, "dilate", split="val", rate=0.0)
    path, name = find_mask(source)
    mask = read_index_mask(path).copy()
    mask[0, 0] = 0 if mask[0, 0] else mask.max()
    write_index_mask(path, mask)
    result = rebuild(kit, source=source, out=tmp_path / "again")
    assert not result.identical
    assert result.differing == 1
    assert result.difference.file == f"Annotations_Sparse/{name}"
    assert result.difference.origin == "source"
    assert "the clean dataset is another one" in result.verdict


def test_weight_of_the_source_that_changed_is_found(source, tmp_path):
    kit = publish(source, tmp_path, "dilate", split="val", rate=0.0)
    _, name = find_mask(source)
    path = source / "Weights_Sparse" / name
    write_index_mask(path, read_index_mask(path) * 0 + 4)
    result = rebuild(kit, source=source, out=tmp_path / "again")
    assert result.difference.file == f"Weights_Sparse/{name.rpartition('/')[0]}"
    assert result.difference.origin == "source"


def test_prompt_of_the_source_that_changed_is_found(source, tmp_path):
    kit = publish(source, tmp_path, "text", split="val")
    path = source / "ImageSets/val_meta_expressions_action.json"
    document = json.loads(path.read_text())
    folder = sorted(document["videos"])[7]
    entry = document["videos"][folder]["expressions"]["0"]
    entry["exp"] += " again"
    path.write_bytes(encode_json(document))
    result = rebuild(kit, source=source, out=tmp_path / "again")
    assert result.differing == 1
    assert folder in result.difference.what
    assert result.difference.origin == "source"


def test_document_that_differs_outside_its_sequences_is_found(source, tmp_path):
    kit = publish(source, tmp_path, "boundary", split="val")
    path = source / "ImageSets/val_objects_category.json"
    path.write_bytes(encode_json(json.loads(path.read_text()) | {"extra": 1}))
    result = rebuild(kit, source=source, out=tmp_path / "again")
    assert result.difference.file == "ImageSets/val_objects_category.json"
    assert "outside" in result.verdict


def edit_kit(kit: Path, **members) -> None:
    kit.write_bytes(encode_json(json.loads(kit.read_text()) | members))


def test_other_noise_of_the_same_source_is_the_tools(weighted_sample, tmp_path):
    """As if the library of the publisher had drawn other outlines."""
    kit = publish(weighted_sample, tmp_path, "dilate", split="val")
    document = json.loads(kit.read_text())
    document["recipe"]["seed"] = 1
    versions = document["versions"] | {"numpy": "0.9"}
    edit_kit(kit, recipe=document["recipe"], versions=versions, toolkit="actiseg 0.0.1")
    result = rebuild(kit, source=weighted_sample, out=tmp_path / "again")
    assert result.difference.origin == "tool"
    assert {name for name, _, _ in result.difference.versions} == {"numpy", "toolkit"}
    assert "(published: 0.9)" in result.verdict
    assert "(published: actiseg 0.0.1)" in result.verdict


def test_clean_list_that_is_absent_is_said(weighted_sample, tmp_path):
    kit = publish(weighted_sample, tmp_path, "dilate", split="val", with_clean=["train"])
    part = take_part(weighted_sample, tmp_path / "part", "val", slice(None))
    result = rebuild(kit, source=part, out=tmp_path / "again")
    assert result.identical
    assert not result.whole
    assert result.verdict.endswith("20 of 20 sequences, and 0 of 56 of the clean list train")


REFUSED = {
    "no clean data": ({}, "no clean data are given"),
    "both": ({"source": ".", "visor": "."}, "both are given"),
    "no such split": ({"source": "train_only"}, "no split 'val'"),
    "none of the sequences": ({"source": "others"}, "has none of the 20 published sequences"),
    "no weights": ({"source": "unweighted"}, "has Weights_Sparse, but the dataset has none"),
    "noisy source": ({"source": "published"}, "is a noisy split"),
    "no raw inputs": ({"visor": "."}, "does not say which raw files"),
    "existing out": ({"source": "published", "out": "published"}, "already exists"),
    "out inside": ({"source": "others", "out": "others/again"}, "is inside the input"),
}


@pytest.fixture(scope="module")
def workplace(weighted_sample, sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workplace")
    publish(weighted_sample, folder, "mixed", split="val")
    shutil.copytree(sample, folder / "unweighted")
    take_part(weighted_sample, folder / "train_only", "train", slice(3))
    take_part(weighted_sample, folder / "others", "train", slice(3))
    for path in sorted((folder / "others/ImageSets").iterdir()):
        path.rename(path.with_name(path.name.replace("train", "val")))
    return folder


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_writes_nothing(workplace, monkeypatch, case):
    monkeypatch.chdir(workplace)
    arguments, message = REFUSED[case]
    before = tree(workplace)
    with pytest.raises(InputError, match=message):
        rebuild("kit.json", **({"out": "again"} | arguments))
    assert tree(workplace) == before


def test_unknown_algorithm_is_refused(workplace, tmp_path, weighted_sample):
    document = json.loads((workplace / "kit.json").read_text())
    document["recipe"]["noises"][0]["algorithm"] = 99
    kit = tmp_path / "kit.json"
    kit.write_bytes(encode_json(document))
    with pytest.raises(InputError, match="99"):
        rebuild(kit, source=weighted_sample, out=tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_lexicon_travels_in_the_kit(sample, tmp_path):
    """A split with a lexicon of its own is rebuilt where only the kit is."""
    from actiseg_data.annotations.lexicon import load_lexicon

    own = dict(load_lexicon().document) | {"title": "our own"}
    path = tmp_path / "own.json"
    path.write_bytes(encode_json(own))
    kit = publish(sample, tmp_path, "text", split="val", lexicon=path)
    path.unlink()
    shutil.rmtree(tmp_path / "published")
    assert rebuild(kit, source=sample, out=tmp_path / "again").identical


def test_narrations_are_rebuilt(sample, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    kit = publish(sample, tmp_path, "text", split="val_human", scope="narration")
    assert rebuild(kit, source=sample, out=tmp_path / "again").whole


def test_command_ends_with_the_verdict(workplace, weighted_sample, tmp_path):
    kit = workplace / "kit.json"
    done = run("rebuild", kit, "--source", weighted_sample, "--out", tmp_path / "again", "--quiet")
    assert done.returncode in (0, None), done.stderr
    assert done.stdout.splitlines()[-1] == "identical to the published split"
    document = json.loads(kit.read_text())
    document["recipe"]["seed"] = 1
    changed = tmp_path / "kit.json"
    changed.write_bytes(encode_json(document))
    out = tmp_path / "other"
    done = run("rebuild", changed, "--source", weighted_sample, "--out", out, "--quiet")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("differs: Annotations_Sparse/val/")
    assert f"{out} is kept" in done.stdout
    done = run("rebuild", kit, "--out", tmp_path / "no", "--quiet")
    assert done.returncode == 2
    assert "--source and --visor" in done.stderr


@pytest.fixture
def raw(tmp_path):
    """Two small videos in VISOR's form, a list of persons, and the kit of a noisy `val_human`."""
    files = VisorFiles(tmp_path / "raw")
    files.folder.mkdir()
    files.videos["P01_02"] = [scene(10, "P01_02"), scene(20, "P01_02")]
    files.rows.append(narration(0, 10, 20, video="P01_02"))
    records = [human_record(7, 10, 20), human_record(9, 10, 20, video="P01_02")]
    labels = files.write_json("val_human.json", records)
    files.prepare(human_labels=[labels], out=tmp_path / "root")
    publish(tmp_path / "root", tmp_path, "mixed", split="val_human", rate=1.0)
    return files


def rebuild_raw(folder: Path, **more):
    return rebuild(folder / "kit.json", visor=folder / "raw", out=folder / "again", **more)


def test_raw_files_are_prepared_and_rebuilt(raw, tmp_path):
    result = rebuild_raw(tmp_path)
    assert result.verdict == "identical to the published split"
    assert outputs(tmp_path / "again") == outputs(tmp_path / "published")
    assert not list(tmp_path.glob(".again*"))
    assert result.absent == result.changed == ()


def test_one_of_two_videos_is_a_part(raw, tmp_path):
    (raw.annotations / "P01_01.json").unlink()
    result = rebuild_raw(tmp_path)
    assert result.verdict == "identical to the published split for 1 of 2 sequences"
    assert result.absent == ("P01_01.json",)


def test_changed_polygon_names_the_mask_and_the_raw_file(raw, tmp_path):
    path = raw.annotations / "P01_02.json"
    document = json.loads(path.read_text())
    document["video_annotations"][1]["annotations"][0]["segments"][0][0][0] -= 60
    path.write_text(json.dumps(document))
    result = rebuild_raw(tmp_path)
    assert result.differing == 1
    assert result.difference.file.startswith("Annotations_Sparse/val/00000009_P01_02")
    assert result.difference.raw_file == "P01_02.json"
    assert result.changed == ("P01_02.json",)
    assert "P01_02.json has another content" in result.verdict


def test_changed_content_without_effect_is_said_and_identical(raw, tmp_path):
    path = raw.annotations / "P01_02.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=3))
    result = rebuild_raw(tmp_path)
    assert result.identical
    assert result.changed == ("P01_02.json",)


def test_other_preparation_of_equal_raw_files_is_told_apart(raw, tmp_path):
    """As if the publisher had prepared with a release that rasterised in another way."""
    root = tmp_path / "root"
    path = next((root / "Annotations_Sparse/val").glob("00000007*/*.png"))
    mask = read_index_mask(path).copy()
    mask[:2, :2] = 1
    write_index_mask(path, mask)
    shutil.rmtree(tmp_path / "published")
    publish(root, tmp_path, "mixed", split="val_human", rate=1.0)
    result = rebuild_raw(tmp_path)
    assert result.difference.origin == "preparation"


def test_published_content_is_preferred_among_equal_names(raw, tmp_path):
    older = raw.folder / "a_copy/annotations/P01_02.json"
    older.parent.mkdir(parents=True)
    older.write_text("{}")
    assert rebuild_raw(tmp_path).verdict == "identical to the published split"


def test_all_missing_raw_files_are_told_at_once(raw, tmp_path):
    for name in ("mapping.json", "classes.csv", "val_human.json", "narrations.csv"):
        (raw.folder / name).unlink()
    shutil.rmtree(raw.annotations)
    with pytest.raises(InputError) as refused:
        rebuild_raw(tmp_path)
    told = str(refused.value)
    assert len(refused.value.problems) == 5
    for name in ("mapping.json", "classes.csv", "val_human.json", "narrations.csv", "P01_01.json"):
        assert name in told
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".again*"))
    for out in ("again", "new/deep/again"):
        with pytest.raises(InputError, match="no such folder"):
            rebuild(tmp_path / "kit.json", visor=tmp_path / "absent", out=tmp_path / out)
    assert not (tmp_path / "new").exists()


_GIVEN = {"dilate": 1, "text": 1, "mixed": 2, "merge": 1}
"""Exact noise, and how many thresholds it has."""


@pytest.mark.parametrize("noise", _GIVEN)
def test_part_of_an_exact_split_is_verified_by_the_thresholds_of_the_whole(
    weighted_sample, tmp_path, noise
):
    kit = publish(weighted_sample, tmp_path, noise, split="val", exact=True)
    part = take_part(weighted_sample, tmp_path / "part", "val", slice(3, 9))
    again = rebuild(kit, source=part, out=tmp_path / "again").out
    checked = verify(again, part)
    assert checked.mismatches == ()
    assert checked.counts["thresholds_given"] == _GIVEN[noise]
    kit_of_part = publish_kit(again, tmp_path / "part.json")
    assert rebuild(kit_of_part, source=part, out=tmp_path / "twice").whole
    assert outputs(tmp_path / "twice") == outputs(again)
    whole = json.loads((tmp_path / "published/summary.json").read_text())
    summary = json.loads((again / "summary.json").read_text())
    for member in THRESHOLDS:
        assert summary.get(member) == whole.get(member)
    (again / "summary.json").write_bytes(encode_json(summary | {"given_thresholds": 1}))
    assert verify(again, part).mismatches  # as for any split whose source decides the thresholds
    for member in summary.keys() & set(THRESHOLDS):
        (again / "summary.json").write_bytes(encode_json(summary | {member: "a"}))
        with pytest.raises(InputError, match=rf"summary\.json: {member}: must be"):
            verify(again, part)


def test_whole_exact_split_keeps_the_thresholds_of_its_source(weighted_sample, tmp_path):
    kit = publish(weighted_sample, tmp_path, "dilate", split="val", exact=True)
    again = rebuild(kit, source=weighted_sample, out=tmp_path / "again").out
    assert "given_thresholds" not in json.loads((again / "summary.json").read_text())
    assert "thresholds_given" not in verify(again, weighted_sample).counts


def test_no_file_names_the_temporary_dataset(raw, tmp_path):
    out = rebuild_raw(tmp_path).out
    assert json.loads((out / "summary.json").read_text())["source"] == "clean_dataset"
    for name, data in tree(out).items():
        assert b".prepared" not in data, name
    assert verify(out).ok
    assert verify(out, tmp_path / "root").ok
    sheet = tmp_path / "sheet.png"
    done = run("preview", out, "--to", sheet)
    assert done.returncode == 2
    assert f"{out / 'clean_dataset'}" in done.stderr
    assert "--source" in done.stderr
    (out / "clean_dataset").symlink_to(tmp_path / "root")
    assert run("preview", out, "--to", sheet).returncode in (0, None)


def test_frames_that_are_links_to_nothing_can_be_left_out(source, tmp_path):
    kit = publish(source, tmp_path, "dilate", split="val")
    frames = source / "JPEGImages_Sparse/val"
    folder = sorted(frames.iterdir())[2]
    shutil.rmtree(folder)
    folder.symlink_to("/nowhere")
    done = run("rebuild", kit, "--source", source, "--out", tmp_path / "again", "--quiet")
    assert done.returncode == 2
    assert "restore the target, or leave the frames out: give none as --images" in done.stderr
    again = rebuild(kit, source=source, out=tmp_path / "again", images="none")
    assert again.whole
    assert not (again.out / "JPEGImages_Sparse").exists()
    with pytest.raises(InputError, match="use one of link, copy, none"):
        rebuild(kit, source=source, out=tmp_path / "other", images="all")


def test_an_interrupt_of_the_comparison_is_said(sample, tmp_path, monkeypatch):
    release = publish(sample, tmp_path, "text", split="val")

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(RebuiltComparison, "compare", interrupt)
    out = tmp_path / "out"
    done = run("rebuild", release, "--source", sample, "--out", out, "--quiet")
    assert done.returncode == 130
    assert out.is_dir()
    assert "was not compared with the published one" in done.stderr


@pytest.mark.parametrize(("place", "value"), [(("seed",), -1), (("noises", 0, "algorithm"), 99)])
def test_a_recipe_that_cannot_be_applied_is_named_by_its_kit(sample, tmp_path, place, value):
    document = json.loads(publish(sample, tmp_path, "text", split="val").read_text())
    member = document["recipe"]
    for key in place[:-1]:
        member = member[key]
    member[place[-1]] = value
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    done = run("rebuild", path, "--source", sample, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"error: {path}: the kit of" in done.stderr
    assert "--" not in done.stderr.replace(str(path), "").partition("hint")[0]
