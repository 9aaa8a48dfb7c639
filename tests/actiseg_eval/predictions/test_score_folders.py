"""Folders of predictions as people have them: taken where it is clear what is meant, else refused
with what they hold."""

from __future__ import annotations

import json
import shutil
import tarfile
import unicodedata
import zipfile

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_eval.predictions.ground_truth import open_truth
from actiseg_eval.predictions.prediction_opening import open_predictions
from actiseg_eval.scoring.folder_scoring import score
from tests.helpers.predicted import predict
from tests.helpers.roots import clip, make_root


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("truth") / "clean"
    return open_split(make_root(root, [clip(1), clip(2), clip(3, noun="café")]), "train")


@pytest.fixture(scope="module")
def expected(split, tmp_path_factory):
    folder = predict(split, "shift", tmp_path_factory.mktemp("expected") / "preds")
    return score(folder, gt=split, resamples=0).metrics


@pytest.fixture
def preds(split, tmp_path):
    return predict(split, "shift", tmp_path / "preds")


def rename_files(folder, rename):
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.rename(path.with_name(rename(path.name)))


def rename_folders(folder, rename):
    for path in list(folder.iterdir()):
        path.rename(path.with_name(rename(path.name)))


def spoil(folder):
    """Add what desktops, archivers and notebooks leave behind, everywhere in a folder."""
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        for path in [path for path in place.iterdir() if path.is_file()]:
            path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (place / name).write_bytes(b"?")
        for name in (".ipynb_checkpoints", "__MACOSX"):
            (place / name).mkdir()
            (place / name / "00000.png").write_bytes(b"?")


def refuse(split, folder, **options):
    with pytest.raises(InputError) as caught:
        score(folder, gt=split, resamples=0, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace(".png", ".PNG"),
        lambda name: name.replace(".png", ".Png"),
        lambda name: name.replace(".png", ".jpg.png"),
        lambda name: name.replace(".png", ".JPEG.PNG"),
        lambda name: name.replace(".png", ".png.png"),
    ],
)
def test_masks_with_another_ending_are_taken_and_counted(split, preds, expected, rename):
    rename_files(preds, rename)
    report = score(preds, gt=split, resamples=0)
    assert report.metrics == expected
    assert report.handled == {"names_spelled_otherwise": 6}


@pytest.mark.parametrize(
    ("rename", "count"),
    [
        (lambda name: name.replace(":", "_"), 1),
        (lambda name: name.replace(":", "%3A"), 1),
        (lambda name: name.replace(":", "\uf03a"), 1),
        (lambda name: unicodedata.normalize("NFD", name), 1),
        (lambda name: f"{name}.png", 3),
    ],
)
def test_folders_spelled_otherwise_are_taken_and_counted(split, preds, expected, rename, count):
    rename_folders(preds, rename)
    report = score(preds, gt=split, resamples=0)
    assert report.metrics == expected
    assert report.handled == {"names_spelled_otherwise": count}


@pytest.mark.parametrize(
    ("rename", "says"),
    [
        (str.upper, "differs from 00000001_P01_01_take_cup:big only in letter case"),
        (lambda name: name.replace("0000000", "0000007"), "only in its number"),
        (lambda name: name.partition("_")[2], "only in its number"),
        (lambda name: name.replace(":", "-").replace("_", "-"), "only in punctuation"),
        (lambda name: name.replace(":", "").replace("_", " "), "only in punctuation"),
    ],
)
def test_a_folder_that_differs_in_more_is_named_beside_the_wanted_one(split, preds, rename, says):
    old = "00000001_P01_01_take_cup:big"
    (preds / old).rename(preds / rename(old))
    (problem,) = refuse(split, preds)
    assert f"no frame of {old} was predicted; {rename(old)} differs from" in problem
    assert says in problem
    assert "rename it if it is the same sequence" in problem
    rename_folders(preds, rename)
    (problem,) = refuse(split, preds)
    assert "has no prediction for the 3 sequences" in problem
    assert says in problem


def test_two_files_or_folders_that_may_be_meant_are_refused_together(split, preds):
    first, second, third = sorted(preds.iterdir())
    mask = sorted(second.iterdir())[0]
    shutil.copy(mask, mask.with_suffix(".PNG"))
    mask.rename(mask.with_suffix(".Png"))
    third.rename(third.with_name(f"{third.name}.png"))
    (problem,) = refuse(split, preds)
    assert f"{mask.stem}.PNG, {mask.stem}.Png, and it is not clear which" in problem
    shutil.copytree(first, first.with_name(first.name.replace(":", "%3A")))
    first.rename(first.with_name(first.name.replace(":", "\uff1a")))
    problems = refuse(split, preds)
    assert len(problems) == 2
    assert all("it is not clear which is" in problem for problem in problems)


