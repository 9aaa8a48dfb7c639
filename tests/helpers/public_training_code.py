"""A small stand-in for the public training code of ActionVOS and ReferFormer.

It has the same names, shapes and order of calls as far as `docs/your_trainer.md` uses them, and was
written anew: a convolution for the backbone, one linear layer for the controller.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

STEP = 4


def nested_tensor_from_tensor_list(tensors, size_divisibility=1, split=True):
    """Pad (T, H, W) at the lower right, and stack."""
    assert not split
    sides = [max(values.shape[axis] for values in tensors) for axis in (1, 2)]
    height, width = (-(-side // size_divisibility) * size_divisibility for side in sides)
    padded = [F.pad(x, (0, width - x.shape[2], 0, height - x.shape[1])) for x in tensors]
    return SimpleNamespace(tensors=torch.stack(padded))


class SetCriterion(nn.Module):
    def __init__(self, num_classes, matcher, weight_dict, eos_coef, losses, focal_alpha=0.25):
        super().__init__()
        self.matcher, self.weight_dict, self.losses = matcher, weight_dict, losses
        self.mask_out_stride = STEP

    def _get_src_permutation_idx(self, indices):
        rows = [torch.full_like(query, row) for row, (query, _) in enumerate(indices)]
        return torch.cat(rows), torch.cat([query for query, _ in indices])

    def loss_masks(self, outputs, targets, indices, num_boxes):
        rows, queries = self._get_src_permutation_idx(indices)
        z = torch.stack(
            [outputs["pred_masks"][row, :, query] for row, query in zip(rows, queries, strict=True)]
        ).flatten(1)
        y = sample_labels(targets).to(z).flatten(1)
        p = torch.sigmoid(z)
        right = y * p + (1 - y) * (1 - p)
        focal = (0.25 * y + 0.75 * (1 - y)) * (1 - right) ** 2 * -right.clamp(min=1e-9).log()
        dice = 1 - (2 * (p * y).sum(1) + 1) / (p.sum(1) + y.sum(1) + 1)
        return {"loss_mask": focal.mean(1).sum() / num_boxes, "loss_dice": dice.sum() / num_boxes}

    def forward(self, outputs, targets):
        num_boxes = float(sum(target["valid"].sum() for target in targets))
        terms: dict[str, Tensor] = {}
        last = {name: value for name, value in outputs.items() if name != "aux_outputs"}
        layers = [("", outputs, last)]
        layers += [(f"_{n}", aux, aux) for n, aux in enumerate(outputs.get("aux_outputs", []))]
        for ending, layer, matched in layers:
            indices = self.matcher(matched, targets)
            assert self.losses == ["masks"]
            found = self.loss_masks(layer, targets, indices, num_boxes)
            terms |= {name + ending: value for name, value in found.items()}
        return terms


def sample_labels(targets):
    masks = [target["masks"] for target in targets]
    return nested_tensor_from_tensor_list(masks, 32, split=False).tensors[
        :, :, STEP // 2 :: STEP, STEP // 2 :: STEP
    ]


@torch.no_grad()
def match_queries(outputs, targets):
    """Choose the query with the smallest cross-entropy for each sample."""
    indices = []
    for z, y in zip(outputs["pred_masks"], sample_labels(targets).to(torch.float32), strict=True):
        cost = F.binary_cross_entropy_with_logits(
            z, y[:, None].expand_as(z), reduction="none"
        ).mean((0, 2, 3))
        indices.append((cost.argmin()[None], torch.zeros(1, dtype=torch.int64)))
    return indices


class ReferFormer(nn.Module):
    def __init__(self, channels=6, queries=3, layers=2):
        super().__init__()
        self.backbone = nn.Conv2d(3, channels, STEP, STEP)
        self.words = nn.EmbeddingBag(64, channels)
        self.query_embed = nn.Parameter(torch.randn(queries, channels))
        self.decoder = nn.ModuleList(nn.Linear(channels, channels) for _ in range(layers))
        self.reference = nn.Linear(channels, 2)
        self.num_gen_params = channels + 3
        self.controller = nn.Linear(channels, self.num_gen_params)

    def forward(self, samples, captions, targets):
        b, t = samples.shape[:2]
        mask_features = self.backbone(samples.flatten(0, 1)).unflatten(0, (b, t))
        words = torch.stack([self.words(number_words(caption)[None])[0] for caption in captions])
        pooled = mask_features.mean((3, 4)) + words[:, None]
        state = (pooled[:, :, None] + self.query_embed).flatten(0, 1)
        states, references = [], []
        for layer in self.decoder:
            state = state + torch.relu(layer(state))
            states.append(state)
            references.append(self.reference(state).sigmoid())
        hs, inter_references = torch.stack(states), torch.stack(references)
        masks = []
        for state, reference in zip(hs, inter_references[..., :2], strict=True):
            parameters = self.controller(state).reshape(b, -1, self.num_gen_params)
            mask = self.dynamic_mask_with_coords(
                mask_features, parameters, reference.reshape(b, -1, 2), targets
            )
            masks.append(mask.unflatten(1, (t, -1)))
        out = {"pred_masks": masks[-1]}
        out["aux_outputs"] = [{"pred_masks": mask} for mask in masks[:-1]]
        self.add_outputs(out, mask_features, hs, inter_references, targets)
        return out

    def add_outputs(self, out, mask_features, hs, inter_references, targets):
        """The place where the page adds lines."""

    def dynamic_mask_with_coords(self, mask_features, mask_head_params, reference_points, targets):
        """Masks (b, t q, h, w) of features (b, t, c, h, w) and parameters (b, t q, n)."""
        _, t, c, h, w = mask_features.shape
        weights, shift, bias = mask_head_params.unflatten(1, (t, -1)).split((c, 2, 1), -1)
        points = reference_points.unflatten(1, (t, -1))
        assert all(len(target["size"]) == 2 for target in targets)
        rows = torch.arange(h) / h - points[..., 1, None]
        columns = torch.arange(w) / w - points[..., 0, None]
        z = torch.einsum("btqc,btchw->btqhw", weights, mask_features) + bias[..., None]
        z = z + shift[..., 1, None, None] * rows[..., None]
        z = z + shift[..., 0, None, None] * columns[..., None, :]
        return z.flatten(1, 2)


def number_words(caption: str) -> Tensor:
    return torch.tensor([sum(map(ord, word)) % 64 for word in caption.split()])


class ActionVOSDataset:
    """One item for each prompt and each `num_frames` frames, as the public loader has them."""

    def __init__(self, folder: Path, ann_file: str, num_frames: int = 2) -> None:
        self.actionvos_folder, self.ann_file, self.num_frames = folder, ann_file, num_frames
        self.prepare_metas()

    def prepare_metas(self) -> None:
        document = json.loads((self.actionvos_folder / "ImageSets" / self.ann_file).read_text())
        self.metas: list[dict[str, Any]] = [
            {
                "video": video,
                "exp": expression["exp"],
                "obj_id": int(expression["obj_id"]),
                "positive": expression["positive"],
                "frames": sorted(of["frames"]),
                "frame_id": frame,
            }
            for video, of in document["videos"].items()
            for expression in of["expressions"].values()
            for frame in range(0, len(of["frames"]), self.num_frames)
        ]

    def __len__(self) -> int:
        return len(self.metas)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        meta = self.metas[index]
        most = len(meta["frames"]) - 1
        numbers = [min(meta["frame_id"] + n, most) for n in range(self.num_frames)]
        images, masks = [], []
        for number in numbers:
            place = Path("train") / meta["video"] / meta["frames"][number]
            frames = self.actionvos_folder / "JPEGImages_Sparse" / place.with_suffix(".jpg")
            with Image.open(frames) as image:
                images.append(np.array(image.convert("RGB"), np.float32) / 255)
            labels = self.actionvos_folder / "Annotations_Sparse" / place.with_suffix(".png")
            with Image.open(labels) as image:
                masks.append(np.array(image.convert("P")) == meta["obj_id"])
        target = {
            "frames_idx": torch.tensor(numbers),
            "masks": torch.tensor(np.stack(masks) * bool(meta["positive"]), dtype=torch.float32),
            "valid": torch.ones(len(numbers), dtype=torch.int64),
            "positive": torch.full((len(numbers),), int(meta["positive"])),
            "size": torch.tensor(masks[0].shape),
            "caption": meta["exp"],
        }
        return torch.tensor(np.stack(images)).permute(0, 3, 1, 2), target


def collate(batch):
    images, targets = zip(*batch, strict=True)
    flat = [image.flatten(0, 1) for image in images]
    padded = nested_tensor_from_tensor_list(flat, 32, split=False).tensors
    return padded.unflatten(1, images[0].shape[:2]), targets


def train_one_epoch(model, criterion, loader, optimiser) -> list[float]:
    """The public loop: the loss of each step."""
    model.train()
    criterion.train()
    values = []
    for samples, targets in loader:
        captions = [target["caption"] for target in targets]
        targets = [
            {name: value for name, value in target.items() if name != "caption"}
            for target in targets
        ]
        outputs = model(samples, captions, targets)
        terms = criterion(outputs, targets)
        weights = criterion.weight_dict
        loss = sum(terms[name] * weights[name] for name in terms if name in weights)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimiser.step()
        values.append(float(loss.detach()))
    return values


def make_modules() -> dict[str, ModuleType]:
    """The files that the page appends to, as modules with the names that are known there."""
    names: dict[str, dict[str, Any]] = {
        "models/criterion.py": {
            "SetCriterion": SetCriterion,
            "nested_tensor_from_tensor_list": nested_tensor_from_tensor_list,
        },
        "models/referformer.py": {"ReferFormer": ReferFormer, "nn": nn, "copy": copy},
        "datasets/actionvos.py": {"ActionVOSDataset": ActionVOSDataset},
    }
    modules = {}
    for file, known in names.items():
        modules[file] = ModuleType(file)
        vars(modules[file]).update(known, torch=torch)
    return modules
