"""Run a command line in its own process."""

from __future__ import annotations

import os
import subprocess
import sys


def run(*arguments, cwd=None, module="actiseg_noise.cli", code=None, **environment):
    """Run a module's command line, or `code` with the same arguments."""
    start = ["-m", module] if code is None else ["-c", code]
    inherited = {name: value for name, value in os.environ.items() if name != "ACTISEG_DATASET"}
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=inherited | own | environment,
    )
