"""What holds for every strategy, in both arithmetics."""

from __future__ import annotations

import io
import math
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.core.errors import InputError
from reference_trainer import strategies
from reference_trainer.cli.strategies_command import list_strategies
from reference_trainer.strategies import STRATEGIES, build_strategy
from reference_trainer.strategies import losses as of
from tests.helpers.small_nets import CONTEXT, EPOCHS, STEPS, Trained, batch, filled_up, progress

RUN = range(EPOCHS * STEPS)
RELEASED = {"arithmetic": "released"}

CASES: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in STRATEGIES} | {
    f"{name}-released": (name, {"arithmetic": "released"})
    for name, info in STRATEGIES.items()
    if info.released
}
CASES |= {
    "gce-truncated": ("gce", {"truncate": 0.5}),
    "gce-both": ("gce", {"robust": "both", "dice_region": "trusted"}),
    "elr-both": ("elr", {"robust": "both", "dice_region": "trusted"}),
    "npn-both": ("npn", {"robust": "both", "dice_region": "trusted", "votes": "both"}),
    "npn-activity": ("npn", {"robust": "activity"}),
    "npn-hard": ("npn", {"variant": "hard", "confidence": 0.7}),
    "pmhm-activity": ("pmhm", {"robust_heads": "mask+activity", "heads": 2}),
    "pmhm-alone": ("pmhm", {"heads": 0}),
    "pmhm-every-pixel": ("pmhm", {"every": 1, "freeze": "step"}),
    "pmhm-random": ("pmhm", {"regions": "random"}),
    "smart-wide": ("smart", {"hard_share": 0.5}),
}
every = pytest.mark.parametrize(("name", "options"), CASES.values(), ids=CASES)


@every
def test_a_run_is_finite_and_parts_sum_to_the_loss(name: str, options: dict[str, Any]) -> None:
    trained = Trained(name, options)
    for step in RUN:
        for loss in trained.losses(step, batch(step)):
            assert loss.total.isfinite()
            total = sum(part.item() for part in loss.parts.values())
            assert loss.total.item() == pytest.approx(total, rel=1e-5)
            assert not any(part.requires_grad for part in loss.parts.values())
        for gradient in trained.gradients().values():
            assert gradient is None or gradient.isfinite().all()
        for optimiser in trained.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


@every
def test_a_run_taken_up_anywhere_is_the_undisturbed_one(name: str, options: dict[str, Any]) -> None:
    whole = Trained(name, options)
    states, losses = [], []
    for step in RUN:
        file = io.BytesIO()
        torch.save(whole.state(), file)
        states.append(file)
        losses.append(whole.step(step))
    for start, file in list(enumerate(states))[1::2]:
        again = Trained(name, options, seed=99)  # whatever it began with
        file.seek(0)
        again.load(torch.load(file, weights_only=True))
        assert [again.step(step) for step in RUN[start:]] == losses[start:]
        for net, other in zip(whole.nets, again.nets, strict=True):
            state, values = net.state_dict(), other.state_dict()
            assert state.keys() == values.keys()
            assert all(torch.equal(state[key], values[key]) for key in state)


@every
def test_what_only_fills_up_changes_nothing(name: str, options: dict[str, Any]) -> None:
    narrow, wide = Trained(name, options), Trained(name, options)
    for step in RUN:
        of_narrow = narrow.losses(step, batch(step))
        of_wide = wide.losses(step, filled_up(batch(step), 2, 1))
        for one, other in zip(of_narrow, of_wide, strict=True):
            assert one.total.item() == pytest.approx(other.total.item(), rel=1e-5, abs=1e-7)
        for (place, one), other in zip(
            narrow.gradients().items(), wide.gradients().values(), strict=True
        ):
            assert (one is None) == (other is None), place
            if one is not None:
                torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
        for trained in (narrow, wide):
            for optimiser in trained.optimisers:
                optimiser.zero_grad(set_to_none=True)


