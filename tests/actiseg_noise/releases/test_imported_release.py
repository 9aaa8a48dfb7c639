"""A release of an imported split says whose errors these are, and claims nothing about them."""

import json

import numpy as np
import pytest

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.layouts.opening import open_split
from actiseg_noise.kits.importing import import_split
from actiseg_noise.releases.checks.release_check import check_release
from actiseg_noise.releases.publishing import publish

for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = {"title": "Copies", "author": "Ada Lovelace", "date": "2026-11-30", "url": "https://x.org/"}
FOREIGN = "again_annotated"


@pytest.fixture(scope="module")
def imported(sample, tmp_path_factory):
    """Masks of three sequences, moved by three pixels to the right in every other frame."""
    folder = tmp_path_factory.mktemp("foreign") / FOREIGN
    split = open_split(sample, "val_human")
    for sequence in split.sequences[:3]:
        masks = split.iterate_masks(sequence)
        for number, (frame, mask) in enumerate(zip(sequence.frames, masks, strict=True)):
            path = folder / sequence.folder / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_index_mask(path, np.roll(mask, 3 * (number % 2), axis=1))
    out = tmp_path_factory.mktemp("imported") / "imported"
    import_split(folder, sample, out, "val_human")
    return out


def read_texts(release):
    return {path.name: path.read_text() for path in release.iterdir() if path.is_file()}


def test_an_imported_split_alone(imported, tmp_path):
    release = publish(imported, tmp_path / "release", **SAYS).path
    texts = read_texts(release)
    ledger = (imported / "ledger.jsonl").read_text().splitlines()
    items = json.loads((imported / "summary.json").read_text())["noise"]["items"]
    rate = f"{100 * round(len(ledger) / items, 6):.3g} % of the listed objects in frames differ"
    for name in ("README.md", "datasheet.md", "NOTICE", "croissant.json"):
        plain = texts[name].replace("\\", "")
        assert FOREIGN in plain, name
        assert rate in plain, name
    for words in (
        *("selected independently", "on purpose", "deterministic program", "by a program"),
        *("The noise is synthetic", "drawn for each object", "one probability"),
        "Claims about the errors",
    ):
        assert not [name for name, text in texts.items() if words in text], words
    assert "that of their makers, see NOTICE" in texts["LICENSE"]
    assert "bystanders" not in texts["statistics.csv"]
    document = json.loads(texts["croissant.json"])
    origins = [entry["prov:label"] for entry in document["prov:wasDerivedFrom"]]
    assert f"masks of the noisy copy {FOREIGN!r}" in origins
    assert check_release(release).lines == ()


def test_an_imported_split_beside_one_of_this_toolkit(imported, outs, tmp_path):
    release = publish([imported, outs[1]], tmp_path / "release", data="none", **SAYS).path
    texts = read_texts(release)
    assert "The prompts of text-20 are those of" in texts["README.md"]
    assert "No annotator saw or made a change" in texts["README.md"]
    assert f"makers of '{FOREIGN}'" in texts["README.md"].replace("\\", "")
    document = json.loads(texts["croissant.json"])
    assert document["rai:hasSyntheticData"] is True
    assert len(document["rai:dataBiases"]) == 2
