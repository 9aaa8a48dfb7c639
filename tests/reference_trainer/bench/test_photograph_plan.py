"""The plan for photographs of VISOR, as far as it can be run without all of them and their net."""

from __future__ import annotations

import json

import pytest
import yaml

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="transformers is in the extra [hf]")

from reference_trainer.bench.plan_file import load_plan
from reference_trainer.network.transformers_encoder import TransformersEncoder
from tests.helpers.paths import ROOT
from tests.helpers.small_bench import run_bench

PLAN = ROOT / "data_manifests" / "bench" / "visor-photographs.yaml"


def write_model(folder, **sizes):
    """Write a ConvNeXt with random weights; its defaults are those of convnext-tiny-224."""
    config = transformers.ConvNextConfig(**sizes)
    transformers.ConvNextModel(config).save_pretrained(folder)
    return f"hf:{folder}"


def test_the_encoder_of_the_plan_has_the_strides_that_the_trainer_needs(tmp_path):
    arm = load_plan("visor-photographs").arms["P"]
    for settings in (arm.start_settings, arm.settings):
        assert settings["encoder"] == "hf:facebook/convnext-tiny-224"
        size = settings["height"], settings["width"]
    write_model(tmp_path / "model")
    encoder = TransformersEncoder(str(tmp_path / "model"), size, pretrained=False)
    assert encoder.channels == (96, 192, 384 + 2)


def test_a_small_copy_of_the_plan_runs_on_photographs(photographs, tmp_path):
    sizes = {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}
    encoder = write_model(tmp_path / "model", **sizes)
    plan = yaml.safe_load(PLAN.read_text())
    arm = plan["arms"]["P"]
    small = {"encoder": encoder, "height": 32, "width": 64, "epochs": 1, "meter": False}
    for name in ("start", "settings"):
        arm[name] |= small
    arm["data"] = {  # one video is too few for parts
        "start": {"clips": 2, "videos": 1, "seed": 1},
        "train": {"root": "visor", "split": "train"},
        "test": {"root": "visor", "split": "val_human"},
    }
    arm["cells"] = {"clean": ["plain"], "M2": ["plain", "pmhm"], "T2": ["plain"]}
    plan["methods"] = {"plain": {}, "pmhm": {"strategy": "pmhm", "options": {"stable": 0.6}}}
    plan["cells"] = {name: plan["cells"][name] for name in arm["cells"]}
    plan["seeds"] = [0]
    del plan["tuning"], plan["primary"]
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(plan))
    results = run_bench(file, tmp_path / "bench", {"visor": photographs})
    assert [run.problem for run in results.runs] == [""] * 5
    assert {run.record["rendered_frames"] for run in results.runs} == {False}
    report = json.loads((tmp_path / "bench/report.json").read_text())
    (arm,) = report["arms"]
    assert (arm["rendered"], arm["videos"]) == (False, 1)
    assert [cell["cell"] for cell in arm["cells"]] == ["M2", "T2"]
    assert "photographs" in (tmp_path / "bench/report.md").read_text()
