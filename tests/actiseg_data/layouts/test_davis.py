"""DAVIS as it is downloaded: which masks, which list, and what a list may look like."""

from __future__ import annotations

import codecs
import contextlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.davis import find_masks
from actiseg_data.layouts.mask_folders import open_folder
from actiseg_data.layouts.sequence_lists import read_sequence_list
from actiseg_data.layouts.spelling import match_names
from actiseg_eval.predictions.ground_truth import open_truth
from actiseg_eval.scoring.folder_scoring import score
from tests.helpers.command import run

SEQUENCES = ("bear", "boat", "cow")


def draw(folder, sequences, *, shift=0, frames=4):
    for number, sequence in enumerate(sequences):
        for frame in range(frames):
            mask = np.zeros((20, 30), np.uint8)
            mask[5:15, 3 + number + shift : 15 + number + shift] = 1
            write_index_mask(folder / sequence / f"{frame:05d}.png", mask)
    return folder


@pytest.fixture
def davis(tmp_path):
    """A root with three sequences, two of which are listed."""
    root = tmp_path / "DAVIS"
    draw(root / "Annotations" / "480p", SEQUENCES)
    write_list(root, "2017/val", "bear\nboat\n")
    return root


@pytest.fixture
def preds(tmp_path):
    return draw(tmp_path / "preds", ("bear", "boat"), shift=2)


def write_list(root, name, text):
    path = root / "ImageSets" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def chosen(truth):
    return [sequence.folder for sequence in truth.sequences]


def refused(call, *arguments, **options):
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("inside", "split"),
    [
        ("", None),
        ("", "val"),
        ("", "2017/val"),
        ("", "2017/val.txt"),
        ("Annotations", "val"),
        ("Annotations/480p", "val"),
    ],
)
def test_the_list_of_the_root_chooses_what_is_scored(davis, preds, inside, split):
    truth = open_truth(davis / inside, split)
    assert truth.name == "2017/val"
    assert truth.root == davis / "Annotations" / "480p"
    assert chosen(truth) == ["bear", "boat"]
    report = score(preds, gt=truth, protocol="davis", resamples=0)
    # 12 columns of which 10 are shared: 10 of 14.
    assert report.metrics["j"] == pytest.approx(10 / 14)
    assert report.split == "2017/val"


def test_a_folder_of_masks_is_scored_whole_and_the_hint_is_a_list(davis, preds):
    truth = open_truth(davis / "Annotations" / "480p")
    assert chosen(truth) == list(SEQUENCES)
    (problem,) = refused(score, preds, gt=truth, protocol="davis")
    assert "no frame of cow was predicted" in problem
    assert "as sequences, or choose a list with split (2017/val)" in problem
    assert "missing" not in problem


@pytest.mark.parametrize("inside", ["", "Annotations/480p"])
def test_all_names_every_sequence_as_it_does_in_corrupt(davis, inside):
    assert chosen(open_truth(davis / inside, "all")) == list(SEQUENCES)


def test_a_sequence_that_was_asked_for_may_be_taken_for_blank(davis, preds):
    write_list(davis, "2017/val", "bear\ncow\n")
    (problem,) = refused(score, preds, gt=open_truth(davis), protocol="davis")
    assert "no frame of cow was predicted" in problem
    assert "set missing to empty" in problem


def test_what_is_predicted_beyond_the_list_is_counted(davis, preds):
    write_list(davis, "2017/val", "bear\n")
    report = score(preds, gt=open_truth(davis), protocol="davis", resamples=0)
    assert report.metrics["n_sequences"] == 1
    assert report.handled["extra_sequences"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "bear\r\n\r\n# the second\r\nboat\r\nbear\r\n",
        "\ufeffbear\nboat",
        codecs.BOM_UTF16_LE + "bear\r\nboat\r\n".encode("utf-16-le"),
        "  bear  \n\tboat\n",
        "bear/\nAnnotations/480p/boat\n",
        "Annotations\\480p\\bear\\00000.png\nboat",
        "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png \n"
        "/JPEGImages/480p/bear/00001.jpg /Annotations/480p/bear/00001.png \n"
        "/JPEGImages/480p/boat/00000.jpg /Annotations/480p/boat/00000.png \n",
    ],
)
def test_lists_are_read_as_people_write_them(davis, text):
    write_list(davis, "2017/val", text)
    assert chosen(open_truth(davis)) == ["bear", "boat"]
    own = write_list(davis, "own", text)
    assert chosen(open_truth(davis, sequences=own)) == ["bear", "boat"]


