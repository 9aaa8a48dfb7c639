"""A run in memory: what it is made of, and how far it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from actiseg_data.core.keys import make_key
from reference_trainer.batch import Progress
from reference_trainer.batches.loader import Loader, Sampling
from reference_trainer.batches.training_split import Material, content_digest, open_material
from reference_trainer.config import Config
from reference_trainer.devices import pick_device
from reference_trainer.network.model import Model
from reference_trainer.strategies import build
from reference_trainer.strategies.base import Strategy, Task

_ALGORITHM = 1


@dataclass
class Run:
    """A run in memory: everything that a checkpoint holds, and what it was made of.

    content: digest of what is learnt from. step: steps done. saved: those that the checkpoint on
    disk holds, 0 where there is none. seconds, flops: spent on them, over all sittings.
    step_flops: of the step that was counted last. handled: counts of what was odd.
    """

    folder: Path
    config: Config
    material: Material
    loader: Loader
    device: torch.device
    strategy: Strategy[Any]
    nets: list[Model]
    optimisers: list[torch.optim.AdamW]
    content: str
    step: int = 0
    saved: int = 0
    seconds: float = 0.0
    flops: float = 0.0
    step_flops: float = 0.0
    handled: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.config.epochs * self.loader.steps

    @property
    def parameters(self) -> int:
        """Of the net that predicts."""
        return sum(value.numel() for value in self.nets[0].deployed_state().values())

    def progress(self, step: int | None = None) -> Progress:
        """Where the run is, or was at another step, as strategies are told."""
        step = self.step if step is None else step
        epoch = step // self.loader.steps
        return Progress(epoch, self.config.epochs, step, self.steps, self.config.seed)

    @property
    def stands(self) -> str:
        """What is on disk, to be told."""
        return f"the checkpoint of step {self.saved} stands" if self.saved else "none was saved"

    @property
    def is_new_kind(self) -> bool:
        """Whether the next step may cost other than the one before: in a new epoch, or where the
        strategy enters another phase.
        """
        if self.step % self.loader.steps == 0:
            return True
        phases = (self.strategy.phase(self.progress(self.step - back)) for back in (0, 1))
        return len(set(phases)) > 1

    def describe(self) -> str:
        """What is trained on what, for the first lines."""
        split = self.material.clean
        noise = "" if self.config.noisy is None else f", labels of {self.config.noisy}"
        painted = ", frames are painted, no photographs" if self.material.rendered else ""
        odd = "".join(
            f", {name.replace('_', ' ')} {count}" for name, count in self.material.handled.items()
        )
        many = f"{len(self.nets)} nets of " if len(self.nets) > 1 else ""
        return (
            f"{split.name} of {split.root}{noise}: {len(self.material.clips)} clips, "
            f"{self.material.prompts} prompts{painted}{odd}\n"
            f"{self.config.strategy}, {many}{self.parameters:,} parameters, {self.steps} steps on "
            f"{self.device}" + "".join(f"\nnote: {note}" for note in self.strategy.notes)
        )


def assemble(config: Config, folder: Path) -> Run:
    """Everything that a run needs, before its first step."""
    device = pick_device(config.device)
    noisy = None if config.noisy is None else Path(config.noisy)
    material = open_material(
        Path(config.dataset), config.split, noisy=noisy, style=config.prompt_style
    )
    steps = -(-len(material.clips) // config.clips)
    grid = config.height // 4, config.width // 4
    task = Task(material.units, grid, config.epochs, steps, config.seed)
    strategy = build(config.strategy, config.options, task)
    sampling = Sampling(
        size=config.size,
        clips=config.clips,
        frames=config.frames,
        prompts=config.prompts,
        augment=config.augment,
        weighted=strategy.weighted,
        seed=config.seed,
        memory=config.memory_mib << 20,
    )
    nets = [make_model(config, number).to(device) for number in range(strategy.nets)]
    strategy.prepare(list(nets))
    optimisers = [
        torch.optim.AdamW(net.parameters(), config.rate, weight_decay=config.weight_decay)
        for net in nets
    ]
    loader = Loader(material, sampling)
    content = content_digest(material)
    return Run(folder, config, material, loader, device, strategy, nets, optimisers, content)


def make_model(config: Config, number: int = 0) -> Model:
    """The model of a configuration, as it is before the first step. number: of the net, each of
    which has a beginning of its own.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(
            int.from_bytes(make_key(config.seed, _ALGORITHM, "net", number)[:7], "little")
        )
        return Model(config.encoder, config.channels, config.prompt_width)
