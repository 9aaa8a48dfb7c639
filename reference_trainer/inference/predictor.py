"""From a run to predictions that the evaluator reads."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actiseg_data import __version__
from actiseg_data.annotations import png
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import is_occupied, write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.photograph_reading import read_size
from actiseg_data.records.prediction_note import (
    PREDICTIONS_FILE,
    PredictionsNote,
    read_predictions_note,
)
from reference_trainer.batches.loader import decode_frames, normalised
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import (
    Clip,
    Material,
    open_material,
    refuse_in_dataset,
)
from reference_trainer.config import Config, make_config, parse_values
from reference_trainer.devices import out_of_memory, pick_device, precision, refuse_memory
from reference_trainer.inference.raw_scores import (
    DEFAULT_THRESHOLD,
    ClipScores,
    ScoresWriter,
    of_rendered_frames,
    read_scores,
)
from reference_trainer.network.model import Model
from reference_trainer.training import checkpoint
from reference_trainer.training.checkpoint import MODEL_FILE

_TOGETHER = 16
"""Frames of a clip that the model sees at once; of longer clips, parts after one another."""


@dataclass(frozen=True)
class Trained:
    """A model that a run has made. recipe_digest: of the noise that it learnt from. rendered: it
    learnt from painted frames. step: updates so far.
    """

    model: Model
    config: Config
    recipe_digest: str | None
    rendered: bool
    step: int
    device: torch.device


@dataclass(frozen=True)
class PredictReport:
    """What `predict` or `paint_again` made. asked: prompts. passed: those whose activity reaches
    the threshold. highest: activity of any prompt. blank: masks without a pixel.
    """

    out: Path
    sequences: int
    frames: int
    asked: int
    passed: int
    highest: float
    blank: int
    threshold: float
    rendered: bool

    def __str__(self) -> str:
        painted = "; frames are painted, no photographs" if self.rendered else ""
        text = (
            f"{self.frames} masks of {self.sequences} sequences in {self.out}; {self.passed} of "
            f"{self.asked} prompts reach activity {self.threshold:g}; {self.blank} of "
            f"{self.frames} masks are blank{painted}"
        )
        return f"{text}\nnote: {self._why_all_blank}" if self.blank == self.frames else text

    @property
    def _why_all_blank(self) -> str:
        if self.passed:
            return "all masks are blank: no pixel is likely to be of any prompt; train longer"
        return (
            f"all masks are blank: the highest activity is {self.highest:.2f}; train longer, or "
            "give a lower --activity-threshold"
        )


def load_trained(run: Path, device: str = "auto") -> Trained:
    """The model of a run's last checkpoint. Raises `InputError` as `checkpoint.load` does."""
    where = pick_device(device)
    path = run / MODEL_FILE
    document = checkpoint.load(path)
    config = make_config(parse_values(document["config"], path), str(path))
    model = Model(config.encoder, config.channels, config.prompt_width)
    with checkpoint.taking_up(path):
        model.load_state_dict(document["net"])
    model.to(where).eval()
    return Trained(
        model, config, document["recipe_digest"], document["rendered"], document["step"], where
    )


def predict(
    run: Path,
    root: Path,
    split: str,
    out: Path,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    device: str = "auto",
    stage: StageProgress = ignore_progress,
) -> PredictReport:
    """Predict a split: ``OUT/<sequence>/<frame>.png`` with the objects' real ids, a note of what
    was predicted, and raw scores.

    run: that `fit` made. root, split: what to predict; labels are not looked at. out: a new folder,
    which gets its name when it is whole.
    """
    load_cv2()  # refuse before the work
    trained = load_trained(run, device)
    material = open_material(root, split, style=trained.config.prompt_style, labelled=False)
    note = PredictionsNote(
        dataset=os.path.relpath(root, out),
        split=split,
        dataset_fingerprint=material.clean.fingerprint,
        toolkit=f"actiseg {__version__}",
        model=_named(run, trained),
        recipe_digest=trained.recipe_digest,
    )
    _refuse_threshold(threshold)
    tally: Counter[str] = Counter()
    highest = 0.0
    with _new_folder(out) as whole, stage("predicting") as progress:
        writer = ScoresWriter(whole)
        for done, clip in enumerate(material.clips, 1):
            scores = _scored(trained, material, clip)
            writer.add(scores)
            tally += _paint(whole, scores, threshold)
            highest = max((highest, *scores.activity))
            if progress:
                progress(done, len(material.clips))
        about = {"run": run.name, "threshold": threshold, "rendered_frames": material.rendered}
        writer.close(about | {"masks": tally["frames"], "blank_masks": tally["blank"]})
        write_json(whole / PREDICTIONS_FILE, note.to_dict(), indent=1)
    return _report(out, len(material.clips), tally, highest, threshold, material.rendered)


