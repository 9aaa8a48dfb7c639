"""Files and folders that tell of runs: read, or refused with everything that is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.core.errors import InputError
from actiseg_eval.noise_levels.runs import read_runs
from tests.fuzz.targets import accepted


def folders(root, *names):
    for name in names:
        (root / name).mkdir(parents=True)
    return root


@pytest.fixture
def base(tmp_path):
    return folders(tmp_path, "a0", "a1", "a2", "b0", "b1", "n1", "0.5")


def write(base, text):
    path = base / "runs.yaml"
    path.write_text(text)
    return path


GOOD = """
truth: ../clean   # where the masks are
split: val
methods:
  elr: {20%: [a1, a2], clean: a0}
  "010": {0: b0, r0.4: 0.5}
labels:
  0.2: n1
"""


def test_a_file_is_read(base):
    runs = read_runs(write(base, GOOD))
    assert runs.methods == {
        "elr": {0: (base / "a0",), 0.2: (base / "a1", base / "a2")},
        "010": {0: (base / "b0",), 0.4: (base / "0.5",)},
    }
    assert [list(levels) for levels in runs.methods.values()] == [[0, 0.2], [0, 0.4]]
    assert runs.labels == {0.2: base / "n1"}
    assert (runs.truth, runs.split, runs.baseline) == (base / "../clean", "val", "elr")
    assert read_runs(write(base, GOOD), "010").baseline == "010"
    assert read_runs(write(base, GOOD.replace('"010"', "plain"))).baseline == "plain"
    assert read_runs(write(base, GOOD + "baseline: 010\n")).baseline == "010"


REFUSED = [
    ("", "must be an object"),
    ("- a\n", "must be an object"),
    ("methods: {", "is not valid YAML .line 1"),
    ("methods: {a: {0: a0, 1: a1}}\n---\nmethods: {}\n", "is not valid YAML"),
    ("methods: &m {a: *m}\n", "has an alias"),
    ("? [a]\n: b\n", "line 1: a key is not text"),
    ("method: {}\n", "the key 'method' is unknown"),
    ("method: {}\n", "the key 'methods' is missing"),
    ("methods: {}\n", "has no methods"),
    ("methods: {a: {0: a0, 1: a1}, a: {0: b0}}\n", "line 1: the key 'a' occurs twice"),
    ("methods: {a: a0}\n", "methods: a: must be an object"),
    ("methods: {a: {0: a0, 0.0: a1}}\n", "methods: a: 0.0: the level 0 occurs twice"),
    ("methods: {a: {20%: a0, r0.2: a1}}\n", "the level 0.2 occurs twice"),
    ("methods: {a: {0: a0, 20: a1}, b: {0: a0, 20%: a2}}\n", "percentages and numbers above 1"),
    ("methods: {a: {0: a0, low: a1}}\n", "methods: a: 'low' is not a noise level"),
    ("methods: {a: {0: a0, -1: a1}}\n", "'-1' is not a noise level"),
    ("methods: {a: {0: a0, .nan: a1}}\n", "'.nan' is not a noise level"),
    ("methods: {a: {0: a0, 1e-1: a1}}\n", "'1e-1' is not a noise level"),
    ("methods: {a: {0: a0, 1: {x: y}}}\n", "methods: a: 1: must be a folder of predictions"),
    ("methods: {a: {0: a0, 1: []}}\n", "methods: a: 1: has no folder"),
    ("methods: {a: {0: a0, 1: [[a1]]}}\n", r"methods: a: 1\[0\]: must be text"),
    ("methods: {a: {0: a0, 1: }}\n", "methods: a: 1: is empty"),
    ("methods: {a: {0: a0}}\n", "a has fewer than two levels .0."),
    ("methods: {a: {}}\n", "a has fewer than two levels .none."),
    ("methods: {'': {0: a0, 1: a1}}\n", "a method has no name"),
    ('methods: {"a\\e[2J": {0: a0, 1: a1}}\n', "without control characters"),
    ("methods: {labels: {0: a0, 1: a1}}\n", "a method is called 'labels'"),
    ("methods: {a: {0: a0, 1: a0}}\n", "a0: is named twice: for a at 0, and for a at 1"),
    ("methods: {a: {0: a0, 1: [a1, ./a1]}}\n", "a1: is named twice"),
    ("methods: {a: {0: a0, 1: a1}, b: {0: a0, 1: b1}}\n", "for a at 0, and for b at 0"),
    ("methods: {a: {0: a0, 1: nowhere}}\n", "nowhere: does not exist, for a at 1"),
    ("methods: {a: {0: a0, 1: a1}}\nlabels: n1\n", "labels: must be an object"),
    ("methods: {a: {0: a0, 1: a1}}\nlabels: {0.2: [n1]}\n", "labels: 0.2: must be text"),
    ("methods: {a: {0: a0, 1: a1}}\nlabels: {0.2: a1}\n", "for a at 1, and for labels at 0.2"),
    ("methods: {a: {0: a0, 1: a1}}\nsplit: ../val\n", "would lead outside"),
    ("methods: {a: {0: a0, 1: a1}}\ntruth: [x]\n", "truth: must be text"),
    ("methods: {a: {0: a0, 1: a1}}\nbaseline: c\n", "baseline: there is no method 'c'"),
    ("methods: " + "[" * 20_000 + "]" * 20_000, "nests too deeply"),
    ("#" * (1 << 16) + "#", "is larger than 65536 bytes"),
    ("methods: !!python/object/apply:os.getcwd []\n", "methods: must be an object"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_what_is_wrong_in_a_file_is_refused(base, text, says):
    with pytest.raises(InputError, match=says):
        read_runs(write(base, text))


def test_everything_that_is_wrong_is_told_at_once(base):
    path = write(
        base,
        "colour: red\nmethods:\n  a: {0: a0, low: a1, 1: nowhere}\n  b: []\nlabels: {x: n1}\n"
        "baseline: c\n",
    )
    with pytest.raises(InputError) as refused:
        read_runs(path)
    assert len(refused.value.problems) == 6
    assert all(problem.hint for problem in refused.value.problems)


def test_what_is_no_text_is_refused(base):
    (base / "runs.yaml").write_bytes(b"methods: \xff\n")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_runs(base / "runs.yaml")
    with pytest.raises(InputError, match="the file of runs is missing"):
        read_runs(base / "none.yaml")


def test_folders_are_read_by_their_names(tmp_path):
    names = ("clean", "20%_s10", "r0.2_s9", "0.2", "0.40_s1", ".cache")
    root = folders(tmp_path, *(f"plain/{name}" for name in names), "elr/0", "elr/60%")
    folders(root, "labels/0.2", "labels/r0.4_s0", ".git/x")
    (root / "notes.txt").write_text("not a method")
    (root / "plain" / "log.txt").write_text("not a level")
    runs = read_runs(root)
    plain = {level: [path.name for path in paths] for level, paths in runs.methods["plain"].items()}
    assert plain == {0: ["clean"], 0.2: ["0.2", "r0.2_s9", "20%_s10"], 0.4: ["0.40_s1"]}
    assert list(plain) == [0, 0.2, 0.4]
    assert list(runs.methods["elr"]) == [0, 0.6]
    assert {level: path.name for level, path in runs.labels.items()} == {
        0.2: "0.2",
        0.4: "r0.4_s0",
    }
    assert runs.baseline == "plain"
    assert runs.truth is None


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("a/0", "a/clean"), "has the level 0 twice: 0 and clean"),
        (("a/0", "a/1_s1", "a/1_s01"), "has the level 1 twice"),
        (("a/0", "a/1", "a/worst"), "a: has folders that are not noise levels: worst"),
        (("a/0", "a/1_seed1"), "not noise levels: 1_seed1"),
        (("a/0",), "a has fewer than two levels"),
        (("a/0", "a/1", "labels/0.2", "labels/0.2_s1"), "several copies of the level 0.2"),
        (("labels/0.2",), "has no methods"),
        ((), "has no methods"),
    ],
)
def test_what_is_wrong_with_folders_is_refused(tmp_path, names, says):
    with pytest.raises(InputError, match=says):
        read_runs(folders(tmp_path / "runs", *names) if names else tmp_path)


LETTERS = "aé09.:,-?&*!|>%@`#'\"[]{}\n \t\\\x00\x07\x85\u2028\u202e\ufeff"
WORDS = ("methods: ", "labels: ", "- ", "\n  ", "---", "!!int ", "<<: ", '"\\e"', '"\\ud800"')
PIECES = st.sampled_from([*LETTERS, *WORDS])


@given(st.one_of(st.lists(PIECES, max_size=40).map("".join).map(str.encode), st.binary()))
def test_any_bytes_are_read_or_refused_in_due_form(data):
    for whole in (data, b"methods:\n  a: {0: a0, 1: a1}\n" + data):
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            file.write(whole)
            file.flush()
            accepted(lambda path=Path(file.name): read_runs(path))
