"""Releases end to end: made, checked, loaded by others, rebuilt; and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.records.licence_terms import load_licences
from actiseg_data.records.licences import LICENSE_FILE
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.kits.rebuilding import rebuild
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.checks.release_check import check_release
from actiseg_noise.releases.contents.configurations import name_configurations
from actiseg_noise.releases.contents.release_note import read_note
from actiseg_noise.releases.publishing import publish
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run

for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = {"title": "Noisy cups", "author": "Josiah Carberry (0000-0002-1825-0097)"}
SAYS |= {"date": "2026-11-30"}


@pytest.fixture(scope="module")
def splits(sample, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("splits")
    return [
        corrupt(sample, kind, rate=0.4, split="val", out=folder / kind).out
        for kind in ("boundary", "text", "mixed")
    ]


@pytest.fixture(scope="module")
def release(splits, tmp_path_factory) -> Path:
    return publish(splits, tmp_path_factory.mktemp("releases") / "release", **SAYS).path


@pytest.fixture
def copy(release, tmp_path) -> Path:
    return shutil.copytree(release, tmp_path / "release")


def list_files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_release_has_no_fault(release):
    check = check_release(release)
    assert check.lines == ()
    assert check.counts["configurations"] == 3


def test_two_releases_of_one_split_are_equal_to_the_byte(splits, release, tmp_path):
    again = publish(splits, tmp_path / "elsewhere", workers=2, **SAYS).path
    assert list_files(again) == list_files(release)


def test_sha256sum_finds_every_file(release):
    sums = (release / "SHA256SUMS").read_text().splitlines()
    listed = dict(line.split("  ", 1)[::-1] for line in sums)
    files = list_files(release)
    del files["SHA256SUMS"]
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.mark.parametrize("name", ["boundary-40", "text-40", "mixed-40"])
def test_each_configuration_is_rebuilt_from_the_release(release, sample, tmp_path, name):
    result = rebuild(release, config=name, source=sample, out=tmp_path / name)
    assert result.identical
    assert result.whole


def test_an_unpacked_archive_is_a_whole_noisy_split(release, sample, tmp_path):
    with tarfile.open(release / "archives/mixed-40.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    out = tmp_path / "mixed-40"
    assert verify(out, sample).ok
    assert run("audit", out, "--clean", sample, "--strict", "--quiet").returncode == 0


def test_a_release_without_masks_has_no_mask(splits, tmp_path):
    release = publish(splits[0], tmp_path / "kits", data="none", **SAYS).path
    assert check_release(release).lines == ()
    names = list_files(release)
    assert "rebuild/boundary-40.json" in names
    assert not [name for name in names if name.startswith(("data/", "archives/"))]


def test_photographs_need_a_licence_and_come_with_it(splits, tmp_path):
    with pytest.raises(InputError, match="photographs need a licence"):
        publish(splits[0], tmp_path / "r", data="frames", **SAYS)
    result = publish(splits[0], tmp_path / "r", data="frames", license="Apache-2.0", **SAYS)
    assert check_release(result.path).lines == ()
    with tarfile.open(result.path / "archives/boundary-40.tar") as archive:
        kinds = {member.name.split("/")[1] for member in archive if member.isreg()}
    assert "JPEGImages_Sparse" in kinds


def test_the_next_version_says_what_changed(sample, splits, release, tmp_path):
    other = corrupt(
        sample, "boundary", rate=0.4, seed=0, target_iou=0.7, split="val", out=tmp_path / "other"
    ).out
    result = publish([other, splits[1]], tmp_path / "r", version="1.1.0", previous=release, **SAYS)
    changes = result.contents.changes["1.0.0"]
    assert any(line.startswith("boundary-40: ") and "0.8 -> 0.7" in line for line in changes)
    assert "mixed-40: removed" in changes
    assert "text-40: unchanged" in changes
    assert read_note(result.path).changes == {"1.0.0": changes}
    with pytest.raises(InputError, match="already has the version"):
        publish(splits[1], tmp_path / "again", previous=release, **SAYS)
    with pytest.raises(InputError, match=r"has the version 1\.0\.0, .* lower 1\.0\.0-rc1"):
        publish(splits[1], tmp_path / "again", previous=release, version="1.0.0-rc1", **SAYS)


def test_all_licences_of_an_expression_are_stated(splits, sample, tmp_path):
    source = shutil.copytree(sample, tmp_path / "clean")
    expression = "CC-BY-NC-4.0 AND MIT"
    (source / LICENSE_FILE).write_text(f"SPDX-License-Identifier: {expression}\nCopyright ...\n")
    out = corrupt(source, "boundary", rate=0.4, split="val", out=tmp_path / "noisy").out
    path = publish(out, tmp_path / "r", data="none", **SAYS).path
    assert read_note(path).licence == expression
    card = (path / "README.md").read_text()
    assert "license:\n- cc-by-nc-4.0\n- mit\n" in card
    assert f"| {expression} |" in card
    assert (path / "licences/CC-BY-NC-4.0.txt").is_file()
    document = json.loads((path / "croissant.json").read_text())
    known = load_licences()
    assert document["license"] == [known[name].url for name in expression.split(" AND ")]
    assert check_release(path).ok


def test_names_of_configurations_are_unique():
    recipes = [
        make_recipe("boundary", 0.4),
        make_recipe("boundary", 0.4, split="val"),
        make_recipe("boundary", 0.4, target_iou=0.7),
        make_recipe("boundary", 0.125, seed=3),
    ]
    names = name_configurations(recipes)
    assert len(set(names)) == 4
    assert names[1] == "boundary-40-val"
    assert names[3] == "boundary-12.5-s3"


def test_names_that_differ_in_case_or_late_in_the_digest_get_the_digest(monkeypatch):
    recipes = [make_recipe("boundary", 0.4, split=split) for split in ("Val", "val")]
    names = name_configurations(recipes)
    assert len({name.casefold() for name in names}) == 2
    digests = iter(["a" * 31 + "1", "a" * 31 + "2"] * 3)
    monkeypatch.setattr(Recipe, "digest", property(lambda self: next(digests)))
    names = name_configurations([make_recipe("boundary", 0.4)] * 2)
    assert [name[-1] for name in names] == ["1", "2"]


class TestRefused:
    def test_a_second_split_of_one_recipe(self, splits, sample, tmp_path):
        folder = next(path.name for path in (splits[0] / "Annotations_Sparse/val").iterdir())
        part = corrupt(
            sample, "boundary", rate=0.4, split="val", only=[folder], out=tmp_path / "part"
        ).out
        copied = shutil.copytree(splits[0], tmp_path / "copied")
        with pytest.raises(InputError) as error:
            publish([splits[0], part, splits[1], copied], tmp_path / "r", source=sample, **SAYS)
        assert [(problem.where, problem.what) for problem in error.value.problems] == [
            (str(out), f"has the recipe of {splits[0]}") for out in (part, copied)
        ]
        assert not (tmp_path / "r").exists()

    def test_a_touched_file_is_named(self, splits, sample, tmp_path):
        out = shutil.copytree(splits[0], tmp_path / "noisy", symlinks=True)
        mask = sorted((out / "Annotations_Sparse").rglob("*.png"))[0]
        other = sorted((out / "Annotations_Sparse").rglob("*.png"))[-1]
        shutil.copy(other, mask)
        with pytest.raises(InputError, match="was changed since") as error:
            publish(out, tmp_path / "r", source=sample, **SAYS)
        assert mask.name in str(error.value)
        assert not (tmp_path / "r").exists()

    def test_a_source_without_a_known_licence(self, splits, sample, tmp_path):
        source = shutil.copytree(sample, tmp_path / "clean")
        (source / LICENSE_FILE).unlink()
        with pytest.raises(InputError, match="licence of the dataset is unknown"):
            publish(splits[0], tmp_path / "r", source=source, **SAYS)
        (source / LICENSE_FILE).write_text("All rights reserved.\n")
        with pytest.raises(InputError, match="does not state one known licence"):
            publish(splits[0], tmp_path / "r", source=source, **SAYS)

    def test_an_expression_that_leaves_a_choice(self, splits, sample, tmp_path):
        source = shutil.copytree(sample, tmp_path / "clean")
        tag = "SPDX-License-Identifier:"
        for expression in (
            "MIT OR Apache-2.0",
            "(MIT AND CC0-1.0)",
            "Apache-2.0 WITH LLVM-exception",
        ):
            (source / LICENSE_FILE).write_text(f"{tag} {expression}\n")
            with pytest.raises(InputError, match="only those with AND are accepted") as error:
                publish(splits[0], tmp_path / "r", source=source, **SAYS)
            assert expression in str(error.value)
        (source / LICENSE_FILE).write_text(f"{tag} MIT AND Apache-3.0 AND CC-BY-9\n")
        with pytest.raises(InputError) as error:
            publish(splits[0], tmp_path / "r", source=source, **SAYS)
        assert len(error.value.problems) == 2

    def test_a_changed_source(self, splits, sample, tmp_path):
        source = shutil.copytree(sample, tmp_path / "clean")
        masks = sorted((source / "Annotations_Sparse/val").rglob("*.png"))
        folder = masks[0].parent
        first, second = sorted(folder.glob("*.png"))[:2]
        shutil.copy(second, first)
        with pytest.raises(InputError, match="was changed since"):
            publish(splits[0], tmp_path / "r", source=source, **SAYS)

    @pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
    @pytest.mark.parametrize("data", [b"", b"MIT\n", b"\xff\x00\x9f"])
    def test_a_licence_or_notice_that_is_not_that_of_the_source(
        self, splits, sample, tmp_path, name, data
    ):
        out = shutil.copytree(splits[1], tmp_path / "noisy", symlinks=True)
        (out / name).write_bytes(data)
        with pytest.raises(InputError) as error:
            publish(out, tmp_path / "r", source=sample, data="none", **SAYS)
        assert [problem.where for problem in error.value.problems] == [str(out / name)]
        assert not (tmp_path / "r").exists()

    def test_splits_of_different_sources(self, splits, sample, tmp_path):
        source = shutil.copytree(sample, tmp_path / "clean")
        other = corrupt(source, "text", rate=0.2, split="val", out=tmp_path / "other").out
        with pytest.raises(InputError, match="publish splits of different datasets"):
            publish([splits[0], other], tmp_path / "r", **SAYS)

    def test_a_release_that_exists_and_what_is_not_a_split(self, splits, sample, tmp_path):
        (tmp_path / "r").mkdir()
        (tmp_path / "r/file").write_text("mine")
        with pytest.raises(InputError, match="already exists"):
            publish(splits[0], tmp_path / "r", **SAYS)
        with pytest.raises(InputError, match="is not a noisy split"):
            publish(sample, tmp_path / "s", **SAYS)
        with pytest.raises(InputError, match="more than once"):
            publish([splits[0], splits[0]], tmp_path / "s", **SAYS)

    def test_all_that_is_said_wrongly_at_once(self, splits, tmp_path):
        with pytest.raises(InputError) as error:
            publish(
                splits[0],
                tmp_path / "r",
                author=["Josiah Carberry (0000-0002-1825-0098)"],
                version="one",
                doi="cups",
                url="cups",
                date="2026-13-01",
            )
        places = {problem.where for problem in error.value.problems}
        assert places == {"`title`", "`author`", "`version`", "`doi`", "`url`", "`date`"}

    def test_options_without_effect(self, splits, tmp_path):
        result = run("publish", "--check", tmp_path, "--to", tmp_path / "r", "--data", "none")
        assert result.returncode == 2
        assert "--to" in result.stderr
        assert "--data" in result.stderr
        result = run("publish", splits[0], "--title", "a", "--author", "b")
        assert result.returncode == 2
        assert "--to" in result.stderr


class TestChecked:
    def check(self, release: Path) -> list[str]:
        return list(check_release(release).lines)

    def test_a_changed_a_missing_and_a_foreign_file(self, copy):
        (copy / "statistics.csv").write_text("changed")
        (copy / "datasheet.md").unlink()
        (copy / "notes.txt").write_text("mine")
        text = "\n".join(self.check(copy))
        assert "statistics.csv: its content is not what SHA256SUMS says" in text
        assert "datasheet.md: is missing" in text
        assert "notes.txt: has no checksum" in text

    def test_a_path_and_an_address_that_nobody_gave(self, copy):
        card = (copy / "README.md").read_text()
        (copy / "README.md").write_text(f"{card}\nmade in /home/ada/noisy by ada@example.org\n")
        text = "\n".join(self.check(copy))
        assert "'/home/ada/noisy'" in text
        assert "'ada@example.org'" in text

    def test_an_address_that_was_given(self, splits, tmp_path):
        path = tmp_path / "r"
        publish(splits[1], path, data="none", maintenance="ada@example.org", **SAYS)
        assert self.check(path) == []

    def test_a_broken_header_and_croissant(self, copy):
        card = (copy / "README.md").read_text()
        (copy / "README.md").write_text(card.replace("config_name: text-40", "config_name: t"))
        document = json.loads((copy / "croissant.json").read_text())
        del document["name"]
        (copy / "croissant.json").write_text(json.dumps(document))
        text = "\n".join(self.check(copy))
        assert "README.md: its configurations are not those of the release" in text
        assert "croissant.json: " in text

    def test_an_archive_of_another_configuration(self, copy):
        shutil.copy(copy / "archives/text-40.tar", copy / "archives/boundary-40.tar")
        text = "\n".join(self.check(copy))
        assert "archives/boundary-40.tar" in text
        assert "is not that of the archive" in text

    def test_a_link_in_an_archive(self, copy):
        path = copy / "archives/text-40.tar"
        with tarfile.open(path, "a") as archive:
            member = tarfile.TarInfo("text-40/zzz")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
        text = "\n".join(self.check(copy))
        assert "archives/text-40.tar" in text
        assert "link" in text or "ordinary" in text

    def test_what_is_not_a_release(self, tmp_path):
        result = run("publish", "--check", tmp_path)
        assert result.returncode == 2
        assert "is not a release" in result.stderr


def test_the_command_prints_the_next_step_and_check_exits_with_1(splits, tmp_path):
    path = tmp_path / "r"
    arguments = ["--title", "Cups", "--author", "Ada", "--data", "none", "--quiet"]
    result = run("publish", *splits, "--to", path, *arguments)
    assert result.returncode == 0
    assert f"next: actiseg-noise publish --check {path}" in result.stdout
    assert "publish again with --url" in result.stdout
    assert run("publish", "--check", path, "--quiet").returncode == 0
    (path / "NOTICE").write_text("changed")
    result = run("publish", "--check", path, "--quiet")
    assert result.returncode == 1
    assert "NOTICE" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 fault"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="the system has no sha256sum")
def test_the_system_accepts_the_checksums(release):
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=release, check=True)