def test_running_numbers_are_refused_with_the_names_that_frames_have(split, preds):
    for folder in preds.iterdir():
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(path.with_name(f"{number:05d}.png"))
    for missing in ("error", "empty"):
        problems = refuse(split, preds, missing=missing)
        assert len(problems) == 3
        assert "has 00000.png, 00001.png; frames are called frame_0000000101" in problems[0]
        assert "such as frame_0000000101.png" in problems[0]
        assert "--missing" not in problems[0]


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        (".jpg", "JPEG does not preserve ids"),
        (".JPEG", "JPEG does not"),
        (".npy", "no PNG"),
        (".tif", "PNG"),
    ],
)
def test_masks_of_another_format_are_refused_by_name(split, preds, ending, says):
    rename_files(preds, lambda name: name.replace(".png", ending))
    problems = refuse(split, preds, missing="empty")
    assert len(problems) == 3
    assert says in problems[0]
    assert "write masks as PNG" in problems[0]


def test_one_lossy_mask_among_others_is_refused(split, preds):
    path = sorted(preds.rglob("*.png"))[3]
    path.rename(path.with_suffix(".jpg"))
    (problem,) = refuse(split, preds)
    assert path.with_suffix(".jpg").name in problem


@pytest.mark.parametrize(
    ("inside", "levels"),
    [("Annotations", 1), ("preds", 1), ("val/480p", 2), ("out/run 1/train", 2), ("a/b/c", 3)],
)
def test_a_folder_around_the_predictions_is_looked_into(
    split, preds, expected, tmp_path, inside, levels
):
    around = tmp_path / "around" / inside
    around.parent.mkdir(parents=True)
    preds.rename(around)
    spoil(tmp_path / "around")
    (tmp_path / "around" / "logs").mkdir()
    report = score(tmp_path / "around", gt=split, resamples=0)
    assert report.metrics == expected
    assert report.handled == {"folders_around_predictions": levels}


def test_of_several_folders_of_predictions_one_has_to_be_named(split, preds, tmp_path):
    for name in ("epoch1", "epoch2"):
        shutil.copytree(preds, tmp_path / "runs" / name)
    (problem,) = refuse(split, tmp_path / "runs")
    assert "several folders: epoch1, epoch2" in problem
    assert str(tmp_path / "runs" / "epoch1") in problem


def test_photographs_beside_predictions_are_not_taken_for_them(split, preds, expected, tmp_path):
    shutil.copytree(preds, tmp_path / "davis" / "Annotations" / "480p")
    photographs = shutil.copytree(preds, tmp_path / "davis" / "JPEGImages" / "480p")
    rename_files(photographs, lambda name: name.replace(".png", ".jpg"))
    report = score(tmp_path / "davis", gt=split, resamples=0)
    assert report.metrics == expected
    shutil.rmtree(tmp_path / "davis" / "Annotations")
    assert "JPEG does not preserve ids" in refuse(split, tmp_path / "davis")[0]


def test_the_folder_of_one_sequence_is_named_as_such(split, preds):
    (problem,) = refuse(split, preds / "00000002_P01_01_take_cup")
    assert "is the folder of a single sequence" in problem
    assert problem.endswith(f"give {preds}")


@pytest.mark.parametrize("inside", [False, True])
def test_an_archive_is_to_be_unpacked(split, preds, tmp_path, inside):
    for pack, name in ((pack_zip, "packed.zip"), (pack_tar, "packed.tar.gz")):
        folder = tmp_path / f"{name}_{inside}"
        folder.mkdir()
        pack(folder / name, preds)
        (problem,) = refuse(split, folder if inside else folder / name)
        assert "unpack" in problem
        assert ("such as packed" if inside else "an archive of preds") in problem


def pack_zip(path, folder):
    with zipfile.ZipFile(path, "w") as packed:
        for file in folder.rglob("*.png"):
            packed.write(file, file.relative_to(folder.parent))


def pack_tar(path, folder):
    with tarfile.open(path, "w:gz") as packed:
        packed.add(folder, folder.name)


def test_clutter_in_predictions_is_neither_read_nor_counted(split, preds, expected):
    spoil(preds)
    report = score(preds, gt=split, resamples=0)
    assert report.metrics == expected
    assert report.handled == {}


def split_into_objects(folder):
    """Replace every index mask by binary masks in folders of objects."""
    for path in sorted(folder.rglob("*.png")):
        mask = read_index_mask(path)
        path.unlink()
        for object_id in range(1, 5):
            layer = (mask == object_id).astype(np.uint8)
            write_index_mask(path.parent / str(object_id) / path.name, layer)


