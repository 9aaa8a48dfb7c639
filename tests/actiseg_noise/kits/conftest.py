"""Datasets for the tests of rebuild kits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask


@pytest.fixture(scope="session")
def weighted_sample(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in sample with training weights. Tests only read it, or copy it."""
    root = tmp_path_factory.mktemp("weighted") / "sample"
    shutil.copytree(sample, root)
    for path in (root / "Annotations_Sparse").rglob("*.png"):
        weights = np.where(read_index_mask(path) > 0, 2, 1).astype(np.uint8)
        write_index_mask(
            root / "Weights_Sparse" / path.relative_to(root / "Annotations_Sparse"), weights
        )
    return root
