"""A small trainer for action-based video object segmentation with noisy labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from reference_trainer.config.run_config import Config as Config
    from reference_trainer.inference.detection import detect as detect
    from reference_trainer.inference.predictor import predict as predict
    from reference_trainer.training.engine import fit as fit
    from reference_trainer.training.engine import resume as resume

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "Config": "config.run_config",
        "detect": "inference.detection",
        "fit": "training.engine",
        "predict": "inference.predictor",
        "resume": "training.engine",
    },
)
