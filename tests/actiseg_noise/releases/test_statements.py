"""What the documents of a release state, compared with figures from its files."""

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from actiseg_data.layouts.opening import open_split
from actiseg_noise import corrupt, make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from actiseg_noise.releases.metadata.noise_statements import CHANGES, describe_noises
from actiseg_noise.releases.metadata.release_statistics import COLUMN_MEANINGS
from actiseg_noise.releases.publication_report import describe_publication
from actiseg_noise.releases.publishing import publish
from tests.helpers.command import run
from tests.helpers.kitchens import make_kitchen

parquet = pytest.importorskip("pyarrow.parquet")
for package in ("huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = {"title": "Noisy cups", "author": "Josiah Carberry (0000-0002-1825-0097)"}
SAYS |= {"date": "2026-11-30"}
ORCID = "<https://orcid.org/0000-0002-1825-0097>"


@pytest.fixture(scope="module")
def splits(sample, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("splits")
    return [
        corrupt(sample, kind, rate=0.4, split="val_human", out=folder / kind).out
        for kind in ("boundary", "text", "mixed")
    ]


@pytest.fixture(scope="module")
def publication(splits, tmp_path_factory):
    return publish(splits, tmp_path_factory.mktemp("releases") / "release", **SAYS)


@pytest.fixture(scope="module")
def release(publication) -> Path:
    return publication.path


@pytest.fixture(scope="module")
def card(release) -> str:
    return read_plain(release / "README.md")


def read_plain(path: Path) -> str:
    """Read a document without the escapes of Markdown."""
    return re.sub(r"\\([_*<>|~])", r"\1", path.read_text())


def read_rows(release: Path, name: str) -> list[dict[str, object]]:
    columns = ["sequence", "frame", "object_id", "kind", "kind_text", "iou", "prompt"]
    (shard,) = (release / "data" / name).glob("*.parquet")
    return parquet.read_table(shard, columns=columns).to_pylist()


def read_ledger(release: Path, name: str) -> list[dict[str, object]]:
    with tarfile.open(release / f"archives/{name}.tar") as archive:
        stream = archive.extractfile(f"{name}/ledger.jsonl")
        return [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8")]


def test_masks_that_only_lost_pixels_are_counted_and_not_in_the_ledger(release, card):
    cut = [row for row in read_rows(release, "boundary-40") if row["iou"] and not row["kind"]]
    assert cut
    assert f"{len(cut)} other masks lost pixels to a changed neighbour" in card
    sheet = read_plain(release / "datasheet.md")
    for text in (card, sheet):
        assert f"({len(cut)} in boundary-40, {len(cut)} in mixed-40)" in text
        assert "ledger lists every wrong" not in text
    listed = {
        (row["sequence"], row["frame"], row["object_id"])
        for row in read_ledger(release, "boundary-40")
    }
    assert not listed & {(row["sequence"], row["frame"], row["object_id"]) for row in cut}
    document = json.loads((release / "croissant.json").read_text())
    (field,) = (
        field
        for record in document["recordSet"]
        for field in record["field"]
        if field["@id"] == "boundary-40/masks/iou"
    )
    assert "null if the mask is unchanged" in field["description"]


def test_drawn_noise_that_left_a_mask_as_it_was_is_counted(publication):
    configuration = publication.contents.configurations[0]
    rows = configuration.documents.rows
    assert "equal to the clean masks" not in " ".join(describe_noises(configuration))
    same = [replace(row, iou=1.0) for row in rows[:3]] + rows[3:]
    changed = replace(configuration, documents=replace(configuration.documents, rows=same))
    (line,) = describe_noises(changed)
    assert ". 3 of these are equal to the clean masks: the noise could not change them" in line


def test_counts_of_rows_and_changes_are_those_of_the_files(release, card, sample):
    for name in ("boundary-40", "text-40", "mixed-40"):
        rows, ledger = read_rows(release, name), read_ledger(release, name)
        masks = sum(row["frame"] is not None for row in ledger)
        cells = f"| {len(rows)} | {masks} | {len(ledger) - masks} |"
        assert re.search(rf"\| {name} \| val_human \|.*{re.escape(cells)}", card)
    pairs = sum(
        len(sequence.frames) * len(sequence.objects)
        for sequence in open_split(sample, "val_human").sequences
    )
    absent = pairs - len(read_rows(release, "text-40"))
    assert absent
    assert f"{absent} pairs of an object and a frame" in card
    sheet = read_plain(release / "datasheet.md")
    assert f"boundary-40, split val_human: {len(rows)} rows (objects in frames)" in sheet


def test_extremes_and_distances_are_those_of_the_ledger(release, card):
    ledger = [row for row in read_ledger(release, "boundary-40") if row["frame"]]
    ious = [row["iou"] for row in ledger]
    far = [row for row in ledger if abs(row["iou"] - row["iou_target"]) > 0.05]
    if far:
        assert f"{len(far)} of {len(ledger)} are more than 0.05 from it on disk" in card
        assert f"(minimum IoU {min(ious):.3f}, maximum {max(ious):.3f})" in card
    with (release / "statistics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == tuple(COLUMN_MEANINGS)
    whole = rows[0]
    assert (float(whole["minimum"]), float(whole["maximum"])) == (min(ious), max(ious))
    texts = [row for row in rows if row["configuration"] == "text-40"]
    shares = {row["group"]: float(row["share"]) for row in texts if row["group"] == "all"}
    kinds = [float(row["share"]) for row in texts if row["group"] == "kind"]
    assert len(kinds) == 2
    assert sum(kinds) == pytest.approx(shares["all"], abs=2e-6)
    assert {row["q50"] for row in texts if row["group"] == "all"} == {""}


def test_rates_of_text_are_those_of_the_ledger(release, card):
    ledger = read_ledger(release, "text-40")
    kinds = Counter(row["kind"] for row in ledger)
    summary = f"of which {kinds['category']} flips and {kinds['within-category']} substitutions"
    for name in ("README.md", "NOTICE", "datasheet.md"):
        assert summary in read_plain(release / name)
    assert (
        summary
        in json.loads((release / "croissant.json").read_text())["rai:dataManipulationProtocol"]
    )


def test_equal_masks_and_prompts_are_shown_once(release, card):
    equal = "The {} of mixed-40 are those of {}, so"
    assert equal.format("masks", "boundary-40") in card
    assert equal.format("prompts", "text-40") in card
    assert [row["prompt"] for row in read_rows(release, "mixed-40")] == [
        row["prompt"] for row in read_rows(release, "text-40")
    ]
    assert not re.search(r"^\| mixed-40, ", card, re.MULTILINE)
    assert not (release / "pictures/mixed-40.png").exists()


def test_other_seeds_are_not_called_equal(sample, splits, tmp_path):
    other = corrupt(sample, "mixed", rate=0.4, seed=1, split="val_human", out=tmp_path / "m").out
    release = publish([*splits[:2], other], tmp_path / "r", **SAYS).path
    text = read_plain(release / "README.md")
    assert "so tables and pictures do not" not in text
    assert "| mixed-40-s1, all |" in text
    assert "drawn once (seeds 0 and 1)" in text


def test_every_picture_has_a_text_and_a_caption(card):
    shown = re.findall(r"!\[([^\]]*)\]\(<([^>]+)>\)\n\nFigure: ", card)
    assert len(shown) == card.count("![") == 3
    assert all(len(alt.split()) > 5 for alt, _ in shown)


def test_an_evaluation_list_is_not_for_training(sample, card, tmp_path):
    assert "By name, val_human is an evaluation split" in card
    assert "Training models on these labels and scoring" not in card
    out = corrupt(sample, "text", rate=0.4, split="train", out=tmp_path / "train").out
    release = publish(out, tmp_path / "r", data="none", **SAYS).path
    text = read_plain(release / "README.md")
    assert "is an evaluation split" not in text
    assert "Training models on these labels and scoring" in text
    assert "The ledger lists every change." in text
    assert "This release has no rows." in text


def test_nobody_is_asked_without_an_address(release, card):
    texts = {path.name: path.read_text() for path in release.iterdir() if path.is_file()}
    for name, text in texts.items():
        assert "ask the maintainers" not in text, name
    assert "No maintenance plan was given for this version." in card
    assert f"are responsible for it. Contact: Josiah Carberry ({ORCID})" in card
    for name in ("README.md", "datasheet.md"):
        assert "https\\:" not in texts[name], name


def test_no_contact_is_named_without_an_orcid(splits, tmp_path):
    says = {"title": "T", "author": "Ada Lovelace", "date": "2026-11-30", "data": "none"}
    release = publish(splits[0], tmp_path / "r", **says).path
    for name in ("README.md", "datasheet.md", "croissant.json"):
        assert "Contact" not in (release / name).read_text(), name
    assert "Authors: Ada Lovelace." in (release / "README.md").read_text()


def test_missing_statements_are_noted(publication, splits, tmp_path):
    notes = [line for line in describe_publication(publication) if str(line).startswith("note: ")]
    assert [words for words in ("address", "DOI", "maintenance") if words in "".join(notes)] == [
        *("address", "DOI", "maintenance")
    ]
    whole = publish(
        splits[0],
        tmp_path / "r",
        data="none",
        url="https://data.example.com/x",
        doi="10.5281/zenodo.1",
        maintenance="We do.",
        **SAYS,
    )
    lines = [str(line) for line in describe_publication(whole)]
    assert any("reserved for examples" in line for line in lines)
    assert not any("DOI" in line or "maintenance" in line for line in lines)


def test_all_licences_are_stated_everywhere(release):
    notes = json.loads((release / ".zenodo.json").read_text())["notes"]
    for text in (notes, (release / "CITATION.cff").read_text(), (release / "LICENSE").read_text()):
        assert "WordNet 3.0 licence" in text
    licences = json.loads((release / "croissant.json").read_text())["license"]
    assert "https://wordnet.princeton.edu/license-and-commercial-use" in licences
    for name in ("text-40", "mixed-40"):
        with tarfile.open(release / f"archives/{name}.tar") as archive:
            notice = archive.extractfile(f"{name}/NOTICE").read().decode()
            named = re.findall(r"LICENSE-[A-Z0-9.-]*[A-Z0-9]", notice)
            assert len(named) == 2
            assert {f"{name}/{file}" for file in named} <= set(archive.getnames())


def test_files_in_the_archives_are_described(release, card):
    with tarfile.open(release / "archives/mixed-40.tar") as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    described = re.findall(r"^\| in a tar: ([^|]*) \|", card, re.MULTILINE)
    words = {word.rstrip("/") for line in described for word in line.split(", ")}
    assert {name for name in tops if not name.startswith("LICENSE-")} <= words
    files = {path.name for path in release.iterdir()} - {"README.md"}
    table = card.split("## Files")[1].split("Columns of")[0]
    assert not [name for name in files if name not in table]


def test_commands_of_the_card_work_in_their_order(release, card, sample, tmp_path):
    copy = shutil.copytree(release, tmp_path / "release")
    before = sorted(copy.rglob("*"))
    ran = []
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", card, re.DOTALL):
        for line in block.replace("dataset_clean", str(sample)).splitlines():
            words = shlex.split(line)
            if words[0] == "actiseg-noise":
                done = run(*words[1:], cwd=copy)
            else:
                done = subprocess.run(["bash", "-c", line], cwd=copy, capture_output=True)
            assert done.returncode == 0, (line, done.stderr)
            ran.append(words[1])
    assert {"publish", "verify", "rebuild"} <= set(ran)
    assert sorted(copy.rglob("*")) == before


def test_every_kind_of_mask_noise_has_words():
    single = {
        name
        for name, spec in KIND_SPECS.items()
        if spec.medium == "masks" and "kinds" not in spec.parameters
    }
    assert single == set(CHANGES)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("dilate", {"radius": 3, "target_iou": None}, "and then dilated by 3 pixels"),
        ("spatial", {}, "scaled by a square kernel, redrawn with moved vertices or redrawn"),
        ("boundary", {"exact": True}, "exactly 40 % of the active objects in frames are selected"),
        ("category", {}, "flipped (category) to a name of another class, with probability 0.4"),
        ("category", {"flip": "sister"}, "to the name of a WordNet sister of its class"),
        ("text", {"exact": True}, "that can change, exactly 20 % are flipped"),
    ],
)
def test_noises_are_described_by_their_recipe(tmp_path, kind, options, words):
    source = make_kitchen(tmp_path / "kitchen", 3)
    (source / "LICENSE").write_text("SPDX-License-Identifier: CC0-1.0\n")
    corrupt(source, make_recipe(kind, 0.4, **options), out=tmp_path / "noisy")
    release = publish(tmp_path / "noisy", tmp_path / "r", data="none", title="T", author="A B")
    (sentence,) = describe_noises(release.contents.configurations[0])
    assert words in sentence
    assert sentence in read_plain(release.path / "NOTICE")


def test_text_alone_shows_its_prompts(release):
    with Image.open(release / "pictures/text-40.png") as image:
        assert image.width > 600


def test_rows_that_a_part_does_not_lack_hide_none_of_the_whole(sample, tmp_path):
    whole = corrupt(sample, make_recipe("boundary", 0.4, split="val"), out=tmp_path / "a").out
    folders = [sequence.folder for sequence in open_split(sample, "val")][:3]
    text = make_recipe("text", 0.4, split="val")
    part = corrupt(sample, text, out=tmp_path / "b", only=folders).out
    release = publish([whole, part], tmp_path / "release", title="Cups", author="Ada").path
    assert "of the split val have no row in boundary-40, because" in read_plain(
        release / "README.md"
    )
