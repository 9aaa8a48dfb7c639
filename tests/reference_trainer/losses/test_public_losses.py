"""The losses for models of others, against numpy: `test_losses` tests those of single pixels."""

from __future__ import annotations

import inspect
import typing

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from reference_trainer import losses
from reference_trainer.strategies import losses as internal
from reference_trainer.strategies.elr import Elr, ElrOptions
from tests.helpers import small_nets


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def draw(seed, *size):
    return np.random.default_rng(seed).normal(size=size)


def test_every_public_name_is_documented_and_typed():
    for name in losses.__all__:
        value = getattr(losses, name)
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            hints = typing.get_type_hints(value)
            assert set(inspect.signature(value).parameters) | {"return"} == set(hints), name
    assert losses.__all__ == sorted(losses.__all__, key=lambda name: (name.islower(), name))


def test_losses_of_pixels_are_those_that_the_strategies_use():
    same = [name for name in losses.__all__ if hasattr(internal, name)]
    assert [name for name in same if getattr(losses, name) is not getattr(internal, name)] == [
        "dice",
        "tversky",
    ]
    assert {"gce", "elr", "sce", "nce", "negative", "partial_soft"} <= set(same)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.sampled_from([(5,), (2, 3), (2, 3, 4)]), st.booleans())
def test_dice_and_tversky_are_their_formulas(seed, size, whole):
    z, y = draw(seed, 3, *size), (draw(seed + 1, 3, *size) > 0).astype(float)
    region = np.ones_like(y, bool) if whole else draw(seed + 2, 3, *size) > 0
    p = sigmoid(z)
    over = tuple(range(1, z.ndim))
    hits, both = (p * y * region).sum(over), ((p + y) * region).sum(over)
    given_region = None if whole else torch.from_numpy(region)
    logits, labels = torch.from_numpy(z), torch.from_numpy(y)
    found = losses.dice(logits, labels, given_region)
    assert np.allclose(found, 1 - (2 * hits + 1) / (both + 1))
    wrong, missed = (p * (1 - y) * region).sum(), ((1 - p) * y * region).sum()
    found = losses.tversky(logits, labels, given_region, 0.7, 0.2)
    bottom = hits.sum() + 0.7 * wrong + 0.2 * missed + 1e-6
    assert np.isclose(found, 1 - (hits.sum() + 1e-6) / bottom)


def test_gradients_of_region_losses_stay_in_the_region():
    logits = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    labels = (torch.randn(2, 3, 4) > 0).double()
    region = torch.randn(2, 3, 4) > 0
    for loss in (losses.dice(logits, labels, region).sum(), losses.tversky(logits, labels, region)):
        (gradient,) = torch.autograd.grad(loss, logits)
        assert torch.equal(gradient != 0, region)
    assert torch.autograd.gradcheck(lambda z: losses.dice(z, labels, region), logits)


# Selection.


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 9, width=32), st.integers(0, 2)), min_size=1, max_size=20),
    st.floats(0, 1),
)
def test_small_losses_are_selected_in_each_group(samples, share):
    values = np.array([value for value, _ in samples], np.float32)
    groups = np.array([group for _, group in samples])
    found = losses.select_small_losses(
        torch.from_numpy(values), share, torch.from_numpy(groups)
    ).numpy()
    counts = {}
    for group in np.unique(groups):
        mine = groups == group
        counts[group] = int(np.floor(round(mine.sum() * share, 9)))
        kept, dropped = values[mine & found], values[mine & ~found]
        if kept.size and dropped.size:
            assert kept.max() <= dropped.min()
    assert found.sum() == max(sum(counts.values()), 1)
    if any(counts.values()):
        assert {group: int(found[groups == group].sum()) for group in counts} == counts


def quantile(values, share):
    return np.quantile(values.reshape(len(values), -1), share, axis=1)[:, None, None, None]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 3), st.sampled_from(["all", "majority"]))
def test_regions_are_those_of_margin_agreement_and_edge(seed, count, vote):
    heads = draw(seed, count, 2, 3, 6, 5).astype(np.float32).astype(float)
    p = sigmoid(heads)
    margin = np.abs(heads[0])  # has the order of |p - 0.5|
    edge = np.stack(
        [
            [
                np.hypot(*(ndimage.sobel(frame, axis, mode="nearest") / 8 for axis in (0, 1)))
                for frame in sample
            ]
            for sample in p[0]
        ]
    )
    votes = (p > 0.5).sum(0)
    needed = count if vote == "all" else count // 2 + 1
    agreed = (votes >= needed) | (count - votes >= needed)
    found = losses.find_regions(
        torch.from_numpy(heads.astype(np.float32)), vote=vote, uncertain=0.3, edge=0.8, stable=0.5
    )
    assert np.array_equal(found.stable, agreed & (margin >= quantile(margin, 0.5)))
    expected = (margin < quantile(margin, 0.3)) | (edge > quantile(edge, 0.8))
    assert np.array_equal(found.uncertain, expected)


