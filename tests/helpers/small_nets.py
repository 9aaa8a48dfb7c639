"""Nets and batches for tests of strategies: small, and with frames and prompts that know nothing of
one another, so that what fills up cannot matter but through a strategy."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.strategies import build_strategy
from reference_trainer.strategies.base import Loss, Strategy, StrategyContext

CHANNELS = 4


class Pointwise(nn.Module):
    """A mask head: pixels (..., C, h, w) to (..., h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(CHANNELS))

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.einsum("...chw,c->...hw", pixels, self.weights)


class Pooled(nn.Module):
    """An activity head: pixels, prompts and masks to (B, K)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(CHANNELS))

    def forward(self, pixels: Tensor, prompts: Tensor, masks: Tensor) -> Tensor:
        # The first frame alone: the others may be there only to fill up.
        return pixels[:, :, 0].mean((-2, -1)) @ self.weights + prompts.sum(-1)


class SmallNet(nn.Module):
    """A model as strategies see it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(3, CHANNELS, 4, stride=4)
        self.words = nn.Embedding(20, CHANNELS)
        self.mask_head = Pointwise()
        self.activity_head = Pooled()
        self.robust_heads = nn.ModuleList()
        self.robust_activity_heads = nn.ModuleList()
        self.perturb: Any = None

    def forward(self, frames: Tensor, tokens: Tensor) -> Output:
        features = self.encoder(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        prompts = self.words(tokens).mean(2)
        pixels = features[:, None] * (1 + prompts)[:, :, None, :, None, None]
        masks = self.mask_head(pixels)
        seen = [
            self.perturb(number, pixels) if self.perturb else pixels
            for number in range(len(self.robust_heads))
        ]
        robust = [head(of) for head, of in zip(self.robust_heads, seen, strict=True)]
        activity = [
            head(of, prompts, mask)
            for head, of, mask in zip(self.robust_activity_heads, seen, robust, strict=False)
        ]
        return Output(
            masks=masks,
            activity=self.activity_head(pixels, prompts, masks),
            robust=torch.stack(robust) if robust else masks.new_zeros(0, *masks.shape),
            robust_activity=torch.stack(activity) if activity else masks.new_zeros(0, 1, 1),
        )

    def add_robust_heads(self, count: int, *, activity: bool = False) -> None:
        self.robust_heads.extend(copy.deepcopy(self.mask_head) for _ in range(count))
        if activity:
            self.robust_activity_heads.extend(
                copy.deepcopy(self.activity_head) for _ in range(count)
            )


CLIPS, PROMPTS, FRAMES, GRID = 2, 3, 2, (8, 8)
EPOCHS, STEPS = 4, 2
CONTEXT = StrategyContext(
    units=CLIPS * PROMPTS * FRAMES,
    grid=GRID,
    epochs=EPOCHS,
    steps_per_epoch=STEPS,
    seed=5,
)


def progress(step: int) -> Progress:
    return Progress(step // STEPS, EPOCHS, step, EPOCHS * STEPS, CONTEXT.seed)


def batch(seed: int = 0) -> Batch:
    """A batch whose second sequence has one prompt and one frame fewer than its first. The first is
    mirrored in odd batches."""
    draw = torch.Generator().manual_seed(seed)
    frame_mask = torch.tensor([[True, True], [True, False]])
    prompt_mask = torch.tensor([[True] * 3, [True, True, False]])
    active = (torch.rand(CLIPS, PROMPTS, generator=draw) < 0.7).float() * prompt_mask
    there = prompt_mask[:, :, None] & frame_mask[:, None]
    size = (CLIPS, PROMPTS, FRAMES, *GRID)
    masks = (torch.rand(size, generator=draw) < 0.3).float()
    units = torch.arange(CONTEXT.units).view(CLIPS, PROMPTS, FRAMES)
    return Batch(
        frames=torch.randn(CLIPS, FRAMES, 3, 32, 32, generator=draw),
        tokens=torch.randint(1, 20, (CLIPS, PROMPTS, 5), generator=draw),
        prompt_mask=prompt_mask,
        masks=masks * (active[:, :, None] * there)[..., None, None],
        weights=torch.ones(size),
        frame_mask=frame_mask,
        active=active,
        unit_ids=torch.where(there, units, -1),
        unit_mask=there,
        flipped=torch.tensor([seed % 2 == 1, False]),
    )


def filled_up(of: Batch, prompts: int, frames: int) -> Batch:
    """The same batch, wider, with nonsense where it only fills up."""

    def wider(values: Tensor, fill: float, *axes: int) -> Tensor:
        for axis, more in zip(axes, (prompts, frames), strict=False):
            size = list(values.shape)
            size[axis] = more
            values = torch.cat([values, torch.full(size, fill, dtype=values.dtype)], axis)
        return values

    def longer(values: Tensor, fill: float) -> Tensor:
        size = [values.shape[0], frames, *values.shape[2:]]
        return torch.cat([values, torch.full(size, fill, dtype=values.dtype)], 1)

    return replace(
        of,
        frames=longer(of.frames, 3.0),
        frame_mask=longer(of.frame_mask, False),
        tokens=wider(of.tokens, 7, 1),
        prompt_mask=wider(of.prompt_mask, False, 1),
        active=wider(of.active, 1, 1),
        masks=wider(of.masks, 1.0, 1, 2),
        weights=wider(of.weights, 9.0, 1, 2),
        unit_ids=wider(of.unit_ids, -1, 1, 2),
        unit_mask=wider(of.unit_mask, False, 1, 2),
    )


class Trained:
    """A strategy with its nets and optimisers, step by step."""

    def __init__(self, name: str, options: dict[str, Any] | None = None, seed: int = 0) -> None:
        self.strategy: Strategy[Any] = build_strategy(name, options or {}, CONTEXT)
        self.nets: list[Any] = []
        for number in range(self.strategy.net_count):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed + number)
                self.nets.append(SmallNet())
        self.strategy.prepare(self.nets)
        self.optimisers = [torch.optim.AdamW(net.parameters(), 0.02) for net in self.nets]

    def losses(self, step: int, of: Batch) -> list[Loss]:
        """The losses of a step, with gradients left in the nets."""
        now = progress(step)
        self.strategy.prepare_step(self.nets, now)
        outputs = [net(of.frames, of.tokens) for net in self.nets]
        losses = self.strategy.compute_losses(self.nets, outputs, of, now)
        torch.stack([loss.total for loss in losses]).sum().backward()
        return losses

    def step(self, step: int, of: Batch | None = None) -> list[float]:
        """One update; the losses before it."""
        losses = self.losses(step, batch(step % 3) if of is None else of)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return [loss.total.item() for loss in losses]

    def gradients(self) -> dict[str, Tensor | None]:
        return {
            f"{number}.{name}": None if value.grad is None else value.grad.clone()
            for number, net in enumerate(self.nets)
            for name, value in net.named_parameters()
        }

    def state(self) -> dict[str, Any]:
        return {
            "nets": [net.state_dict() for net in self.nets],
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "strategy": self.strategy.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        for net, values in zip(self.nets, state["nets"], strict=True):
            net.load_state_dict(values)
        for optimiser, values in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(values)
        self.strategy.load_state_dict(state["strategy"])
