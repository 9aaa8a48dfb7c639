"""The start of a run from a net that another run has trained."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from actiseg_data.core.errors import refuse
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from reference_trainer.batches.training_split import TrainingSplit
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import CONFIG_FILE, parse_values
from reference_trainer.config.run_config import Config
from reference_trainer.network.model import SegmentationModel
from reference_trainer.strategies import find_strategy
from reference_trainer.training.checkpoint import MODEL_FILE, load_checkpoint

_HEADS = ("mask_head.", "activity_head.")


@dataclass(frozen=True, repr=False)
class WarmStart:
    """A trained net to start from.

    Attributes
    ----------
    path : Path
        The run that trained it.
    net : mapping of str to Tensor
        Its deployed parameters.
    digest : str
        Digest of the parameters, see `digest_parameters`.
    config : Config
        The configuration of that run.
    step : int
        Its number of updates.
    videos : tuple of str
        The videos that the net has learned from, in that run and in those that it started from.
    """

    path: Path
    net: Mapping[str, Tensor]
    digest: str
    config: Config
    step: int
    videos: tuple[str, ...]

    def __repr__(self) -> str:
        return f"WarmStart({str(self.path)!r}, {self.step} steps, {len(self.videos)} videos)"

    def describe(self) -> str:
        """Describe the start, for the first lines of a run.

        It names the strategy, the steps, the number of videos, and the digest.
        """
        return (
            f"from {self.path}: {self.config.strategy}, {count_nouns(self.step, 'step')}, "
            f"{count_nouns(len(self.videos), 'video')}, parameters {self.digest}"
        )


def read_warm_start(path: str | Path, digest: str | None = None) -> WarmStart:
    """Read the trained net of a run.

    Parameters
    ----------
    path : str or Path
        The folder of a run.
    digest : str, optional
        Digest that the parameters must have.

    Raises
    ------
    InputError
        If there is no model or it is damaged, if its digest is another one, or if it does not say
        which videos it has learned from, as models of earlier releases do not.
    """
    folder = Path(path)
    file = folder / MODEL_FILE
    if not file.is_file():
        hint = "give a folder that actiseg-train fit made; a stopped run names it as init in "
        raise refuse(f"has no {MODEL_FILE} to start from", folder, hint + CONFIG_FILE)
    document = load_checkpoint(file)
    if document["videos"] is None:
        raise refuse(
            "does not say which videos it has learned from; it was written by an earlier release",
            file,
            "train it again",
        )
    own_digest = digest_parameters(document["net"])
    if digest is not None and own_digest != digest:
        raise refuse(
            f"has the parameters {own_digest}, not {digest}",
            file,
            "restore it, or give its own digest",
        )
    return WarmStart(
        path=folder,
        net=document["net"],
        digest=own_digest,
        config=make_config(parse_values(document["config"], file), str(file)),
        step=document["step"],
        videos=tuple(document["videos"]),
    )


def load_warm_start(net: SegmentationModel, start: WarmStart, number: int) -> None:
    """Copy the parameters of a start into an untrained net.

    Nets that start alike and get the same batches stay alike. So all but the first keep the heads
    that their own seed gave them.

    Parameters
    ----------
    net : SegmentationModel
        Without robust heads.
    start : WarmStart
    number : int
        Number of the net in its run.

    Raises
    ------
    InputError
        If names or shapes of parameters differ; the error names the settings that do.
    """
    own = net.state_dict()
    if {name: value.shape for name, value in own.items()} != {
        name: value.shape for name, value in start.net.items()
    }:
        sizes = ("encoder", "channels", "prompt_width")
        settings = ", ".join(f"{name}={getattr(start.config, name)}" for name in sizes)
        raise refuse(
            "has parameters of other names or shapes than the net of this run",
            start.path,
            f"give the settings of that run: {settings}",
        )
    taken = {
        name: value
        for name, value in start.net.items()
        if number == 0 or not name.startswith(_HEADS)
    }
    net.load_state_dict({**own, **taken})


def refuse_missing_start(config: Config) -> None:
    """Raise an error if a strategy needs a trained net to start from, and the run has none."""
    if find_strategy(config.strategy).needs_start and config.init is None:
        what = f"{config.strategy} stays near the net that a run starts from, and there is none"
        raise refuse(what, "`init`", "give a run whose net was trained on other videos")


def refuse_other_encoder(start: WarmStart, encoder: str) -> None:
    """Raise an error if a start has another encoder than a run.

    Encoders may differ although the names and shapes of their parameters are the same.
    """
    if start.config.encoder != encoder:
        raise refuse(
            f"has the encoder {start.config.encoder}, not {encoder}",
            start.path,
            f"give `encoder` {start.config.encoder}",
        )


def refuse_overlap(
    learned: Iterable[str], split: TrainingSplit, run: Path, *, what: str, hint: str
) -> None:
    """Raise an error if a start has learned from videos of a split.

    Its labels there, such as clean ones, would reach a run that must not know them.

    Parameters
    ----------
    learned : iterable of str
        The videos that the start has learned from.
    split : TrainingSplit
    run : Path
        The run that the error is about.
    what, hint : str
        The beginning of the error, up to the videos, and its hint.
    """
    videos = split.videos
    seen = sorted(videos.intersection(learned))
    if seen:
        raise refuse(
            f"{what} {len(seen)} of the {len(videos)} videos of {split.clean.name} in "
            f"{split.clean.root}: {format_names(seen)}",
            run,
            hint,
        )


def digest_parameters(parameters: Mapping[str, Tensor]) -> str:
    """Compute a digest of parameters by name, whatever file they are in.

    Returns
    -------
    str
        32 hexadecimal digits (BLAKE2b-128).

    Examples
    --------
    >>> import torch
    >>> one, other = {"a": torch.zeros(2)}, {"a": torch.zeros(2, 1)}
    >>> digest_parameters(one) == digest_parameters(other)
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(parameters.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        content = value.detach().cpu().contiguous().flatten()
        digest.update(content.view(torch.uint8).numpy().tobytes())  # numpy lacks some types
    return digest.hexdigest()