@every
def test_masks_that_must_not_be_learned_teach_nothing(name: str, options: dict[str, Any]) -> None:
    """Whatever they are, losses and gradients stay the same; the activity is learned."""
    one, other = Trained(name, options), Trained(name, options)
    for step in RUN:
        now = batch(step)
        now.unit_mask[0, 1], now.unit_mask[1, :, 0] = False, False
        odd = replace(now, masks=now.masks.clone(), weights=now.weights.clone())
        odd.masks[~now.unit_mask], odd.weights[~now.unit_mask] = 1 - odd.masks[~now.unit_mask], 7.0
        known, changed = one.losses(step, now), other.losses(step, odd)
        assert [loss.total.item() for loss in known] == [loss.total.item() for loss in changed]
        gradients = one.gradients()
        for place, values in other.gradients().items():
            expected = gradients[place]
            assert values is expected is None or torch.equal(values, expected), place
        assert all(loss.parts["activity"] != 0 for loss in known)
        for trained in (one, other):
            for optimiser in trained.optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)


@every
def test_a_batch_that_only_fills_up_teaches_nothing(name: str, options: dict[str, Any]) -> None:
    trained = Trained(name, options)
    empty = batch()
    empty.prompt_mask[:], empty.frame_mask[:], empty.unit_ids[:] = False, False, -1
    empty.unit_mask[:] = False
    for step in (0, len(RUN) - 1):
        for loss in trained.losses(step, empty):
            assert loss.total.item() == 0
        for gradient in trained.gradients().values():
            assert gradient is None or not gradient.any()


@every
def test_deployed_parameters_are_those_of_a_plain_net(name: str, options: dict[str, Any]) -> None:
    trained = Trained(name, options)
    for step in RUN:
        trained.step(step)
    deployed = trained.nets[0].state_dict()
    plain = Trained("plain").nets[0].state_dict()
    assert {key for key in deployed if not key.startswith("robust")} == plain.keys()


@pytest.mark.parametrize("name", STRATEGIES)
def test_equal_seeds_give_equal_runs(name: str) -> None:
    one, other = Trained(name), Trained(name)
    assert [one.step(step) for step in RUN] == [other.step(step) for step in RUN]


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "co-teaching"])
@settings(deadline=None, max_examples=5)
@given(st.integers(2, 5))
def test_every_strategy_heeds_weights(name: str, weight: int) -> None:
    """Terms of pixels are times the weights; Dice, activity and what no label enters are not."""
    plain, weighted = Trained(name), Trained(name)
    heavy = batch()
    heavy.weights[:] = weight
    for step in (0, len(RUN) - 1):
        (one,), (other,) = plain.losses(step, batch()), weighted.losses(step, heavy)
        for term in one.parts:
            factor = 1 if term in _WITHOUT_WEIGHTS else weight
            part = one.parts[term].item() * factor
            assert other.parts[term].item() == pytest.approx(part, rel=1e-4, abs=1e-7), term


_WITHOUT_WEIGHTS = {"dice", "activity", "tversky", "heads", "start_masks", "start_activity"}


@pytest.mark.parametrize(
    ("name", "robust", "times"),
    [
        ("gce", of.gce_released, 1),
        ("sce", of.sce_released, 1),
        ("apl", lambda z, y: 10 * of.gce(z, y) + of.mae(z, y), 3),
    ],
)
def test_released_runs_weigh_what_their_commands_weigh(name: str, robust: Any, times: int) -> None:
    """--use_weights --use_gce (--use_sce): focal alone; --use_active_passive: its terms, too."""
    assert not build_strategy(name, {}, CONTEXT).uses_weights
    assert build_strategy(name, {"weights": "all"}, CONTEXT).uses_weights
    trained = Trained(name, RELEASED)
    assert trained.strategy.uses_weights
    now = batch()
    z = torch.linspace(-3, 3, now.masks.numel()).view_as(now.masks)
    now.weights[:] = 3
    trained.strategy.prepare_step(trained.nets, progress(0))
    expected = 3 * of.focal(z, now.masks) + times * robust(z, now.masks)
    torch.testing.assert_close(trained.strategy.compute_pixel_loss(z, now), expected)


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("plain", {}, []),
        ("co-teaching", {}, []),
        ("elr", {}, []),
        ("gce", {}, [2]),
        ("gce", {"truncate": 0.5}, [2, 3]),
        ("apl", {"warmup": 0.7}, [5]),
        ("npn", {}, [2]),
        ("smart", {"warmup": 0.5}, [4]),
        ("pmhm", {}, [2]),
        ("pmhm", RELEASED, []),
    ],
)
def test_a_phase_begins_where_a_step_does_something_else(
    name: str, options: dict[str, Any], begins: list[int]
) -> None:
    strategy = build_strategy(name, options, CONTEXT)
    phases = [strategy.get_phase(progress(step)) for step in RUN]
    assert [step for step in RUN[1:] if phases[step] != phases[step - 1]] == begins


