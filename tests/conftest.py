"""Shared fixtures, and how a run of the tests is divided over the cores and announced."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock

from tests.helpers.real_photographs import make_photograph_root
from tests.helpers.real_visor import Prepared, prepare_real

FAST = "not slow"
"""The marker expression that pyproject.toml gives by default."""

# The gate judges a change by the same examples every time; all other runs search for new ones. No
# test fails because the machine is busy.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("gate" if os.environ.get("CI") else "search")


def name_single_files(config: pytest.Config) -> bool:
    """Return whether the command line names only files or single tests, no folder."""
    given = config.args_source is pytest.Config.ArgsSource.ARGS
    return given and all(Path(name.partition("::")[0]).is_file() for name in config.args)


def pytest_configure(config: pytest.Config) -> None:
    """Run a slow test that is named on the command line (`FILE::test`)."""
    if all("::" in name for name in config.args) and config.option.markexpr == FAST:
        config.option.markexpr = ""


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out the slow tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of all validation videos: preparing these takes 20 seconds."""
    for item in items:
        if "validation" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run named files in this process, which starts at once; use the cores for all other runs."""
    if not name_single_files(config):
        return None
    config.option.dist = "no"
    return 0


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say how long the run takes and what it leaves out."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or hasattr(session.config, "workerinput"):
        return
    if session.config.option.markexpr == FAST and not name_single_files(session.config):
        terminal.write_line(
            "The fast tests: about 6 minutes on two cores. Slow tests are left out; "
            'to run all (about 14 minutes): pytest -m ""'
        )


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real annotations next to the checkout; tests that need them skip if they are absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ACTISEG_REAL_DATA", default))
    if not (folder / "visor").is_dir():
        pytest.skip(f"no real data at {folder} (set ACTISEG_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def prepare(real_data: Path, shared_folder: Path) -> Callable[..., Prepared]:
    """Prepare some real videos; `videos` None means all videos of the split.

    The processes of one run share what was prepared with equal arguments: tests only read it.
    """

    def run(split: str, videos: tuple[str, ...] | None, **more: Any) -> Prepared:
        arguments = repr((split, videos, sorted(more.items())))
        folder = shared_folder / hashlib.sha256(arguments.encode()).hexdigest()[:16]
        with FileLock(folder.with_suffix(".lock")):
            kept = folder / "prepared.pickle"
            if not kept.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what a failure left
                folder.mkdir()
                prepared = prepare_real(real_data, folder, split, videos, **more)
                kept.write_bytes(pickle.dumps(prepared))
            return pickle.loads(kept.read_bytes())

    return run


@pytest.fixture(scope="session")
def photographs(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of real VISOR photographs, four sequences of one video. Tests only read it."""
    if not (real_data / "photographs").is_dir():
        pytest.skip(f"no photographs in {real_data} (set ACTISEG_REAL_DATA)")
    return make_photograph_root(real_data, tmp_path_factory.mktemp("photographs") / "root")


@pytest.fixture(scope="session")
def validation(prepare: Callable[..., Prepared], real_data: Path) -> Prepared:
    """All validation videos with both human-labelled lists."""
    lists = [real_data / "actionvos" / f"{name}.json" for name in ("val_human", "val_novel")]
    return prepare("val", None, human_labels=lists, workers=2)


@pytest.fixture(scope="session")
def wordnet() -> Path:
    """WordNet 3.0's database; tests that need it skip if it is absent."""
    pytest.importorskip("nltk", reason="NLTK is in the extra [text]")
    pytest.importorskip("inflect", reason="inflect is in the extra [text]")
    folder = Path(os.environ.get("ACTISEG_WORDNET", "/usr/share/wordnet"))
    if not (folder / "data.noun").is_file():
        pytest.skip(f"no WordNet database at {folder} (Debian: wordnet-base; set ACTISEG_WORDNET)")
    return folder
