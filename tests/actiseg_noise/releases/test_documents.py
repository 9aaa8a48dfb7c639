"""The documents of a release, read by the parsers that others will use."""

import csv
import json
import re
import tarfile
from collections import Counter
from dataclasses import replace

import pytest
import yaml
from PIL import Image

from actiseg_data.core.errors import InputError
from actiseg_data.records.licence_terms import load_licences
from actiseg_noise import corrupt, make_recipe
from actiseg_noise.releases.contents.configurations import describe_source, open_configurations
from actiseg_noise.releases.contents.description import make_description
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.data_files.archive_names import RESTORE_NAMES
from actiseg_noise.releases.metadata.release_documents import write_release_documents
from actiseg_noise.releases.publishing import publish
from tests.actiseg_noise.releases.conftest import AUTHORS, TITLE
from tests.helpers.kitchens import make_kitchen

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def release(outs, tmp_path_factory):
    path = tmp_path_factory.mktemp("releases") / "release"
    publish(outs, path, title=TITLE, author=AUTHORS, url="https://example.org/x", date="2026-11-30")
    return path


@pytest.fixture(scope="module")
def contents(outs):
    configurations = open_configurations(outs)
    description = make_description(title=TITLE, author=AUTHORS, date="2026-11-30")
    source = describe_source(configurations)
    return ReleaseContents(description, source, configurations, "none", None, (), {})


def test_the_hub_reads_the_header_of_the_card(release):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.DatasetCard((release / "README.md").read_text())
    header = card.data.to_dict()
    assert header["pretty_name"] == TITLE
    assert header["license"] == ["apache-2.0", "cc-by-nc-4.0"]
    assert [config["config_name"] for config in header["configs"]] == ["mixed-40", "text-20"]
    assert [config.get("default", False) for config in header["configs"]] == [True, False]
    for config in header["configs"]:
        for entry in config["data_files"]:
            assert entry["split"] == "val_human"
            assert len(list(release.glob(entry["path"]))) == 1
    assert hub.DatasetCardData(**header).to_dict() == header


