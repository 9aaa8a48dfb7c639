"""The controls: distillation from the start, and PMHM's regions at random places."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from reference_trainer.batch import Batch
from reference_trainer.strategies.distil import compute_divergence
from reference_trainer.strategies.shuffled_regions import shuffle_regions
from reference_trainer.strategies.trusted_regions import Regions
from tests.helpers.small_nets import CONTEXT, EPOCHS, GRID, STEPS, Trained, batch, progress

RUN = range(EPOCHS * STEPS)

# Distillation.


def test_the_first_step_of_distillation_is_plain() -> None:
    plain, distil = Trained("plain"), Trained("distil", {"strength": 5.0})
    (one,), (other,) = plain.losses(0, batch()), distil.losses(0, batch())
    assert other.parts["start_masks"] == other.parts["start_activity"] == 0
    assert other.total.item() == one.total.item()
    gradients = distil.gradients()
    for name, value in plain.gradients().items():
        torch.testing.assert_close(gradients[name], value, rtol=1e-4, atol=1e-7)


def test_distillation_without_strength_is_plain() -> None:
    plain, distil = Trained("plain"), Trained("distil", {"strength": 0.0})
    assert [plain.step(step) for step in RUN] == [distil.step(step) for step in RUN]


def test_strength_holds_the_net_near_its_start() -> None:
    distances = []
    for strength in (0.0, 10.0, 1000.0):
        trained = Trained("distil", {"strength": strength})
        with torch.no_grad():
            before = trained.nets[0](batch().frames, batch().tokens).masks
        for step in RUN:
            trained.step(step)
        with torch.no_grad():
            after = trained.nets[0](batch().frames, batch().tokens).masks
        distances.append(compute_divergence(after, before).mean().item())
    assert distances[0] > distances[1] > distances[2]


def test_the_teacher_never_changes_and_is_not_trained() -> None:
    trained = Trained("distil")
    before = {name: value.clone() for name, value in trained.nets[0].state_dict().items()}
    for step in RUN:
        trained.step(step)
    kept = trained.strategy.state_dict()
    assert kept.keys() == before.keys()
    assert all(torch.equal(kept[name], before[name]) for name in before)


def test_the_divergence_is_finite_at_all_logits() -> None:
    ends = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4])
    z, teacher = (
        values.clone().requires_grad_() for values in torch.meshgrid(ends, ends, indexing="ij")
    )
    values = compute_divergence(z, teacher.detach())
    values.sum().backward()
    assert values.isfinite().all()
    assert (values >= 0).all()
    slopes = torch.sigmoid(ends)[:, None] - torch.sigmoid(ends)
    torch.testing.assert_close(z.grad, slopes, rtol=1e-5, atol=1e-7)


# PMHM's regions at random places.


def draw_regions() -> Regions:
    now = batch()
    draw = torch.Generator().manual_seed(3)
    is_unit = now.unit_mask[..., None, None]
    stable, uncertain = (
        (torch.rand(now.masks.shape, generator=draw) < share) & is_unit for share in (0.4, 0.3)
    )
    return Regions(stable, uncertain)


def test_random_regions_have_the_sizes_and_the_overlap_of_the_votes() -> None:
    found, now = draw_regions(), batch()
    shuffled = shuffle_regions(found, now, progress(3))
    for old, new in (
        (found.stable, shuffled.stable),
        (found.uncertain, shuffled.uncertain),
        (found.stable & found.uncertain, shuffled.stable & shuffled.uncertain),
    ):
        assert torch.equal(old.sum((2, 3, 4)), new.sum((2, 3, 4)))
        assert not new[~now.unit_mask].any()
    moved = (found.stable != shuffled.stable).sum() / found.stable.sum()
    assert moved > 0.5


def take_rows(values: Any, order: list[int]) -> Any:
    return type(values)(**{each.name: getattr(values, each.name)[order] for each in fields(values)})


def test_random_regions_depend_on_seed_step_and_unit_alone() -> None:
    """Not on the place in a batch, on padding or on the other sequences."""
    found, now = draw_regions(), batch()
    whole = shuffle_regions(found, now, progress(3))
    turned: Batch = take_rows(now, [1, 0])
    other = shuffle_regions(take_rows(found, [1, 0]), turned, progress(3))
    assert torch.equal(other.stable, whole.stable[[1, 0]])
    alone = shuffle_regions(take_rows(found, [1]), take_rows(now, [1]), progress(3))
    assert torch.equal(alone.uncertain, whole.uncertain[1:])
    for change in ({"step": 4}, {"seed": CONTEXT.seed + 1}):
        differing = shuffle_regions(found, now, replace(progress(3), **change))
        assert not torch.equal(differing.stable, whole.stable)
    renamed = replace(now, unit_ids=torch.where(now.unit_mask, now.unit_ids + 100, -1))
    assert not torch.equal(shuffle_regions(found, renamed, progress(3)).stable, whole.stable)


def test_random_regions_are_everywhere_alike() -> None:
    """A region in one corner is spread over all pixels of the prompt."""
    now = batch()
    corner = torch.zeros(now.masks.shape, dtype=torch.bool)
    corner[..., 0, :4, :4] = True
    corner &= now.unit_mask[..., None, None]
    counts = torch.zeros(now.masks.shape)
    for step in range(400):
        region = shuffle_regions(Regions(corner, corner), now, replace(progress(0), step=step))
        counts += region.stable
    share = counts[0, 0] / 400  # two frames, 16 of 128 pixels
    expected = 16 / (2 * GRID[0] * GRID[1])
    assert share.mean().item() == pytest.approx(expected)
    assert share.min() > expected - 0.07
    assert share.max() < expected + 0.07


def test_votes_decide_only_the_sizes_of_random_regions() -> None:
    votes, random = Trained("pmhm"), Trained("pmhm", {"regions": "random"})
    for step in range(2):  # the warm-up is plain
        assert votes.step(step) == random.step(step)
    assert votes.step(2) != random.step(2)
    assert votes.strategy.options.regions == "votes"
