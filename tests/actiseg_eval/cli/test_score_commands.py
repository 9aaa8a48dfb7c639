"""The command line `actiseg-eval`, as a user types it."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial

import pytest

from actiseg_data.core.files import write_json
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.prediction_note import PredictionsNote
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.command import run as run_command
from tests.helpers.command import run_alone
from tests.helpers.kitchens import kitchen_clip, make_kitchen
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root

BLOCKED = ("torch", "spacy", "nltk", "shapely", "inflect", "actiseg_noise", "reference_trainer")

_BLOCKING = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocker())
from actiseg_eval.cli import main
main()
"""


run = partial(run_command, module="actiseg_eval.cli")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("cli") / "clean", 6)


@pytest.fixture(scope="module")
def preds(kitchen, tmp_path_factory):
    return predict(open_split(kitchen, "train"), "shift", tmp_path_factory.mktemp("p") / "preds")


def test_score_prints_the_table_and_writes_documents(kitchen, preds, tmp_path):
    files = {name: tmp_path / f"r.{name}" for name in ("json", "csv", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = run("score", preds, "--gt", kitchen, "--split", "train", "--metrics", "all", *options)
    assert done.returncode == 0, done.stderr
    assert "p-mIoU ↑" in done.stdout
    assert "n-mIoU ↓" in done.stdout
    assert "scoring: 100 %" in done.stderr
    metrics = json.loads(files["json"].read_text())["metrics"]
    assert f"{metrics['p_miou']:.4f}" in done.stdout
    assert files["csv"].read_text().startswith("by,name,p_miou")
    assert files["markdown"].read_text().startswith("# train")
    quiet = run("score", preds, "--gt", kitchen, "--split", "train", "--quiet")
    assert quiet.stderr == ""


def test_predictions_may_say_what_they_are_of(kitchen, tmp_path):
    split = open_split(kitchen, "train")
    folder = predict(split, "all", tmp_path / "preds")
    where = os.path.relpath(kitchen, folder)
    note = PredictionsNote(where, "train", split.fingerprint, "t", "m", None)
    write_json(folder / "predictions.json", note.to_dict())
    done = run("score", folder, "--quiet")
    assert done.returncode == 0, done.stderr
    assert f"dataset: {kitchen}" in done.stdout


def test_noise_is_scored_by_kind(kitchen, tmp_path):
    noisy = corrupt(kitchen, make_recipe("boundary", 0.5), out=tmp_path / "noisy").out
    done = run(
        "score", noisy, "--gt", kitchen, "--split", "train", "--strata", noisy / "ledger.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert "by noise" in done.stdout
    assert "jitter" in done.stdout


def test_protocols_are_shown_and_compared(kitchen, preds):
    done = run("protocols")
    assert done.returncode == 0
    for name in ("actionvos", "davis-unsupervised", "vos-benchmark", "gres"):
        assert name in done.stdout
    assert "prediction empty, truth not" in done.stdout
    done = run("protocols", preds, "--gt", kitchen, "--split", "train", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "on these predictions" in done.stdout
    assert "the metrics under each protocol" in done.stdout
    assert "void pixels (255): none, so no difference" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--protocol", "davos"), "'davos' is unknown"),
        (("--metrics", "j&f"), "there is no metric group 'j&f'"),
        (("--split", "val"), "there is no split 'val'"),
        (("--missing", "skip"), "'skip' is unknown"),
        (("--strata", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--csv", "same", "--markdown", "same"), "another report"),
        (("--json", "{preds}/r.json"), "is inside the input {preds}"),
        (("--workers", "0"), "workers"),
        (("--strata", "{kitchen}"), "ledger.jsonl"),
        (("--split", ""), "give the name of a split: train"),
        (("--resamples", "-5"), "or 0 for no intervals"),
        (("--figure", "giou"), "No such option"),
    ],
)
def test_wrong_flags_are_refused_without_a_traceback(kitchen, preds, arguments, says):
    wanted = [argument.format(preds=preds, kitchen=kitchen) for argument in arguments]
    more = [] if "--split" in wanted else ["--split", "train"]
    done = run("score", preds, "--gt", kitchen, *more, *wanted)
    assert done.returncode == 2
    assert says.format(preds=preds) in done.stderr
    assert "Traceback" not in done.stderr
    assert "note:" not in done.stderr


@pytest.mark.slow
def test_a_base_install_scores_alone(kitchen, preds, sample, tmp_path):
    """With everything blocked that the evaluator must not need; the sample is scored, too."""
    done = run_alone("score", preds, "--gt", kitchen, "--split", "train", "--quiet", code=_BLOCKING)
    assert done.returncode == 0, done.stderr
    shutil.copytree(sample, tmp_path / "actiseg_sample")
    done = run_alone("score", preds, "--split", "val_human", cwd=tmp_path, code=_BLOCKING)
    assert done.returncode == 2
    assert "the built-in sample, made before" in done.stdout
    done = run_alone(
        *("score", "actiseg_sample", "--split", "train", "--protocol", "davis-unsupervised"),
        *("--metrics", "all", "--quiet", "--workers", "1"),
        cwd=tmp_path,
        code=_BLOCKING,
    )
    assert done.returncode == 0, done.stderr
    assert "1.0000" in done.stdout


def test_help_loads_no_library(tmp_path):
    code = "import sys; from actiseg_eval.cli.app import app; print(sorted(sys.modules))"
    done = run_alone(code=code)
    assert done.returncode == 0, done.stderr
    for name in ("numpy", "cv2", "scipy", "PIL"):
        assert f"'{name}'" not in done.stdout
    assert run("--version").stdout.startswith("actiseg ")


def test_no_input_is_written_over(kitchen, preds, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("")
    done = run(
        *("score", preds, "--gt", kitchen, "--split", "train"),
        *("--strata", ledger, "--csv", ledger),
    )
    assert done.returncode == 2
    assert "is an input" in done.stderr
    assert ledger.read_text() == ""


def test_protocols_takes_what_score_takes(kitchen, tmp_path):
    folder = predict(open_split(kitchen, "train"), "shift", tmp_path / "preds")
    next(folder.rglob("*.png")).unlink()
    common = (folder, "--gt", kitchen, "--split", "train", "--quiet")
    assert run("protocols", *common).returncode == 2
    assert run("protocols", *common, "--missing", "empty", "--no-filter").returncode == 0


def test_compare_prints_who_is_better(tmp_path):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 19)]
    root = make_root(tmp_path / "root", clips)
    split = open_split(root, "train")
    folders = [predict(split, name, tmp_path / name) for name in ("all", "shift")]
    common = ("--gt", root, "--split", "train", "--quiet")
    done = run("compare", *folders, *common, "--metric", "p_miou", "--json", tmp_path / "c.json")
    assert done.returncode == 0, done.stderr
    assert "all against shift" in done.stdout
    assert json.loads((tmp_path / "c.json").read_text())["differences"]["p_miou"]
    assert run("compare", folders[0], *common).returncode == 2
    done = run("compare", *folders, *common, "--metric", "j_recall", "--metric", "n_acc")
    assert done.returncode == 2
    assert "hint: set --metrics to core,jf\n" in done.stderr
    assert "hint: give --metrics core with --protocol gres\n" in done.stderr
    done = run("compare", *folders, *common, "--metric", "auc")
    assert done.returncode == 2
    assert "there is no metric 'auc'" in done.stderr


def test_the_flag_figure_still_works_with_a_note(kitchen, preds, tmp_path):
    other = predict(open_split(kitchen, "train"), "all", tmp_path / "other")
    common = (preds, other, "--gt", kitchen, "--split", "train", "--quiet")
    done = run("compare", *common, "--figure", "auc")
    assert done.returncode == 2
    assert "note: --figure is now --metric" in done.stderr
    assert "there is no metric 'auc'" in done.stderr


def test_errors_name_flags_and_arguments(kitchen, preds):
    done = run("compare", preds, "--gt", kitchen, "--split", "train", "--quiet")
    assert "METHODS: there are fewer than two methods" in done.stderr
    done = run("score", preds, "--gt", kitchen, "--split", "train", "--missing", "skip")
    assert "--missing: 'skip' is unknown" in done.stderr


def test_failures_and_cards_at_the_terminal(kitchen, preds, tmp_path):
    arguments = ["--gt", kitchen, "--split", "train", "--quiet"]
    done = run("score", preds, *arguments, "--metrics", "failures", "--json", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    for words in (
        "failures of ",
        "mislocalisation",
        "sequences that lose most",
        "p-rate",
        "all at once",
    ):
        assert words in done.stdout
    assert set(json.loads((tmp_path / "r.json").read_text())["failures"]["modes"])
    done = run("metrics", "giou", "n_miou")
    assert done.returncode == 0
    assert "hides: Blank predictions score the share" in done.stdout
    assert "p_quality: p-quality" in run("metrics").stdout
    done = run("metrics", "iou")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no metric 'iou'" in done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A root and a file of runs of two methods at two levels."""
    folder = tmp_path_factory.mktemp("robust")
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 19)]
    split = open_split(make_root(folder / "root", clips), "train")
    for name in ("all", "shift", "oracle", "swap"):
        predict(split, name, folder / name)
    corrupt(folder / "root", make_recipe("erode", 0.4), out=folder / "noisy")
    (folder / "runs.yaml").write_text(
        "truth: root\nsplit: train\nlabels: {0.4: noisy}\n"
        "methods:\n  first: {clean: oracle, 40%: swap}\n  second: {0: all, 0.4: shift}\n"
    )
    return folder


def test_robustness_prints_tables_and_writes_documents(runs, tmp_path):
    files = {name: tmp_path / f"r.{name}" for name in ("json", "markdown")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = run("robustness", "runs.yaml", "--quiet", "--resamples", "500", *options, cwd=runs)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in (
        "gIoU by level of noise: train",
        "p-mIoU ↑",
        "n-mIoU ↓",
        "area 0 to 0.4",
        "retained above blank",
    ):
        assert text in done.stdout
    assert "labels (train)" in done.stdout
    document = json.loads(files["json"].read_text())
    assert document["baseline"] == "first"
    curves = {each["method"]: each for each in document["figures"]["p_miou"]}
    assert f"{curves['second']['area']:.4f}" in done.stdout
    assert f"{curves['first']['breaks_at']:.3f}" in done.stdout
    assert files["markdown"].read_text().startswith("# Robustness on train")
    done = run_alone(
        *("robustness", "runs.yaml", "--quiet", "--metric", "p_ciou", "--baseline", "second"),
        *("--drop", "0.5"),
        cwd=runs,
        code=_BLOCKING,
    )
    assert done.returncode == 0, done.stderr
    assert "gIoU" not in done.stdout
    assert "worse than second" in done.stdout
    assert "more than 50 %" in done.stdout


def test_names_are_no_markup_and_no_number_is_cut(runs, tmp_path):
    """Names come from files: tags in them are text, and long ones cost no figure."""
    names = ("elr [v2]", "elr [/v3]", "pmhm-three-heads-warm20")
    lines = ["truth: root", "split: train", "methods:"]
    for at, name in enumerate(names):
        for level, recipe in ((0, "oracle"), (1, "shift")):
            shutil.copytree(runs / recipe, tmp_path / f"m{at}_{level}")
        lines.append(f"  {name!r}: {{0: m{at}_0, 1: m{at}_1}}")
    (tmp_path / "root").symlink_to(runs / "root")
    (tmp_path / "names.yaml").write_text("\n".join(lines))
    done = run("robustness", "names.yaml", "--quiet", "--resamples", "500", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in names:
        assert f" {name} " in done.stdout
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.yaml",), "nowhere.yaml: the file of runs is missing"),
        (("root",), "not noise levels"),
        (("runs.yaml", "--drop", "1"), "--drop: 1 is not between 0 and 1"),
        (("runs.yaml", "--baseline", "third"), "use one of first, second"),
        (("runs.yaml", "--metric", "auc"), "there is no metric 'auc'"),
        (("runs.yaml", "--metric", "jf"), "jf is not computed"),
        (("runs.yaml", "--split", "val"), "there is no split 'val'"),
        (("runs.yaml", "--json", "runs.yaml"), "is an input"),
        (("runs.yaml", "--json", "swap/r.json"), "is inside"),
        (("runs.yaml", "--markdown", "noisy/r.md"), "is inside"),
        (("runs.yaml", "--resamples", "5"), "5 is outside"),
        (("runs.yaml", "--primary", "jf"), "--primary: 'jf' is not computed"),
        (("runs.yaml", "--frozen", "nowhere"), "nowhere"),
        (("runs.yaml", "--seed-deviation", "2"), "--seed-deviation: 2 is outside"),
    ],
)
def test_wrong_runs_are_refused_without_a_traceback(runs, arguments, says):
    done = run("robustness", *arguments, "--quiet", cwd=runs)
    assert done.returncode == 2
    assert says in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert (runs / "runs.yaml").read_text().startswith("truth")
