"""The code of `docs/your_trainer.md`, run on a stand-in for the public training code."""

from __future__ import annotations

import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer import losses
from tests.helpers import public_training_code as public
from tests.helpers.pages import code_blocks

PAGE = "docs/your_trainer.md"
FILES = {  # where the page says that each block belongs
    "RobustCriterion": "models/criterion.py",
    "GceCriterion": "models/criterion.py",
    "NumberedDataset": "datasets/actionvos.py",
    "ElrCriterion": "models/criterion.py",
    "RobustReferFormer": "models/referformer.py",
    "PmhmCriterion": "models/criterion.py",
}
NAMES = {"loss_mask": 2.0, "loss_dice": 5.0, "loss_mask_0": 2.0, "loss_dice_0": 5.0}


@pytest.fixture(scope="module")
def page():
    """All names of the page, each block run in the file that it is appended to."""
    modules = public.make_modules()
    first, *blocks = code_blocks(PAGE, "python")
    exec(compile(first, PAGE, "exec"), {})
    known = {}
    for block in blocks:
        name = next((name for name in FILES if f"class {name}" in block), None)
        if name is not None:
            exec(compile(block, PAGE, "exec"), vars(modules[FILES[name]]))
            known[name] = vars(modules[FILES[name]])[name]
        elif block.startswith("if self.training"):
            header = "def add_outputs(self, out, mask_features, hs, inter_references, targets):\n"
            place: dict = {}
            exec(compile(header + textwrap.indent(block, "    "), PAGE, "exec"), place)
            known["add_outputs"] = place["add_outputs"]
        else:
            place = {"losses": losses}
            exec(compile(block, PAGE, "exec"), place)
            known["select_for_the_other"] = place["select_for_the_other"]
    assert known.keys() == {*FILES, "add_outputs", "select_for_the_other"}
    known["RobustReferFormer"].add_outputs = known["add_outputs"]
    return SimpleNamespace(**known)


