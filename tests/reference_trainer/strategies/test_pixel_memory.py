"""Strategies that remember or choose: co-teaching, ELR, NPN, SMART, each computed another way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from reference_trainer.strategies import build_strategy
from reference_trainer.strategies import losses as of
from reference_trainer.strategies.npn import _recolour_frames
from reference_trainer.strategies.pixel_memory import BatchUnits
from tests.helpers.small_nets import (
    CLIPS,
    CONTEXT,
    FRAMES,
    GRID,
    PROMPTS,
    STEPS,
    Trained,
    batch,
    progress,
)

RAW: dict[str, Any] = {"scale": "raw"}


def _logits(trained: Trained, now: Any, net: int = 0) -> Any:
    with torch.no_grad():
        return trained.nets[net](now.frames, now.tokens).masks


def _per_prompt(values: Any, now: Any) -> Any:
    """(B, K) means over shown pixels, by a loop."""
    means = torch.zeros(CLIPS, PROMPTS)
    for clip in range(CLIPS):
        means[clip] = values[clip][:, now.frame_mask[clip]].mean((1, 2, 3))
    return means


# Co-teaching.


def test_each_net_learns_from_what_the_other_finds_easy() -> None:
    """Of active and of inactive prompts apart: the smallest losses never drop active ones alone."""
    trained = Trained("co-teaching", {"assume_rate": 0.5, "ramp_epochs": 1})
    now, step = batch(8), STEPS  # epoch 1: R = 0.5
    losses = []
    for net in trained.nets:
        alone = Trained("plain")
        output = net(now.frames, now.tokens)
        terms = alone.strategy.compute_terms(net, output, now, progress(step))
        losses.append(sum(terms.values()).detach())
    groups = [
        [tuple(place) for place in (now.prompt_mask & (now.active == active)).nonzero().tolist()]
        for active in (1, 0)
    ]
    counts = trained.strategy._count_kept([len(group) for group in groups], progress(step))
    assert all(0 < count < len(group) for count, group in zip(counts, groups, strict=True))
    got = trained.losses(step, now)
    for mine, other, loss in ((0, 1, got[0]), (1, 0, got[1])):
        easy = []
        for group, count in zip(groups, counts, strict=True):
            ranked = sorted(group, key=lambda place: losses[other][place].item())
            easy += [losses[mine][place].item() for place in ranked[:count]]
        assert loss.total.item() == pytest.approx(np.mean(easy), rel=1e-5)


def test_a_nets_loss_reaches_that_net_alone() -> None:
    trained = Trained("co-teaching")
    now = batch()
    outputs = [net(now.frames, now.tokens) for net in trained.nets]
    first, _ = trained.strategy.compute_losses(trained.nets, outputs, now, progress(0))
    first.total.backward()
    assert any(value.grad is not None for value in trained.nets[0].parameters())
    assert all(value.grad is None for value in trained.nets[1].parameters())


def test_few_samples_keep_the_share_on_average_and_one_at_least() -> None:
    strategy = build_strategy("co-teaching", {"ramp_epochs": 1}, CONTEXT)
    for groups in ([1, 0], [0, 2], [1, 1], [3, 7]):
        kept = np.array(
            [strategy._count_kept(groups, replace(progress(STEPS), step=at)) for at in range(2000)]
        )
        assert kept.sum(1).min() >= 1
        assert (kept <= groups).all()
        if sum(groups) > 2:
            assert kept.mean(0) == pytest.approx(0.8 * np.array(groups), abs=0.05)
    assert strategy._count_kept([10, 5], progress(STEPS)) == [8, 4]  # whole: no draw
    assert strategy._count_kept([0, 0], progress(STEPS)) == [0, 0]


def test_released_keep_shares() -> None:
    task = replace(CONTEXT, epochs=8)
    strategy = build_strategy("co-teaching", {"arithmetic": "released"}, task)
    shares = [round(strategy.compute_keep_share(epoch), 3) for epoch in range(8)]
    assert shares == [0.950, 0.933, 0.917, 0.900, 0.883, 0.867, 0.85, 0.85]
    assert strategy._count_kept([9], progress(0)) == [8]  # int(9 * 0.95)


def test_exponent_bends_the_ramp() -> None:
    strategy = build_strategy(
        "co-teaching", {"exponent": 2.0, "ramp_epochs": 4}, replace(CONTEXT, epochs=9)
    )
    assert strategy.compute_keep_share(2) == pytest.approx(1 - 0.2 * 0.25)


# What is remembered.


def test_seen_maps_a_batch_to_units_and_back_through_the_mirror() -> None:
    now = batch(1)  # its first sequence is mirrored
    values = torch.randn(CLIPS, PROMPTS, FRAMES, *GRID)
    seen = BatchUnits.from_batch(now)
    rows = seen.gather(values)
    for number, row in zip(seen.numbers.tolist(), rows, strict=True):
        clip, prompt, frame = np.unravel_index(number, (CLIPS, PROMPTS, FRAMES))
        expected = values[clip, prompt, frame]
        assert torch.equal(row, expected.flip(-1) if clip == 0 else expected)
    there = (now.unit_ids >= 0)[..., None, None]
    assert torch.equal(seen.spread(rows), torch.where(there, values, 0))


def test_a_unit_shown_twice_counts_once_by_its_first_showing() -> None:
    now = batch()
    now.unit_ids[0, 0] = 3
    values = torch.randn(CLIPS, PROMPTS, FRAMES, *GRID)
    seen = BatchUnits.from_batch(now)
    assert seen.numbers.tolist() == sorted(set(now.unit_ids[now.unit_ids >= 0].tolist()))
    row = seen.gather(values)[seen.numbers.tolist().index(3)]
    assert torch.equal(row, values[0, 0, 0])
    back = seen.spread(seen.gather(values))
    assert torch.equal(back[0, 0, 0], back[0, 0, 1])


# ELR.


def test_elr_over_showings_by_the_papers_rule() -> None:
    """Two classes with a target each, from zero, over four showings, once mirrored."""
    trained = Trained("elr", RAW)
    beta, strength = 0.7, 1 / 3
    target = np.zeros((2, CLIPS, PROMPTS, FRAMES, *GRID))
    for step, seed in enumerate((0, 1, 2, 0)):
        now = batch(seed)
        z = _logits(trained, now).double().numpy()
        y = now.masks.double().numpy()
        thing = 1 / (1 + np.exp(-z))
        chances = np.clip(np.stack([1 - thing, thing]), 1e-4, 1 - 1e-4)
        mirror = [-1 if flag else 1 for flag in now.flipped.tolist()]
        upright = np.stack([chances[:, clip, ..., :: mirror[clip]] for clip in range(CLIPS)], 1)
        target = beta * target + (1 - beta) * upright
        shown = np.stack([target[:, clip, ..., :: mirror[clip]] for clip in range(CLIPS)], 1)
        inner = (shown * chances).sum(0)
        pixel = -y * np.log(thing) - (1 - y) * np.log(1 - thing) + strength * np.log(1 - inner)
        expected = _per_prompt(torch.tensor(pixel), now)[now.prompt_mask].mean().item()
        (loss,) = trained.losses(step, now)
        assert loss.parts["mask"].item() == pytest.approx(2 * expected, abs=2e-3, rel=1e-3)


def test_elr_targets_carry_no_gradient() -> None:
    """d/dz of BCE + log(1 - <t, p>) / 3 with t held fixed."""
    trained = Trained("elr", RAW)
    now = batch()
    z = torch.randn(CLIPS, PROMPTS, FRAMES, *GRID, requires_grad=True)
    trained.strategy.compute_pixel_loss(z, now).sum().backward()
    p = torch.sigmoid(z.detach())
    difference = 0.3 * (2 * p - 1)  # t_1 - t_0 after the first showing
    inner = 0.3 * (p * p + (1 - p) ** 2)
    slope = p - now.masks - difference * p * (1 - p) / (1 - inner) / 3
    there = now.unit_ids >= 0
    torch.testing.assert_close(z.grad[there], slope[there], rtol=1e-4, atol=1e-5)


def test_a_first_showing_is_sure_of_nothing() -> None:
    """One channel from zero, read as a chance, would be sure of background."""
    trained = Trained("elr", RAW)
    z = torch.zeros(CLIPS, PROMPTS, FRAMES, *GRID, requires_grad=True)
    now = batch()
    loss = trained.strategy.compute_pixel_loss(z, now)
    (loss - of.bce(z, now.masks)).sum().backward()
    assert not z.grad.any()  # p is one half: no side to take


def test_released_elr_remembers_nothing() -> None:
    state = build_strategy("elr", {"arithmetic": "released"}, CONTEXT).state_dict()
    assert all(not value.numel() for value in state.values())


# NPN.


def _votes_by_hand(trained: Trained, released: bool, by_label: bool) -> Any:
    """Votes of each pixel, counted one by one, over a run."""
    votes = np.zeros((CLIPS, PROMPTS, FRAMES, 2, *GRID), int)
    confidence, warm = (0.7, 2) if released else (0.5, 2)
    for step in range(4):
        now = batch(step)
        z = _logits(trained, now).numpy()
        p = 1 / (1 + np.exp(-z.astype(np.float64)))
        for place in np.ndindex(CLIPS, PROMPTS, FRAMES, *GRID):
            clip, prompt, frame, row, column = place
            if now.unit_ids[clip, prompt, frame] < 0:
                continue
            if now.flipped[clip]:
                column = GRID[1] - 1 - column
            cell = votes[clip, prompt, frame, :, row, column]
            label, guess = int(now.masks[place]), int(p[place] > 0.5)
            sure = max(p[place], 1 - p[place]) > confidence
            if released and step < warm:
                cell[label] = 1
                cell[guess] += sure
            else:
                for candidate in ({label} if by_label else set()) | ({guess} if sure else set()):
                    cell[candidate] += 1
        trained.step(step, now)
    return votes.reshape(-1, 2, *GRID)


@pytest.mark.parametrize("options", [{}, {"votes": "both"}, {"arithmetic": "released"}])
def test_npn_votes_by_counting(options: dict[str, Any]) -> None:
    """The net alone votes, as in its authors' code; with the label, as in ActiSeg-NL's."""
    trained = Trained("npn", options)
    expected = _votes_by_hand(trained, "arithmetic" in options, bool(options))
    assert (trained.strategy.state_dict()["votes"].numpy() == expected).all()


def test_npn_votes_saturate() -> None:
    trained = Trained("npn")
    most = torch.iinfo(torch.int16).max
    trained.strategy.load_state_dict(
        trained.strategy.state_dict()
        | {"votes": torch.full((CONTEXT.units, 2, *GRID), most, dtype=torch.int16)}
    )
    trained.step(0)
    assert trained.strategy.state_dict()["votes"].min() == most


@pytest.mark.parametrize("votes", ["net", "both"])
def test_npn_terms_by_hand(votes: str) -> None:
    """Soft: BCE toward the share of votes; BCE where label and net agree; nothing warm."""
    trained = Trained("npn", {"warmup": 0.0, "votes": votes} | RAW)
    now = batch()
    z = _logits(trained, now)
    (loss,) = trained.losses(0, now)
    guess = (z > 0).float()
    agree = guess == now.masks
    share = torch.where(agree, now.masks, 0.5)  # one showing: one vote each where they differ
    if votes == "net":
        share = guess
    partial = _per_prompt(of.bce(z, share), now)[now.prompt_mask].mean()
    negative = _per_prompt(torch.where(agree, of.bce(z, now.masks), 0.0), now)[
        now.prompt_mask
    ].mean()
    assert loss.parts["mask"].item() == pytest.approx(2 * partial.item(), rel=1e-5)
    assert loss.parts["negative"].item() == pytest.approx(2 * negative.item(), rel=1e-5)
    assert loss.parts["consistency"].item() > 0


def test_npn_warms_up_with_cross_entropy_and_keeps_the_net_uncertain() -> None:
    """BCE - H(p), as in its authors' code; 2 is the coefficient of the mask."""
    trained = Trained("npn", RAW)
    now = batch()
    z = _logits(trained, now)
    (loss,) = trained.losses(0, now)
    p = torch.sigmoid(z.double())
    entropy = -p * p.log() - (1 - p) * (1 - p).log()
    expected = _per_prompt(of.bce(z, now.masks) - entropy, now)[now.prompt_mask].mean()
    assert loss.parts["mask"].item() == pytest.approx(2 * expected.item(), rel=1e-5)
    assert loss.parts.keys() == {"mask", "dice", "activity"}