def test_folders_of_objects_are_read_amid_clutter_and_other_endings(split, preds, expected):
    split_into_objects(preds)
    rename_files(preds, lambda name: name.replace(".png", ".PNG"))
    spoil(preds)
    report = score(preds, gt=split, resamples=0)
    assert report.metrics == expected
    assert report.handled == {"names_spelled_otherwise": 24}


def test_folders_of_objects_with_running_numbers_are_refused(split, preds):
    split_into_objects(preds)
    for folder in preds.glob("*/*"):
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(path.with_name(f"{number}.png"))
    problems = refuse(split, preds, missing="empty")
    assert len(problems) == 3
    assert "has 1/0.png, 1/1.png, 2/0.png, ...; frames are called frame_" in problems[0]


def test_clutter_in_a_dataset_is_neither_a_split_nor_a_sequence(split, preds, expected, tmp_path):
    root = shutil.copytree(split.root, tmp_path / "root")
    spoil(root)
    assert list_splits(root) == ["train"]
    again = open_split(root, "train")
    assert again == open_truth(root, "train")
    assert again.fingerprint == split.fingerprint
    assert score(preds, gt=again, resamples=0).metrics == expected


def test_a_hidden_folder_that_the_user_names_is_read(split, preds, expected, tmp_path):
    hidden = preds.rename(tmp_path / ".preds")
    root = shutil.copytree(split.root, tmp_path / ".cache" / "root")
    assert score(hidden, gt=root, split="train", resamples=0).metrics == expected


def test_a_dataset_under_other_spellings_is_read_and_counted(split, preds, expected, tmp_path):
    root = shutil.copytree(split.root, tmp_path / "root")
    rename_files(root / MASKS, lambda name: name.replace(".png", ".PNG"))
    rename_folders(root / MASKS / "train", lambda name: name.replace(":", "_"))
    report = score(preds, gt=root, split="train", resamples=0)
    assert report.metrics == expected
    assert report.handled == {"names_spelled_otherwise": 6 + 1}


def test_ambiguous_folders_of_a_dataset_are_refused(split, tmp_path):
    root = shutil.copytree(split.root, tmp_path / "root")
    folder = root / MASKS / "train" / "00000001_P01_01_take_cup:big"
    shutil.copytree(folder, folder.with_name(folder.name.replace(":", "%3A")))
    folder.rename(folder.with_name(folder.name.replace(":", "\uf03a")))
    with pytest.raises(InputError, match=r"%3Abig.*it is not clear which"):
        open_split(root, "train")


def entries(split, rename=lambda entry: entry):
    """Entries for three objects in every frame; each mask covers the whole frame."""
    size = {"size": [120, 160], "counts": [0, 19200]}
    return [
        rename(
            {
                "sequence": sequence.folder,
                "frame": frame,
                "object_id": object_id,
                "segmentation": size,
            }
        )
        for sequence in split.sequences
        for frame in sequence.frames
        for object_id in (1, 2, 3)
    ]


def write_entries(path, content):
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("key", "rename", "count"),
    [
        ("sequence", lambda name: name.replace(":", "_"), 1),
        ("sequence", lambda name: unicodedata.normalize("NFD", name), 1),
        ("frame", lambda name: f"{name}.jpg.png", 6),
        ("frame", lambda name: f"{name}.PNG", 0),
    ],
)
def test_names_in_a_list_are_taken_under_the_same_spellings(split, tmp_path, key, rename, count):
    plain = score(write_entries(tmp_path / "a.json", entries(split)), gt=split, resamples=0)
    changed = entries(split, lambda entry: entry | {key: rename(entry[key])})
    report = score(write_entries(tmp_path / "b.json", changed), gt=split, resamples=0)
    assert report.metrics == plain.metrics
    assert report.handled.get("names_spelled_otherwise", 0) == count


def test_a_list_counts_what_is_more_by_frame_and_sequence(split, tmp_path):
    more = entries(split)
    more += [entry | {"frame": "another"} for entry in more[:3]]
    more += [entry | {"sequence": name} for entry in entries(split)[:6] for name in ("x", "y")]
    report = score(write_entries(tmp_path / "p.json", more), gt=split, resamples=0)
    assert report.handled["extra_files"] == 1
    assert report.handled["extra_sequences"] == 2


@pytest.mark.parametrize(
    ("rename", "says"),
    [
        (
            lambda entry: entry | {"frame": entry["frame"][-4:]},
            "has 0101, 0140; frames are called",
        ),
        (
            lambda entry: entry | {"sequence": entry["sequence"].replace("0000000", "0000005")},
            "only in its number",
        ),
        (lambda entry: {"image_id": 1, "category_id": 1, "score": 1.0}, "a list of COCO results"),
    ],
)
def test_a_list_that_fits_nothing_says_what_it_holds(split, tmp_path, rename, says):
    path = write_entries(tmp_path / "p.json", entries(split, rename))
    assert says in refuse(split, path, missing="empty")[0]


