"""Commands on changed published files end with a result, a difference or plain problems."""

from __future__ import annotations

import pytest

from tests.fuzz.commands import COMMANDS, run_changed


@pytest.mark.parametrize("command", COMMANDS)
def test_changed_files_are_handled(command):
    if command == "check":
        for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
            pytest.importorskip(package, reason=f"{package} is in the extra [publish]")
    for seed in range(4 if command == "check" else 12):
        assert run_changed(command, seed) in (0, 1, 2)
