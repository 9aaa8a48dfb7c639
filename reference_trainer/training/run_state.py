"""The state of a run in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from actiseg_data.core.keys import make_key
from actiseg_data.core.plurals import count_nouns
from reference_trainer.batch import Progress
from reference_trainer.batches.content_digest import digest_content
from reference_trainer.batches.loader import BatchLoader, BatchSettings
from reference_trainer.batches.mask_grid import STRIDE
from reference_trainer.batches.training_split import TrainingSplit, open_training_split
from reference_trainer.batches.untouched_labels import restrict_to_untouched
from reference_trainer.config.run_config import Config
from reference_trainer.devices import pick_device
from reference_trainer.network.encoder_loading import build_encoder
from reference_trainer.network.model import SegmentationModel
from reference_trainer.strategies import build_strategy
from reference_trainer.strategies.base import Strategy, StrategyContext
from reference_trainer.training.memorisation import MemorisationMeter
from reference_trainer.training.processes import (
    ALONE,
    Processes,
    SharedModel,
    choose_own_device,
    refuse_strategy,
)
from reference_trainer.training.warm_start import (
    WarmStart,
    load_warm_start,
    refuse_missing_start,
    refuse_other_encoder,
    refuse_overlap,
)

_ALGORITHM = 1


@dataclass(repr=False)
class Run:
    """The state of a run: the contents of a checkpoint, and the objects that it belongs to.

    Attributes
    ----------
    folder : Path
    config : Config
    split : TrainingSplit
    loader : BatchLoader
    device : torch.device
    strategy : Strategy
    nets : list of SegmentationModel
    optimisers : list of AdamW
    content : str
        Digest of the training data.
    start : WarmStart, optional
        The net that this run starts from; None for a run from scratch, or a resumed one.
    start_videos : tuple of str
        The videos that the start has learned from.
    step : int
        Steps that are done.
    saved_step : int
        Step of the checkpoint on disk; 0 if there is none.
    seconds, flops : float
        Computing time and floating-point operations, including those before a resume.
    step_flops : float
        Operations of the last step that was counted.
    handled : Counter of str
        Counts of special cases.
    processes : Processes
    meter : MemorisationMeter, optional
        None without noisy labels, or if the setting `meter` is off.
    """

    folder: Path
    config: Config
    split: TrainingSplit
    loader: BatchLoader
    device: torch.device
    strategy: Strategy[Any]
    nets: list[SegmentationModel]
    optimisers: list[torch.optim.AdamW]
    content: str
    start: WarmStart | None = None
    start_videos: tuple[str, ...] = ()
    step: int = 0
    saved_step: int = 0
    seconds: float = 0.0
    flops: float = 0.0
    step_flops: float = 0.0
    handled: Counter[str] = field(default_factory=Counter)
    processes: Processes = ALONE
    meter: MemorisationMeter | None = None

    def __repr__(self) -> str:
        return (
            f"Run({str(self.folder)!r}, {self.config.strategy!r}, step {self.step} of {self.steps})"
        )

    @property
    def steps(self) -> int:
        """Steps of the whole schedule."""
        return self.config.epochs * self.loader.steps

    @property
    def last_step(self) -> int:
        """Steps after which the run ends: all, or the share `stop_after` of them, rounded."""
        return max(round(self.config.stop_after * self.steps), 1)

    @property
    def parameter_count(self) -> int:
        """Number of parameters of the net that predicts."""
        return sum(value.numel() for value in self.nets[0].get_deployed_state().values())

    def make_progress(self, step: int | None = None) -> Progress:
        """Return the position of the current step, or of another one."""
        step = self.step if step is None else step
        epoch = step // self.loader.steps
        return Progress(epoch, self.config.epochs, step, self.steps, self.config.seed)

    @property
    def checkpoint_note(self) -> str:
        """The state on disk, for messages."""
        if self.saved_step:
            return f"the checkpoint of step {self.saved_step} was kept"
        return "no checkpoint was saved"

    @property
    def is_new_phase(self) -> bool:
        """Whether the next step begins an epoch or another phase of the strategy.

        Its number of operations may differ from that of the step before.
        """
        if self.step % self.loader.steps == 0:
            return True
        phases = (self.strategy.get_phase(self.make_progress(self.step - back)) for back in (0, 1))
        return len(set(phases)) > 1

    def describe(self) -> str:
        """Describe the data, the strategy and the nets, for the first lines of output."""
        clean = self.split.clean
        noise = "" if self.config.noisy is None else f", labels of {self.config.noisy}"
        if self.config.noise is not None:
            noise = f", noise on the fly by {self.config.noise}"
        rendered = ", rendered frames" if self.split.rendered else ""
        handled = "".join(
            f", {name.replace('_', ' ')} {count}" for name, count in self.split.handled.items()
        )
        nets = f"{len(self.nets)} nets of " if len(self.nets) > 1 else ""
        count = self.processes.count
        processes = f" in {count} processes" if count > 1 else ""
        frozen = " (frozen)" if self.config.freeze_encoder else ""
        return (
            f"{clean.name} of {clean.root}{noise}: "
            f"{count_nouns(len(self.split.sequences), 'sequence')}, "
            f"{count_nouns(self.split.prompt_count, 'prompt')}{rendered}{handled}\n"
            f"{self.config.strategy}, encoder {self.config.encoder}{frozen}, "
            f"{nets}{self.parameter_count:,} parameters, {self._describe_steps()} on "
            f"{self.device}{processes}"
            + ("" if self.start is None else f"\nstart {self.start.describe()}")
            + "".join(f"\nnote: {note}" for note in self._list_notes())
        )

    def _describe_steps(self) -> str:
        if self.last_step == self.steps:
            return f"{self.steps} steps"
        return f"{self.last_step} of {self.steps} steps (stop_after {self.config.stop_after:g})"

    def _list_notes(self) -> list[str]:
        notes = list(self.strategy.notes)
        if self.step == self.last_step:
            notes.append(f"this run is finished: it has done {self._describe_steps()}")
        if self.config.freeze_encoder and self.config.encoder == "tiny" and not self.config.init:
            notes.append(
                "the encoder tiny has no pretrained weights, so random ones are frozen; it learns "
                "if the run starts from a trained net or the encoder is not frozen"
            )
        return notes


def assemble_run(
    config: Config,
    folder: Path,
    start: WarmStart | None = None,
    *,
    pretrained: bool = True,
    processes: Processes = ALONE,
) -> Run:
    """Build everything that a run needs before its first step.

    Parameters
    ----------
    config : Config
    folder : Path
        The folder of the run.
    start : WarmStart, optional
        The net to start from. None: from scratch, or from a checkpoint that is restored next.
    pretrained : bool
        Whether a run from scratch needs the pretrained weights of its encoder. A checkpoint has
        its own.
    processes : Processes
        The processes that share each batch.

    Raises
    ------
    InputError
        If the data, the encoder, the strategy or the device cannot be used, if the strategy needs
        a start, or if the start does not fit or has learned from a video of the split.
    """
    refuse_missing_start(config)
    device = pick_device(choose_own_device(config.device, processes))
    split = open_training_split(
        config.dataset,
        config.split,
        noisy=config.noisy,
        noise=config.noise,
        prompt_style=config.prompt_style,
    )
    if config.labels == "untouched":
        split = restrict_to_untouched(split)
    context = StrategyContext(
        units=split.unit_count,
        grid=(config.height // STRIDE, config.width // STRIDE),
        epochs=config.epochs,
        steps_per_epoch=-(-len(split.sequences) // config.batch_size),
        seed=config.seed,
    )
    strategy = build_strategy(config.strategy, config.options, context)
    refuse_strategy(config.strategy, getattr(strategy.options, "heads", 0), processes)
    settings = BatchSettings(
        size=config.size,
        batch_size=config.batch_size,
        max_frames=config.max_frames,
        max_prompts=config.max_prompts,
        augment=config.augment,
        weighted=strategy.uses_weights,
        seed=config.seed,
        cache_bytes=config.memory_mib << 20,
    )
    if start is not None:
        refuse_other_encoder(start, config.encoder)
    is_new = start is None and pretrained
    nets = [
        make_model(config, number, pretrained=is_new, processes=processes)
        for number in range(strategy.net_count)
    ]
    if start is not None:
        refuse_overlap(
            start.videos,
            split,
            start.path,
            what="has learned from",
            hint="start from a net that was trained on other videos",
        )
        for number, net in enumerate(nets):
            load_warm_start(net, start, number)
    nets = [net.to(device) for net in nets]
    strategy.prepare(list(nets))
    optimisers = [
        torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        for net in nets
    ]
    loader = BatchLoader(split, settings)
    has_meter = config.meter and config.has_noise
    return Run(
        folder=folder,
        config=config,
        split=split,
        loader=loader,
        device=device,
        strategy=strategy,
        nets=nets,
        optimisers=optimisers,
        content=digest_content(split),
        start=start,
        start_videos=() if start is None else start.videos,
        processes=processes,
        meter=MemorisationMeter(loader, config.seed) if has_meter else None,
    )


def make_model(
    config: Config,
    number: int = 0,
    *,
    pretrained: bool = True,
    processes: Processes = ALONE,
) -> SegmentationModel:
    """Build the untrained model of a configuration.

    Parameters
    ----------
    config : Config
    number : int
        Number of the net. Each net starts from other parameters.
    pretrained : bool
        Whether to load the pretrained weights of the encoder, if it has such.
    processes : Processes
        The processes that share each batch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(
            int.from_bytes(make_key(config.seed, _ALGORITHM, "net", number)[:7], "little")
        )
        encoder = build_encoder(config.encoder, config.size, pretrained=pretrained)
        kind = SegmentationModel if processes.count == 1 else SharedModel
        model = kind(
            encoder,
            config.channels,
            config.prompt_width,
            freeze_encoder=config.freeze_encoder,
            # Augmented frames never come again.
            cache_bytes=0 if config.augment else config.memory_mib << 20,
        )
    if isinstance(model, SharedModel):
        model.processes = processes
    return model
