"""The command line of text noise: flags, messages, exit codes."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from actiseg_data.annotations.lexicon import load_lexicon, read_lexicon
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.recipe_record import read_recipe
from tests.helpers.command import run, run_alone
from tests.helpers.kitchens import make_kitchen


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("text") / "clean")


def rows_of(out):
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def test_corrupt_verify_inspect_preview_and_audit(kitchen, tmp_path):
    made = run("corrupt", kitchen, "--type", "text", "--rate", "0.6", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    out = tmp_path / "clean_text_r0.6_s0"
    flips = json.loads((out / "summary.json").read_text())["text"]["flips"]
    assert f"{flips['selected']} of {flips['items']}" in made.stdout
    checked = run("verify", out, "--source", kitchen)
    assert checked.returncode == 0, checked.stdout
    assert "similarity" in run("inspect", out).stdout
    row = json.loads((out / "ledger.jsonl").read_text().splitlines()[0])
    shown = run("preview", out, "--sequence", row["sequence"])
    assert shown.returncode == 0, shown.stderr
    assert row["prompt"].split()[-1] in shown.stdout
    assert f"({row['kind']})" in shown.stdout
    audited = run("audit", out, "--strict", "--json", tmp_path / "audit.json")
    assert audited.returncode == 0, audited.stdout
    document = json.loads((tmp_path / "audit.json").read_text())
    assert document["schema"] == "actiseg/audit/1"
    assert document["findings"] == []


@pytest.mark.slow
def test_audit_strict_fails_on_a_split_that_does_not_match_its_name(kitchen, tmp_path):
    run("corrupt", kitchen, "--preset", "actiseg-nl/released-20", "--out", tmp_path / "noisy")
    lists = shutil.copytree(tmp_path / "noisy" / IMAGE_SETS, tmp_path / "ImageSets_noise20")
    assert run("audit", lists).returncode == 0
    found = run("audit", lists, "--strict")
    assert found.returncode == 1
    assert "renamed within their class" in found.stdout
    assert "MISMATCH: " in found.stdout


def test_flags_reach_the_recipe(kitchen, tmp_path):
    matrix = tmp_path / "matrix.csv"
    lexicon = load_lexicon()
    names = [of.name for of in lexicon.classes.values()]
    rows = [["", "fork", "spoon"]] + [[name, "1", "0" if name != "fork" else "1"] for name in names]
    rows = [row if row[0] != "fork" else ["fork", "", "1"] for row in rows]
    matrix.write_text("\n".join(",".join(row) for row in rows) + "\n")
    done = run(
        *(
            "corrupt",
            kitchen,
            "--type",
            "text",
            "--rate",
            "0.5",
            "--mix",
            "0.7",
            "--flip",
            "matrix",
        ),
        *("--matrix", matrix, "--names", "wordnet", "--protect", "left hand", "--protect", "tap"),
        *("--allow-collisions", "--objects", "positive", "--exact"),
        *("--out", tmp_path / "noisy"),
    )
    assert done.returncode == 0, done.stderr
    (noise,) = read_recipe(tmp_path / "noisy" / "recipe.json").noises
    (tap,) = lexicon.find_classes("tap")
    (left,) = lexicon.find_classes("left hand")
    assert (noise.objects, noise.scope, noise.exact) == ("positive", "prompt", True)
    assert noise.parameters["protect"] == sorted([tap, left])
    assert (noise.parameters["mix"], noise.parameters["names"]) == (0.7, "wordnet")
    assert noise.parameters["allow_collisions"] is True
    assert {row["name"] for row in rows_of(tmp_path / "noisy") if row["kind"] == "category"} <= {
        name.text for at in ("fork", "spoon") for name in _class(lexicon, at).written
    }
    again = run(
        *("corrupt", kitchen, "--recipe", tmp_path / "noisy" / "recipe.json"),
        *("--out", tmp_path / "again"),
    )
    assert again.returncode == 0, again.stderr
    for name in ("ledger.jsonl", "recipe.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "noisy" / name).read_bytes()


def _class(lexicon, name):
    (class_id,) = lexicon.find_classes(name)
    return lexicon.classes[class_id]


def test_the_pool_of_the_dataset_is_frozen_into_the_recipe(kitchen, tmp_path):
    flags = ("--type", "category", "--rate", "1", "--pool", "dataset", "--out", tmp_path / "noisy")
    assert run("corrupt", kitchen, *flags).returncode == 0
    (noise,) = read_recipe(tmp_path / "noisy" / "recipe.json").noises
    records = json.loads((kitchen / IMAGE_SETS / "train.json").read_text())
    there = {of["class_id"] for record in records for of in record["object_classes"].values()}
    assert noise.parameters["pool"] == sorted(there)
    assert {row["class_id"] for row in rows_of(tmp_path / "noisy")} <= there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--type", "text"), "no noise rate given"),
        (("--type", "text", "--rate", "0.4", "--flip", "sideways"), "one of uniform, near, far"),
        (("--type", "text", "--rate", "0.4", "--flip", "matrix"), "give --matrix"),
        (("--type", "text", "--rate", "0.4", "--matrix", "no.csv"), "matrix is missing"),
        (("--type", "text", "--rate", "0.4", "--matrix", "bad.csv"), "is not a weight"),
        (("--type", "text", "--rate", "0.4", "--names", "cousin"), "one of class, wordnet"),
        (("--type", "text", "--rate", "0.4", "--names", "sister"), "set --flip to sister"),
        (("--type", "category", "--rate", "0.4", "--names", "class"), "no parameter 'names'"),
        (("--type", "text", "--rate", "0.4", "--mix", "1.5"), "0 to 1"),
        (("--type", "text", "--rate", "0.4", "--scope", "verb"), "scope"),
        (
            ("--type", "text", "--rate", "0.4", "--protect", "left hnad"),
            "mean 'left hand'?",
        ),
        (("--type", "text", "--rate", "0.4", "--pool", "mine"), "lexicon, dataset"),
        (("--type", "text", "--rate", "0.4", "--overlap", "contest"), "overlap"),
        (("--type", "boundary", "--rate", "0.4", "--scope", "both"), "scope"),
        (("--type", "boundary", "--rate", "0.4", "--flip", "near"), "no parameter 'flip'"),
        (("--type", "text", "--rate", "0.4", "--text-rate", "0.4"), "noise in several media"),
        (("--type", "mixed", "--text-rate", "0.4"), "both --text-rate and --boundary-rate"),
        (("--rate", "0.4"), "no type of noise given"),
        (("--type", "text", "--rate", "0.4", "--mix", "0.3", "--set", "mix=0.4"), "given twice"),
        (
            ("--type", "text", "--rate", "0.4", "--scope", "narration", "--objects", "positive"),
            "objects have no effect",
        ),
        (("--type", "text", "--rate", "0.4", "--lexicon", "no.json"), "lexicon is missing"),
        (("--type", "text", "--rate", "0.4", "--lexicon", "bad.csv"), "not valid JSON"),
        (("--type", "text", "--rate", "0.4", "--pipeline", "en_core_web_zz"), "en_core_web_zz"),
    ],
)
def test_wrong_flags_are_an_error_without_a_traceback(kitchen, tmp_path, arguments, said):
    if "--pipeline" in arguments:
        pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    (tmp_path / "bad.csv").write_text("class,cup\nknife,much\n")
    done = run("corrupt", kitchen, *arguments, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_lexicon_show_prints_sense_names_and_neighbours():
    done = run("lexicon", "show", "Chopping Board")
    assert done.returncode == 0
    assert "sense: chopping_board.n.01" in done.stdout
    assert "written: chopping board" in done.stdout
    assert "nearest:" in done.stdout
    assert run("lexicon", "show", "18").stdout == done.stdout
    wrong = run("lexicon", "show", "knif")
    assert wrong.returncode == 2
    assert "did you mean 'knife'?" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--noun-classes or --names"),
        (("--names", "nouns.txt", "--noun-classes", "nouns.txt"), "--noun-classes or --names"),
        (("--names", "nouns.txt", "--wordnet", "."), "WordNet"),
    ],
)
def test_lexicon_build_rejects_unusable_arguments(tmp_path, arguments, said):
    pytest.importorskip("nltk", reason="NLTK is in the extra [text]")
    (tmp_path / "nouns.txt").write_text("cup\n")
    done = run("lexicon", "build", *arguments, "--out", "own.json", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "own.json").exists()


def test_without_wordnets_data_the_message_says_how_to_get_it(tmp_path):
    pytest.importorskip("nltk", reason="NLTK is in the extra [text]")
    (tmp_path / "nouns.txt").write_text("cup\n")
    done = run(
        *("lexicon", "build", "--names", tmp_path / "nouns.txt", "--out", tmp_path / "own.json"),
        NLTK_DATA=str(tmp_path),
        HOME=str(tmp_path),
    )
    if done.returncode == 0:
        pytest.skip("NLTK has WordNet's data in a folder of the system")
    assert done.returncode == 2
    assert "nltk" in done.stderr
    assert "--wordnet" in done.stderr


def test_missing_language_packages_are_named(kitchen, tmp_path):
    """Stand-ins that cannot be imported, as on a machine without the extra."""
    for name in ("spacy", "nltk", "inflect"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no', name={name!r})\n")
    (tmp_path / "nouns.txt").write_text("cup\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    flags = ("--type", "category", "--rate", "1", "--out", tmp_path / "out")
    for arguments in (
        ("corrupt", kitchen, *flags, "--scope", "narration"),
        ("lexicon", "build", "--names", tmp_path / "nouns.txt", "--out", tmp_path / "own.json"),
    ):
        done = run_alone(*arguments, PYTHONPATH=path)
        assert done.returncode == 2, done.stderr
        assert "actiseg[text]" in done.stderr
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "own.json").exists()
    assert run("corrupt", kitchen, *flags, PYTHONPATH=path).returncode == 0


@pytest.mark.slow
def test_a_user_lexicon_from_list_to_split(wordnet, tmp_path):
    kitchen = make_kitchen(tmp_path / "clean")
    records = json.loads((kitchen / IMAGE_SETS / "train.json").read_text())
    classes = {
        of["class_id"]: of["name"] for record in records for of in record["object_classes"].values()
    }
    lines = [f"{class_id}: {name}\n" for class_id, name in sorted(classes.items())]
    (tmp_path / "nouns.txt").write_text("".join([*lines, "900: fork, table fork\n"]))
    built = run(
        *("lexicon", "build", "--names", tmp_path / "nouns.txt", "--wordnet", wordnet),
        *("--out", tmp_path / "own.json"),
    )
    assert built.returncode == 0, built.stderr
    assert f"{len(classes) + 1} classes" in built.stdout
    own = read_lexicon(tmp_path / "own.json")
    assert [name.text for name in own.classes[900].written] == ["fork", "table fork"]
    shown = run("lexicon", "show", "table fork", "--lexicon", tmp_path / "own.json")
    assert "sense: fork.n.01" in shown.stdout
    made = run(
        *("corrupt", kitchen, "--type", "text", "--rate", "1", "--lexicon", tmp_path / "own.json"),
        *("--out", tmp_path / "noisy"),
    )
    assert made.returncode == 0, made.stderr
    assert run("verify", tmp_path / "noisy", "--source", kitchen).returncode == 0
    assert {row["class_id"] for row in rows_of(tmp_path / "noisy")} <= set(own.classes)