def test_npn_sees_another_colouring_of_the_same_shapes() -> None:
    now = batch()
    one, other = (_recolour_frames(now, progress(step)) for step in (0, 1))
    assert not torch.equal(one, other)
    assert torch.equal(one, _recolour_frames(now, progress(0)))
    grey = replace(now, frames=torch.ones_like(now.frames))
    flat = _recolour_frames(grey, progress(0))
    assert torch.equal(flat, flat[..., :1, :1].expand_as(flat))  # no pixel moves, none stands out


# SMART.


def test_smarts_teacher_is_the_net_at_the_end_of_the_warm_up() -> None:
    trained = Trained("smart")  # a quarter of eight steps: from step 2 on
    for step in range(2):
        assert trained.strategy.state_dict() == {}
        trained.step(step)
    before = {name: value.clone() for name, value in trained.nets[0].state_dict().items()}
    for step in range(2, 5):
        trained.step(step)
        kept = trained.strategy.state_dict()
        assert all(torch.equal(kept[name], value) for name, value in before.items())
    assert any(
        not torch.equal(value, before[name]) for name, value in trained.nets[0].state_dict().items()
    )


@pytest.mark.parametrize("arithmetic", ["paper", "released"])
def test_smart_terms_by_hand(arithmetic: str) -> None:
    trained = Trained("smart", {"arithmetic": arithmetic} | RAW)
    for step in range(3):
        trained.step(step)
    teacher = Trained("plain")
    teacher.nets[0].load_state_dict(trained.strategy.state_dict())
    now, step = batch(), 5
    released = arithmetic == "released"
    z, known = _logits(trained, now), _logits(teacher, now)
    y, m = now.masks, (known > 0).float()
    share = 1 - (5 / 8 - 0.2) / 0.5 * 0.85
    count = int(64 * share)
    expected = dict.fromkeys(("mask", "reliable", "intersection", "union"), 0.0)
    for clip, prompt in now.prompt_mask.nonzero().tolist():
        frames = now.frame_mask[clip].nonzero().flatten().tolist()
        for frame in frames:
            at = clip, prompt, frame
            by_label, by_teacher = of.bce(z[at], y[at]), of.bce(z[at], m[at])
            both, either = (y[at] * m[at]).sum(), (y[at] + m[at]).sum()
            trust = float(2 * both / either) if either else 1.0
            if released:
                trust = _released_trust(now, known, clip, frame)
            inside = torch.maximum(y[at], m[at])
            p = torch.sigmoid(z[at])
            union = -math.log(1e-4) * torch.where(inside > 0, 1 - p, p)
            times = (1 if released else 2 / len(frames)) / 5
            pixels = {
                "mask": by_label,
                "reliable": 1e-4 * (trust * by_label + (1 - trust) * by_teacher),
                "intersection": of.bce(z[at], y[at] * m[at]),
                "union": 1e-4 * union,
            }
            for name, values in pixels.items():
                expected[name] += times * values.flatten().sort().values[-count:].mean().item()
    (loss,) = trained.losses(step, now)
    assert "dice" not in loss.parts
    for name, value in expected.items():
        assert loss.parts[name].item() == pytest.approx(value, rel=1e-4), name


def _released_trust(now: Any, known: Any, clip: int, frame: int) -> float:
    """Twice the pixels that are an object in both maps of ids, over the sum of ids."""
    labels, guesses = np.zeros(GRID, int), np.zeros(GRID, int)
    for row, column in np.ndindex(*GRID):
        prompt_mask = [prompt for prompt in range(PROMPTS) if now.prompt_mask[clip, prompt]]
        on = [k + 1 for k in prompt_mask if now.masks[clip, k, frame, row, column]]
        labels[row, column] = max(on, default=0)
        best = max(prompt_mask, key=lambda k: known[clip, k, frame, row, column].item())
        if known[clip, best, frame, row, column] > 0:
            guesses[row, column] = best + 1
    total = labels.sum() + guesses.sum()
    return 2 * ((labels > 0) & (guesses > 0)).sum() / total if total else 1.0
