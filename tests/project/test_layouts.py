"""Every command takes a dataset in every layout: the rows of the table in docs/layouts.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from actiseg_data import open_split
from actiseg_data.annotations.masks import digest_pixels
from actiseg_data.core.errors import InputError
from actiseg_data.layouts import layout_table
from actiseg_noise import corrupt
from tests.helpers.command import run
from tests.helpers.made_layouts import FRAMES, MAKERS, SEQUENCES, make_davis

DOCUMENT = Path(__file__).parents[2] / "docs" / "layouts.md"


def give_licence(dataset):
    """Return the option that states a licence, except for VISOR, whose licence is known."""
    return () if dataset.key == "visor" else ("--licence", "CC-BY-4.0")


def give_options(dataset):
    noise = ("--type", "boundary", "--rate", "0.6", "--seed", "3")
    return (*noise, *give_licence(dataset), "--quiet")


FORMS = [
    pytest.param(form, marks=() if form in ("davis", "coco") else pytest.mark.slow)
    for form in MAKERS
]
"""The made datasets: the fast tests take one of masks in files, and one of masks in a document."""


@pytest.fixture(scope="module", params=FORMS)
def made(request, tmp_path_factory):
    """A made dataset, its noisy copy, and a release of that; the copy was made by the command."""
    place = tmp_path_factory.mktemp("layout")
    dataset = MAKERS[request.param](place / "clean")
    noisy, release = place / "noisy", place / "release"
    done = run("corrupt", dataset.path, "--out", noisy, *give_options(dataset))
    assert done.returncode == 0, done.stderr
    text = ("--title", "Made", "--author", "Josiah Carberry")
    done = run("publish", noisy, "--to", release, *text, "--quiet")
    assert done.returncode == 0, done.stderr
    return dataset, noisy, release


def succeed(*arguments, **options):
    done = run(*arguments, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_copy(dataset, noisy):
    """Read the masks of the clean dataset and of a noisy copy, by sequence, frame and object."""
    masks = []
    for root in (dataset.path, noisy):
        opened = open_split(root)
        masks.append(
            {
                (sequence.folder, view.frame, label.object_id): mask == label.object_id
                for sequence in opened
                for view, mask in zip(sequence.views, opened.iterate_masks(sequence), strict=True)
                for label in view.objects
            }
        )
    return masks


def test_it_is_read_as_it_was_made(made):
    dataset, noisy, _ = made
    clean, _ = read_copy(dataset, noisy)
    assert clean.keys() == dataset.masks.keys()
    for place, mask in dataset.masks.items():
        assert np.array_equal(clean[place], mask), place


def test_it_is_recognised(made):
    dataset, noisy, _ = made
    assert open_split(dataset.path).layout == open_split(noisy).layout == dataset.key


def test_corrupt_changes_what_the_ledger_lists(made):
    dataset, noisy, _ = made
    clean, after = read_copy(dataset, noisy)
    rows = [json.loads(line) for line in (noisy / "ledger.jsonl").read_text().splitlines()]
    listed = {(row["sequence"], row["frame"], row["object_id"]): row for row in rows}
    assert listed
    for place, mask in clean.items():
        union = (mask | after[place]).sum()
        iou = (mask & after[place]).sum() / union
        if place in listed:
            # That of polygons is measured exactly, and not in pixels.
            tolerance = 0.02 if dataset.key == "visor" else 1e-6
            assert iou == pytest.approx(listed[place]["iou"], abs=tolerance)
        elif open_split(dataset.path)[place[0]].layers is not None:
            assert iou == 1  # objects that may overlap take nothing from each other


def test_verify(made):
    dataset, noisy, _ = made
    assert "no mismatch" in succeed("verify", noisy, "--quiet")
    assert "no mismatch" in succeed("verify", noisy, "--source", dataset.path, "--quiet")


def test_verify_finds_a_changed_copy(made, tmp_path):
    dataset, noisy, _ = made
    copy = tmp_path / "copy"
    shutil.copytree(noisy, copy, symlinks=True)
    other = tmp_path / "other"
    options = (
        "--type",
        "dilate",
        "--rate",
        "1",
        "--radius",
        "3",
        *give_licence(dataset),
        "--quiet",
    )
    succeed("corrupt", dataset.path, "--out", other, *options)
    names = [
        name.partition("#")[0]
        for name in json.loads((noisy / "digests.json").read_text())
        if name.endswith(".png") or "#" in name
    ]
    shutil.copy(other / names[0], copy / names[0])
    done = run("verify", copy, "--source", dataset.path, "--quiet")
    assert done.returncode == 1
    assert names[0] in done.stderr + done.stdout


def test_inspect(made):
    """Groups are the dataset's own: its supercategories, its names of classes, or none."""
    dataset, noisy, _ = made
    shown = succeed("inspect", noisy, "--quiet")
    assert "mask" in shown
    groups = {"coco": {"ape", "car", "animal", "vehicle"}, "visor": {"board", "cup"}}
    groups["youtube-vos"] = {"ape", "car"}
    named = set(re.findall(r"[a-z]+", shown)) & {*groups["coco"], *groups["visor"], "crockery"}
    assert named == groups.get(dataset.key, set())
    assert ("by class" in shown) == (dataset.key in groups)
    assert ("by supercategory" in shown) == (dataset.key == "coco")