def paint_again(
    preds: Path, out: Path, threshold: float, *, stage: StageProgress = ignore_progress
) -> PredictReport:
    """Predictions at another threshold of activity, from the raw scores of `preds` alone."""
    load_cv2()
    _refuse_threshold(threshold)
    note = read_predictions_note(preds / PREDICTIONS_FILE)
    dataset = os.path.relpath((preds / note.dataset).resolve(), out.resolve())
    tally: Counter[str] = Counter()
    sequences, highest = 0, 0.0
    with _new_folder(out) as whole, stage("painting") as progress:
        rendered, scored = of_rendered_frames(preds), list(read_scores(preds))
        for sequences, scores in enumerate(scored, 1):
            tally += _paint(whole, scores, threshold)
            highest = max((highest, *scores.activity))
            if progress:
                progress(sequences, len(scored))
        write_json(whole / PREDICTIONS_FILE, note.to_dict() | {"dataset": dataset}, indent=1)
    return _report(out, sequences, tally, highest, threshold, rendered)


def _named(run: Path, trained: Trained) -> str:
    painted = ", trained on rendered frames" if trained.rendered else ""
    return f"{trained.config.strategy}, {trained.step} steps ({run.name}){painted}"


def _scored(trained: Trained, material: Material, clip: Clip) -> ClipScores:
    """What the model says of one sequence, its frames taken in parts of equal meaning."""
    config, device = trained.config, trained.device
    sequence = clip.sequence
    pictures = torch.from_numpy(normalised(decode_frames(material, sequence, config.size)))
    tokens = torch.from_numpy(np.stack([tokenise(prompt.text) for prompt in clip.prompts]))
    masks: list[Tensor] = []
    activity = torch.zeros(len(clip.prompts))
    try:
        with torch.inference_mode(), precision(device):
            for part in pictures.split(_TOGETHER):
                output = trained.model(part[None].to(device), tokens[None].to(device))
                masks.append(output.masks[0].float().cpu())
                activity += output.activity[0].float().cpu() * len(part) / len(pictures)
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            hint = "give --device cpu" if device.type == "cuda" else "end other programs"
            hint += ", or train with smaller frames (fit --set height=... --set width=...)"
            raise refuse_memory(device, sequence.folder, hint) from None
        raise
    return ClipScores(
        folder=sequence.folder,
        frames=sequence.frames,
        size=_size(material, clip),
        objects=tuple(prompt.object_id for prompt in clip.prompts),
        activity=tuple(torch.sigmoid(activity).tolist()),
        logits=torch.cat(masks, dim=1).clamp(-60_000, 60_000).numpy().astype(np.float16),
    )


def _size(material: Material, clip: Clip) -> tuple[int, int]:
    """(H, W) of a sequence's masks; of its frames, where it has none."""
    path = material.clean.find_mask(clip.sequence, clip.sequence.frames[0])
    if path.is_file():
        parsed = png.parse(path.read_bytes())
        if parsed is not None:
            return parsed.height, parsed.width
        height, width = read_index_mask(path).shape
        return height, width
    return read_size(material.find_frame(clip.sequence, clip.sequence.frames[0]))


def _paint(folder: Path, scores: ClipScores, threshold: float) -> Counter[str]:
    """Write the masks of a sequence; counts of its frames, its prompts and its blank masks."""
    place = folder / escape_name(scores.folder)
    tally = Counter(
        frames=len(scores.frames),
        asked=len(scores.objects),
        passed=sum(chance >= threshold for chance in scores.activity),
    )
    for frame, mask in zip(scores.frames, scores.masks(threshold), strict=True):
        write_index_mask(place / escape_name(f"{frame}.png"), mask)
        tally["blank"] += not mask.any()
    return tally


def _report(
    out: Path,
    sequences: int,
    tally: Counter[str],
    highest: float,
    threshold: float,
    rendered: bool,
) -> PredictReport:
    return PredictReport(
        out=out,
        sequences=sequences,
        frames=tally["frames"],
        asked=tally["asked"],
        passed=tally["passed"],
        highest=highest,
        blank=tally["blank"],
        threshold=threshold,
        rendered=rendered,
    )


def _refuse_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise refuse(
            f"{threshold} is outside [0, 1]", "--activity-threshold", "give a chance such as 0.75"
        )


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` when all went well, and else is removed."""
    if is_occupied(out):
        raise refuse("is there already", out, "name another folder as --out")
    refuse_in_dataset(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    try:
        whole = partial / out.name  # that folder is for our eyes only, this one is not
        whole.mkdir()
        yield whole
        if out.is_dir():
            out.rmdir()
        whole.rename(out)
    except OSError as error:
        if error.filename is None or Path(error.filename).is_relative_to(partial):
            # Name the folder that was asked for: nobody knows the partial one.
            raise OSError(error.errno, error.strerror or str(error), str(out)) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