@pytest.fixture(scope="module")
def noisy(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "noisy"
    corrupt(root, make_recipe("dilate", 1.0), out=out)
    frames = out / "JPEGImages_Sparse"
    if not frames.exists():
        frames.symlink_to(root / "JPEGImages_Sparse")
    return out


def make_loader(data):
    return torch.utils.data.DataLoader(data, batch_size=2, collate_fn=public.collate)


def make_criterion(kind):
    return kind(1, public.match_queries, dict(NAMES), 0.1, ["masks"])


def train(kind, data, model=None, epochs=2):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = public.ReferFormer() if model is None else model
        criterion = make_criterion(kind)
        optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
        loader = make_loader(data)
        values = [
            public.train_one_epoch(model, criterion, loader, optimiser) for _ in range(epochs)
        ]
    return model, criterion, values


EXPRESSIONS = "train_meta_expressions_promptaction.json"


def draw_step(data, model=None):
    """Outputs and targets of one batch."""
    samples, targets = next(iter(make_loader(data)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = public.ReferFormer() if model is None else model
        return model(samples, [target["caption"] for target in targets], targets), targets


def match_by_hand(outputs, targets):
    """Logits and labels (B, T, h, w) as float64 arrays."""
    indices = public.match_queries(outputs, targets)
    masks = outputs["pred_masks"].detach().double().numpy()
    logits = np.stack([masks[row, :, int(query)] for row, (query, _) in enumerate(indices)])
    labels = []
    for target, z in zip(targets, logits, strict=True):
        y = target["masks"].numpy()
        wide = np.zeros((len(y), 4 * z.shape[1], 4 * z.shape[2]))
        wide[:, : y.shape[1], : y.shape[2]] = y
        labels.append(wide[:, 2::4, 2::4])
    return logits, np.stack(labels)


def test_the_noise_reaches_the_loop(root, noisy):
    clean, changed = (public.ActionVOSDataset(of, EXPRESSIONS) for of in (root, noisy))
    areas = [sum(data[n][1]["masks"].sum() for n in range(len(data))) for data in (clean, changed)]
    assert areas[1] > 1.05 * areas[0]


def test_gce_replaces_the_focal_loss_of_the_public_loop(page, noisy):
    data = public.ActionVOSDataset(noisy, EXPRESSIONS)
    outputs, targets = draw_step(data)
    plain = make_criterion(public.SetCriterion)(outputs, targets)
    terms = make_criterion(page.GceCriterion)(outputs, targets)
    z, y = match_by_hand(outputs, targets)
    p = 1 / (1 + np.exp(-z))
    right = np.where(y == 1, p, 1 - p)
    scale = 0.125 * np.log(2) / ((1 - 0.5**0.7) / 0.7)
    frames = sum(len(target["valid"]) for target in targets)
    expected = (scale * (1 - right**0.7) / 0.7).mean((1, 2, 3)).sum() / frames
    assert terms.keys() == plain.keys()
    assert np.isclose(terms["loss_mask"].item(), expected, rtol=1e-5)
    assert torch.equal(terms["loss_dice"], plain["loss_dice"])
    _, _, values = train(page.GceCriterion, data, epochs=4)
    assert np.mean(values[-1]) < np.mean(values[0])


def test_elr_remembers_each_object_and_frame_once_an_epoch(page, noisy):
    data = page.NumberedDataset(noisy, EXPRESSIONS)
    units = [tuple(data[n][1]["units"].tolist()) for n in range(len(data))]
    identities = {}
    for meta, numbers, n in zip(data.metas, units, range(len(data)), strict=True):
        for frame, number in zip(data[n][1]["frames_idx"].tolist(), numbers, strict=True):
            identity = (meta["video"], meta["obj_id"], frame)
            assert identities.setdefault(number, identity) == identity
    assert len(set(identities.values())) == len(identities)
    _, criterion, values = train(page.ElrCriterion, data, epochs=3)
    state = criterion.early.state_dict()
    assert state["targets"].keys() == identities.keys()
    assert set(state["showings"].values()) == {3}
    assert np.isfinite(values).all()

    outputs, targets = draw_step(data)
    fresh = make_criterion(page.ElrCriterion)
    terms = fresh(outputs, targets)
    z, y = match_by_hand(outputs, targets)
    p = np.clip(1 / (1 + np.exp(-z)), 1e-4, 1 - 1e-4)
    bce = -np.where(y == 1, np.log(p), np.log(1 - p))
    # After one update the target is 0.3 times the prediction, for both classes.
    reg = np.log(1 - 0.3 * (p**2 + (1 - p) ** 2))
    frames = sum(len(target["valid"]) for target in targets)
    expected = (0.125 * (bce + reg / 3)).mean((1, 2, 3)).sum() / frames
    assert np.isclose(terms["loss_mask"].item(), expected, rtol=1e-3)
    assert "loss_mask_0" in terms


def make_robust_model(page, heads=1):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = page.RobustReferFormer()
        model.add_robust_heads(heads)
        model.controller.weight.data += 1  # as pretrained weights would change it
        model.copy_main_head()
    return model


def test_pmhm_learns_with_robust_heads_in_the_public_loop(page, noisy):
    data = public.ActionVOSDataset(noisy, EXPRESSIONS)
    model = make_robust_model(page)
    difference = model.robust_controllers[0].weight - model.controller.weight
    assert 0 < difference.abs().max() < 0.01
    outputs, targets = draw_step(data, model)
    assert outputs["pred_masks_heads"].shape == (1, *outputs["pred_masks"].shape)
    criterion = make_criterion(page.PmhmCriterion)
    terms = criterion(outputs, targets)
    assert terms.keys() - {"loss_heads"} == {
        f"loss_{name}{layer}" for name in ("mask", "dice", "tversky") for layer in ("", "_0")
    }
    assert terms.keys() == criterion.weight_dict.keys()
    terms["loss_heads"].backward()
    assert model.robust_controllers[0].weight.grad.any()
    before = [value.clone() for value in model.robust_controllers.parameters()]
    _, _, values = train(page.PmhmCriterion, data, model)
    assert np.isfinite(values).all()
    after = list(model.robust_controllers.parameters())
    assert not any(map(torch.equal, before, after))
    model.eval()
    assert "pred_masks_heads" not in draw_step(data, model)[0]


def test_pmhm_is_what_its_formulas_say(page, noisy):
    outputs, targets = draw_step(
        public.ActionVOSDataset(noisy, EXPRESSIONS), make_robust_model(page, 2)
    )
    criterion = make_criterion(page.PmhmCriterion)
    terms = criterion(outputs, targets)
    z, y = match_by_hand(outputs, targets)
    indices = public.match_queries(outputs, targets)
    heads = np.stack(
        [
            np.stack([head[row, :, int(query)] for row, (query, _) in enumerate(indices)])
            for head in outputs["pred_masks_heads"].detach().double().numpy()
        ]
    )
    regions = losses.find_regions(torch.from_numpy(np.stack([z, *heads])))
    stable, uncertain = regions.stable.numpy(), regions.uncertain.numpy()
    p = 1 / (1 + np.exp(-z))
    right = np.where(y == 1, p, 1 - p)
    focal = np.where(y == 1, 0.25, 0.75) * (1 - right) ** 2 * -np.log(right)
    frames = sum(len(target["valid"]) for target in targets)
    over = (1, 2, 3)
    assert np.isclose(
        terms["loss_mask"].item(), (focal * stable).mean(over).sum() / frames, rtol=1e-4
    )
    hit, both = (p * y * stable).sum(over), ((p + y) * stable).sum(over)
    dice = (1 - (2 * hit + 1) / (both + 1)).sum() / frames
    assert np.isclose(terms["loss_dice"].item(), dice, rtol=1e-4)
    hit, wrong = (p * y)[uncertain].sum(), (p * (1 - y))[uncertain].sum()
    missed = ((1 - p) * y)[uncertain].sum()
    expected = 1 - (hit + 1e-6) / (hit + 0.7 * wrong + 0.5 * missed + 1e-6)
    assert np.isclose(terms["loss_tversky"].item(), expected, rtol=1e-4)
    q = 1 / (1 + np.exp(-heads))
    divergence = ((p - q) * (z - heads))[:, uncertain].mean()
    assert np.isclose(terms["loss_heads"].item(), divergence, rtol=1e-3, atol=1e-9)


def test_each_net_learns_from_what_the_other_selects(page):
    first = torch.tensor([0.1, 0.2, 3.0, 4.0], requires_grad=True)
    second = torch.tensor([0.2, 0.1, 4.0, 3.0], requires_grad=True)
    is_active = torch.tensor([False, False, True, True])
    one, other = page.select_for_the_other(first, second, is_active, 0.5)
    (one + other).backward()
    assert first.grad.tolist() == [0, 0.5, 0, 0.5]
    assert second.grad.tolist() == [0.5, 0, 0.5, 0]
