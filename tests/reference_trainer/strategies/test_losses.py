"""Losses against closed forms: values and gradients, written here in chances, not in logits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from reference_trainer.batches.action_weights import make_action_weights
from reference_trainer.strategies import losses as of
from reference_trainer.strategies import trusted_regions as reg

A = -math.log(1e-4)
C = -math.log(1 - 1e-4)
Floats = NDArray[np.float64]

# Each loss of a pixel as a function of p, the chance of the label, with its derivative by p.
# `y` is there for those that treat the two labels differently.
PIXEL: dict[str, tuple[Callable, Callable[[Floats, Floats], Floats], Callable]] = {
    "bce": (of.bce, lambda p, y: -np.log(p), lambda p, y: -1 / p),
    "mae": (of.mae, lambda p, y: 1 - p, lambda p, y: -1 + 0 * p),
    "focal": (
        of.focal,
        lambda p, y: -(0.75 - 0.5 * y) * (1 - p) ** 2 * np.log(p),
        lambda p, y: (0.75 - 0.5 * y) * (2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p),
    ),
    "focal-3": (
        lambda z, y: of.focal(z, y, alpha=0.4, gamma=3),
        lambda p, y: -(0.6 - 0.2 * y) * (1 - p) ** 3 * np.log(p),
        lambda p, y: (0.6 - 0.2 * y) * (3 * (1 - p) ** 2 * np.log(p) - (1 - p) ** 3 / p),
    ),
    "gce": (of.gce, lambda p, y: (1 - p**0.7) / 0.7, lambda p, y: -(p**-0.3)),
    "gce-1": (lambda z, y: of.gce(z, y, 1.0), lambda p, y: 1 - p, lambda p, y: -1 + 0 * p),
    "gce-released": (
        of.gce_released,
        lambda p, y: (1 - (p + 1e-6) ** 0.7) / 0.7,
        lambda p, y: -((p + 1e-6) ** -0.3),
    ),
    "gce-truncated": (
        of.truncated_gce,
        lambda p, y: np.where(p > 0.5, (1 - p**0.7) / 0.7, (1 - 0.5**0.7) / 0.7),
        lambda p, y: np.where(p > 0.5, -(p**-0.3), 0),
    ),
    "rce": (of.rce, lambda p, y: A * (1 - p), lambda p, y: -A + 0 * p),
    # As the public code has it: -p log clamp(y) - (1 - p) log clamp(1 - clamp(y)), p of the thing.
    "rce-released": (
        of.rce_released,
        lambda p, y: (
            -np.where(y == 1, p, 1 - p) * np.log(np.clip(y, 1e-4, 1))
            - np.where(y == 1, 1 - p, p) * np.log(np.clip(1 - np.clip(y, 1e-4, 1), 1e-4, 1))
        ),
        lambda p, y: np.where(y == 1, -A, -A + C),
    ),
    "sce": (of.sce, lambda p, y: -0.1 * np.log(p) + A * (1 - p), lambda p, y: -0.1 / p - A),
    "sce-6": (
        lambda z, y: of.sce(z, y, 6.0, 0.1),
        lambda p, y: -6 * np.log(p) + 0.1 * A * (1 - p),
        lambda p, y: -6 / p - 0.1 * A,
    ),
    "sce-released": (
        of.sce_released,
        lambda p, y: -0.1 * np.log(p) + A * (1 - p) + C * (1 - y) * p,
        lambda p, y: -0.1 / p - A + C * (1 - y),
    ),
    "nce": (
        of.nce,
        lambda p, y: np.log(p) / (np.log(p) + np.log(1 - p)),
        lambda p, y: (np.log(1 - p) / p + np.log(p) / (1 - p)) / (np.log(p) + np.log(1 - p)) ** 2,
    ),
    "ngce": (
        of.ngce,
        lambda p, y: (1 - p**0.7) / (2 - p**0.7 - (1 - p) ** 0.7),
        lambda p, y: (
            0.7
            * (-(p**-0.3) * (1 - (1 - p) ** 0.7) - (1 - p) ** -0.3 * (1 - p**0.7))
            / (2 - p**0.7 - (1 - p) ** 0.7) ** 2
        ),
    ),
    "nfl": (
        of.nfl,
        lambda p, y: (
            (1 - p) ** 0.5 * np.log(p) / ((1 - p) ** 0.5 * np.log(p) + p**0.5 * np.log(1 - p))
        ),
        lambda p, y: _quotient(p),
    ),
    "elr-released": (
        of.elr_released,
        lambda p, y: np.log(1 - p),
        lambda p, y: -1 / (1 - p),
    ),
    "negative": (
        lambda z, y: of.negative(z, y, torch.zeros_like(z, dtype=bool)),
        lambda p, y: -np.log(p),
        lambda p, y: -1 / p,
    ),
    "negative-released": (
        lambda z, y: of.negative_released(z, y, torch.zeros_like(z, dtype=bool)),
        lambda p, y: -np.log(p + 1e-7),
        lambda p, y: -1 / (p + 1e-7),
    ),
}


def _quotient(p: Floats) -> Floats:
    """The derivative of the normalised focal loss, f / (f + g)."""
    f, g = (1 - p) ** 0.5 * np.log(p), p**0.5 * np.log(1 - p)
    df = -0.5 * (1 - p) ** -0.5 * np.log(p) + (1 - p) ** 0.5 / p
    dg = 0.5 * p**-0.5 * np.log(1 - p) - p**0.5 / (1 - p)
    return (df * g - f * dg) / (f + g) ** 2


def _differentiate(loss: Callable, z: Floats, *more: Floats) -> tuple[Floats, Floats]:
    at = torch.tensor(z, requires_grad=True)
    value = loss(at, *(torch.as_tensor(each) for each in more))
    value.sum().backward()
    return value.detach().numpy(), at.grad.numpy()


@pytest.mark.parametrize("name", PIXEL)
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_pixel_losses_are_their_closed_forms(name: str, label: float) -> None:
    loss, value, slope = PIXEL[name]
    z = np.linspace(-6, 6, 40)  # not 0, where the truncated loss has an edge
    y = np.full_like(z, label)
    sign = 2 * y - 1
    p = 1 / (1 + np.exp(-sign * z))
    got, gradient = _differentiate(loss, z, y)
    np.testing.assert_allclose(got, value(p, y), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient, sign * p * (1 - p) * slope(p, y), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", PIXEL)
def test_pixel_losses_pass_the_numerical_check(name: str) -> None:
    z = torch.tensor([-3.0, -0.7, 0.4, 2.5], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: PIXEL[name][0](z, y), z)


@pytest.mark.parametrize("name", PIXEL)
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_pixel_losses_are_finite_for_any_logit(name: str, label: float) -> None:
    z = torch.tensor([-100.0, -88.8, -30.0, 0.0, 30.0, 88.8, 100.0], requires_grad=True)
    value = PIXEL[name][0](z, torch.full_like(z, label))
    value.sum().backward()
    assert value.isfinite().all()
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_a_wrong_and_certain_pixel_still_pulls() -> None:
    z = torch.tensor([-100.0], requires_grad=True)
    of.bce(z, torch.ones(1)).sum().backward()
    assert z.grad is not None
    assert z.grad.item() == -1


@given(st.floats(-20, 20), st.sampled_from([0.0, 1.0]))
def test_with_two_classes_rce_is_mae_and_nce_rce_is_nce_mae(z: float, y: float) -> None:
    at, label = torch.tensor([z], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)
    assert torch.equal(of.rce(at, label), A * of.mae(at, label))
    assert torch.allclose(of.mae(at, label), (torch.sigmoid(at) - label).abs(), atol=1e-15)


def test_gce_is_between_cross_entropy_and_mae() -> None:
    z = torch.linspace(-4, 4, 9, dtype=torch.float64)
    y = torch.ones_like(z)
    assert torch.allclose(of.gce(z, y, 1e-9), of.bce(z, y), rtol=1e-7)
    assert torch.allclose(of.gce(z, y, 1.0), of.mae(z, y))


def test_released_gce_dips_below_zero_and_the_papers_does_not() -> None:
    z, y = torch.tensor([100.0], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    assert of.gce_released(z, y).item() < 0
    assert of.gce(z, y).item() >= 0


def test_normalised_losses_sum_to_one_over_labels() -> None:
    z = torch.linspace(-30, 30, 61)
    for loss in (of.nce, of.ngce, of.nfl):
        both = loss(z, torch.ones_like(z)) + loss(z, torch.zeros_like(z))
        assert torch.allclose(both, torch.ones_like(z), atol=1e-6)


# Masks.


def _masks(seed: int = 0, *shape: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    shape = shape or (2, 3, 2, 4, 5)
    return draw.normal(size=shape) * 2, (draw.random(shape) < 0.4).astype(float)


SHOWN = torch.tensor([[True, True], [True, False]])


def test_dice_and_its_gradient() -> None:
    z, y = _masks()
    real = SHOWN.numpy()[:, None, :, None, None]
    p = 1 / (1 + np.exp(-z)) * real
    y = y * real
    both, all_of = (p * y).sum((2, 3, 4)), p.sum((2, 3, 4)) + y.sum((2, 3, 4)) + 1
    value, gradient = _differentiate(lambda z, y: of.dice(z, y, SHOWN), z, y)
    np.testing.assert_allclose(value, 1 - (2 * both + 1) / all_of, rtol=1e-12)
    top, bottom = (each[..., None, None, None] for each in (2 * both + 1, all_of))
    slope = -(2 * y * bottom - top) / bottom**2 * p * (1 - p) * real
    np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-15)


def test_dice_of_a_region_is_that_of_its_pixels_alone() -> None:
    z, y = _masks(1)
    region = np.random.default_rng(2).random(z.shape) < 0.5
    got = of.dice(*map(torch.tensor, (z, y)), SHOWN, torch.tensor(region)).numpy()
    for clip, prompt in np.ndindex(2, 3):
        counts = region[clip, prompt] & SHOWN[clip].numpy()[:, None, None]
        p, label = 1 / (1 + np.exp(-z[clip, prompt][counts])), y[clip, prompt][counts]
        expected = 1 - (2 * (p @ label) + 1) / (p.sum() + label.sum() + 1)
        assert got[clip, prompt] == pytest.approx(expected, rel=1e-12)


def test_released_dice_keeps_one_half_outside_the_region() -> None:
    z, y = _masks(3)
    s = (np.random.default_rng(4).random(z.shape) < 0.5).astype(float)
    everything = torch.ones(2, 2, dtype=torch.bool)
    got = of.dice_released(*map(torch.tensor, (z, y)), everything, torch.tensor(s > 0)).numpy()
    p = 1 / (1 + np.exp(-s * z))
    over = (2, 3, 4)
    bottom = p.sum(over) + (s * y).sum(over) + 1
    expected = 1 - (2 * (p * s * y).sum(over) + 1) / bottom
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_released_dice_is_near_one_for_a_perfect_mask() -> None:
    """A sequence of 5 frames of 72 x 128, 40 % of it in the region: 13,824 too much below."""
    y = torch.zeros(1, 1, 5, 72, 128)
    y[..., 20:40, 20:40] = 1
    region = torch.zeros_like(y, dtype=torch.bool)
    region.view(-1)[: int(0.4 * region.numel())] = True
    frame_mask = torch.ones(1, 5, dtype=torch.bool)
    z = (2 * y - 1) * 100
    objects = int((y * region).sum())
    expected = 1 - (2 * objects + 1) / (2 * objects + 1 + 13_824)
    assert of.dice_released(z, y, frame_mask, region).item() == pytest.approx(expected, rel=1e-5)
    assert expected > 0.85
    assert of.dice(z, y, frame_mask, region).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_masks_without_a_pixel_are_no_division_by_zero(logit: float) -> None:
    z = torch.full((1, 1, 1, 4, 4), logit, requires_grad=True)
    y = torch.zeros_like(z)
    none = torch.zeros(1, 1, dtype=torch.bool)
    region = torch.zeros_like(z, dtype=torch.bool)
    values = [
        of.dice(z, y, ~none),
        of.dice(z, y, none),
        of.dice(z, y, ~none, region),
        of.average_pixels(of.focal(z, y), none),
        of.average_prompts(of.dice(z, y, none), none),
        of.tversky(z, y, region, 0.7),
    ]
    sum(value.sum() for value in values).backward()
    assert all(value.isfinite().all() for value in values)
    assert z.grad is not None
    assert z.grad.isfinite().all()
    assert values[1].item() == values[3].item() == values[4].item() == 0


def test_reductions_are_means_of_what_is_there() -> None:
    z, _ = _masks(5)
    got = of.average_pixels(torch.tensor(z), SHOWN).numpy()
    np.testing.assert_allclose(got[0], z[0].mean((1, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(got[1], z[1, :, 0].mean((1, 2)), rtol=1e-12)
    prompt_mask = torch.tensor([[True, False, True], [False, True, False]])
    mean = of.average_prompts(torch.tensor(got), prompt_mask).item()
    assert mean == pytest.approx((got[0, 0] + got[0, 2] + got[1, 1]) / 3)


# Early learning.


def test_elr_is_the_papers_over_two_classes() -> None:
    """log(1 - <t, p>) with vectors t and p of two classes, t of a mass below 1."""
    draw = np.random.default_rng(6)
    z, mass = draw.normal(size=50) * 2, draw.random(50)
    thing = draw.random(50) * mass
    p = np.stack([1 - 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-z))])
    t = np.stack([mass - thing, thing])
    value, gradient = _differentiate(of.elr, z, thing, mass)
    inner = (t * p).sum(0)
    np.testing.assert_allclose(value, np.log(1 - inner), rtol=1e-9)
    slope = -(t[1] - t[0]) * p[0] * p[1] / (1 - inner)
    np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-15)


def test_elr_pulls_toward_its_target_whatever_the_label_and_released_toward_the_label() -> None:
    z = torch.zeros(1, requires_grad=True)
    of.elr(z, torch.tensor([0.9]), torch.tensor([1.0])).sum().backward()
    assert z.grad is not None
    assert z.grad.item() < 0  # up, toward the thing, though the label is not even asked for
    z = torch.zeros(1, requires_grad=True)
    of.elr_released(z, torch.zeros(1)).sum().backward()
    assert z.grad is not None
    assert z.grad.item() > 0


def test_released_elr_is_between_minus_a_and_zero() -> None:
    z = torch.tensor([-100.0, 0.0, 100.0])
    value = of.elr_released(z, torch.ones(3))
    assert value.tolist() == pytest.approx([math.log(1 - 1e-4), math.log(0.5), -A], rel=1e-3)


# Partial labels.


def test_partial_labels_by_hand() -> None:
    z = torch.tensor([0.3], dtype=torch.float64)
    p = 1 / (1 + math.exp(-0.3))
    one = torch.ones(1, dtype=torch.float64)
    votes = (2 * one, 6 * one)
    soft = -0.75 * math.log(p) - 0.25 * math.log(1 - p)
    assert of.partial_soft(z, votes, 0 * one).item() == pytest.approx(soft, rel=1e-12)
    assert of.partial_hard(z, votes, 0 * one).item() == pytest.approx(-math.log(p), rel=1e-12)
    tie = (one, one)
    for label, chance in ((one, p), (0 * one, 1 - p)):
        assert of.partial_hard(z, tie, label).item() == pytest.approx(-math.log(chance))
        none = (0 * one, 0 * one)
        assert of.partial_soft(z, none, label).item() == pytest.approx(-math.log(chance))
    # As released: a two-logit cross-entropy of [-z, z] by softmax, times the share of the winner.
    softmax = np.exp([-0.3, 0.3]) / np.exp([-0.3, 0.3]).sum()
    released = of.partial_released(z, votes).item()
    assert released == pytest.approx(-0.75 * math.log(softmax[1]), rel=1e-9)
    assert of.partial_released(z, tie).item() == pytest.approx(-0.5 * math.log(softmax[0]))


def test_partial_losses_gradients() -> None:
    z = torch.tensor([-1.0, 0.2, 2.0], dtype=torch.float64, requires_grad=True)
    votes = (torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([3.0, 2.0, 1.0]).double())
    y = torch.tensor([1.0, 0.0, 1.0]).double()
    p = torch.sigmoid(z.detach())
    (soft,) = torch.autograd.grad(of.partial_soft(z, votes, y).sum(), z)
    assert torch.allclose(soft, p - votes[1] / 4)
    (hard,) = torch.autograd.grad(of.partial_hard(z, votes, y).sum(), z)
    assert torch.allclose(hard, p - torch.tensor([1.0, 0.0, 0.0]).double())
    penalty = of.confidence_penalty(z)
    chances = p.numpy()
    entropy = -chances * np.log(chances) - (1 - chances) * np.log(1 - chances)
    assert penalty.detach().numpy() == pytest.approx(-entropy)
    (slope,) = torch.autograd.grad(penalty.sum(), z)
    assert torch.allclose(slope, p * (1 - p) * z)
    (released,) = torch.autograd.grad(of.partial_released(z, votes).sum(), z)
    twice, share = torch.sigmoid(2 * z.detach()), torch.tensor([0.75, 0.5, 0.75]).double()
    goal = torch.tensor([1.0, 0.0, 0.0]).double()
    assert torch.allclose(released, 2 * share * (twice - goal))


@pytest.mark.parametrize("loss", [of.negative, of.negative_released])
def test_negative_learning_is_silent_where_the_net_disagrees(loss: Callable) -> None:
    z = torch.tensor([3.0, -3.0], requires_grad=True)
    y = torch.tensor([0.0, 1.0])
    value = loss(z, y, torch.tensor([True, True]))
    value.sum().backward()
    assert value.tolist() == [0, 0]
    assert z.grad is not None
    assert z.grad.tolist() == [0, 0]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.booleans())
def test_a_label_that_votes_at_every_showing_is_never_outvoted(
    predictions: list[tuple[bool, bool]], label: bool
) -> None:
    votes = [0, 0]
    for thing, sure in predictions:
        for candidate in {int(label)} | ({int(thing)} if sure else set()):
            votes[candidate] += 1
    z, y = torch.tensor([0.7]), torch.tensor([float(label)])
    counted = tuple(torch.tensor([float(count)]) for count in votes)
    assert torch.equal(of.partial_hard(z, counted, y), of.bce(z, y))


# Frozen knowledge.


def test_hard_pixels_by_sorting() -> None:
    values = np.random.default_rng(7).random((2, 3, 4, 5))
    for share, count in ((1.0, 20), (0.5, 10), (0.15, 3), (0.0, 1)):
        expected = np.sort(values.reshape(2, 3, 20))[..., -count:].mean(-1)
        np.testing.assert_allclose(of.average_hardest(torch.tensor(values), share), expected)


def test_agreement_is_dice_and_released_is_not() -> None:
    one = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    other = torch.tensor([[0.0, 1.0, 1.0, 1.0]])
    assert of.agreement(one, other).item() == pytest.approx(2 / 5)
    assert of.agreement(one * 0, other * 0).item() == 1
    # Perfect agreement on two equal objects, on three, and on a lone object with id 3.
    for ids, found in (([1, 2], 0.667), ([1, 2, 3], 0.5), ([3, 0], 0.333)):
        row = torch.tensor([ids])
        assert of.agreement_released(row, row).item() == pytest.approx(found, abs=5e-4)
    nothing = torch.zeros(1, 4, dtype=torch.int64)
    assert of.agreement_released(nothing, nothing).item() == 1


def test_reverse_cross_entropy_against_a_union_is_a_closed_form() -> None:
    """A p_bg where the union is a thing, A (1 - p_bg) elsewhere."""
    z = torch.linspace(-5, 5, 11, dtype=torch.float64)
    background = 1 - torch.sigmoid(z)
    assert torch.allclose(of.rce(z, torch.ones_like(z)), A * background)
    assert torch.allclose(of.rce(z, torch.zeros_like(z)), A * (1 - background))


# Regions and heads.


def test_tversky_and_its_gradient() -> None:
    z, y = _masks(8)
    u = (np.random.default_rng(9).random(z.shape) < 0.5).astype(float)
    p = 1 / (1 + np.exp(-z))
    tp, fp, fn = (u * p * y).sum(), (u * p * (1 - y)).sum(), (u * (1 - p) * y).sum()
    bottom = tp + 0.7 * fp + 0.5 * fn + 1e-6
    value, gradient = _differentiate(
        lambda z, y: of.tversky(z, y, torch.tensor(u > 0), 0.7, 0.5), z, y
    )
    assert value == pytest.approx(1 - (tp + 1e-6) / bottom, rel=1e-12)
    d_bottom = y + 0.7 * (1 - y) - 0.5 * y
    slope = -u * (y * bottom - (tp + 1e-6) * d_bottom) / bottom**2 * p * (1 - p)
    np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-15)


def test_symmetric_kl_by_its_definition() -> None:
    draw = np.random.default_rng(10)
    z, w = draw.normal(size=30) * 3, draw.normal(size=30) * 3
    p, q = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-w))
    both = sum(a * np.log(a / b) + b * np.log(b / a) for a, b in ((p, q), (1 - p, 1 - q)))
    value, gradient = _differentiate(of.symmetric_kl, z, w)
    np.testing.assert_allclose(value, both, rtol=1e-9)
    np.testing.assert_allclose(gradient, p * (1 - p) * (z - w) + (p - q), rtol=1e-9)


def test_symmetric_kl_clamps_chances() -> None:
    z = torch.tensor([100.0, -100.0], requires_grad=True)
    value = of.symmetric_kl(z, torch.zeros(2))
    value.sum().backward()
    expected = (1 - 1e-6 - 0.5) * math.log((1 - 1e-6) / 1e-6)
    assert value.tolist() == pytest.approx([expected, expected], rel=1e-5)
    assert z.grad is not None
    assert z.grad.tolist() == [0, 0]


def test_quantiles_are_numpys_over_what_is_there() -> None:
    values = np.random.default_rng(11).random((2, 3, 2, 4, 5))
    prompt_mask = np.array([[True, True, False], [True, False, False]])
    there = (prompt_mask[:, :, None] & SHOWN.numpy()[:, None])[..., None, None]
    shares = (0.0, 0.2, 0.6, 0.85, 1.0)
    arguments = torch.tensor(values), torch.tensor(there), shares
    for share, found in zip(shares, reg.compute_quantiles(*arguments, "prompt"), strict=True):
        for clip, prompt in zip(*prompt_mask.nonzero(), strict=True):
            seen = values[clip, prompt][SHOWN[clip].numpy()]
            assert found[clip, prompt].item() == pytest.approx(np.quantile(seen, share))
        assert found[0, 2].item() == math.inf
    for share, found in zip(shares, reg.compute_quantiles(*arguments, "clip"), strict=True):
        for clip in range(2):
            seen = values[clip][prompt_mask[clip]][:, SHOWN[clip].numpy()]
            assert found[clip].item() == pytest.approx(np.quantile(seen, share))


@pytest.mark.parametrize(("padding", "mode"), [("replicate", "nearest"), ("zeros", "constant")])
def test_edges_are_sobels(padding: str, mode: str) -> None:
    maps = np.random.default_rng(12).random((2, 3, 6, 7))
    got = reg.compute_edges(torch.tensor(maps), padding).numpy()
    for place in np.ndindex(2, 3):
        x, y = (ndimage.sobel(maps[place], axis, mode=mode) / 8 for axis in (0, 1))
        np.testing.assert_allclose(got[place], np.hypot(x, y), atol=1e-12)


@pytest.mark.parametrize("heads", [1, 2, 3, 4])
@pytest.mark.parametrize("vote", ["all", "majority", "two"])
def test_votes_by_counting(heads: int, vote: str) -> None:
    outcomes = []
    for votes in np.ndindex(*[2] * heads):
        logits = torch.tensor(votes, dtype=torch.float64)[:, None] * 2 - 1
        most = max(sum(votes), heads - sum(votes))
        expected = {
            "all": most == heads,
            "majority": 2 * most > heads,
            "two": most >= min(2, heads),
        }
        assert reg.find_agreement(logits, vote).tolist() == [expected[vote]]
        outcomes.append(expected[vote])
    assert reg.can_vote_fail(heads, vote) == (not all(outcomes))


def test_regions_by_their_definition() -> None:
    draw = np.random.default_rng(13)
    logits = draw.normal(size=(2, 2, 3, 2, 6, 7))
    prompt_mask = np.array([[True, True, False], [True, False, True]])
    rule = reg.RegionRule("all", 0.2, 0.85, 0.6, "prompt", "replicate")
    strength = reg.compute_edges(torch.sigmoid(torch.tensor(logits[0])), "replicate")
    found = reg.find_regions(torch.tensor(logits), strength, torch.tensor(prompt_mask), SHOWN, rule)
    p = 1 / (1 + np.exp(-logits))
    for clip, prompt in np.ndindex(2, 3):
        frames = SHOWN[clip].numpy()
        if not prompt_mask[clip, prompt]:
            assert not found.stable[clip, prompt].any()
            assert not found.uncertain[clip, prompt].any()
            continue
        main, other = p[:, clip, prompt][:, frames]
        margin = abs(main - 0.5)
        sobel = [
            np.hypot(*(ndimage.sobel(frame, axis, mode="nearest") / 8 for axis in (0, 1)))
            for frame in main
        ]
        uncertain = (margin < np.quantile(margin, 0.2)) | (sobel > np.quantile(sobel, 0.85))
        agree = (main > 0.5) == (other > 0.5)
        stable = agree & (margin >= np.quantile(margin, 0.6))
        assert (found.uncertain[clip, prompt][frames].numpy() == uncertain).all()
        assert (found.stable[clip, prompt][frames].numpy() == stable).all()
        assert not found.stable[clip, prompt][~frames].any()


# Weights.


@given(st.booleans(), st.booleans(), st.booleans())
def test_weights_of_every_kind_of_object(held: bool, named: bool, active: bool) -> None:
    shape = torch.tensor([[[[1.0, 0.0]]]])
    flags = (torch.tensor([flag]) for flag in (held, named, active))
    inside, outside = make_action_weights(shape, *flags).flatten().tolist()
    assert outside == 1
    assert inside == (5 if not active or (held and named) else 2 if held or named else 1)