def test_every_listed_sequence_that_is_not_there_is_named_with_its_line(davis):
    path = write_list(davis, "2017/val", "bear\n\nbaot\nlion\ncow\n")
    problems = refused(open_truth, davis)
    assert len(problems) == 2
    assert f"{path}: line 3: there is no sequence 'baot'; did you mean 'boat'?" in problems[0]
    assert f"{path}: line 4: there is no sequence 'lion'" in problems[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lists no sequence"),
        ("# bear\n\n", "lists no sequence"),
        ('[{"seq_id": 1}]', "is a JSON document"),
        (b"\xff\xfe\xfd", "is not UTF-8 text"),
        (b"b\xe4r\n", "is not UTF-8 text"),
        ("be\x07ar\n", "line 1: the sequence name"),
        ("..\n", "would lead outside"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, text, says):
    (problem,) = refused(read_sequence_list, write_list(tmp_path, "own", text))
    assert says in problem


def test_a_list_of_another_dataset_is_refused_without_comparing_all_names(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "actiseg_data.layouts.sequence_lists.match_names",
        lambda *names: calls.append(1) or match_names(*names),
    )
    text = "\n".join(f"clip{number}" for number in range(5000))
    listed = read_sequence_list(write_list(tmp_path, "own", text))
    with pytest.raises(InputError) as caught:
        listed.choose(["clip0", *(f"{number:05d}" for number in range(5000))])
    assert len(caught.value.problems) == 4999
    assert len(calls) < 5


def test_one_sequence_may_be_listed_under_several_spellings(tmp_path):
    listed = read_sequence_list(write_list(tmp_path, "own", "a:b\na%3Ab\na_b\n"))
    assert listed.choose(["a:b", "c"]) == {"a:b"}
    assert listed.choose(["a%3Ab", "c"]) == {"a%3Ab"}


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_as_names_that_lead_nowhere_or_refused(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        path.write_bytes(data)
        with contextlib.suppress(InputError):
            for name, line in read_sequence_list(path).lines.items():
                assert Path(folder, name).parent == Path(folder)
                assert 1 <= line <= 1 + len(data)


def test_of_two_years_that_differ_one_has_to_be_named(davis):
    write_list(davis, "2016/val", "bear\n")
    (problem,) = refused(open_truth, davis)
    assert "2016/val with 1, 2017/val with 2 sequences" in problem
    assert "split 2017/val" in problem
    assert chosen(open_truth(davis, "2016/val")) == ["bear"]


@pytest.mark.parametrize("other", ["bear\nboat\n", "camel\n", "boat\nbear\ncamel\n"])
def test_a_year_that_is_equal_or_does_not_fit_leaves_no_choice(davis, other):
    write_list(davis, "2016/val", other)
    assert chosen(open_truth(davis)) == ["bear", "boat"]


def test_a_split_that_is_not_there_is_refused_with_those_that_are(davis):
    (problem,) = refused(open_truth, davis, "vall")
    assert "did you mean 'val'?" in problem
    assert "2017/val" in problem
    shutil.rmtree(davis / "ImageSets")
    (problem,) = refused(open_truth, davis, "val")
    assert "has no lists in ImageSets" in problem
    assert chosen(open_truth(davis)) == list(SEQUENCES)


def test_the_usual_resolution_is_taken_and_any_other_choice_is_asked_for(davis):
    masks = davis / "Annotations"
    shutil.copytree(masks / "480p", masks / "Full-Resolution")
    assert find_masks(davis) == masks / "480p"
    (masks / "480p").rename(masks / "1080p")
    (problem,) = refused(find_masks, davis)
    assert "1080p" in problem
    assert "Full-Resolution" in problem
    shutil.rmtree(masks / "1080p")
    assert find_masks(davis) == masks / "Full-Resolution"


def test_annotations_for_another_task_are_never_chosen_silently(davis):
    other = davis / "Annotations_unsupervised"
    shutil.copytree(davis / "Annotations", other)
    (problem,) = refused(open_truth, davis)
    assert "Annotations_unsupervised/480p" in problem
    assert chosen(open_truth(other / "480p", "val")) == ["bear", "boat"]
    shutil.rmtree(davis / "Annotations")
    assert find_masks(davis) == other / "480p"


def test_annotations_without_a_resolution_are_found(tmp_path):
    root = tmp_path / "DAVIS"
    draw(root / "Annotations", SEQUENCES)
    write_list(root, "val", "cow\n")
    assert chosen(open_truth(root)) == ["cow"]
    assert open_truth(root).name == "val"


def test_clutter_in_a_root_is_no_list_and_no_sequence(davis):
    for folder in (davis / "Annotations" / "480p", davis / "Annotations", davis / "ImageSets"):
        (folder / ".ipynb_checkpoints").mkdir()
        shutil.copytree(davis / "Annotations" / "480p" / "bear", folder / "__MACOSX")
        (folder / ".DS_Store").touch()
    write_list(davis, "2017/._val", b"\x00\x05\x16\x07")
    write_list(davis, "__MACOSX/val", "cow\n")
    assert chosen(open_truth(davis)) == ["bear", "boat"]
    assert chosen(open_folder(davis / "Annotations" / "480p")) == list(SEQUENCES)


def test_frames_named_by_numbers_are_in_their_order(tmp_path):
    for frame in (*range(12), 9999, 10000):
        path = tmp_path / "clip" / f"{frame}.png"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (sequence,) = open_folder(tmp_path).sequences
    assert sequence.frames == tuple(map(str, (*range(12), 9999, 10000)))


def test_endings_of_true_masks_may_be_in_capitals_but_no_frame_twice(davis):
    folder = davis / "Annotations" / "480p" / "bear"
    for path in folder.iterdir():
        path.rename(path.with_suffix(".PNG"))
    truth = open_truth(davis)
    assert truth.find_mask(truth.sequences[0], "00001") == folder / "00001.PNG"
    shutil.copy(folder / "00001.PNG", folder / "00001.png")
    (problem,) = refused(open_truth, davis)
    assert "has 2 masks of the frame 00001" in problem


@pytest.mark.parametrize("folder", ["bear", "bear/00000.png"])
def test_the_folder_of_one_sequence_is_no_truth(davis, folder):
    (problem,) = refused(open_truth, davis / "Annotations" / "480p" / folder)
    assert "give" in problem


@pytest.mark.parametrize(
    ("folder", "named"), [("", "."), ("Annotations/480p", "."), ("Annotations", "480p")]
)
def test_the_lists_are_found_from_inside(davis, monkeypatch, folder, named):
    monkeypatch.chdir(davis / folder)
    assert chosen(open_truth(Path(named), "val")) == ["bear", "boat"]


def score_at(folder, *arguments, command="score"):
    return run(command, *arguments, cwd=folder, module="actiseg_eval.cli")


def test_the_output_names_the_list_that_was_used(davis, preds, tmp_path):
    done = score_at(tmp_path, "preds", "--gt", "DAVIS", "--protocol", "davis")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith("2 sequences of 2017/val")
    assert "2017/val, protocol davis" in done.stdout
    (tmp_path / "short.txt").write_text("boat\n")
    done = score_at(
        tmp_path,
        *("preds", "--gt", "DAVIS/Annotations/480p", "--sequences", "short.txt"),
        *("--protocol", "davis"),
    )
    assert done.returncode == 0, done.stderr
    assert "480p, listed in short.txt, protocol davis" in done.stdout
    assert "handled: extra sequences 1" in done.stdout


def test_runs_name_a_split_with_its_year(davis, preds):
    for level in ("0", "0.4"):
        shutil.copytree(preds, davis.parent / "plain" / level)
    (davis.parent / "runs.yaml").write_text(
        f"truth: {davis.name}\nsplit: 2017/val\nmethods: {{a: {{0: plain/0, 0.4: plain/0.4}}}}\n"
    )
    done = score_at(davis.parent, "runs.yaml", "--protocol", "davis", command="robustness")
    assert done.returncode == 0, done.stderr
    assert "2017/val" in done.stdout


def test_runs_and_methods_are_scored_on_a_list_too(tmp_path):
    names = [f"clip{number}" for number in range(10)]
    draw(tmp_path / "gt", [*names, "more"])
    (tmp_path / "list.txt").write_text("\n".join(names))
    for method in ("plain", "ours"):
        for level, shift in (("clean", 1), ("0.4", 3)):
            draw(tmp_path / "runs" / method / level, names, shift=shift)
            (tmp_path / "runs" / method / ".cache" / "x").mkdir(parents=True, exist_ok=True)
    options = ("--gt", "gt", "--sequences", "list.txt", "--protocol", "vos-benchmark")
    done = score_at(tmp_path, "runs", *options, "--json", "r.json", command="robustness")
    assert done.returncode == 0, done.stderr
    assert "gt, listed in list.txt" in done.stdout
    levels = "{}: {{clean: runs/{}/clean, 0.4: runs/{}/0.4}}".format
    methods = f"{{{', '.join(levels(name, name, name) for name in ('ours', 'plain'))}}}"
    (tmp_path / "runs.yaml").write_text(f"truth: gt\nsequences: list.txt\nmethods: {methods}\n")
    done = score_at(tmp_path, "runs.yaml", *options[4:], "--json", "y.json", command="robustness")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "y.json").read_bytes() == (tmp_path / "r.json").read_bytes()
    methods = ("runs/plain/clean", "runs/ours/0.4")
    done = score_at(tmp_path, *methods, *options, command="compare")
    assert done.returncode == 0, done.stderr
    done = score_at(tmp_path, *methods, *options[:2], *options[4:], command="compare")
    assert done.returncode == 2
    assert "as --sequences" in done.stderr


@pytest.mark.parametrize(("split", "best"), [("vall", "val"), ("2016/val", "2017/val")])
def test_the_cure_for_a_split_that_is_not_there_is_the_one_that_was_meant(davis, split, best):
    (problem,) = refused(open_truth, davis, split)
    assert f"did you mean '{best}'?" in problem
    assert problem.endswith(f"such as split {best}")


def test_a_list_of_other_sequences_is_one_problem(davis):
    path = write_list(davis, "2017/test-dev", "\n".join(f"aerobatics{at}" for at in range(30)))
    (problem,) = refused(open_truth, davis, "test-dev")
    assert problem.startswith(f"{path}: none of the 30 listed sequences exists (listed:")
    assert "existing: bear, boat, cow)" in problem


def test_truth_that_is_none_is_told_by_what_it_holds(davis, tmp_path):
    (davis / "JPEGImages" / "480p" / "bear").mkdir(parents=True)
    (problem,) = refused(open_truth, davis / "JPEGImages")
    assert "has no sequence of masks (it has 480p/)" in problem
    (tmp_path / "mask.png").write_bytes(b"?")
    (problem,) = refused(open_truth, tmp_path / "mask.png")
    assert "is not a folder" in problem


@pytest.mark.parametrize("name", ["#recycle", "#snapshot", "@Recycle", "@tmp", "@eaDir"])
def test_what_network_drives_keep_beside_the_data_is_no_sequence(davis, preds, name):
    draw(davis / "Annotations" / "480p", [name])
    assert name not in chosen(open_folder(davis / "Annotations" / "480p"))