def test_a_document_of_a_dataset_is_no_list(split, tmp_path):
    coco = {"info": {}, "images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}
    assert "COCO annotations" in refuse(split, write_entries(tmp_path / "p.json", coco))[0]
    path = split.root / IMAGE_SETS / "train.json"
    assert "an ActionVOS action list" in refuse(split, path)[0]


def test_a_frame_that_a_list_has_under_two_endings_is_refused(split, tmp_path):
    double = entries(split)
    double += [entry | {"frame": f"{entry['frame']}.png"} for entry in double[:1]]
    (problem,) = refuse(split, write_entries(tmp_path / "p.json", double))
    assert "with two endings" in problem


def test_a_list_of_sequences_restricts_a_split(split, preds, tmp_path):
    chosen = tmp_path / "short.txt"
    chosen.write_text("00000001_P01_01_take_cup_big\n00000001_P01_01_take_cup:big\n# more\n")
    report = score(preds, gt=split.root, split="train", sequences=chosen, resamples=0)
    assert report.metrics["n_sequences"] == 1
    assert report.split == "train, listed in short.txt"
    assert report.handled == {"extra_sequences": 2}
    chosen.write_text("00000001_P01_01_take_cup:bog\n")
    with pytest.raises(InputError, match=r"line 1: .*did you mean '00000001_P01_01_take_cup:big'"):
        open_truth(split.root, "train", chosen)


def test_predictions_of_ten_thousand_other_folders_are_not_searched_for_hours(split, tmp_path):
    for number in range(300):
        (tmp_path / "preds" / f"clip{number}" / "deeper").mkdir(parents=True)
    with pytest.raises(InputError, match="it has clip0, clip1, clip10"):
        open_predictions(tmp_path / "preds", split.sequences)


@pytest.mark.parametrize(
    ("files", "says", "hint"),
    [
        ((), "it has nothing", "the right split"),
        (("clip.npz", "notes.txt"), "it has clip.npz, notes.txt", "the right split"),
        (("clip_00000.png",), "it has clip_00000.png", "a folder for each sequence"),
        (("results.json",), "it has results.json", "give it; else"),
    ],
)
def test_a_folder_without_folders_is_told_by_its_files(split, tmp_path, files, says, hint):
    folder = tmp_path / "other"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("?")
    (problem,) = refuse(split, folder)
    assert says in problem
    assert hint in problem


@pytest.mark.parametrize("missing", ["error", "empty"])
@pytest.mark.parametrize("name", ["masks", "object_1"])
def test_folders_that_are_no_objects_are_not_blank_predictions(split, preds, name, missing):
    for folder in preds.iterdir():
        inner = folder / name
        inner.mkdir()
        for file in folder.glob("*.png"):
            file.rename(inner / file.name)
    problems = refuse(split, preds, missing=missing)
    assert len(problems) == 3
    assert f"has {name}/, but no mask of a frame" in problems[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda entry, _: entry.update(object_id=str(entry["object_id"])), "must be a whole"),
        (lambda entry, number: entry.update(frame=number), "frame: must be text, not 0"),
        (lambda entry, _: entry.update(video=entry.pop("sequence")), "'sequence' is missing"),
    ],
)
def test_one_fault_of_all_entries_is_one_problem(split, tmp_path, change, says):
    sequence = split.sequences[0]
    entries = [
        {
            "sequence": sequence.folder,
            "frame": frame,
            "object_id": object_id,
            "segmentation": {"size": [1, 1], "counts": [1]},
        }
        for frame in sequence.frames
        for object_id in (1, 2)
    ]
    for number, entry in enumerate(entries):
        change(entry, number)
    write_json(tmp_path / "p.json", entries)
    (problem,) = refuse(split, tmp_path / "p.json")
    assert says in problem
    assert f"{len(entries) - 1} more entries have this fault" in problem
    write_json(tmp_path / "p.json", {"predictions": entries})
    (problem,) = refuse(split, tmp_path / "p.json")
    assert "is not a list" in problem


def test_a_list_under_the_name_of_the_note_is_to_be_given_itself(split, preds):
    write_json(preds / "predictions.json", [])
    (problem,) = refuse(split, preds)
    assert f"if it is a list of COCO RLE, give {preds / 'predictions.json'}" in problem


def test_what_a_protocol_refuses_is_told_with_the_folder(split, preds):
    path = sorted(preds.rglob("*.png"))[0]
    mask = read_index_mask(path).copy()
    mask[0, 0] = 77
    write_index_mask(path, mask)
    (problem,) = refuse(split, preds, protocol="davis-unsupervised")
    assert problem.startswith(f"{preds}: {path.parent.name}: ")
