"""Noisy copies of folders of raw annotations: written, resumed, verified, prepared."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.records.ledger_record import read_mask_rows
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.annotation_noise import annotation_copy
from actiseg_noise.annotation_noise.annotation_check import verify_visor
from actiseg_noise.annotation_noise.annotation_copy import corrupt_visor
from actiseg_noise.recipes.building import load_recipe, make_recipe
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons
from tests.actiseg_noise.annotation_noise.folders import make_folder, polygon_recipe, read
from tests.helpers.pages import code_blocks
from tests.helpers.visor_files import VisorFiles, tree

NAMES = {"val/P01_01.json", "val/P01_02.json.gz"}
RECORDS = {"recipe.json", "ledger.jsonl", "summary.json", "digests.json", "LICENSE", "NOTICE"}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "clean")


@pytest.fixture
def noisy(clean: Path, tmp_path: Path) -> Path:
    corrupt_visor(clean, polygon_recipe(), tmp_path / "noisy")
    return tmp_path / "noisy"


def drop_times(files: dict[str, bytes]) -> dict[str, Any]:
    summary = json.loads(files["summary.json"])
    del summary["seconds"]
    return files | {"summary.json": summary}


def test_a_copy_has_the_files_and_the_records(clean: Path, noisy: Path, tmp_path: Path) -> None:
    files = tree(noisy)
    assert files.keys() == NAMES | RECORDS
    assert load_recipe(noisy / "recipe.json") == polygon_recipe()
    for name in NAMES:
        before, after = read(clean / name), read(noisy / name)
        assert before != after
        for one, two in zip(before["video_annotations"], after["video_annotations"], strict=True):
            assert one["image"] == two["image"]
    rows = list(read_mask_rows(noisy / "ledger.jsonl"))
    assert len(rows) == 16
    assert {row.sequence for row in rows} == {"P01_01", "P01_02"}
    summary = read(noisy / "summary.json")
    assert (summary["source"], summary["frames"]) == ("../clean", 6)
    assert summary["noise"]["selected"] == 16
    assert summary["noise"]["iou"]["jitter"]["q50"] == pytest.approx(0.8, abs=0.01)
    assert summary["handled"] == {
        "entities_without_polygon": 2,
        "crossing_polygons_repaired": 0,
        "snapped_polygons_repaired": 0,
        "too_small_or_outside_kept": 2,
        "short_polygons": 2,
        "target_not_reached": 2,
    }
    assert b"CC-BY-NC-4.0" in files["LICENSE"]
    assert b"'jitter' noise at rate 1 to the polygons" in files["NOTICE"]
    assert b"ActionVOS" not in files["NOTICE"]
    assert not (tmp_path / "noisy.partial").exists()


def test_workers_and_the_way_there_change_nothing(clean: Path, noisy: Path, tmp_path: Path) -> None:
    corrupt_visor(clean, polygon_recipe(), tmp_path / "twice", workers=2)
    assert drop_times(tree(tmp_path / "twice")) == drop_times(tree(noisy))
    corrupt_visor(clean / "val" / "P01_02.json.gz", polygon_recipe(), tmp_path / "one")
    assert read(tmp_path / "one" / "P01_02.json.gz") == read(noisy / "val" / "P01_02.json.gz")


def test_an_interrupted_run_is_resumed(
    clean: Path, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    original = annotation_copy.make_record

    def stop_at_second(source: Any, name: str) -> Any:
        made.append(name)
        if len(made) == 2:
            raise KeyboardInterrupt
        return original(source, name)

    monkeypatch.setattr(annotation_copy, "make_record", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        corrupt_visor(clean, polygon_recipe(), tmp_path / "late")
    assert not (tmp_path / "late").exists()
    with pytest.raises(InputError, match="unfinished work of another run"):
        corrupt_visor(clean, polygon_recipe(seed=1), tmp_path / "late")
    corrupt_visor(clean, polygon_recipe(), tmp_path / "late")
    assert made == ["val/P01_01.json", "val/P01_02.json.gz", "val/P01_02.json.gz"]
    assert drop_times(tree(tmp_path / "late")) == drop_times(tree(noisy))


def test_an_exact_rate_takes_its_share(clean: Path, tmp_path: Path) -> None:
    summary = corrupt_visor(
        clean, polygon_recipe(rate=0.25, exact=True), tmp_path / "exact"
    ).summary
    assert (summary["noise"]["selected"], summary["noise"]["items"]) == (4, 16)
    assert verify_visor(tmp_path / "exact", clean).lines == []


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (make_recipe("jitter", 1.0, split="val"), "not a recipe of noise on polygons"),
        (make_recipe("text", 1.0, split="val"), "not a recipe of noise on polygons"),
    ],
)
def test_other_recipes_are_refused(
    clean: Path, tmp_path: Path, recipe: Recipe, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        corrupt_visor(clean, recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_polygons_cannot_have_is_refused() -> None:
    for kind in ("markov", "morphology", "category", "mixed"):
        with pytest.raises(InputError, match="does not work on polygons"):
            convert_to_polygons(make_recipe(kind, 0.4))
    with pytest.raises(InputError, match="needs labels"):
        convert_to_polygons(make_recipe("jitter", 0.4), objects="positive")


def test_places_and_sources_are_refused(clean: Path, noisy: Path, tmp_path: Path) -> None:
    recipe = polygon_recipe()
    for folder, out, message in (
        (noisy, tmp_path / "out", "is a noisy copy: 'jitter' noise"),
        (noisy / "val", tmp_path / "out", "is a noisy copy"),
        (noisy / "val" / "P01_01.json", tmp_path / "out", "is a noisy copy"),
        (clean, clean / "out", "is inside the input"),
        (tmp_path / "absent", tmp_path / "out", "folder of annotations is missing"),
    ):
        with pytest.raises(InputError, match=message):
            corrupt_visor(folder, recipe, out)
    (clean / "val" / "P01_03.json").write_text('{"video_annotations": [{}, {"image": 3}]}')
    with pytest.raises(InputError) as caught:
        corrupt_visor(clean, recipe, tmp_path / "out")
    assert len(caught.value.problems) > 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "noisy"]


def test_an_equal_copy_is_kept_and_another_needs_overwrite(clean: Path, noisy: Path) -> None:
    files = tree(noisy)
    again = corrupt_visor(clean, polygon_recipe(), noisy)
    assert (again.made, tree(noisy)) == (False, files)
    for change in (None, "changed"):
        if change:
            (noisy / "val/P01_01.json").write_text('{"video_annotations": []}')
        recipe = polygon_recipe("dilate") if change is None else polygon_recipe()
        with pytest.raises(InputError, match="already exists"):
            corrupt_visor(clean, recipe, noisy)
    made = corrupt_visor(clean, polygon_recipe("dilate"), noisy, overwrite=True)
    assert made.made
    assert tree(noisy).keys() == files.keys()
    assert verify_visor(noisy, clean).lines == []
    assert sorted(path.name for path in noisy.parent.iterdir()) == ["clean", "noisy"]
    (noisy / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="already exists"):
        corrupt_visor(clean, polygon_recipe(), noisy, overwrite=True)
    assert (noisy / "thesis.txt").exists()


def test_a_copy_is_verified(clean: Path, noisy: Path) -> None:
    result = verify_visor(noisy, clean, workers=1)
    assert result.lines == []
    assert result.counts == {"annotations": 2, "ledger_rows": 16, "reproduced": 2}
    assert verify_visor(noisy).lines == []


def change_file(noisy: Path, clean: Path) -> None:
    document = read(noisy / "val/P01_01.json")
    document["video_annotations"][0]["annotations"][0]["segments"][0][0][0] += 0.5
    (noisy / "val/P01_01.json").write_text(json.dumps(document))


def restore_polygons(noisy: Path, clean: Path) -> None:
    """A clean file, with its digest in the records."""
    from actiseg_data.core.digests import digest_json

    shutil.copy(clean / "val/P01_01.json", noisy / "val/P01_01.json")
    digests = read(noisy / "digests.json")
    digests["val/P01_01.json"] = digest_json(read(clean / "val/P01_01.json"))
    (noisy / "digests.json").write_text(json.dumps(digests))


def change_ledger(noisy: Path, clean: Path) -> None:
    path = noisy / "ledger.jsonl"
    path.write_text(path.read_text().replace('"area_ratio": 1.', '"area_ratio": 2.', 1))


def change_rate(noisy: Path, clean: Path) -> None:
    recipe = read(noisy / "recipe.json")
    recipe["noises"][0]["rate"] = 0.5
    (noisy / "recipe.json").write_text(json.dumps(recipe))


def add_file(noisy: Path, clean: Path) -> None:
    shutil.copy(clean / "val/P01_01.json", noisy / "val/P01_09.json")


@pytest.mark.parametrize(
    ("tamper", "alone", "lines"),
    [
        (change_file, True, ["val/P01_01.json: differs from its digest in digests.json"]),
        (restore_polygons, False, ["val/P01_01.json: differs from what recipe.json"]),
        (change_ledger, True, ["noise.area_ratio is not what ledger.jsonl gives", "2 rows differ"]),
        (change_rate, True, ["recipe_digest is not that of recipe.json"]),
        (add_file, True, ["val/P01_09.json: is not in digests.json"]),
        (lambda noisy, clean: (noisy / "val/P01_01.json").unlink(), True, ["is missing"]),
    ],
)
def test_every_change_is_found(
    clean: Path, noisy: Path, tamper: Any, alone: bool, lines: list[str]
) -> None:
    tamper(noisy, clean)
    found = "\n".join(verify_visor(noisy, clean).lines)
    for line in lines:
        assert line in found
    assert bool(verify_visor(noisy).lines) is alone


def test_other_annotations_are_not_the_source(clean: Path, noisy: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", ("P01_01", "P01_07"))
    found = "\n".join(verify_visor(noisy, other).lines)
    assert "was made from other annotations" in found
    assert "val/P01_02.json.gz: the source has no such file" in found
    assert "val/P01_07.json.gz: differs" in found
    with pytest.raises(InputError, match="recipe"):
        verify_visor(clean)


def test_prepare_takes_a_noisy_copy(tmp_path: Path) -> None:
    files = VisorFiles(tmp_path)
    arguments = files.write()
    noisy = tmp_path / "noisy"
    corrupt_visor(files.annotations, polygon_recipe(), noisy)
    assert {path.name for path in noisy.iterdir()} == {"P01_01.json", *RECORDS}
    report = files.prepare(annotations=noisy)
    assert report.noise is not None
    assert "'jitter' noise at rate 1 to the polygons" in report.noise
    assert report.counts["crossing_polygons"] == report.counts["polygons_outside_image"] == 0
    assert "noisy copy" in (files.out / "NOTICE").read_text()
    assert "jitter" in read(files.out / "prepare-val.json")["noise"]
    clean = files.prepare(out=tmp_path / "clean_root")
    assert (clean.noise, clean.sequences) == (None, report.sequences)
    assert "noise" not in read(tmp_path / "clean_root" / "prepare-val.json")
    shutil.copy(noisy / "recipe.json", tmp_path)  # a recipe of something else
    assert files.prepare(out=tmp_path / "other_root").noise is None
    assert arguments["split"] == "val"


def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path / "annotations", ("P01_01",))
    (example,) = code_blocks("docs/polygons.md", "python")
    exec(compile(example.replace("workers=2", "workers=1"), "docs/polygons.md", "exec"), {})
    assert (tmp_path / "noisy_annotations" / "val" / "P01_01.json").is_file()


def test_a_packed_file_stays_packed(noisy: Path) -> None:
    data = (noisy / "val/P01_02.json.gz").read_bytes()
    assert data[4:8] == b"\0" * 4  # no time in it
    assert gzip.decompress(data).startswith(b'{"info"')
