"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def run(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "actiseg_noise.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100"} | environment,
    )