def test_perturbed_features_keep_mean_and_gradient():
    features = torch.full((64, 32, 8, 8), 3.0, requires_grad=True)
    source = torch.Generator().manual_seed(0)
    view = losses.perturb_features(features, drop=0.25, noise=0.0, generator=source)
    channels = view.detach()[..., 0, 0]
    assert set(channels.unique().tolist()) == {0.0, 4.0}
    assert abs((channels == 0).float().mean() - 0.25) < 0.05
    view.sum().backward()
    assert torch.equal(features.grad, view.detach() / 3)
    same = losses.perturb_features(features, 0.0, 0.0)
    assert torch.equal(same, features)
    uneven = torch.randn(4, 16, 8, 8)
    noisy = losses.perturb_features(uneven, 0.0, 0.5)
    ratio = (noisy - uneven).std((1, 2, 3)) / uneven.std((1, 2, 3))
    assert (ratio - 0.5).abs().max() < 0.06


# Memory.


def test_early_targets_are_the_running_averages_of_two_classes():
    memory = losses.EarlyTargets(0.7)
    logits = [draw(seed, 2, 3, 4) for seed in range(5)]
    two = np.zeros((2, 2, 3, 4))
    for z in logits:
        p = np.clip(sigmoid(z), 1e-4, 1 - 1e-4)
        two = 0.7 * two + 0.3 * np.stack([1 - p, p])
        target, mass = memory.update(torch.tensor([7, 3]), torch.from_numpy(z))
        assert np.allclose(target, two[1], atol=1e-3)
        assert np.allclose(mass, two.sum(0), atol=1e-6)
        assert (target <= mass).all()
        expected = np.log(1 - (two[1] * p + two[0] * (1 - p)))
        assert np.allclose(losses.elr(torch.from_numpy(z), target, mass), expected, atol=5e-3)
    assert len(memory) == 2
    other = losses.EarlyTargets(0.7)
    other.load_state_dict(memory.state_dict())
    z = torch.from_numpy(logits[0])
    pair = torch.tensor([3, 9])
    assert all(map(torch.equal, memory.read(pair, z), other.read(pair, z)))
    target, mass = memory.read(torch.tensor([9]), z[:1])
    assert not target.any()
    assert not mass.any()


def test_early_targets_are_those_of_the_strategy():
    strategy = Elr(ElrOptions(memory=0.6), small_nets.CONTEXT)
    memory = losses.EarlyTargets(0.6)
    for seed in (0, 2, 4):  # batches that are not mirrored
        batch = small_nets.batch(seed)
        logits = torch.randn(batch.masks.shape)
        strategy.compute_pixel_loss(logits, batch)
        is_unit = batch.unit_ids >= 0
        memory.update(batch.unit_ids[is_unit], logits[is_unit])
    state = strategy.state_dict()
    for number, target in memory.state_dict()["targets"].items():
        assert torch.equal(target, state["targets"][number])
        assert memory.state_dict()["showings"][number] == state["showings"][number]


def test_a_sample_that_comes_twice_in_a_batch_counts_once():
    once, twice = losses.EarlyTargets(), losses.EarlyTargets()
    logits = torch.randn(2, 3)
    once.update(torch.tensor([1]), logits[:1])
    target, _ = twice.update(torch.tensor([1, 1]), logits)
    assert torch.equal(target[0], target[1])
    assert torch.equal(target[:1], once.read(torch.tensor([1]), logits[:1])[0])


def test_wrong_use_of_early_targets_is_an_error():
    with pytest.raises(ValueError, match=r"memory 1 is outside \[0, 1\)"):
        losses.EarlyTargets(1)
    memory = losses.EarlyTargets()
    with pytest.raises(ValueError, match="1 numbers for 2 samples"):
        memory.update(torch.tensor([1]), torch.zeros(2, 3))
    memory.update(torch.tensor([1]), torch.zeros(1, 3))
    with pytest.raises(ValueError, match=r"sample 1 has the shape \(4,\), but had \(3,\)"):
        memory.update(torch.tensor([1]), torch.zeros(1, 4))
