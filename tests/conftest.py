from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real annotations beside the checkout; tests that need them skip where they are absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ACTISEG_REAL_DATA", default))
    if not (folder / "visor").is_dir():
        pytest.skip(f"no real data at {folder} (set ACTISEG_REAL_DATA)")
    return folder
