"""The commands where a library cannot be loaded: a refusal with a cure, never a traceback."""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import find_spec

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_data.make.render.split_rendering import render_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.command import run_alone
from tests.helpers.kitchens import make_kitchen
from tests.helpers.paths import ROOT
from tests.helpers.predicted import predict

PACKAGES = ("actiseg_data", "actiseg_noise", "actiseg_eval", "reference_trainer")
LOADED_LATE = ("cv2", "shapely", "scipy", "rich")
NOISE, EVAL, TRAIN = "actiseg_noise.cli", "actiseg_eval.cli", "reference_trainer.cli"

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is in the extra [train]")


def without(module, folder):
    """A PYTHONPATH under which a module fails to load, as where a system library is missing."""
    fake = folder / f"without {module}" / module
    fake.mkdir(parents=True)
    fault = "raise ImportError('libGL.so.1: cannot open shared object file')\n"
    (fake / "__init__.py").write_text(fault)
    return os.pathsep.join([str(fake.parent), *sys.path])


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("absent") / "clean", 4)


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    root = make_kitchen(tmp_path_factory.mktemp("absent") / "painted", 4)
    render_split(root)
    return root


@pytest.fixture(scope="module")
def preds(kitchen, tmp_path_factory):
    return predict(open_split(kitchen, "train"), "shift", tmp_path_factory.mktemp("p") / "preds")


@pytest.fixture(scope="module")
def noisy(kitchen, tmp_path_factory):
    out = tmp_path_factory.mktemp("absent") / "noisy"
    return corrupt(kitchen, make_recipe("dilate", 1), out=out).out


COMMANDS = {
    "the README's first": (NOISE, "corrupt --type boundary --rate 0.4"),
    "corrupt of words": (NOISE, "corrupt {kitchen} --type category --rate 1 --out out"),
    "corrupt": (NOISE, "corrupt {kitchen} --type jitter --rate 1 --out out --workers 2"),
    "sample": (NOISE, "sample out"),
    "render": (NOISE, "render {kitchen} --split train"),
    "preview": (NOISE, "preview {noisy} --sequence {sequence} --to out.png"),
    "score jf": (EVAL, "score {preds} --gt {kitchen} --split train --metrics jf"),
    "score failures": (EVAL, "score {preds} --gt {kitchen} --split train --metrics failures"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_without_opencv_a_command_is_refused_and_writes_nothing(
    name, kitchen, noisy, preds, tmp_path
):
    module, line = COMMANDS[name]
    sequence = open_split(kitchen, "train").sequences[0].folder
    places = {"kitchen": kitchen, "noisy": noisy, "preds": preds, "sequence": sequence}
    words = [word.format(**places) for word in line.split()]
    before = sorted(kitchen.rglob("*"))
    here = tmp_path / "here"
    here.mkdir()
    done = run_alone(*words, module=module, cwd=here, PYTHONPATH=without("cv2", tmp_path))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "OpenCV cannot be loaded" in done.stderr
    assert "pip install opencv-python-headless" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(here.iterdir()) == []
    assert sorted(kitchen.rglob("*")) == before


@needs_torch
@pytest.mark.slow
def test_without_opencv_the_trainer_learns_and_refuses_to_predict(painted, tmp_path):
    path = without("cv2", tmp_path)
    small = ["height=32", "width=48", "channels=8", "prompt_width=16"]
    settings = [part for value in small for part in ("--set", value)]
    flags = ("--epochs", "1", "--device", "cpu", "--quiet")
    done = run_alone(
        *("fit", painted, "--out", "run", *flags, *settings),
        module=TRAIN,
        cwd=tmp_path,
        PYTHONPATH=path,
    )
    assert done.returncode == 0, done.stderr
    flags = ("--split", "train", "--device", "cpu", "--out", "preds")
    done = run_alone("predict", "run", painted, *flags, module=TRAIN, cwd=tmp_path, PYTHONPATH=path)
    assert done.returncode == 2
    assert "pip install opencv-python-headless" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "preds").exists()


@pytest.mark.parametrize("module", ["shapely", "PIL", "numpy", "blake3"])
def test_without_another_library_a_command_is_refused(module, kitchen, tmp_path):
    flags = ("--type", "jitter", "--rate", "1", "--out", tmp_path / "out")
    done = run_alone("corrupt", kitchen, *flags, cwd=tmp_path, PYTHONPATH=without(module, tmp_path))
    assert done.returncode == 2, done.stderr
    assert f"import {module}: the library cannot be loaded (libGL.so.1" in done.stderr
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_import_that_fails_within_the_toolkit_is_no_missing_library(tmp_path):
    code = (
        "import sys, types\n"
        "name = 'actiseg_noise.corruption.corruption'\n"
        "sys.modules[name] = types.ModuleType(name)\n"
        "from actiseg_noise.cli import main\nmain()"
    )
    (tmp_path / "ImageSets").mkdir()  # so that the command comes to the import
    done = run_alone("corrupt", tmp_path, "--type", "dilate", "--rate", "1", code=code)
    assert done.returncode == 1
    assert "ImportError: cannot import name" in done.stderr


def loaded_with_the_module(source):
    """The packages that a module imports when it is loaded itself: not inside of its functions."""
    waiting, found = list(ast.parse(source).body), set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                continue
            waiting += ast.iter_child_nodes(node)
    return found


def test_no_module_loads_what_may_be_absent_when_it_is_loaded_itself():
    root = ROOT
    modules = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    assert len(modules) > 100
    late = {
        str(path.relative_to(root)): found
        for path in modules
        if (found := loaded_with_the_module(path.read_text()) & set(LOADED_LATE))
    }
    assert late == {}


def test_the_search_for_early_imports_finds_them():
    assert loaded_with_the_module("import cv2.gapi") == {"cv2"}
    assert loaded_with_the_module("try:\n    from cv2 import resize\nexcept E: pass") == {"cv2"}
    assert loaded_with_the_module("class A:\n    import cv2") == {"cv2"}
    assert loaded_with_the_module("def f():\n    import cv2") == set()
    assert loaded_with_the_module("if TYPE_CHECKING:\n    import cv2") == set()