@every
def test_the_slim_model_trains(name: str, options: dict[str, Any]) -> None:
    """Two updates late in a run, where what a strategy adds is at work."""
    from reference_trainer.batches.tokens import LENGTH
    from reference_trainer.network.model import SegmentationModel

    now = batch()
    tokens = torch.zeros(2, 3, LENGTH, dtype=torch.int64)
    tokens[..., 0] = now.tokens[..., 0]
    now = replace(now, tokens=tokens)
    strategy = build_strategy(name, options, CONTEXT)
    nets: list[Any] = [SegmentationModel(channels=8, width=16) for _ in range(strategy.net_count)]
    strategy.prepare(nets)
    for step in RUN[-2:]:
        strategy.prepare_step(nets, progress(step))
        outputs = [net(now.frames, now.tokens) for net in nets]
        losses = strategy.compute_losses(nets, outputs, now, progress(step))
        torch.stack([loss.total for loss in losses]).sum().backward()
        for net in nets:
            for place, value in net.named_parameters():
                assert value.grad is None or value.grad.isfinite().all(), place
        deployed = [net.encoder.parameters() for net in nets]
        assert all(value.grad is not None for values in deployed for value in values)


# Options.


def test_all_options_that_make_no_sense_are_refused_at_once() -> None:
    wrong = {"q": 2.0, "combine": "both", "dice": float("nan"), "mask": True, "arithmetic": "mine"}
    with pytest.raises(InputError) as caught:
        build_strategy("gce", wrong, CONTEXT)
    assert {problem.where for problem in caught.value.problems} == {
        f"option {name}" for name in wrong
    }


def test_unknown_names_are_refused_and_the_known_listed() -> None:
    with pytest.raises(InputError, match="plain, action-focal, co-teaching"):
        build_strategy("magic", {}, CONTEXT)
    with pytest.raises(InputError, match="gce has no option gce_q"):
        build_strategy("gce", {"gce_q": 0.5}, CONTEXT)


def test_released_sets_constants_that_are_not_given() -> None:
    assert build_strategy("elr", {}, CONTEXT).options.strength == pytest.approx(1 / 3)
    assert build_strategy("elr", {"arithmetic": "released"}, CONTEXT).options.strength == 5e-4
    both = {"arithmetic": "released", "strength": 1}
    assert build_strategy("elr", both, CONTEXT).options.strength == 1.0