def test_audit(made):
    dataset, noisy, _ = made
    assert "matches its recipe" in succeed("audit", noisy, "--strict", "--quiet")
    succeed("audit", noisy, "--clean", dataset.path, "--strict", "--quiet")


def test_preview(made, tmp_path):
    _, noisy, _ = made
    succeed("preview", noisy, "--to", tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_score(made, tmp_path):
    """J of the noisy masks as predictions is their mean IoU with the clean ones."""
    dataset, noisy, _ = made
    report = tmp_path / "scores.json"
    preds = noisy if dataset.key != "coco" else noisy / "instances.json"
    truth = ("--gt", dataset.path, "--protocol", "davis-unsupervised")
    if dataset.key == "davis":
        truth = (*truth, "--split", "train")
    options = (*truth, "--quiet", "--workers", "1")
    succeed("score", preds, *options, "--json", report, module="actiseg_eval.cli")
    clean, after = read_copy(dataset, noisy)
    by_object = {}
    for (sequence, _, number), mask in clean.items():
        other = after[sequence, _, number]
        iou = (mask & other).sum() / (mask | other).sum()
        key = (sequence, number)
        by_object.setdefault(key, []).append(iou)
    expected = np.mean([np.mean(values) for values in by_object.values()])
    scored = json.loads(report.read_text())["metrics"]["j"]
    assert scored == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_compare(form, tmp_path):
    """The clean masks are better predictions of themselves than noisy ones."""
    dataset = MAKERS[form](tmp_path / "clean", tuple(f"clip{number}" for number in range(8)))
    noisy = tmp_path / "noisy"
    options = ("--type", "erode", "--rate", "1", *give_licence(dataset), "--quiet")
    succeed("corrupt", dataset.path, "--out", noisy, *options)
    preds = noisy if dataset.key != "coco" else noisy / "instances.json"
    options = ("--gt", dataset.path, "--protocol", "davis-unsupervised", "--quiet")
    if dataset.key == "davis":
        options = (*options, "--sequences", dataset.path / "ImageSets" / "2017" / "train.txt")
    report = tmp_path / "compared.json"
    methods = (f"noisy={preds}", f"clean={dataset.path}")
    arguments = ("compare", *methods, *options, "--json", report)
    succeed(*arguments, module="actiseg_eval.cli")
    ranks = re.findall(r'"rank": (\d)', report.read_text())
    assert set(ranks) == {"1", "2"}


def test_render(made, tmp_path):
    dataset, _, _ = made
    root = tmp_path / "clean"
    shutil.copytree(dataset.path if dataset.path.is_dir() else dataset.path.parent, root)
    for folder in (*root.glob("JPEGImages*"), *root.glob("train/JPEGImages")):
        shutil.rmtree(folder)
    done = run("render", root, "--quiet")
    opened = open_split(root)
    if opened.name_frames_folder(opened.sequences[0]) is None:
        assert done.returncode == 2
        assert "no place for frames" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert all(path.is_file() for sequence in opened for path in opened.frames(sequence))


def test_publish_check_and_rebuild(made, tmp_path):
    dataset, noisy, release = made
    assert "no fault" in succeed("publish", "--check", release, "--quiet")
    rebuilt = tmp_path / "rebuilt"
    done = succeed("rebuild", release, "--source", dataset.path, "--out", rebuilt, "--quiet")
    assert "identical" in done
    for name in ("recipe.json", "ledger.jsonl", "digests.json"):
        assert (rebuilt / name).read_bytes() == (noisy / name).read_bytes()
    assert "no difference" in succeed("diff", noisy, rebuilt)
    assert "no difference" in succeed("diff", noisy, release)


def test_the_documents_of_a_release_speak_of_its_own_layout(made):
    """No document has words of ActionVOS, and none has frames where there are images alone."""
    dataset, _, release = made
    layout = layout_table.get_layout(dataset.key)
    texts = {
        name: (release / name).read_text("utf-8")
        for name in ("README.md", "datasheet.md", "croissant.json", ".zenodo.json", "CITATION.cff")
    }
    for name, text in texts.items():
        assert not re.search("ActionVOS|action-based|active object in|action list", text), name
        assert layout.task in text, name
        assert not re.search(r"\b1 \w+s\b", text.replace("1 missing", "")), name
    for name in ("README.md", "datasheet.md", "croissant.json"):
        assert f"in the layout of {layout.name}" in texts[name]
    if not layout.is_video:
        assert "video" not in "".join(texts.values())
        assert "in each image is selected" in texts["README.md"]
    with tarfile.open(next((release / "archives").iterdir())) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    listed = re.findall(r"in a tar: (\S+?),? ", texts["README.md"].replace("\\", ""))
    for member in listed:
        if "*" not in member and "<" not in member:
            assert any(name.startswith(member.strip(",")) for name in names), member


def test_a_part_gets_the_same_noise(made, tmp_path):
    dataset, noisy, _ = made
    last = open_split(dataset.path).sequences[-1].folder
    part = tmp_path / "part"
    succeed("corrupt", dataset.path, "--only", last, "--out", part, *give_options(dataset))
    whole, alone = open_split(noisy), open_split(part)
    assert [sequence.folder for sequence in alone] == [last]
    digests = [
        [digest_pixels(mask) for mask in opened.iterate_masks(opened[last])]
        for opened in (whole, alone)
    ]
    assert digests[0] == digests[1]
    assert "no mismatch" in succeed("verify", part, "--source", dataset.path, "--quiet")


def test_workers_do_not_matter(made, tmp_path):
    dataset, noisy, _ = made
    again = tmp_path / "again"
    licence = None if dataset.key == "visor" else "CC-BY-4.0"
    corrupt(dataset.path, noisy / "recipe.json", out=again, workers=2, licence=licence)
    assert (again / "digests.json").read_bytes() == (noisy / "digests.json").read_bytes()


def test_a_finished_run_is_recognised(made):
    dataset, noisy, _ = made
    assert "exists already" in succeed(
        "corrupt", dataset.path, "--out", noisy, *give_options(dataset)
    )


@pytest.mark.parametrize("kind", ["missing", "swap", "merge", "ghost"])
def test_whole_objects(made, kind, tmp_path):
    dataset, _, _ = made
    out = tmp_path / "noisy"
    options = ("--type", kind, "--rate", "0.7", *give_licence(dataset), "--quiet")
    done = run("corrupt", dataset.path, "--out", out, *options)
    if dataset.key == "visor":
        assert done.returncode == 2
        assert "polygons" in done.stderr
        return
    if kind == "ghost" and dataset.key == "mevis":
        assert done.returncode == 2
        assert "named by an expression" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert (out / "ledger.jsonl").read_text()
    succeed("verify", out, "--source", dataset.path, "--quiet")
    succeed("preview", out, "--to", tmp_path / "sheet.png")
    succeed("audit", out, "--strict", "--quiet")


def test_the_example_of_a_new_layout_works(tmp_path, monkeypatch):
    """The example in the documentation is a layout that all commands take."""
    text = DOCUMENT.read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(code.splitlines()) <= 30
    namespace = {}
    exec(code, namespace)  # the example is this project's own
    monkeypatch.setattr(layout_table, "LAYOUTS", (*layout_table.LAYOUTS, namespace["LAYOUT"]))
    made = make_davis(tmp_path / "davis")
    root = tmp_path / "clean"
    (root / "labels").mkdir(parents=True)
    for sequence in SEQUENCES:
        os.rename(made.path / "Annotations" / "480p" / sequence, root / "labels" / sequence)
    out = tmp_path / "noisy"
    succeed(
        "corrupt",
        root,
        "--type",
        "dilate",
        "--rate",
        "1",
        "--out",
        out,
        "--licence",
        "CC-BY-4.0",
        "--quiet",
    )
    assert sorted(path.name for path in (out / "labels" / "bear").iterdir()) == [
        f"{frame}.png" for frame in FRAMES
    ]
    succeed("verify", out, "--source", root, "--quiet")
    succeed("audit", out, "--strict", "--quiet")


def test_the_table_of_the_documentation_has_every_layout():
    keys = {layout.key for layout in layout_table.list_layouts()}
    text = DOCUMENT.read_text("utf-8")
    assert keys <= set(re.findall(r"`([a-z-]+)`", text))


def test_two_layouts_are_refused(tmp_path):
    root = make_davis(tmp_path / "clean").path
    (root / "meta.json").write_text('{"videos": {}}')
    done = run("corrupt", root, "--type", "dilate", "--rate", "1", "--out", tmp_path / "o")
    assert done.returncode == 2
    assert "has the marks of YouTube-VOS and of DAVIS" in done.stderr
    assert "--layout" in done.stderr
    options = (
        "--layout",
        "davis",
        "--type",
        "dilate",
        "--rate",
        "1",
        "--licence",
        "CC-BY-4.0",
        "--quiet",
    )
    succeed("corrupt", root, "--out", tmp_path / "o", *options)
    choice = ("--gt", root, "--split", "train", "--protocol", "vos-benchmark", "--quiet")
    masks = root / "Annotations" / "480p"
    assert run("score", masks, *choice, module="actiseg_eval.cli").returncode == 2
    succeed("score", masks, *choice, "--layout", "davis", module="actiseg_eval.cli")


def test_frames_that_are_numbered_unevenly_are_counted(tmp_path):
    root = make_davis(tmp_path / "clean").path
    for kind in ("Annotations", "JPEGImages"):
        for path in (root / kind / "480p" / "bear").glob("00002.*"):
            path.rename(path.with_name(path.name.replace("00002", "00009")))
    done = corrupt(root, "dilate", rate=1, out=tmp_path / "noisy", licence="CC-BY-4.0")
    assert done.summary["handled"]["sequences_numbered_unevenly"] == 1


def test_a_rule_for_overlaps_is_refused_where_objects_may_overlap(tmp_path):
    options = {"rate": 1, "out": tmp_path / "noisy", "licence": "CC-BY-4.0"}
    coco = MAKERS["coco"](tmp_path / "coco").path
    with pytest.raises(InputError, match="has no effect on a dataset with a mask for each object"):
        corrupt(coco, "dilate", overlap="ascending", **options)
    davis = make_davis(tmp_path / "davis").path
    assert corrupt(davis, "dilate", overlap="ascending", **options).summary


def test_an_unknown_layout_is_refused(tmp_path):
    root = make_davis(tmp_path / "clean").path
    done = run("corrupt", root, "--layout", "dvis", "--type", "dilate", "--rate", "1")
    assert done.returncode == 2
    assert "davis" in done.stderr


def test_no_layout_is_refused(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "0.jpg").touch()
    done = run("corrupt", tmp_path, "--type", "dilate", "--rate", "1", "--out", tmp_path / "o")
    assert done.returncode == 2
    assert "has the marks of no layout" in done.stderr
    assert "YouTube-VOS" in done.stderr


def test_frames_of_unequal_size_are_refused(tmp_path):
    root = make_davis(tmp_path / "clean").path
    source = root / "Annotations" / "480p" / "bear" / "00001.png"
    from actiseg_data.annotations.masks import read_index_mask, write_index_mask

    write_index_mask(source, read_index_mask(source)[:, :-1].copy())
    done = run("corrupt", root, "--type", "dilate", "--rate", "1", "--out", tmp_path / "o")
    assert done.returncode == 2
    assert "has 79 x 60 pixels" in done.stderr
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["2017/val", "2017/val.txt", "val"])
def test_a_list_with_a_year_is_a_split(name, tmp_path):
    made = make_davis(tmp_path / "clean")
    noise = ("--type", "erode", "--rate", "1", "--licence", "MIT", "--quiet")
    succeed("corrupt", "clean", "--split", name, *noise, cwd=tmp_path)
    out = tmp_path / "clean_val_erode_r1_s0"
    assert json.loads((out / "recipe.json").read_text())["split"] == "val"
    assert (out / "ImageSets" / "2017" / "val.txt").read_text() == "swan\n"
    succeed("verify", out, "--source", made.path)
