"""What tests and doctests share: which modules are searched, and the built-in sample."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock

from actiseg_data.make.sample import make_sample, sample_writing

# Globs, because pytest does not ignore a folder that its command line names.
_NEED_TORCH = [
    "reference_trainer/*",
    *(
        f"tests/helpers/{path.name}"
        for path in Path(__file__).parent.glob("tests/helpers/*.py")
        if re.search("^(import|from) (torch|reference_trainer)", path.read_text(), re.MULTILINE)
    ),
]
collect_ignore_glob = [] if find_spec("torch") else _NEED_TORCH


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that the processes of one run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def sample(shared_folder: Path) -> Path:
    """Make the built-in sample once in a run. Tests only read it, or copy it."""
    root = shared_folder / "sample"
    with FileLock(shared_folder / "sample.lock"):
        if not root.exists():
            make_sample(root)
    return root


@pytest.fixture(autouse=True)
def _copied_sample(request: pytest.FixtureRequest) -> None:
    """In a doctest, `make_sample` copies the sample of the run: making it takes 4 seconds."""
    node = request.node
    if not (isinstance(node, pytest.DoctestItem) and "make_sample" in node.dtest.docstring):
        return
    sample = request.getfixturevalue("sample")

    def copy(folder: Path) -> sample_writing.SampleReport:
        shutil.copytree(sample, folder, dirs_exist_ok=True)
        return replace(sample_writing._read_report(sample), made=True)

    request.getfixturevalue("monkeypatch").setattr(sample_writing, "_write", copy)
