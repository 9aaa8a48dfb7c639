"""Locks on folders."""

from __future__ import annotations

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.folder_locks import lock_folder


def test_a_folder_is_locked_once_and_free_afterwards(tmp_path):
    pytest.importorskip("fcntl", reason="this system has no such locks")
    file = tmp_path / "work" / "lock"
    with lock_folder(tmp_path, file, "wait"):
        again = lock_folder(tmp_path, file, "wait")
        with pytest.raises(InputError, match="another run is using this folder") as caught, again:
            pass
        assert caught.value.problems[0].where == str(tmp_path)
    with lock_folder(tmp_path, file, "wait"):
        pass
