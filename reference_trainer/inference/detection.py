"""How well the losses of a trained run detect its wrong labels, which the ledger names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from actiseg_data.core.errors import refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.statistics import compute_auroc, compute_precision_at
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LabelRow,
    LedgerRow,
    MaskRow,
    TextRow,
    read_ledger,
)
from actiseg_data.records.recipe_record import ACTIVITY
from reference_trainer.batches.loader import BatchLoader
from reference_trainer.batches.training_split import PromptedSequence
from reference_trainer.config.config_file import CONFIG_FILE, read_config
from reference_trainer.devices import choose_precision
from reference_trainer.strategies import losses
from reference_trainer.training.checkpoint import CHECKPOINT_FILE, load_checkpoint
from reference_trainer.training.run_saving import restore_run
from reference_trainer.training.run_state import Run, assemble_run

MASK_IOU = 0.9
"""A mask is wrong if its mean IoU with the clean mask over the frames is below this."""

_MOST_FRAMES = 16
_MOST_PROMPTS = 255


@dataclass(frozen=True)
class ObjectSignals:
    """What a run says of each of M training prompts, and what is wrong with their labels.

    Attributes
    ----------
    signals : mapping of str to (M,) float64
        Larger for labels that look wrong: ``loss`` of the strategy, and of the plain terms
        ``activity`` and ``masks``.
    active : (M,) bool
        Whether the object is labelled as active.
    activity : (M,) float64
        Chance that the object is active.
    wrong : mapping of str to (M,) bool
        By what is wrong: ``prompts`` (another thing), ``activity`` or ``masks``.
    """

    signals: dict[str, NDArray[np.float64]]
    active: NDArray[np.bool_]
    activity: NDArray[np.float64]
    wrong: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Detection:
    """How well one signal detects one kind of wrong label.

    Attributes
    ----------
    wrong : str
        What is wrong: ``prompts``, ``activity`` or ``masks``.
    among : str
        The objects that are ranked: ``all``, or ``active`` as labelled.
    signal : str
    objects, errors : int
        The ranked objects, and those with a wrong label.
    auroc : float
        Chance that a wrong label has a larger signal than a right one.
    precision : float
        Share of wrong labels among the `count` largest signals.
    count : int
        k of the precision.
    """

    wrong: str
    among: str
    signal: str
    objects: int
    errors: int
    auroc: float
    precision: float
    count: int


@dataclass(frozen=True)
class DetectionReport:
    """The result of `detect`.

    Attributes
    ----------
    run : Path
    strategy : str
    mask_iou : float
        Masks with a lower mean IoU with the clean mask are wrong.
    detections : tuple of Detection
    notes : tuple of str
        What could not be computed, and why.
    """

    run: Path
    strategy: str
    mask_iou: float
    detections: tuple[Detection, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema": "actiseg/detection/1",
            "run": self.run.name,
            "strategy": self.strategy,
            "mask_iou": self.mask_iou,
            "detections": [dict(vars(detection)) for detection in self.detections],
            "notes": list(self.notes),
        }


def detect(
    run: str | Path,
    dataset: str | Path | None = None,
    noisy: str | Path | None = None,
    *,
    noise: str | Path | None = None,
    top: int | None = None,
    mask_iou: float = MASK_IOU,
    device: str = "auto",
    stage: StageProgress = ignore_progress,
) -> DetectionReport:
    """Rank the training prompts of a run by their losses, and compare with the ledger.

    Parameters
    ----------
    run : str or Path
        Folder that `fit` made, on noisy labels.
    dataset, noisy : str or Path, optional
        Where the clean dataset and the noisy copy are now. By default as in the configuration.
    noise : str or Path, optional
        Where the recipe file of noise on the fly is now. Its ledger is made anew.
    top : int, optional
        k of the precision at k. By default the number of wrong labels.
    mask_iou : float
        In (0, 1]. A mask is wrong if its mean IoU with the clean mask over the frames is lower.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    stage : callable
        Makes a progress display for a named stage.

    Returns
    -------
    DetectionReport
        A row for each kind of wrong label, population and signal.

    Raises
    ------
    InputError
        If the folder is not a run on noise on the fly or on a noisy copy with a ledger, or if the
        labels are not those that the run was trained on.
    """
    folder = Path(run)
    if top is not None and top < 1:
        raise refuse(f"{top} is less than 1", "`top`", "give a number of objects such as 50")
    if not 0 < mask_iou <= 1:
        raise refuse(f"{mask_iou} is outside (0, 1]", "`mask_iou`", "give 0.9, for example")
    restored = _restore(folder, dataset, noisy, device, noise)
    signals = measure_signals(restored, _read_rows(restored), mask_iou, stage)
    detections, notes = rank_signals(signals, top)
    if restored.step < restored.last_step:
        notes = (f"the run has done {restored.step} of its {restored.last_step} steps", *notes)
    return DetectionReport(folder, restored.config.strategy, mask_iou, detections, notes)


def _restore(
    folder: Path,
    dataset: str | Path | None,
    noisy: str | Path | None,
    device: str,
    noise: str | Path | None = None,
) -> Run:
    """Restore a run on noisy labels, some of whose files may have other places now."""
    if not (folder / CHECKPOINT_FILE).is_file():
        raise refuse("is not a run with a checkpoint", folder, "give a folder of actiseg-train fit")
    config = read_config(folder / CONFIG_FILE)
    if dataset is not None:
        config = replace(config, dataset=str(dataset))
    if noisy is not None or noise is not None:
        paths = [None if path is None else str(path) for path in (noisy, noise)]
        config = replace(config, noisy=paths[0], noise=paths[1])
    if not config.has_noise:
        hint = "give a run that was trained with --noisy or --noise"
        raise refuse("was trained on clean labels, which are right", folder, hint)
    if config.labels == "untouched":
        hint = "give a run with labels=all"
        raise refuse("was trained on untouched labels alone, which are right", folder, hint)
    run = assemble_run(replace(config, device=device), folder, pretrained=False)
    restore_run(run, load_checkpoint(folder / CHECKPOINT_FILE))
    return run


def _read_rows(run: Run) -> list[LedgerRow]:
    """Read the ledger of a noisy copy, or make that of noise on the fly."""
    if run.split.live is not None:
        return list(run.split.live.iterate_rows())
    ledger = run.split.labels.root / LEDGER_FILE
    if not ledger.is_file():
        hint = "give a copy that actiseg-noise corrupt made"
        raise refuse("does not exist, so no label is known to be wrong", ledger, hint)
    return list(read_ledger(ledger))


def measure_signals(
    run: Run,
    rows: Sequence[LedgerRow],
    mask_iou: float = MASK_IOU,
    stage: StageProgress = ignore_progress,
) -> ObjectSignals:
    """Compute the losses of all prompts with the nets and the memory of a restored run.

    Frames are not mirrored or recoloured. Of a sequence with more than 16 frames, 16 are drawn.
    """
    settings = replace(
        run.loader.settings,
        batch_size=1,
        max_frames=_MOST_FRAMES,
        max_prompts=_MOST_PROMPTS,
        augment=False,
    )
    loader = BatchLoader(run.split, settings)
    parts: dict[str, list[NDArray[np.float64]]] = {}
    with torch.no_grad(), stage("detecting") as progress:
        for step in range(loader.steps):
            for name, part in _score_sequence(run, loader, step).items():
                parts.setdefault(name, []).append(part)
            if progress:
                progress(step + 1, loader.steps)
    values = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    order = [run.split.sequences[position] for position in loader.draw_order(0)]
    return ObjectSignals(
        signals={name: values[name] for name in ("loss", "activity", "masks")},
        active=values["label"] > 0.5,
        activity=values["chance"],
        wrong=find_wrong_labels(order, rows, mask_iou),
    )


def _score_sequence(run: Run, loader: BatchLoader, step: int) -> dict[str, NDArray[np.float64]]:
    """Return the signals of the prompts of one sequence, (K,) each."""
    batch = loader.load_batch(0, step).to(run.device)
    last = run.make_progress(run.step - 1)
    run.strategy.prepare_step(list(run.nets), last)
    outputs = []
    for net in run.nets:
        net.eval()
        with choose_precision(run.device):
            outputs.append(net(batch.frames, batch.tokens))
    own = run.strategy.score_prompts(list(run.nets), outputs, batch, last)
    activity, masks = [], []
    for output in outputs:
        logits = output.masks.float()
        pixels = losses.average_pixels(losses.focal(logits, batch.masks), batch.frame_mask)
        masks.append(pixels + losses.dice(logits, batch.masks, batch.frame_mask))
        activity.append(losses.focal(output.activity.float(), batch.active))
    signals = {
        "loss": own,
        "activity": torch.stack(activity).mean(0),
        "masks": torch.stack(masks).mean(0),
        "label": batch.active,
        "chance": torch.sigmoid(outputs[0].activity.float()),
    }
    return {name: value[0].double().cpu().numpy() for name, value in signals.items()}


def find_wrong_labels(
    sequences: Sequence[PromptedSequence], rows: Sequence[LedgerRow], mask_iou: float = MASK_IOU
) -> dict[str, NDArray[np.bool_]]:
    """Find the wrong labels of all prompts, in their order.

    A prompt is wrong if it names another thing, and the flag of activity if it was changed. A mask
    is wrong if its mean IoU with the clean mask over the frames is below `mask_iou`. Kinds of
    errors that no prompt has are absent.
    """
    prompts, flags, ious = set(), set(), dict[tuple[str, int], dict[str, float]]()
    for row in rows:
        if isinstance(row, MaskRow):
            frames = ious.setdefault((row.sequence, row.object_id), {})
            frames[row.frame] = min(row.iou, frames.get(row.frame, 1.0))
        elif isinstance(row, TextRow):
            if row.object_id is not None and row.names_another:
                prompts.add((row.sequence, row.object_id))
        elif isinstance(row, LabelRow) and row.kind == ACTIVITY and row.has_changed:
            flags.add((row.sequence, row.object_id))

    def find(is_wrong: Callable[[tuple[str, int], int], bool]) -> NDArray[np.bool_]:
        return np.array([is_wrong(item, frames) for item, frames in _list_items(sequences)], bool)

    def has_wrong_mask(item: tuple[str, int], frames: int) -> bool:
        known = ious.get(item, {})
        return (sum(known.values()) + frames - len(known)) / frames < mask_iou

    kinds = {
        "prompts": find(lambda item, frames: item in prompts),
        "activity": find(lambda item, frames: item in flags),
        "masks": find(has_wrong_mask),
    }
    return {name: wrong for name, wrong in kinds.items() if wrong.any()}


def _list_items(
    sequences: Sequence[PromptedSequence],
) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield the sequence and the object of each prompt, and the number of frames."""
    for item in sequences:
        for prompt in item.prompts:
            yield (item.sequence.folder, prompt.object_id), len(item.sequence.frames)


