"""Reports of benchmarks that never ran, as `actiseg-train bench` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INTERVAL = [0.25, 0.75]


def make_figure(value: float, seeds: int = 2) -> dict[str, Any]:
    return {
        "value": value,
        "interval": INTERVAL,
        "seeds": [value] * seeds,
        "kept": 0.5,
        "kept_interval": [-0.25, 1.25],
        "gain": None,
        "tuned_gain": None,
    }


def make_row(method: str, value: float, *, control: bool = False) -> dict[str, Any]:
    return {
        "method": method,
        "variant": "",
        "control": control,
        "seeds": [0, 1],
        "figures": {"p_miou_ungated": make_figure(value), "auroc": make_figure(0.875)},
        "meter": {},
        "seconds": None,
        "predictions": [{"fold": 0, "seed": seed, "digest": f"{seed:032x}"} for seed in (0, 1)],
    }


def make_cell(name: str, *noises: tuple[str, str]) -> dict[str, Any]:
    return {
        "cell": name,
        "about": f"noise | of {name}",
        "labels": 0.5625,
        "noises": [{"recipe": recipe, "clean": clean} for recipe, clean in noises],
        "rows": [
            make_row("frozen", 0.125, control=True),
            make_row("clean", 0.375, control=True),
            make_row("plain", 0.25),
            make_row("gce", 0.3125),
            make_row("half", 0.1875, control=True),
        ],
        "modes": [],
    }


def make_report(*cells: dict[str, Any]) -> dict[str, Any]:
    arm = {
        "name": "S",
        "about": "synthetic clips",
        "rendered": True,
        "videos": 7,
        "gains": {},
        "cells": list(cells),
    }
    return {
        "schema": "actiseg/bench-report/2",
        "plan": "made",
        "about": "a report of a test",
        "seeds": [0, 1],
        "arms": [arm],
        "primary": [],
        "untuned": [],
        "lacking": [],
        "profiles": [],
        "tuning": [],
        "failed": [],
        "left_out": [],
        "runs": 10,
        "hours": 1.5,
    }


def write_report(path: Path, *cells: dict[str, Any]) -> Path:
    path.write_text(json.dumps(make_report(*cells)))
    return path
