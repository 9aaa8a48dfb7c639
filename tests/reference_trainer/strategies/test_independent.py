"""Values and gradients of all strategies against independent versions in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from reference_trainer.strategies import STRATEGIES
from reference_trainer.strategies.npn import _recolour_frames
from tests.helpers import numpy_strategies as by_hand
from tests.helpers.numpy_strategies import Arrays, Logits
from tests.helpers.small_nets import EPOCHS, STEPS, Trained, batch, progress

RELEASED = {"arithmetic": "released"}
LAST = EPOCHS * STEPS - 1
"""A step after all warm-ups."""

Total = Callable[[Logits], float]


def _to_arrays(now: Any) -> Arrays:
    return Arrays(
        now.masks.double().numpy(),
        now.active.double().numpy(),
        now.prompt_mask.numpy(),
        now.frame_mask.numpy(),
    )


def _to_logits(output: Any) -> Logits:
    robust = output.robust[0].detach().double().numpy() if len(output.robust) else None
    masks, activity = (of.detach().double().numpy() for of in (output.masks, output.activity))
    return Logits(masks, activity, robust)


def _see(trained: Trained, now: Any, frames: Any = None, net: int = 0) -> Any:
    """The logits of a net as arrays, without a trace in the strategy."""
    with torch.no_grad():
        return _to_logits(trained.nets[net](now.frames if frames is None else frames, now.tokens))


def _compare(
    trained: Trained, now: Any, step: int, make: Callable[[list[Logits]], list[Total]]
) -> float:
    """The largest relative difference of values and of slopes along random directions."""
    trained.strategy.prepare_step(trained.nets, progress(step))
    outputs = []
    for net in trained.nets:
        output = net(now.frames, now.tokens)
        outputs.append(
            replace(
                output,
                masks=output.masks.detach().requires_grad_(),
                activity=output.activity.detach().requires_grad_(),
            )
        )
    seen = [_to_logits(output) for output in outputs]
    losses = trained.strategy.compute_losses(trained.nets, outputs, now, progress(step))
    totals = make(seen)
    worst = 0.0
    draws = np.random.default_rng(0)
    for output, logits, loss, total in zip(outputs, seen, losses, totals, strict=True):
        expected = total(logits)
        worst = max(worst, abs(loss.total.item() - expected) / abs(expected))
        slopes = torch.autograd.grad(loss.total, [output.masks, output.activity])
        masks, activity = (slope.double().numpy() for slope in slopes)
        size = np.sqrt((masks**2).sum() + (activity**2).sum())
        for _ in range(4):
            along = Logits(draws.normal(size=masks.shape), draws.normal(size=activity.shape))
            got = (masks * along.masks).sum() + (activity * along.activity).sum()
            ends = [
                total(
                    replace(
                        logits,
                        masks=logits.masks + sign * 1e-6 * along.masks,
                        activity=logits.activity + sign * 1e-6 * along.activity,
                    )
                )
                for sign in (1, -1)
            ]
            worst = max(worst, abs(got - (ends[0] - ends[1]) / 2e-6) / size)
    return worst


def _prompts(loss: Callable[..., Any], now: Any, *more: Any, **named: Any) -> Total:
    arrays = _to_arrays(now)
    return lambda net: by_hand.over_prompts(loss(net, arrays, *more, **named), arrays)


PIXEL: dict[tuple[str, bool], Any] = {
    ("plain", False): by_hand.focal,
    ("gce", False): by_hand.scaled(by_hand.gce),
    ("sce", False): by_hand.scaled(by_hand.sce),
    ("apl", False): by_hand.scaled(by_hand.apl),
    ("gce", True): lambda z, y: by_hand.focal(z, y) + by_hand.gce_released(z, y),
    ("sce", True): lambda z, y: by_hand.focal(z, y) + by_hand.sce_released(z, y),
    ("apl", True): lambda z, y: by_hand.focal(z, y) + by_hand.apl_released(z, y),
    ("elr", True): by_hand.elr_released,
}


def _compare_pixels(name: str, released: bool) -> float:
    now = batch()
    loss = by_hand.plain_released if released else by_hand.plain
    total = _prompts(loss, now, PIXEL[name, released])
    return _compare(Trained(name, RELEASED if released else {}), now, LAST, lambda _: [total])


def _compare_action_focal(released: bool) -> float:
    now = batch()
    now.weights[:] = torch.rand(now.weights.shape, generator=torch.Generator().manual_seed(1))
    weights = now.weights.double().numpy()
    total = _prompts(by_hand.plain, now, lambda z, y: weights * by_hand.focal(z, y))
    return _compare(Trained("action-focal"), now, LAST, lambda _: [total])


def _compare_elr(released: bool) -> float:
    if released:
        return _compare_pixels("elr", True)
    trained, now = Trained("elr"), batch()
    history = []
    for step in range(3):
        history.append(_see(trained, now).masks)
        trained.step(step, now)

    def make(seen: list[Logits]) -> list[Total]:
        targets = by_hand.fix_elr_targets([*history, seen[0].masks])
        return [_prompts(by_hand.plain, now, by_hand.elr(targets, 1 / 3))]

    return _compare(trained, now, LAST, make)


def _compare_co_teaching(released: bool) -> float:
    trained, now = Trained("co-teaching", RELEASED if released else {"ramp_epochs": 1}), batch(8)
    arrays = _to_arrays(now)
    sizes = [5] if released else [3, 2]
    counts = trained.strategy._count_kept(sizes, progress(LAST))
    assert 0 < sum(counts) < 5

    def make(seen: list[Logits]) -> list[Total]:
        return [
            lambda net, other=other: by_hand.co_teaching(net, other, arrays, counts)  # type: ignore[misc]
            for other in reversed(seen)
        ]

    return _compare(trained, now, LAST, make)


def _compare_npn(released: bool) -> float:
    now = batch()
    trained = Trained("npn", {"warmup": 0.0} | (RELEASED if released else {}))
    guesses = []
    for step in range(0 if released else 2):
        guesses.append((_see(trained, now).masks > 0).astype(float))
        trained.step(step, now)
    strong = _see(trained, now, _recolour_frames(now, progress(LAST))).masks

    def make(seen: list[Logits]) -> list[Total]:
        guess = (seen[0].masks > 0).astype(float)
        if released:
            return [_prompts(by_hand.npn_released, now, strong, guess)]
        return [_prompts(by_hand.npn, now, strong, [*guesses, guess])]

    return _compare(trained, now, LAST, make)


def _compare_smart(released: bool) -> float:
    trained, now = Trained("smart", RELEASED if released else {}), batch()
    for step in range(4):
        trained.step(step)
    teacher = Trained("plain")
    teacher.nets[0].load_state_dict(trained.strategy.state_dict())
    known, step = _see(teacher, now).masks, 5
    share = 1 - (step / (EPOCHS * STEPS) - 0.2) / 0.5 * 0.85
    total = _prompts(by_hand.smart, now, known, share, released)
    return _compare(trained, now, step, lambda _: [total])


def _compare_pmhm(released: bool) -> float:
    options = RELEASED | {"warmup": 0} if released else {"every": 1, "warmup": 0}
    trained, now = Trained("pmhm", options), batch()
    arrays = _to_arrays(now)
    for step in range(3):
        trained.step(step)
    weight = 0.7 if released else 0.5

    def make(seen: list[Logits]) -> list[Total]:
        regions = by_hand.fix_regions(seen[0], arrays, clip=released)
        return [lambda net: by_hand.pmhm(net, arrays, regions, weight, released=released)]

    return _compare(trained, now, LAST, make)


def _compare_distil(released: bool) -> float:
    trained, now = Trained("distil", {"strength": 3.0}), batch()
    start = _see(trained, now)
    for step in range(3):
        trained.step(step)
    return _compare(
        trained, now, LAST, lambda _: [_prompts(by_hand.distil, now, start, strength=3.0)]
    )


COMPARE: dict[str, Callable[[bool], float]] = {
    "action-focal": _compare_action_focal,
    "co-teaching": _compare_co_teaching,
    "elr": _compare_elr,
    "npn": _compare_npn,
    "smart": _compare_smart,
    "pmhm": _compare_pmhm,
    "distil": _compare_distil,
}
CASES = [
    (name, released)
    for name, info in STRATEGIES.items()
    for released in ([False, True] if info.released else [False])
]


@pytest.mark.parametrize(("name", "released"), CASES)
def test_strategies_are_the_independent_versions(name: str, released: bool) -> None:
    """ELR's targets are kept in float16; all else is single precision."""
    compare = COMPARE.get(name)
    worst = compare(released) if compare else _compare_pixels(name, released)
    assert worst < (1e-3 if name == "elr" and not released else 2e-5), worst


def test_npn_warms_up_as_the_independent_version() -> None:
    now = batch()
    total = _prompts(by_hand.plain, now, by_hand.npn_warm)
    assert _compare(Trained("npn"), now, 0, lambda _: [total]) < 2e-5