def test_statistics_count_the_rows_of_the_ledgers(release, outs):
    with (release / "statistics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name, out in zip(("mixed-40", "text-20"), outs, strict=True):
        ledger = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
        kinds = Counter(row["kind"] for row in ledger)
        counted = {
            row["name"]: int(row["noisy"])
            for row in rows
            if row["configuration"] == name and row["group"] == "kind"
        }
        assert counted == kinds
        for row in rows:
            if row["rate"]:
                assert float(row["rate"]) == pytest.approx(
                    int(row["noisy"]) / int(row["items"]), abs=1e-6
                )
                assert float(row["rate_low"]) <= float(row["rate"]) <= float(row["rate_high"])
    sizes = [int(row["noisy"]) for row in rows if row["group"] == "size"]
    assert sum(sizes) == sum(
        int(row["noisy"]) for row in rows if (row["medium"], row["group"]) == ("masks", "all")
    )


def test_items_of_a_size_are_those_of_the_clean_masks(release, sample):
    """Count from the lists and pictures of the sample, with the bounds in words of the card."""
    lists = sample / "ImageSets"
    prompts = json.loads((lists / "val_human_meta_expressions_promptaction.json").read_text())
    expected = Counter()
    for folder, video in prompts["videos"].items():
        active = {int(e["obj_id"]) for e in video["expressions"].values() if e["positive"]}
        for frame in video["frames"]:
            (path,) = (sample / "Annotations_Sparse").glob(f"*/{folder}/{frame}.png")
            with Image.open(path) as image:
                areas = {number: area for area, number in image.getcolors()}
            for area in filter(None, map(areas.get, active)):
                bounds = {400: "tiny", 1500: "small", 10000: "medium", 1 << 31: "large"}
                expected[next(name for bound, name in bounds.items() if area < bound)] += 1
    with (release / "statistics.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["medium"] == "masks"]
    counted = {row["name"]: int(row["items"]) for row in rows if row["group"] == "size"}
    assert {name: count for name, count in counted.items() if count} == expected
    (whole,) = (row for row in rows if row["group"] == "all")
    assert sum(counted.values()) == int(whole["items"])


def test_the_median_of_the_statistics_is_the_middle_of_the_ledger(release, outs):
    ious = sorted(
        row["iou"]
        for row in map(json.loads, (outs[0] / "ledger.jsonl").read_text().splitlines())
        if row["iou"] is not None
    )
    middle = (ious[(len(ious) - 1) // 2] + ious[len(ious) // 2]) / 2
    with (release / "statistics.csv").open(newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["group"] == "all")
    assert float(row["q50"]) == pytest.approx(middle, abs=1e-6)


def test_pictures_and_files_that_the_card_names_exist(release):
    card = (release / "README.md").read_text()
    shown = re.findall(r"!\[[^\]]*\]\(<([^>]+)>\)", card)
    assert shown[0] == "pictures/statistics.png"
    assert len(shown) == 3
    for name in shown:
        with Image.open(release / name) as image:
            assert image.width >= 600


def test_the_card_restores_names_that_an_archive_escapes(release, outs):
    card = (release / "README.md").read_text()
    assert f"```bash\ncd ../actionvos/mixed-40 && {RESTORE_NAMES}\n```" in card
    with tarfile.open(release / "archives/mixed-40.tar") as archive:
        assert "mixed-40/NAMES.tsv" in archive.getnames()


def test_the_card_of_a_release_with_plain_names_restores_none(tmp_path):
    source = make_kitchen(tmp_path / "kitchen", 3)
    (source / "LICENSE").write_text("SPDX-License-Identifier: CC0-1.0\n")
    corrupt(source, make_recipe("boundary", 0.4), out=tmp_path / "noisy")
    release = publish(tmp_path / "noisy", tmp_path / "r", title="T", author="A B").path
    with tarfile.open(release / "archives/boundary-40.tar") as archive:
        assert "boundary-40/NAMES.tsv" not in archive.getnames()
    assert "NAMES.tsv" not in (release / "README.md").read_text()


def test_the_citations_are_well_formed(release):
    document = yaml.safe_load((release / "CITATION.cff").read_text())
    assert document["cff-version"] == "1.2.0"
    assert document["type"] == "dataset"
    assert document["title"] == TITLE
    assert document["message"]
    assert document["authors"][0] == {
        "family-names": "Carberry",
        "given-names": "Josiah",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
    }
    assert document["date-released"] == "2026-11-30"
    assert set(document["license"]) <= set(load_licences())
    bibtex = (release / "citation.bib").read_text()
    assert bibtex.startswith("@misc{carberry2026noisy,\n")
    assert "author = {Carberry, Josiah and " in bibtex


def test_zenodo_gets_the_strictest_licence_and_no_html(release):
    document = json.loads((release / ".zenodo.json").read_text())
    assert document["license"] == "cc-by-nc-4.0"
    assert document["creators"][0] == {
        "name": "Carberry, Josiah",
        "orcid": "0000-0002-1825-0097",
    }
    assert document["title"] == TITLE


def test_licences_have_full_texts(release, sample):
    assert (release / "LICENSE").read_text().startswith((sample / "LICENSE").read_text().rstrip())
    assert (release / "NOTICE").read_text().startswith((sample / "NOTICE").read_text().rstrip())
    names = {path.name for path in (release / "licences").iterdir()}
    assert names == {"Apache-2.0.txt", "CC-BY-NC-4.0.txt", "WordNet-3.0.txt"}


def test_masks_alone_are_under_the_licence_of_the_source(contents):
    boundary = replace(
        contents.configurations[0].split,
        recipe=replace(
            contents.configurations[0].split.recipe,
            noises=(contents.configurations[0].split.recipe.mask_noise,),
        ),
    )
    alone = replace(contents.configurations[0], split=boundary)
    licences = replace(contents, configurations=(alone,)).licences
    assert [terms.identifier for terms in licences] == ["Apache-2.0"]


def test_documents_without_data_name_no_rows(contents, tmp_path):
    written = write_release_documents(contents, tmp_path)
    assert [file.name for file in written.files] == ["statistics.csv", "pictures/statistics.png"]
    card = (tmp_path / "README.md").read_text()
    assert "configs:" not in card
    assert "load_dataset" not in card
    croissant = json.loads((tmp_path / "croissant.json").read_text())
    assert [entry["@id"] for entry in croissant["recordSet"]] == ["statistics"]


def test_documents_are_the_same_twice(contents, tmp_path):
    for name in ("a", "b"):
        write_release_documents(contents, tmp_path / name)
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) >= 10
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_changes_are_escaped(contents, tmp_path):
    history = {"0.9.0 <i>": ("1 | 2", "- <script>")}
    write_release_documents(replace(contents, changes=history), tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "<script>" not in card
    assert r"\<script\>" in card
    assert r"0.9.0 \<i\>" in card


def test_a_day_or_a_version_of_another_form_is_refused():
    with pytest.raises(InputError) as caught:
        make_description(title="x", author="A B", date="30.11.2026", version="first")
    assert len(caught.value.problems) == 2