def rank_signals(
    signals: ObjectSignals, top: int | None = None
) -> tuple[tuple[Detection, ...], tuple[str, ...]]:
    """Rank objects by each signal and count the wrong labels on top; also return notes."""
    notes = []
    quality = _score_by_cleanlab(signals)
    ranked = dict(signals.signals)
    if quality is None:
        notes.append("cleanlab is not installed, so its scores are absent")
    else:
        ranked["cleanlab activity"] = quality
    detections = []
    for wrong, is_wrong in signals.wrong.items():
        populations = {"all": np.ones(len(signals.active), bool), "active": signals.active}
        if wrong == "masks":  # masks of inactive objects are not learned
            del populations["all"]
        for among, chosen in populations.items():
            errors = int(is_wrong[chosen].sum())
            for signal, values in ranked.items():
                auroc = compute_auroc(values[chosen], is_wrong[chosen])
                count = min(top or errors, int(chosen.sum()))
                precision = compute_precision_at(values[chosen], is_wrong[chosen], count)
                if auroc is None or precision is None:
                    continue
                objects = int(chosen.sum())
                detections.append(
                    Detection(wrong, among, signal, objects, errors, auroc, precision, count)
                )
    if not detections:
        notes.append("no kind of label is both wrong and right, so nothing can be detected")
    return tuple(detections), tuple(notes)


def _score_by_cleanlab(signals: ObjectSignals) -> NDArray[np.float64] | None:
    """Return one minus cleanlab's quality of the activity labels; None if it is not installed."""
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None
    chances = np.stack([1 - signals.activity, signals.activity], axis=1)
    quality = get_label_quality_scores(signals.active.astype(int), chances)
    return 1 - np.asarray(quality, np.float64)
