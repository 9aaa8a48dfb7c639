"""Data that all tests of the trainer share. Tests that change files copy them first."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    pytest.importorskip("torch", reason="torch is in the extra [train]")
    from tests.helpers.trained import painted_root

    return painted_root(tmp_path_factory.mktemp("trainer") / "clean")


@pytest.fixture(scope="session")
def other_root(tmp_path_factory):
    """Two sequences of other videos than those of `root`."""
    pytest.importorskip("torch", reason="torch is in the extra [train]")
    from tests.helpers.trained import painted_elsewhere

    return painted_elsewhere(tmp_path_factory.mktemp("trainer") / "other")


@pytest.fixture(scope="session")
def start(other_root, tmp_path_factory):
    """A run on `other_root` to start from."""
    from reference_trainer.training.engine import fit
    from tests.helpers.trained import small

    folder = tmp_path_factory.mktemp("trainer") / "start"
    fit(small(other_root, epochs=1), folder, quiet=True)
    return folder
