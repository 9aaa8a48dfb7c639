"""Noisy copies of raw annotations: written, resumed, verified, published, prepared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actiseg_data import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import read_mask_rows
from actiseg_noise import audit, corrupt, inspect, load_recipe, make_recipe, verify
from actiseg_noise.corruption.corruption_result import Corruption
from actiseg_noise.media.polygon_medium import PolygonMediumPlan
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons
from tests.helpers.pages import code_blocks
from tests.helpers.visor_files import VisorFiles, tree
from tests.helpers.visor_folders import make_folder, polygon_recipe, read

NAMES = {"val/P01_01.json", "val/P01_02.json"}
RECORDS = {
    *("recipe.json", "ledger.jsonl", "summary.json", "digests.json", "sequences.json"),
    *("LICENSE", "NOTICE"),
}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "clean")


def make_noisy(clean: Path, out: Path, noise: Any = "jitter", **settings: Any) -> Corruption:
    return corrupt(clean, noise, out=out, **({"rate": 1} | settings))


@pytest.fixture
def noisy(clean: Path, tmp_path: Path) -> Path:
    return make_noisy(clean, tmp_path / "noisy").out


def find_lines(noisy: Path, source: Path | None = None) -> str:
    return "\n".join(verify(noisy, source).mismatches)


def drop_times(files: dict[str, bytes]) -> dict[str, Any]:
    summary = json.loads(files["summary.json"])
    del summary["seconds"]
    return files | {"summary.json": summary}


def find_source(noisy: Path, clean: Path, name: str) -> Path:
    return clean / name if (clean / name).is_file() else clean / f"{name}.gz"


def test_a_copy_has_the_files_and_the_records(clean: Path, noisy: Path, tmp_path: Path) -> None:
    files = tree(noisy)
    assert files.keys() == NAMES | RECORDS
    assert load_recipe(noisy / "recipe.json") == polygon_recipe()
    for name in NAMES:
        before, after = read(find_source(noisy, clean, name)), read(noisy / name)
        assert before != after
        for one, two in zip(before["video_annotations"], after["video_annotations"], strict=True):
            assert one["image"] == two["image"]
            for document in (one, two):
                for entity in document["annotations"]:
                    del entity["segments"]
        assert json.dumps(before) == json.dumps(after)
    rows = list(read_mask_rows(noisy / "ledger.jsonl"))
    assert len(rows) == 16
    assert {row.sequence for row in rows} == {"P01_01", "P01_02"}
    summary = read(noisy / "summary.json")
    assert (summary["source"], summary["frames"]) == ("../clean", 6)
    assert summary["noise"]["selected"] == 16
    assert summary["noise"]["polygons"] == {"clean": 18, "noisy": 18}
    assert summary["noise"]["iou"]["jitter"]["q50"] == pytest.approx(0.8, abs=0.01)
    assert summary["handled"] == {
        "sequences_without_object": 0,
        "sequences_numbered_unevenly": 0,
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
    make_noisy(clean, tmp_path / "twice", workers=2)
    assert drop_times(tree(tmp_path / "twice")) == drop_times(tree(noisy))
    one = make_noisy(clean / "val" / "P01_02.json.gz", tmp_path / "one").out
    assert read(one / "P01_02.json") == read(noisy / "val" / "P01_02.json")
    part = make_noisy(clean, tmp_path / "part", only=["P01_02"]).out
    assert tree(part).keys() == RECORDS | {"val/P01_02.json"}
    assert read(part / "val/P01_02.json") == read(noisy / "val/P01_02.json")
    assert verify(part, clean).ok


def test_the_default_folder_shows_the_recipe(
    clean: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert corrupt(clean, "erode", rate=0.5).out.name == "clean_val_erode_r0.5_s0"
    file = clean / "val" / "P01_01.json"
    assert corrupt(file, "erode", rate=0.5).out.name == "P01_01_erode_r0.5_s0"


def test_an_interrupted_run_is_resumed(
    clean: Path, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    original = PolygonMediumPlan.write

    def stop_at_second(plan: Any, partial: Path, part: Any, sequence: Any) -> Any:
        made.append(sequence.folder)
        if len(made) == 2:
            raise KeyboardInterrupt
        return original(plan, partial, part, sequence)

    monkeypatch.setattr(PolygonMediumPlan, "write", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        make_noisy(clean, tmp_path / "late")
    assert not (tmp_path / "late").exists()
    with pytest.raises(InputError, match="unfinished work of another run"):
        make_noisy(clean, tmp_path / "late", seed=1)
    make_noisy(clean, tmp_path / "late")
    assert made == ["P01_01", "P01_02", "P01_02"]
    assert drop_times(tree(tmp_path / "late")) == drop_times(tree(noisy))


def test_an_exact_rate_takes_its_share(clean: Path, tmp_path: Path) -> None:
    done = make_noisy(clean, tmp_path / "exact", rate=0.25, exact=True)
    assert (done.summary["noise"]["selected"], done.summary["noise"]["items"]) == (4, 16)
    assert verify(done.out, clean).ok


@pytest.mark.parametrize(
    ("noise", "settings", "message"),
    [
        ("jitter", {"objects": "positive"}, "raw annotations do not say which entities are active"),
        ("missing", {}, "'missing' does not work on polygons"),
        ("text", {}, "'text' does not work on polygons|does not work on polygons"),
        (make_recipe("jitter", 1.0, split="val"), {}, "has polygons, and the recipe has noise of"),
        ("jitter", {"licence": "MIT"}, "the licence of VISOR is known"),
        ("jitter", {"split": "tset"}, "there is no split 'tset'"),
    ],
)
def test_what_polygons_cannot_have_is_refused(
    clean: Path, tmp_path: Path, noise: Any, settings: dict[str, Any], message: str
) -> None:
    if isinstance(noise, str):
        settings = {"rate": 1} | settings
    with pytest.raises(InputError, match=message):
        corrupt(clean, noise, out=tmp_path / "out", **settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean"]


def test_kinds_that_do_not_move_outlines_smoothly_are_not_converted() -> None:
    for kind in ("markov", "morphology", "category", "mixed"):
        with pytest.raises(InputError, match="does not work on polygons"):
            convert_to_polygons(make_recipe(kind, 0.4))


def test_masks_do_not_take_noise_of_polygons(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has masks, and the recipe has noise of polygons"):
        corrupt(sample, polygon_recipe(), out=tmp_path / "out")


def test_places_and_sources_are_refused(clean: Path, noisy: Path, tmp_path: Path) -> None:
    for folder, out, message in (
        (noisy, tmp_path / "out", "is already a noisy split"),
        (noisy / "val", tmp_path / "out", "is a part of a noisy copy: 'jitter' noise"),
        (noisy / "val" / "P01_01.json", tmp_path / "out", "is a part of a noisy copy"),
        (clean, clean / "out", "is inside the input"),
        (tmp_path / "absent", tmp_path / "out", "the dataset folder is missing"),
    ):
        with pytest.raises(InputError, match=message):
            make_noisy(folder, out)
    (clean / "val" / "P01_03.json").write_text('{"video_annotations": [{}, {"image": 3}]}')
    with pytest.raises(InputError) as caught:
        make_noisy(clean, tmp_path / "out")
    assert len(caught.value.problems) > 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "noisy"]


def test_an_equal_copy_is_kept_and_another_needs_overwrite(clean: Path, noisy: Path) -> None:
    files = tree(noisy)
    again = make_noisy(clean, noisy)
    assert (again.made, tree(noisy)) == (False, files)
    with pytest.raises(InputError, match="is a noisy split: jitter at rate 1"):
        make_noisy(clean, noisy, "dilate")
    (noisy / "val/P01_01.json").write_text('{"video_annotations": []}')
    with pytest.raises(InputError, match="or it is damaged"):
        make_noisy(clean, noisy)
    assert make_noisy(clean, noisy, "dilate", overwrite=True).made
    assert tree(noisy).keys() == files.keys()
    assert verify(noisy, clean).ok
    assert sorted(path.name for path in noisy.parent.iterdir()) == ["clean", "noisy"]
    (noisy / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="files that do not belong to it"):
        make_noisy(clean, noisy, overwrite=True)
    assert (noisy / "thesis.txt").exists()


def test_a_copy_is_verified(clean: Path, noisy: Path) -> None:
    result = verify(noisy, clean)
    assert result.ok
    assert result.counts == {"files": 3, "ledger_rows": 16, "sequences": 2, "polygons": 18}
    assert verify(noisy).ok


def change_file(noisy: Path, clean: Path) -> None:
    document = read(noisy / "val/P01_01.json")
    document["video_annotations"][0]["annotations"][0]["segments"][0][0][0] += 0.5
    (noisy / "val/P01_01.json").write_text(json.dumps(document))


def change_contact(noisy: Path, clean: Path) -> None:
    document = read(noisy / "val/P01_01.json")
    document["video_annotations"][1]["annotations"][2]["in_contact_object"] = "none-of-the-above"
    (noisy / "val/P01_01.json").write_text(json.dumps(document))


def restore_polygons(noisy: Path, clean: Path) -> None:
    """A clean file, with its digests in the records."""
    from actiseg_data.core.digests import digest_json

    shutil.copy(clean / "val/P01_01.json", noisy / "val/P01_01.json")
    split = open_split(noisy)
    names = split.name_files("", split["P01_01"])
    digests = read(noisy / "digests.json")
    digests["val/P01_01.json"] = digest_json(read(clean / "val/P01_01.json"))
    digests |= dict(zip(names, split.digest_masks(split["P01_01"]), strict=True))
    (noisy / "digests.json").write_text(json.dumps(digests))


def change_ledger(noisy: Path, clean: Path) -> None:
    path = noisy / "ledger.jsonl"
    path.write_text(path.read_text().replace('"area_ratio": 1.', '"area_ratio": 2.', 1))


def change_rate(noisy: Path, clean: Path) -> None:
    recipe = read(noisy / "recipe.json")
    recipe["noises"][0]["rate"] = 0.5
    (noisy / "recipe.json").write_text(json.dumps(recipe))


def change_counts(noisy: Path, clean: Path) -> None:
    summary = read(noisy / "summary.json")
    summary["noise"]["polygons"]["noisy"] = 17
    (noisy / "summary.json").write_text(json.dumps(summary))


def add_file(noisy: Path, clean: Path) -> None:
    shutil.copy(clean / "val/P01_01.json", noisy / "val/P01_09.json")


@pytest.mark.parametrize(
    ("tamper", "alone", "lines"),
    [
        (
            change_file,
            True,
            ["/plate: its content is not what digests.json says"],
        ),
        (change_contact, True, ["val/P01_01.json: its content is not what digests.json says"]),
        (restore_polygons, False, ["plate: its polygons differ from the reproduced ones"]),
        (change_ledger, True, ["noise.area_ratio is not what", "rows of P01_01 differ"]),
        (change_rate, True, ["recipe_digest is not that of recipe.json"]),
        (change_counts, False, ["noise.polygons.noisy is not 18, the reproduced count"]),
        (add_file, True, ["val/P01_09.json: is not listed in digests.json"]),
        (lambda noisy, clean: (noisy / "val/P01_01.json").unlink(), True, ["is missing"]),
    ],
)
def test_every_change_is_found(
    clean: Path, noisy: Path, tamper: Any, alone: bool, lines: list[str]
) -> None:
    tamper(noisy, clean)
    found = find_lines(noisy, clean)
    for line in lines:
        assert line in found
    assert bool(find_lines(noisy)) is alone


def test_other_annotations_are_not_the_source(clean: Path, noisy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"P01_02\.json"):
        verify(noisy, make_folder(tmp_path / "other", ("P01_01", "P01_07")))
    changed = make_folder(tmp_path / "changed")
    document = read(changed / "val/P01_01.json")
    document["video_annotations"][0]["annotations"][0]["segments"][0][0][0] += 5
    (changed / "val/P01_01.json").write_text(json.dumps(document))
    assert "plate: its polygons differ from the reproduced ones" in find_lines(noisy, changed)
    with pytest.raises(InputError, match="is not a noisy split, but raw VISOR annotations"):
        verify(clean)


def test_a_copy_is_inspected_and_audited(clean: Path, noisy: Path) -> None:
    masks = inspect(noisy).to_dict()["masks"]
    assert masks["all"]["touched"] == masks["all"]["items"] == 16
    report = audit(noisy)
    assert report.ok
    assert "100.0% of 14 visible objects changed" in str(report.to_dict())


def test_prepare_takes_a_noisy_copy(tmp_path: Path) -> None:
    files = VisorFiles(tmp_path)
    arguments = files.write()
    noisy = tmp_path / "noisy"
    corrupt(files.annotations, "jitter", rate=1, out=noisy)
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