@pytest.mark.parametrize(
    ("name", "options", "idle"),
    [
        ("co-teaching", RELEASED | {"assume_rate": 0.4, "ramp_epochs": 3, "exponent": 2.0}, 3),
        ("gce", {"truncate_from": 0.5}, 1),
        ("gce", RELEASED | {"truncate": 0.5}, 1),
        ("elr", RELEASED | {"memory": 0.9, "scale": "match-focal"}, 2),
        ("npn", RELEASED | {"variant": "hard"}, 1),
        ("smart", {"warmup": 0, "dice": 1.0}, 1),
        ("pmhm", {"freeze": "never", "freeze_first": 0.5, "freeze_last": 0.0}, 2),
        ("pmhm", {"anneal": False, "false_positives_last": 0.6}, 1),
        ("pmhm", {"heads": 0, "drop": 0.1, "robust_heads": "mask+activity"}, 2),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    name: str, options: dict[str, Any], idle: int
) -> None:
    with pytest.raises(InputError, match="has no effect") as caught:
        build_strategy(name, options, CONTEXT)
    given = {f"option {option}" for option in options}
    found = [problem.where for problem in caught.value.problems]
    assert len(found) == idle
    assert given.issuperset(found)
    rest = {key: value for key, value in options.items() if f"option {key}" not in found}
    build_strategy(name, rest, CONTEXT)


IDLE = [
    (name, field.name, {other: value})
    for name, info in STRATEGIES.items()
    for field in fields(info.options)
    for other, value in field.metadata["unless"].items()
]


@pytest.mark.parametrize(("name", "option", "beside"), IDLE)
def test_options_that_are_refused_do_nothing_indeed(
    name: str, option: str, beside: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Trained(name, beside)
    losses = [usual.step(step) for step in RUN]
    options = build_strategy(name, beside, CONTEXT).options
    value, kind = getattr(options, option), get_type_hints(type(options))[option]
    others = get_args(kind) if get_origin(kind) is Literal else [kind(value + 1)]
    object.__setattr__(options, option, others[0] if others[0] != value else others[1])
    monkeypatch.setattr(
        "tests.helpers.small_nets.build_strategy",
        lambda *_: STRATEGIES[name].strategy(options, CONTEXT),
    )
    other = Trained(name, beside)
    assert [other.step(step) for step in RUN] == losses


def test_consistency_follows_the_variant() -> None:
    """Sheng et al.: NL + CR + PLL for the hard variant, NL + 2 CR + PLL for the soft one."""
    assert build_strategy("npn", {}, CONTEXT).options.consistency == 2.0
    assert build_strategy("npn", {"variant": "hard"}, CONTEXT).options.consistency == 1.0
    assert build_strategy("npn", RELEASED, CONTEXT).options.consistency == 0.2
    assert (
        build_strategy("npn", {"variant": "hard", "consistency": 2}, CONTEXT).options.consistency
        == 2.0
    )


OPTIONS = [
    *((name, {}) for name in STRATEGIES),
    *((name, RELEASED) for name, info in STRATEGIES.items() if info.released),
    ("pmhm", {"heads": 0}),
    ("npn", {"variant": "hard"}),
]


@pytest.mark.parametrize(("name", "given"), OPTIONS)
def test_options_survive_a_file(name: str, given: dict[str, Any]) -> None:
    options = build_strategy(name, given, CONTEXT).options
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    assert build_strategy(name, values, CONTEXT).options == options
    assert all(type(value) in (bool, int, float, str) for value in values.values())


def test_a_strategy_without_released_code_is_not_listed_with_it(monkeypatch, capsys) -> None:
    """It may share options with strategies that have released code, as all pixel losses do."""
    table = dict(STRATEGIES, new=replace(STRATEGIES["gce"], released=False))
    monkeypatch.setattr(strategies, "STRATEGIES", table)
    list_strategies()
    lines = {line.partition(":")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "--arithmetic released" in lines["gce"]
    assert "--arithmetic released" not in lines["new"]
    assert "--arithmetic released" not in lines["plain"]
    assert strategies.resolve_options("gce", RELEASED).released
    with pytest.raises(InputError, match="new has no released code"):
        strategies.resolve_options("new", RELEASED)


def test_the_page_on_strategies_has_each_of_them() -> None:
    page = (Path(__file__).parents[3] / "docs" / "strategies.md").read_text(encoding="utf-8")
    cold = [name for name, info in STRATEGIES.items() if not info.needs_start]
    headings = {
        "## Strategies and constants": list(STRATEGIES),
        "## Results on the built-in sample": cold,
    }
    for heading, expected in headings.items():
        section = page.partition(f"\n{heading}\n")[2].partition("\n##")[0]
        rows = re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE)
        assert list(dict.fromkeys(rows)) == expected, heading


# The values that a benchmark tunes, see docs/strategies.md.

TUNED: dict[str, list[dict[str, Any]]] = {
    "plain": [{}],
    "elr": [{"strength": value} for value in (0.33, 1, 3)],
    "gce": [{"q": value} for value in (0.3, 0.7, 1)],
    "sce": [{"alpha": a, "beta": b} for a, b in ((0.1, 1), (0.775, 0.316), (6, 0.1))],
    "apl": [{"alpha": a, "beta": b} for a, b in ((1, 1), (3.16, 0.316), (10, 0.1))],
    "co-teaching": [{"assume_rate": value} for value in (0.1, 0.2, 0.4)],
    "npn": [{"consistency": value} for value in (0.5, 1, 2)],
    "smart": [{"hard_share": value} for value in (0.15, 0.5, 1)],
    "pmhm": [{"stable": value} for value in (0.2, 0.4, 0.6)],
}


@pytest.mark.parametrize("name", TUNED)
def test_tuned_values_are_accepted_and_finite(name: str) -> None:
    """From a trained net, so without a warm-up; SMART has no Dice then."""
    known = {field.name for field in fields(STRATEGIES[name].options)}
    warm = {"warmup": 0.0} if "warmup" in known else {}
    lasts = set()
    for values in TUNED[name]:
        for dice in (5,) if name == "smart" else (5, 0):
            trained = Trained(name, {**warm, **values, "dice": dice})
            losses = [trained.step(step) for step in RUN[-2:]]
            assert all(math.isfinite(loss) for step in losses for loss in step)
            lasts.add(losses[-1][0])
            for option, value in values.items():
                assert getattr(trained.strategy.options, option) == value
    assert len(lasts) == len(TUNED[name]) * (1 if name == "smart" else 2)  # each has an effect


# Losses of pixels, as a whole.


def _terms(name: str, options: dict[str, Any]) -> tuple[dict[str, float], Any, Any]:
    """Terms of a step, the logits and the batch."""
    trained = Trained(name, options)
    now = batch()
    with torch.no_grad():
        logits = trained.nets[0](now.frames, now.tokens).masks
    (loss,) = trained.losses(0, now)
    return {name: part.item() for name, part in loss.parts.items()}, logits, now


def _mean(values: Any, now: Any) -> float:
    """Over asked prompts the mean over shown frames, prompt by prompt."""
    means = [
        values[clip, prompt][now.frame_mask[clip]].mean().item()
        for clip, prompt in now.prompt_mask.nonzero().tolist()
    ]
    return sum(means) / len(means)


FRAMES_PER_PROMPT = (3 * 2 + 2 * 1) / 5


@pytest.mark.parametrize(
    ("name", "options", "pixel"),
    [
        ("plain", {}, of.focal),
        ("action-focal", {}, of.focal),
        ("gce", {}, of.gce),
        ("gce", {"q": 0.4}, lambda z, y: of.gce(z, y, 0.4)),
        ("gce", {"combine": "add"}, lambda z, y: of.gce(z, y) + of.focal(z, y)),
        ("sce", {}, lambda z, y: 0.1 * of.bce(z, y) + of.rce(z, y)),
        ("apl", {}, lambda z, y: of.nce(z, y) + of.rce(z, y)),
        (
            "apl",
            {"active": "ngce", "passive": "mae", "alpha": 2.0, "beta": 3.0},
            lambda z, y: 2 * of.ngce(z, y) + 3 * of.mae(z, y),
        ),
    ],
)
def test_terms_by_the_papers(name: str, options: dict[str, Any], pixel: Any) -> None:
    raw = {"scale": "raw", "warmup": 0.0} if name in SCALED else {}
    terms, z, now = _terms(name, raw | options)
    assert terms["mask"] == pytest.approx(2 * _mean(pixel(z, now.masks), now), rel=1e-5)


SCALED = ("gce", "sce", "apl", "elr", "npn", "smart")


@pytest.mark.parametrize("name", ["gce", "sce", "apl"])
def test_bounded_losses_begin_after_a_plain_warm_up(name: str) -> None:
    plain, other = Trained("plain"), Trained(name)  # a quarter of eight steps
    assert [plain.step(step) for step in range(2)] == [other.step(step) for step in range(2)]
    assert plain.step(2) != other.step(2)


@pytest.mark.parametrize("options", [{}, {"q": 0.3}, {"alpha": 5.0}, {"active": "nfl"}])
@pytest.mark.parametrize("name", ["gce", "sce", "apl"])
def test_an_undecided_pixel_costs_what_it_costs_under_the_focal_loss(
    name: str, options: dict[str, Any]
) -> None:
    known = {field.name for field in fields(STRATEGIES[name].options)}
    strategy = build_strategy(name, {key: options[key] for key in options if key in known}, CONTEXT)
    now = batch()
    now.masks[:] = (torch.arange(8) % 2).float()
    cost = strategy.compute_pixel_loss(torch.zeros_like(now.masks), now).mean()
    assert cost.item() == pytest.approx(0.5 * 0.25 * math.log(2), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "showings", "times"),
    [
        *((name, 1, 1.0) for name in ("gce", "sce", "apl")),
        ("smart", 1, 2.0),
        ("npn", 1, 3.5),
        ("elr", 1, 1 + math.log(0.85) / math.log(2) / 3),
        ("elr", 30, 2 / 3),
    ],
)
def test_what_undecided_pixels_cost_beside_the_focal_loss(
    name: str, showings: int, times: float
) -> None:
    """As docs/strategies.md has it, after the warm-up; half of the pixels are labelled a thing."""
    trained = Trained(name)
    for net in trained.nets:  # a net that says background everywhere, but hardly
        net.encoder.weight.data.zero_()
        net.encoder.bias.data.fill_(1)
        net.words.weight.data.zero_()
        net.mask_head.weights.data.fill_(-1e-4)
    now = batch()
    now.masks[:] = (torch.arange(8) % 2).float()
    for _ in range(showings):
        (loss,) = trained.losses(len(RUN) - 1, now)
    others = ("dice", "activity")
    cost = sum(part.item() for term, part in loss.parts.items() if term not in others)
    assert cost == pytest.approx(times * 2 * 0.5 * 0.25 * math.log(2), rel=5e-3)


@pytest.mark.parametrize("name", SCALED)
def test_scaling_touches_the_terms_of_pixels_alone(name: str) -> None:
    raw, scaled = Trained(name, {"scale": "raw"}), Trained(name)
    step = len(RUN) - 1
    (one,), (other,) = raw.losses(step, batch()), scaled.losses(step, batch())
    ratios = {part: (other.parts[part] / one.parts[part]).item() for part in one.parts}
    for part, ratio in ratios.items():
        expected = 1 if part in ("dice", "activity") else ratios["mask"]
        assert ratio == pytest.approx(expected, rel=1e-4), part
    if name in ("elr", "npn", "smart"):
        assert ratios["mask"] == pytest.approx(1 / 8, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "pixel"),
    [
        ("gce", of.gce_released),
        ("sce", of.sce_released),
        ("apl", lambda z, y: 10 * of.gce(z.clamp(-10, 10), y) + of.mae(z.clamp(-10, 10), y)),
        ("elr", lambda z, y: 5e-4 * of.elr_released(z, y)),
    ],
)
def test_released_losses_stack_on_focal_and_are_divided_by_frames(name: str, pixel: Any) -> None:
    terms, z, now = _terms(name, {"arithmetic": "released"})
    stacked = _mean(of.focal(z, now.masks) + pixel(z, now.masks), now)
    assert terms["mask"] == pytest.approx(2 * stacked / FRAMES_PER_PROMPT, rel=1e-5)
    plain, *_ = _terms("plain", {})
    assert terms["dice"] == pytest.approx(plain["dice"] / FRAMES_PER_PROMPT, rel=1e-5)
    assert terms["activity"] == plain["activity"]


def test_released_apl_has_no_gradient_beyond_ten() -> None:
    strategy = build_strategy("apl", {"arithmetic": "released", "combine": "replace"}, CONTEXT)
    z = torch.tensor([-11.0, 11.0, 9.0], requires_grad=True)
    strategy.compute_robust_loss(z, torch.ones(3)).sum().backward()
    assert (z.grad != 0).tolist() == [False, False, True]


def test_action_focal_with_equal_weights_is_plain() -> None:
    assert build_strategy("action-focal", {}, CONTEXT).uses_weights
    one, other = Trained("plain"), Trained("action-focal")
    assert [one.step(step) for step in RUN] == [other.step(step) for step in RUN]


def test_gce_truncates_late() -> None:
    trained = Trained("gce", {"truncate": 0.5, "truncate_from": 0.5})
    y = torch.ones(1)
    for step, expected in ((3, of.gce), (4, of.truncated_gce)):
        trained.strategy.prepare_step(trained.nets, progress(step))
        z = torch.tensor([-1.0])
        assert torch.equal(trained.strategy.compute_robust_loss(z, y), expected(z, y))
