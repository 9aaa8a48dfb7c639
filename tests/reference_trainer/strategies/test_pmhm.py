"""PMHM: its loss computed another way, and each mend of the public code's defects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from reference_trainer.strategies import build_strategy
from reference_trainer.strategies import losses as of
from reference_trainer.strategies import trusted_regions as reg
from reference_trainer.strategies.head_views import compute_deviation
from tests.helpers.small_nets import CONTEXT, EPOCHS, STEPS, Trained, batch, progress

WARM = 2  # a quarter of eight steps
AWAKE: dict[str, Any] = {"freeze": "never"}


def _after_warm_up(options: dict[str, Any], seed: int = 0) -> Trained:
    awake = {} if options.get("heads") == 0 else AWAKE
    trained = Trained("pmhm", awake | options, seed)
    for step in range(WARM):
        trained.step(step)
    return trained


@pytest.mark.parametrize("arithmetic", ["paper", "released"])
@pytest.mark.parametrize("heads", [0, 1, 2])
def test_the_loss_by_its_definition(arithmetic: str, heads: int) -> None:
    """All pixels, heads without perturbation: everything can be computed from logits."""
    options = {"heads": heads, "every": 1, "arithmetic": arithmetic}
    trained = _after_warm_up(options | ({"drop": 0.0, "noise": 0.0} if heads else {}))
    released = arithmetic == "released"
    now = batch()
    now.weights[:] = 1 + torch.arange(8.0)
    strategy = trained.strategy
    strategy.prepare_step(trained.nets, progress(WARM))
    output = trained.nets[0](now.frames, now.tokens)
    z = output.masks.detach()
    others = [head(_pixels(trained, now)).detach() for head in trained.nets[0].robust_heads]
    rule = reg.RegionRule(
        "two" if released else "all",
        0.2,
        0.85,
        0.6,
        "clip" if released else "prompt",
        "zeros" if released else "replicate",
    )
    strength = reg.compute_edges(torch.sigmoid(z), rule.padding)
    found = reg.find_regions(
        torch.stack([z, *others]), strength, now.prompt_mask, now.frame_mask, rule
    )
    y, u = now.masks, found.uncertain
    focal = torch.where(found.stable, of.focal(z, y) * (1 if released else now.weights), 0.0)
    dice = of.dice_released if released else of.dice
    mean_frames = 8 / 5 if released else 1
    expected = {
        "mask": 2
        * of.average_prompts(of.average_pixels(focal, now.frame_mask), now.prompt_mask)
        / mean_frames,
        "dice": 5
        * of.average_prompts(dice(z, y, now.frame_mask, found.stable), now.prompt_mask)
        / mean_frames,
        "tversky": 0.3 * of.tversky(z, y, u, 0.7, 0.5),
        "heads": torch.zeros(()),
    }
    if heads:
        apart = torch.stack([of.symmetric_kl(z, other)[u].sum() for other in others]).mean()
        expected["heads"] = 0.1 * apart / (u.sum() + 1e-6)
    (loss,) = strategy.compute_losses(trained.nets, [output], now, progress(WARM))
    for name, value in expected.items():
        assert loss.parts[name].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-9), name


def _pixels(trained: Trained, now: Any) -> Any:
    net = trained.nets[0]
    features = net.encoder(now.frames.flatten(0, 1)).unflatten(0, now.frames.shape[:2])
    return features[:, None] * (1 + net.words(now.tokens).mean(2))[:, :, None, :, None, None]


@pytest.mark.parametrize("options", [{}, {"every": 1}, {"heads": 2}, {"stop_gradient": "main"}])
def test_heads_asked_again_in_a_region_have_the_gradient_of_the_whole(
    options: dict[str, Any],
) -> None:
    """The sparse second look at perturbed features against a dense one with full gradient."""
    trained = _after_warm_up({"tversky": 0.0, "mask": 0.0, "dice": 0.0, "activity": 0.0} | options)
    now, at = batch(), progress(WARM)
    (loss,) = trained.losses(WARM, now)
    sparse = trained.gradients()
    for optimiser in trained.optimisers:
        optimiser.zero_grad(set_to_none=True)
    strategy, net = trained.strategy, trained.nets[0]
    every = strategy.options.every
    pixels = _pixels(trained, now)
    main = net.mask_head(pixels)
    strength = reg.compute_edges(torch.sigmoid(main.detach()), "replicate")
    main, strength = (strategy._sample_pixels(each, at) for each in (main, strength))
    assert main.shape[-1] == 8 // every
    others = []
    for number, head in enumerate(net.robust_heads):
        strategy._perturb_features(number, pixels.detach())
        view = strategy._views[number]
        dense = strategy._sample_pixels(pixels, at) * view.scale
        others.append(head(dense + (view.perturbed - dense).detach()))
    heads = torch.stack([main, *others])
    region = reg.find_regions(
        heads.detach(), strength, now.prompt_mask, now.frame_mask, strategy._rule
    ).uncertain
    held = main.detach() if strategy.options.stop_gradient == "main" else main
    apart = torch.stack([of.symmetric_kl(held, other)[region].sum() for other in others]).mean()
    whole = 0.1 * apart / (region.sum() + 1e-6)
    whole.backward()
    assert whole.item() == pytest.approx(loss.total.item(), rel=1e-5)
    for (name, one), other in zip(sparse.items(), trained.gradients().values(), strict=True):
        if other is not None:
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7, msg=name)
    assert sparse["0.robust_heads.0.weights"].any()


def test_further_heads_learn_from_the_main_head_alone() -> None:
    trained = _after_warm_up({"consistency": 0.0})
    trained.losses(WARM, batch())
    gradients = trained.gradients()
    assert not gradients["0.robust_heads.0.weights"].any()
    assert gradients["0.mask_head.weights"].any()


@pytest.mark.parametrize("stop", ["never", "main"])
def test_whether_the_main_head_follows_is_a_choice(stop: str) -> None:
    only = {"tversky": 0.0, "mask": 0.0, "dice": 0.0, "activity": 0.0, "stop_gradient": stop}
    trained = _after_warm_up(only)
    trained.losses(WARM, batch())
    gradients = trained.gradients()
    main = gradients["0.mask_head.weights"]
    assert (main is not None and bool(main.any())) == (stop == "never")
    assert gradients["0.robust_heads.0.weights"].any()
    assert gradients["0.encoder.weight"].any()  # shared features learn either way


def test_warm_up_is_plain() -> None:
    one, other = Trained("plain"), Trained("pmhm", AWAKE)
    assert [one.step(step) for step in range(WARM)] == [other.step(step) for step in range(WARM)]


def test_heads_are_copied_when_the_main_head_is_trained() -> None:
    trained = _after_warm_up({"heads": 3, "copy_noise": 0.0, "robust_heads": "mask+activity"})
    net = trained.nets[0]
    trained.strategy.prepare_step(trained.nets, progress(WARM))
    for head in net.robust_heads:
        assert torch.equal(head.weights, net.mask_head.weights)
    for head in net.robust_activity_heads:
        assert torch.equal(head.weights, net.activity_head.weights)
    early = Trained("pmhm", {"copy_from": "untrained"} | AWAKE)
    first = early.nets[0].mask_head.weights.detach().clone()
    for step in range(WARM + 1):
        early.strategy.prepare_step(early.nets, progress(step))
    added = early.nets[0].robust_heads[0].weights - first
    assert 0 < added.abs().max() < 1e-2  # from the untrained head, with a little noise


def test_false_positives_anneal_and_as_released_do_not() -> None:
    strategy = build_strategy("pmhm", {"warmup": 0.0}, CONTEXT)
    ends = [
        strategy._compute_false_positive_weight(progress(epoch * STEPS)) for epoch in range(EPOCHS)
    ]
    assert ends == pytest.approx([0.7, 0.7 - 0.2 / 3, 0.7 - 0.4 / 3, 0.5])
    after = build_strategy("pmhm", {"warmup": 0.25}, CONTEXT)
    ends = [
        after._compute_false_positive_weight(progress(epoch * STEPS)) for epoch in range(1, EPOCHS)
    ]
    assert ends == pytest.approx([0.7, 0.6, 0.5])
    released = build_strategy("pmhm", {"arithmetic": "released"}, CONTEXT)
    assert {released._compute_false_positive_weight(progress(step)) for step in range(8)} == {0.7}


@pytest.mark.parametrize(
    ("heads", "vote", "warned"),
    [
        (0, "all", False),
        (1, "all", False),
        (2, "majority", True),
        (2, "two", True),
        (3, "two", True),
        (3, "majority", False),
    ],
)
def test_a_vote_that_cannot_fail_is_told(heads: int, vote: str, warned: bool) -> None:
    notes = build_strategy("pmhm", {"heads": heads, "vote": vote}, CONTEXT).notes
    told = (f"of {heads + 1} heads, {vote} always agree: the margin alone decides",)
    assert tuple(note.partition(";")[0] for note in notes) == (told if warned else ())


def test_dropout_takes_channels_and_as_released_whole_frames() -> None:
    for dropout, axes in (("channel", (3,)), ("frame", ())):
        options = {"dropout": dropout, "drop": 0.5, "noise": 0.0, "every": 1}
        trained = _after_warm_up(options)
        trained.strategy.prepare_step(trained.nets, progress(WARM))
        pixels = torch.ones(6, 2, 3, 4, 5, 5)
        seen = trained.strategy._perturb_features(0, pixels)
        assert set(seen.unique().tolist()) == {0.0, 2.0}
        assert torch.equal(seen, seen[:, :1, ..., :1, :1].expand_as(seen))
        frames = seen[:, 0, :, :, 0, 0]
        whole = (frames == frames[..., :1]).all()
        assert bool(whole) == (axes == ())


def test_noise_is_relative_to_the_features() -> None:
    trained = _after_warm_up({"drop": 0.0, "noise": 0.2, "every": 1})
    trained.strategy.prepare_step(trained.nets, progress(WARM))
    pixels = (
        torch.randn(1, 2, 2, 16, 32, 32) * torch.tensor([1.0, 100.0])[:, None, None, None, None]
    )
    added = trained.strategy._perturb_features(0, pixels) - pixels
    assert added[0, 0].std().item() == pytest.approx(0.2, rel=0.05)
    assert added[0, 1].std().item() == pytest.approx(20, rel=0.05)
    spread = pixels.std((3, 4, 5), keepdim=True)
    torch.testing.assert_close(compute_deviation(pixels), spread, rtol=1e-4, atol=1e-5)


def test_no_perturbation_without_gradient() -> None:
    trained = _after_warm_up({})
    pixels = torch.randn(1, 1, 1, 4, 8, 8)
    with torch.no_grad():
        assert torch.equal(trained.strategy._perturb_features(0, pixels), pixels)


def test_a_resting_head_stays_as_it_is_and_wakes() -> None:
    trained = _after_warm_up({"freeze": "epoch", "freeze_first": 1.0, "freeze_last": 0.0})
    trained.strategy.prepare_step(trained.nets, progress(WARM))
    before = trained.nets[0].robust_heads[0].weights.detach().clone()
    for step in (WARM, WARM + 1):
        trained.step(step)  # weight decay and momentum do not move it either
        assert torch.equal(trained.nets[0].robust_heads[0].weights, before)
    trained.step(EPOCHS * STEPS - 1)
    assert not torch.equal(trained.nets[0].robust_heads[0].weights, before)


def test_steps_freeze_with_the_chance_that_is_given() -> None:
    options = {"freeze": "step", "freeze_first": 0.2, "freeze_last": 0.2}
    strategy = build_strategy("pmhm", options, CONTEXT)
    rests = [strategy._is_resting(0, replace(progress(0), step=step)) for step in range(3000)]
    assert sum(rests) / 3000 == pytest.approx(0.2, abs=0.03)


def test_activity_is_learned_where_activity_heads_agree() -> None:
    trained = _after_warm_up({"robust_heads": "mask+activity", "drop": 0.0, "noise": 0.0})
    now, net = batch(), trained.nets[0]
    trained.strategy.prepare_step(trained.nets, progress(WARM))
    with torch.no_grad():
        net.robust_activity_heads[0].weights.mul_(-3)
    output = net(now.frames, now.tokens)
    agree = (output.activity > 0) == (output.robust_activity[0] > 0)
    assert 0 < agree[now.prompt_mask].sum() < now.prompt_mask.sum()
    (loss,) = trained.strategy.compute_losses(trained.nets, [output], now, progress(WARM))
    focal = torch.where(agree, of.focal(output.activity, now.active), 0.0)[now.prompt_mask].mean()
    assert loss.parts["activity"].item() == pytest.approx(2 * focal.item(), rel=1e-5)
    apart = of.symmetric_kl(output.activity, output.robust_activity[0])[now.prompt_mask].mean()
    assert loss.parts["activity_heads"].item() == pytest.approx(0.1 * apart.item(), rel=1e-5)


def test_every_pixel_is_asked_sooner_or_later() -> None:
    strategy = build_strategy("pmhm", {"every": 2}, CONTEXT)
    places = torch.arange(64.0).view(8, 8)
    seen = {
        value
        for step in range(30)
        for value in strategy._sample_pixels(places, progress(step)).flatten().tolist()
    }
    assert seen == set(range(64))


def test_released_undoes_every_mend() -> None:
    mends = ("warmup", "copy_from", "dropout", "dice_region", "anneal", "vote", "scope", "padding",
             "every")  # fmt: skip
    paper = build_strategy("pmhm", {}, CONTEXT).options
    released = build_strategy("pmhm", {"arithmetic": "released"}, CONTEXT).options
    assert all(getattr(paper, name) != getattr(released, name) for name in mends)


def test_the_first_lines_of_a_run_say_so(tmp_path: Path) -> None:
    from reference_trainer.training.run_state import assemble_run
    from tests.helpers.trained import painted_root, small

    options = {"heads": 2, "vote": "majority"}
    config = small(painted_root(tmp_path / "root"), strategy="pmhm", options=options)
    told = assemble_run(config, tmp_path / "run").describe().splitlines()
    assert told[-1].startswith("note: of 3 heads, majority always agree")
