"""Archives: what is in them, equal bytes, and what reads them after GNU tar unpacked them."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.masks import digest_pixels, read_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.names import check_name
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.data_files.archive import LEXICON_LICENCES, write_archive
from actiseg_noise.releases.data_files.archive_names import RESTORE_NAMES, spell_names
from actiseg_noise.split.noisy_split import open_noisy_split
from actiseg_noise.split.split_archive import NAMES_FILE
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run
from tests.helpers.public_loader import load_as_published
from tests.helpers.roots import add_frames, add_weights, make_root


@pytest.fixture(scope="module")
def noisy(sample, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("noisy") / "mixed"
    corrupt(sample, make_recipe("mixed", 0.4, split="train"), out=out)
    return out


@pytest.fixture(scope="module")
def unpacked(noisy, tmp_path_factory) -> Path:
    """The split, packed and then unpacked by GNU tar where its source is not."""
    folder = tmp_path_factory.mktemp("elsewhere") / "deep" / "down"
    write_archive(noisy, folder / "mixed-40.tar")
    subprocess.run(["tar", "-xf", "mixed-40.tar"], cwd=folder, check=True)
    return folder / "mixed-40"


def list_files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_an_archive_has_what_belongs_to_the_split_and_nothing_else(noisy, tmp_path):
    messy = shutil.copytree(noisy, tmp_path / "messy", symlinks=True)
    (messy / "Thumbs.db").write_bytes(b"x")
    (messy / "notes.txt").write_text("mine")
    (messy / "Annotations_Sparse" / "train" / ".DS_Store").write_bytes(b"x")
    write_archive(messy, tmp_path / "mixed-40.tar")
    with tarfile.open(tmp_path / "mixed-40.tar") as archive:
        members = archive.getmembers()
    files = {member.name.removeprefix("mixed-40/") for member in members if member.isreg()}
    listed = json.loads((noisy / "digests.json").read_text())
    documents = "recipe.json ledger.jsonl summary.json digests.json LICENSE NOTICE NAMES.tsv"
    documents += " LICENSE-CC-BY-NC-4.0 LICENSE-WORDNET"
    assert files == {name.replace(":", "%3A") for name in listed} | set(documents.split())
    assert [member.name for member in members] == sorted(member.name for member in members)
    headers = {(m.uid, m.gid, m.uname, m.gname, m.mtime, m.linkname, m.isdir()) for m in members}
    assert headers == {(0, 0, "", "", 0, "", True), (0, 0, "", "", 0, "", False)}
    assert {(m.isdir(), m.mode) for m in members} == {(True, 0o755), (False, 0o644)}


def test_two_runs_in_different_places_give_equal_bytes(sample, noisy, tmp_path):
    elsewhere = shutil.copytree(sample, tmp_path / "home" / "user" / "data", symlinks=True)
    out = tmp_path / "again"
    corrupt(elsewhere, make_recipe("mixed", 0.4, split="train"), out=out, images="none", workers=2)
    reports = [
        write_archive(folder, tmp_path / str(number) / "mixed-40.tar")
        for number, folder in enumerate((noisy, out))
    ]
    contents = [(tmp_path / str(number) / "mixed-40.tar").read_bytes() for number in (0, 1)]
    assert contents[0] == contents[1]
    assert reports[0] == reports[1]
    assert b"home" not in contents[1]


def test_the_unpacked_split_verifies_audits_and_opens_without_its_source(unpacked, sample):
    assert verify(unpacked).ok
    assert open_noisy_split(unpacked).clean is None
    assert run("audit", unpacked, "--strict").returncode == 0
    reproduced = verify(unpacked, source=sample)
    assert reproduced.ok
    assert reproduced.counts["folders_respelled"] == 4


def test_the_evaluator_scores_the_masks_of_the_unpacked_split(unpacked, sample):
    masks = unpacked / "Annotations_Sparse"
    arguments = ("score", masks, "--gt", sample, "--split", "train")
    done = run(*arguments, module="actiseg_eval.cli")
    assert done.returncode == 0, done.stderr


def test_the_table_restores_the_original_names_in_a_shell(unpacked, noisy, tmp_path):
    root = shutil.copytree(unpacked, tmp_path / "restored")
    rows = (root / NAMES_FILE).read_text().splitlines()
    assert len(rows) == 4
    assert not any(":" in name for name in list_files(root))
    subprocess.run(["bash", "-c", RESTORE_NAMES], cwd=root, check=True)
    originals = {name for name in list_files(noisy) if not name.startswith("JPEGImages_Sparse")}
    assert list_files(root) == originals | {NAMES_FILE, *LEXICON_LICENCES}
    assert verify(root).counts.get("folders_respelled") is None


def test_the_public_loader_finds_all_files_with_frames_and_weights(tmp_path):
    source = make_root(tmp_path / "source")
    add_frames(source)
    add_weights(source)
    corrupt(source, make_recipe("mixed", 0.5), out=tmp_path / "noisy")
    report = write_archive(tmp_path / "noisy", tmp_path / "a" / "mixed-50.tar", frames=True)
    subprocess.run(["tar", "-xf", "mixed-50.tar"], cwd=tmp_path / "a", check=True)
    root = tmp_path / "a" / "mixed-50"
    if (root / NAMES_FILE).exists():
        subprocess.run(["bash", "-c", RESTORE_NAMES], cwd=root, check=True)
    assert not any(path.is_symlink() for path in root.rglob("*"))
    assert load_as_published(root, "train") == report.frames > 0
    assert verify(root).ok


def test_frames_come_from_the_source_if_the_split_has_none(sample, tmp_path):
    corrupt(sample, make_recipe("boundary", 0.4, split="val"), out=tmp_path / "n", images="none")
    report = write_archive(tmp_path / "n", tmp_path / "b.tar", frames=True)
    assert report.frames == sum(len(s.frames) for s in open_split(sample, "val"))
    with tarfile.open(tmp_path / "b.tar") as archive:
        frames = [m for m in archive.getmembers() if "JPEGImages_Sparse" in m.name and m.isreg()]
        names = {Path(member.name).suffix for member in frames}
    assert (len(frames), names) == (report.frames, {".jpg"})


def test_missing_files_and_frames_are_all_named_and_nothing_is_written(sample, tmp_path):
    corrupt(sample, make_recipe("boundary", 0.4, split="val"), out=tmp_path / "n", images="none")
    for name in ("00000057_S05_01_cut_carrot", "00000058_S05_01_wash_plate"):
        masks = sorted((tmp_path / "n" / "Annotations_Sparse" / "val" / name).iterdir())
        masks[0].unlink()
    with pytest.raises(InputError) as refused:
        write_archive(tmp_path / "n", tmp_path / "b.tar")
    assert len(refused.value.problems) == 2
    assert not (tmp_path / "b.tar").exists()


def test_frames_that_are_nowhere_are_named(sample, tmp_path):
    source = shutil.copytree(sample, tmp_path / "s")
    corrupt(source, make_recipe("boundary", 0.4, split="val"), out=tmp_path / "n")
    shutil.rmtree(source / "JPEGImages_Sparse" / "val" / "00000057_S05_01_cut_carrot")
    with pytest.raises(InputError, match="frames of the sequence are missing") as refused:
        write_archive(tmp_path / "n", tmp_path / "b.tar", frames=True)
    assert len(refused.value.problems) == 1
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize("name", ["take_cup 🥕 <b>", 'a"b|c?*_x', "CON_x", "é_É", "a%3Ab_c"])
def test_hostile_names_are_unpacked_under_names_that_windows_has(name):
    names = spell_names([f"Annotations_Sparse/train/{check_name(name, 'x', 'x')}/0.png"], Path())
    (folder,) = {path.split("/")[2] for path in names.written.values() if path.count("/") == 3}
    assert not set(folder) & set('<>:"|?*')


@pytest.mark.parametrize("name", ["CON", "aux.png", "lpt1.0", "a.", "a ", "..", "a\nb", "a\tb"])
def test_names_that_windows_cannot_have_never_reach_an_archive(name):
    with pytest.raises(InputError):
        check_name(name, "sequence", "list")


def test_names_that_differ_only_in_case_are_told_apart():
    written = spell_names(["m/a.png", "m/A.png"], Path()).written
    assert len({name.casefold() for name in written.values()}) == len(written)


def test_names_that_would_be_equal_or_too_long_are_refused():
    with pytest.raises(InputError) as refused:
        spell_names(["m/a:b.png", "m/a%3Ab.png", f"m/{':' * 90}.png"], Path("split"))
    assert len(refused.value.problems) == 2


@given(st.lists(st.text("aAbB:%3é|", min_size=1, max_size=6), min_size=1, unique=True))
def test_every_respelled_name_has_a_row_that_leads_back(names):
    try:
        spelled = spell_names([f"m/{name}" for name in names], Path())
    except InputError:
        return
    rows = dict(spelled.respelled)
    for name in names:
        written = spelled.written[f"m/{name}"]
        assert rows.get(written, written.rpartition("/")[2]) == name
    assert len({written.casefold() for written in spelled.written.values()}) == len(names) + 1


def test_the_pixels_are_those_of_the_split(unpacked, noisy):
    listed = json.loads((noisy / "digests.json").read_text())
    masks = [name for name in listed if name.endswith(".png")]
    for name in masks[:20]:
        assert digest_pixels(read_index_mask(unpacked / name.replace(":", "%3A"))) == listed[name]
