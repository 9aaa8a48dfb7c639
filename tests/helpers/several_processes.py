"""Train strategies in the processes that torchrun starts:

    torchrun --nproc-per-node 2 -m tests.helpers.several_processes ROOT OUT

The settings are those of the test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reference_trainer.training.engine import fit
from tests.helpers.trained import small

STRATEGIES = ("plain", "elr", "co-teaching", "npn", "smart")
VALUES = {"batch_size": 3, "epochs": 4, "max_prompts": 3}


def train_all(root: Path, out: Path) -> None:
    for name in STRATEGIES:
        fit(small(root, strategy=name, **VALUES), out / name, quiet=True)


if __name__ == "__main__":
    train_all(Path(sys.argv[1]), Path(sys.argv[2]))
