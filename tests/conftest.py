from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.helpers.real_visor import Prepared, prepare_real

# The gate judges a change by the same examples every time; everyone else searches new ones. No test
# fails because the machine is busy.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("gate" if os.environ.get("CI") else "search")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real annotations beside the checkout; tests that need them skip where they are absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ACTISEG_REAL_DATA", default))
    if not (folder / "visor").is_dir():
        pytest.skip(f"no real data at {folder} (set ACTISEG_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def prepare(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    """Prepares some real videos; `videos` None means all there are of the split."""

    def run(split: str, videos: tuple[str, ...] | None, **more: Any) -> Prepared:
        return prepare_real(real_data, tmp_path_factory.mktemp("prepared"), split, videos, **more)

    return run


@pytest.fixture(scope="session")
def validation(prepare: Callable[..., Prepared], real_data: Path) -> Prepared:
    """All validation videos with both human-labelled lists."""
    lists = [real_data / "actionvos" / f"{name}.json" for name in ("val_human", "val_novel")]
    return prepare("val", None, human_labels=lists, workers=2)


@pytest.fixture(scope="session")
def wordnet() -> Path:
    """WordNet 3.0's database; tests that need it skip where it is absent."""
    pytest.importorskip("nltk", reason="NLTK is in the extra [text]")
    pytest.importorskip("inflect", reason="inflect is in the extra [text]")
    folder = Path(os.environ.get("ACTISEG_WORDNET", "/usr/share/wordnet"))
    if not (folder / "data.noun").is_file():
        pytest.skip(f"no WordNet database at {folder} (Debian: wordnet-base; set ACTISEG_WORDNET)")
    return folder
