"""The Croissant description: valid, and its records are those of the files."""

import csv
import hashlib
import io
import json
import math

import pytest
from PIL import Image, ImageChops

from actiseg_noise.releases.publishing import publish
from tests.actiseg_noise.releases.conftest import AUTHORS, TITLE

parquet = pytest.importorskip("pyarrow.parquet")
mlcroissant = pytest.importorskip("mlcroissant")

pytestmark = [  # what mlcroissant uses of rdflib and pandas
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]


@pytest.fixture(scope="module", params=["masks", "frames", "none"])
def release(request, outs, tmp_path_factory):
    path = tmp_path_factory.mktemp("releases") / request.param
    licence = {"license": "Apache-2.0"} if request.param == "frames" else {}
    publish(
        outs[:1] if request.param == "frames" else outs,
        path,
        data=request.param,
        title=TITLE,
        author=AUTHORS,
        date="2026-11-30",
        **licence,
    )
    return path


@pytest.fixture(scope="module")
def dataset(release):
    return mlcroissant.Dataset(str(release / "croissant.json"))


def test_validation_has_no_error_and_no_warning(dataset, caplog):
    assert dataset.metadata.ctx.issues.report() == ""
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_digests_and_sizes_are_those_of_the_files(release):
    document = json.loads((release / "croissant.json").read_text())
    files = [entry for entry in document["distribution"] if entry["@type"] == "cr:FileObject"]
    for entry in files:
        content = (release / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["contentSize"] == f"{len(content)} B"
    assert {"statistics.csv", "rebuild/mixed-40.json"} <= {entry["@id"] for entry in files}


def test_responsible_ai_and_provenance_are_stated(release, outs):
    document = json.loads((release / "croissant.json").read_text())
    assert document["conformsTo"] == [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ]
    for name in (
        *("dataManipulationProtocol", "dataPreprocessingProtocol", "dataBiases"),
        *("dataLimitations", "dataUseCases", "dataReleaseMaintenancePlan", "dataCollection"),
        *("personalSensitiveInformation", "annotationsPerItem", "machineAnnotationTools"),
    ):
        assert document[f"rai:{name}"]
    for name in (  # what the NeurIPS track on evaluations and datasets demands
        *("rai:dataLimitations", "rai:dataBiases", "rai:personalSensitiveInformation"),
        *("rai:dataUseCases", "rai:dataSocialImpact", "rai:hasSyntheticData"),
        *("prov:wasDerivedFrom", "prov:wasGeneratedBy"),
    ):
        assert document[name]
    summary = json.loads((outs[0] / "summary.json").read_text())
    generated = document["prov:wasGeneratedBy"][0]
    assert summary["recipe_digest"] in generated["@id"]
    assert generated["prov:wasAssociatedWith"]["@type"] == "prov:SoftwareAgent"
    assert summary["dataset_fingerprint"] in document["prov:wasDerivedFrom"][0]["@id"]


def test_records_are_the_rows_of_the_files(release, dataset, caplog):
    document = json.loads((release / "croissant.json").read_text())
    names = [entry["@id"] for entry in document["recordSet"]]
    has_data = (release / "data").is_dir()
    assert ("mixed-40/masks" in names) == has_data
    for name in names:
        if name == "splits":
            expected = [{"name": "val_human", "url": "cr:ValidationSplit"}]
        elif name == "statistics":
            with (release / "statistics.csv").open(newline="") as stream:
                expected = list(csv.DictReader(stream))
        else:
            configuration = name.split("/")[0]
            (shard,) = (release / "data" / configuration).glob("*.parquet")
            rows = parquet.read_table(shard).to_pylist()
            expected = [row | {"split": "val_human"} for row in rows]
        records = list(dataset.records(name))
        assert len(records) == len(expected) > 0
        for record, row in zip(records, expected, strict=True):
            for key, value in record.items():
                check_value(value, row[key.rpartition("/")[2]])
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_keys_identify_the_records(release):
    document = json.loads((release / "croissant.json").read_text())
    keyed = [entry for entry in document["recordSet"] if isinstance(entry.get("key"), list)]
    assert len(keyed) == 2 * len(list(release.glob("data/*")))
    for entry in keyed:
        columns = [key["@id"].removeprefix(f"{entry['@id']}/") for key in entry["key"]]
        assert {key["@id"] for key in entry["key"]} <= {field["@id"] for field in entry["field"]}
        (shard,) = (release / "data" / entry["@id"].split("/")[0]).glob("*.parquet")
        rows = parquet.read_table(shard, columns=columns).to_pylist()
        assert len({tuple(row.values()) for row in rows}) == len(rows) > 0


def check_value(value, wanted):
    if isinstance(wanted, dict):
        with Image.open(io.BytesIO(wanted["bytes"])) as image:
            same = ImageChops.difference(value.convert("RGB"), image.convert("RGB"))
            assert value.size == image.size
            assert same.getbbox() is None
    elif value is None:
        assert wanted in (None, "")
    elif isinstance(value, bytes):
        assert value.decode() == wanted
    elif isinstance(value, str):
        assert value == wanted
    elif isinstance(wanted, str):
        assert math.isclose(float(value), float(wanted))
    else:
        assert value == wanted
