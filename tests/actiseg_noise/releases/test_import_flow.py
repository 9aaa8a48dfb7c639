"""A split of ActiSeg-NL's scripts from its import to its rebuilt release."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.records.licences import write_licences
from tests.helpers.command import run
from tests.helpers.kitchens import make_kitchen
from tests.helpers.public_noise import OBJECTS, PROMPTS, write_nl_masks, write_nl_text
from tests.helpers.visor_files import tree

for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = ("--title", "Imported", "--author", "Josiah Carberry", "--data", "none")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    root = make_kitchen(tmp_path_factory.mktemp("flow") / "kitchen", 5)
    write_licences(root, "SPDX-License-Identifier: CC-BY-4.0\n", "Drawn for a test.\n")
    return root


def run_well(*arguments) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def write_texts(clean, folder):
    write_nl_text(clean, folder / "name40", 0.4)


def write_masks(clean, folder):
    write_nl_masks(clean, folder / "21by21", 21, 0.7)


def write_both(clean, folder):
    (folder / "name40_9by9").mkdir()
    write_nl_text(clean, folder / "name40_9by9" / IMAGE_SETS, 0.4)
    made = write_nl_masks(clean, folder / "made", 9, 1.0)
    shutil.move(made, folder / "name40_9by9" / MASKS)


@pytest.mark.parametrize("write", [write_texts, write_masks, write_both])
def test_an_import_is_verified_audited_published_and_rebuilt(write, clean, tmp_path):
    write(clean, tmp_path)
    (noisy,) = tmp_path.iterdir()
    out = tmp_path / f"{noisy.name}_imported"
    run_well("import", noisy, "--clean", clean, "--split", "train", "--out", out)
    assert run_well("verify", out, "--source", clean).endswith("no mismatch\n")
    run_well("audit", out, "--strict")
    run_well("publish", out, "--to", tmp_path / "release", *SAYS)
    run_well("publish", "--check", tmp_path / "release")
    again = tmp_path / "again"
    said = run_well("rebuild", tmp_path / "release", "--source", clean, "--out", again)
    assert "identical to the published split" in said
    kept = ("Annotations", "ImageSets", "ledger", "recipe", "digests", "differences")
    first, second = (
        {name: data for name, data in tree(root).items() if name.startswith(kept)}
        for root in (out, again)
    )
    assert first == second

    for path in noisy.rglob("*.png"):
        if not path.stem.endswith("_org"):
            made = again / MASKS / "train" / path.parent.name / path.name
            assert np.array_equal(read_index_mask(made), read_index_mask(path))
    for name in (OBJECTS, PROMPTS):
        for path in noisy.rglob(name):
            assert json.loads((again / IMAGE_SETS / name).read_text()) == json.loads(
                path.read_text()
            )
