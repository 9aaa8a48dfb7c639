"""Data that all tests of the trainer share. Tests that change files copy them first."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    pytest.importorskip("torch", reason="torch is in the extra [train]")
    from tests.helpers.trained import painted_root

    return painted_root(tmp_path_factory.mktemp("trainer") / "clean")
