"""The pages on publishing do what they print, in their order, as far as the network."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from unittest import mock

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_noise.releases.data_files.archive_names import RESTORE_NAMES
from tests.helpers.command import run
from tests.helpers.pages import code_blocks, list_blocks
from tests.helpers.predicted import predict
from tests.helpers.public_loader import load_as_published
from tests.helpers.upload_sites import UploadServer, serve_uploads
from tests.helpers.visor_files import VisorFiles, human_record, narration, scene

for package in ("pyarrow", "huggingface_hub", "mlcroissant", "datasets"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish] or [dev]")
for program in ("bash", "curl", "tar", "sha256sum"):
    if shutil.which(program) is None:
        pytest.skip(f"the system has no {program}", allow_module_level=True)

PAGES = ("docs/publish.md", "docs/use_published.md")
TOOLS = {"actiseg-noise": "actiseg_noise.cli", "actiseg-eval": "actiseg_eval.cli"}
NEEDS = {"scripts/train_actionvos.sh": "a GPU", "actiseg-train": "PyTorch"}
"""What is not run here. `test_documentation` checks the flags of `actiseg-train`."""


@dataclass
class Reader:
    """Someone who follows the pages in one folder.

    Attributes
    ----------
    folder : Path
        Where the commands run.
    server : UploadServer
        Stands for Zenodo and for the Hub.
    printed : dict of str to str
        The output of each command.
    parsed : list of list of str
        The commands of `hf` that its parser has accepted.
    """

    folder: Path
    server: UploadServer
    printed: dict[str, str] = field(default_factory=dict)
    parsed: list[list[str]] = field(default_factory=list)

    def follow(self, page: str) -> None:
        for language, block in list_blocks(page):
            if any(words in block for words in NEEDS):
                continue
            if language == "python":
                self._run_python(page, block)
            elif language == "bash" or "curl" in block:
                self._run_shell(block)
            else:
                for line in block.replace("\\\n", " ").splitlines():
                    self._run_line(line)

    def _run_line(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] in TOOLS:
            done = run(*words[1:], cwd=self.folder, module=TOOLS[words[0]])
            assert done.returncode in ((0, 1) if words[1] == "diff" else (0,)), (line, done.stderr)
            self.printed[line] = done.stdout
        elif words[0] == "hf":
            parse_hub_command(words[1:])
            self.parsed.append(words[1:])
        elif words[0] == "rsync":
            *flags, source, target = words[1:]
            assert source.endswith("/")
            assert (self.folder / source).is_dir()
            if shutil.which("rsync"):
                target = target.rpartition("/")[2]
                subprocess.run(["rsync", *flags, source, "site"], cwd=self.folder, check=True)
        else:
            self._run_shell(line)

    def _run_shell(self, script: str) -> None:
        for site in ("https://zenodo.org", "https://huggingface.co"):
            script = script.replace(site, self.server.address)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=os.environ | {"ZENODO_TOKEN": "secret", "NO_PROXY": "*", "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (script, done.stderr)
        self.printed[script] = done.stdout

    def _run_python(self, page: str, block: str) -> None:
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(block, page, "exec"), {})
        finally:
            os.chdir(before)

    def find_output(self, words: str) -> str:
        (text,) = (text for line, text in self.printed.items() if words in line)
        return text


class _Parsed(Exception):
    """Raised as soon as a command line is parsed, before it is obeyed."""


def parse_hub_command(words: list[str]) -> None:
    """Let the parser of `hf` read a command line; an unknown command or flag fails."""
    module = import_module("huggingface_hub.cli.hf")
    if hasattr(module, "app"):
        from typer.main import get_command

        command = module.app if hasattr(module.app, "commands") else get_command(module.app)
        with redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
            command.main([*words, "--help"], prog_name="hf")
        assert ended.value.code == 0, words
        return
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, *arguments, **more):
        parse(self, *arguments, **more)
        raise _Parsed

    with (
        mock.patch.object(sys, "argv", ["hf", *words]),
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse_only),
        pytest.raises(_Parsed),
    ):
        module.main()


def write_raw_files(folder: Path) -> None:
    """Write raw files under the names of the pages, and a sequence that Windows cannot name."""
    files = VisorFiles(folder / "made")
    files.rows[0] |= {"noun": "cup:measuring", "all_nouns": "['cup:measuring']"}
    written = files.write()
    annotations = folder / "raw_visor/GroundTruth-SparseAnnotations/annotations/train"
    annotations.parent.mkdir(parents=True)
    written["annotations"].rename(annotations)
    written["frame_mapping"].rename(folder / "raw_visor/frame_mapping.json")
    written["narrations"][0].rename(folder / "raw_visor/EPIC_100_train.csv")
    written["noun_classes"].rename(folder / "raw_visor/EPIC_100_noun_classes_v2.csv")


def add_what_readers_have(folder: Path) -> None:
    """Add a list that people have labelled, frames, and predictions."""
    video = "P02_02"
    files = VisorFiles(
        folder / "val",
        videos={video: [scene(10, video), scene(20, video)]},
        rows=[narration(0, 10, 20, video=video)],
    )
    record = human_record(1, 10, 20, video=video, missing=False)
    labels = files.write_json("val_human.json", [record])
    files.prepare(out=folder / "dataset_visor", human_labels=[labels])
    done = run("render", "dataset_visor", "--split", "train", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    predict(open_split(folder / "dataset_visor", "val_human"), "shift", folder / "predictions")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    write_raw_files(folder)
    with pytest.MonkeyPatch.context() as patch, serve_uploads() as server:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        patch.setattr("datasets.config.HF_HUB_OFFLINE", True)
        reader = Reader(folder, server)
        reader.follow(PAGES[0])
        add_what_readers_have(folder)
        reader.follow(PAGES[1])
    return reader


def test_all_commands_run_and_the_release_has_no_fault(reader):
    assert reader.find_output("publish --check").endswith("no fault\n")
    assert [words[0] for words in reader.parsed] == ["auth", "upload", "download"]


def test_rebuilding_from_both_sources_gives_the_published_split(reader):
    for source in ("--source", "--visor"):
        (text,) = (
            text
            for line, text in reader.printed.items()
            if "rebuild release" in line and source in line
        )
        assert "identical to the published split" in text


def test_the_next_version_differs_by_a_configuration(reader):
    (text,) = (
        text
        for line, text in reader.printed.items()
        if line.split() == ["actiseg-noise", "diff", "release", "release-1.1.0"]
    )
    assert "mixed-40" in text
    card = (reader.folder / "release-1.1.0/README.md").read_text()
    assert "Changes since 1.0.0:" in card


def test_the_public_loader_reads_the_split_that_the_page_makes(reader):
    assert (reader.folder / "boundary-40/NAMES.tsv").is_file()
    assert load_as_published(reader.folder / "boundary-40", "train") > 0
    (block,) = (block for block in code_blocks(PAGES[1], "bash") if "train_actionvos" in block)
    (training,) = re.findall(
        r"train_actionvos.sh .*--expression_file (\S+)", block.replace("\\\n", "")
    )
    assert (reader.folder / "boundary-40/ImageSets" / training).is_file()
    (inference,) = re.findall(
        r"test_actionvos.sh .*--expression_file (\S+)", block.replace("\\\n", "")
    )
    assert (reader.folder / "dataset_visor/ImageSets" / inference).is_file()


def test_zenodo_gets_the_archive_and_the_metadata(reader):
    received = reader.server.received
    archive = (reader.folder / "noisy-visor-1.0.0.tar").read_bytes()
    sent = received["PUT", "/files/15/noisy-visor-1.0.0.tar"]
    assert hashlib.sha256(sent).digest() == hashlib.sha256(archive).digest()
    metadata = json.loads(received["PUT", "/api/deposit/depositions/15"])["metadata"]
    assert metadata == json.loads((reader.folder / "release/.zenodo.json").read_text())
    assert "10.5281/zenodo.15\n" in reader.printed.values()


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_the_merged_croissant_file_is_valid(reader):
    import mlcroissant

    path = reader.folder / "croissant-openreview.json"
    document = json.loads(path.read_text())
    assert document["rai:dataLimitations"]
    assert document["prov:wasDerivedFrom"]
    assert document["distribution"][0]["@id"] == "repo"
    assert mlcroissant.Dataset(str(path)).metadata.ctx.issues.report() == ""


def test_the_command_that_restores_names_is_that_of_the_card(reader):
    assert f"(cd boundary-40 && {RESTORE_NAMES})\n" in code_blocks(PAGES[1], "bash")
    assert RESTORE_NAMES in (reader.folder / "release/README.md").read_text()
