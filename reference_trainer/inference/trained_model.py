"""The model that a run has trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from actiseg_data.core.errors import refuse
from actiseg_data.core.plurals import count_nouns
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import parse_values
from reference_trainer.config.run_config import Config
from reference_trainer.devices import pick_device
from reference_trainer.network.encoder_loading import is_entry_point, resolve_encoder_name
from reference_trainer.network.model import SegmentationModel
from reference_trainer.training.checkpoint import MODEL_FILE, load_checkpoint, report_damage
from reference_trainer.training.run_state import make_model


@dataclass(frozen=True, repr=False)
class TrainedModel:
    """A model that a run has trained.

    Attributes
    ----------
    model : SegmentationModel
    config : Config
    recipe_digest : str or None
        Digest of the noise in the training labels.
    rendered : bool
        Whether the training frames were rendered.
    step : int
        Number of updates.
    device : torch.device
    start_videos : frozenset of str
        The videos that the net had learned from when the run began.
    """

    model: SegmentationModel
    config: Config
    recipe_digest: str | None
    rendered: bool
    step: int
    device: torch.device
    start_videos: frozenset[str]

    def __repr__(self) -> str:
        return (
            f"TrainedModel({self.config.strategy!r}, {count_nouns(self.step, 'step')}, "
            f"{str(self.device)!r})"
        )

    def describe(self, run: Path) -> str:
        """Describe the model for the note that predictions have."""
        rendered = ", trained on rendered frames" if self.rendered else ""
        return f"{self.config.strategy}, {count_nouns(self.step, 'step')} ({run.name}){rendered}"


def load_model(run: str | Path, device: str = "auto", encoder: str | None = None) -> TrainedModel:
    """Load the model of a run's last checkpoint; see `load_checkpoint` for its errors.

    Parameters
    ----------
    run : str or Path
        Folder that `fit` made.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    encoder : str, optional
        Name of the encoder that the model must have. Required for a ``package.module:factory``: a
        file alone never decides which code runs.
    """
    chosen = pick_device(device)
    path = Path(run) / MODEL_FILE
    document = load_checkpoint(path)
    config = make_config(parse_values(document["config"], path), str(path))
    _refuse_encoder(config.encoder, encoder, path)
    # Each frame is predicted once, so there is nothing to cache.
    model = make_model(replace(config, memory_mib=0), pretrained=False)
    with report_damage(path):
        model.load_state_dict(document["net"])
    model.to(chosen).eval()
    return TrainedModel(
        model=model,
        config=config,
        recipe_digest=document["recipe_digest"],
        rendered=document["rendered"],
        step=document["step"],
        device=chosen,
        start_videos=frozenset(map(str, document["start_videos"] or ())),
    )


def _refuse_encoder(name: str, confirmed: str | None, path: Path) -> None:
    """Raise an error if a model has another encoder than the caller says, or one to confirm."""
    if confirmed is None and is_entry_point(name):
        raise refuse(
            f"has the encoder {name}, which runs code of that module",
            path,
            f"if you trust it, give `encoder` {name}",
        )
    if confirmed is not None and resolve_encoder_name(confirmed) != name:
        raise refuse(f"has the encoder {name}, not {confirmed}", path, f"give `encoder` {name}")
