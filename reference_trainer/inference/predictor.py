"""From a run to predictions that the evaluator can score."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from actiseg_data import __version__
from actiseg_data.annotations.masks import read_mask_size, write_index_mask
from actiseg_data.annotations.raw_scores import (
    DEFAULT_THRESHOLD,
    ScoresWriter,
    SequenceScores,
    read_rendered_flag,
    read_scores,
)
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import check_free, new_folder, write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.photograph_reading import read_size
from actiseg_data.records.prediction_note import (
    PREDICTIONS_FILE,
    PredictionsNote,
    read_predictions_note,
)
from reference_trainer.batches.loader import decode_frames, normalise_frames
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import (
    PromptedSequence,
    TrainingSplit,
    open_training_split,
    refuse_in_dataset,
)
from reference_trainer.devices import choose_precision, is_out_of_memory, refuse_memory
from reference_trainer.inference.trained_model import TrainedModel, load_model
from reference_trainer.training.checkpoint import MODEL_FILE
from reference_trainer.training.warm_start import refuse_overlap

_MAX_FRAMES = 16
"""Most frames that the model gets at once; longer sequences are predicted in parts."""


@dataclass(frozen=True)
class PredictionReport:
    """The result of `predict` or `rethreshold`.

    Attributes
    ----------
    out : Path
    sequences, frames : int
        Sequences and masks that were written.
    prompts : int
    active_prompts : int
        Prompts whose activity reaches the threshold.
    highest_activity : float
    blank_masks : int
        Masks without an object.
    threshold : float
        Activity threshold, in [0, 1].
    rendered : bool
        Whether the frames are rendered.
    """

    out: Path
    sequences: int
    frames: int
    prompts: int
    active_prompts: int
    highest_activity: float
    blank_masks: int
    threshold: float
    rendered: bool

    def __str__(self) -> str:
        rendered = "; rendered frames, not photographs" if self.rendered else ""
        text = (
            f"{count_nouns(self.frames, 'mask')} of {count_nouns(self.sequences, 'sequence')} in "
            f"{self.out}; {self.active_prompts} of {self.prompts} prompts reach activity "
            f"{self.threshold:g}; {self.blank_masks} of {self.frames} masks are blank{rendered}"
        )
        if self.blank_masks == self.frames:
            text += f"\nnote: all masks are blank: {self._explain_blank_masks()}"
        return text

    def _explain_blank_masks(self) -> str:
        if self.active_prompts:
            return "no pixel reaches a chance of one half for any prompt; train longer"
        return (
            f"the highest activity is {self.highest_activity:.2f}; train longer, or use a lower "
            "activity threshold"
        )


def predict(
    run: str | Path,
    dataset: str | Path,
    split: str,
    out: str | Path,
    *,
    noisy: str | Path | None = None,
    activity_threshold: float = DEFAULT_THRESHOLD,
    device: str = "auto",
    encoder: str | None = None,
    stage: StageProgress = ignore_progress,
) -> PredictionReport:
    """Predict the masks of a split, ``OUT/<sequence>/<frame>.png``, with the objects' own ids.

    The output also has ``predictions.json``, which the evaluator reads, and the raw scores. Labels
    of the dataset are not used.

    Parameters
    ----------
    run : str or Path
        Folder that `fit` made.
    dataset : str or Path
        ActionVOS root with frames.
    split : str
        Action list to predict.
    out : str or Path
        New folder. It appears under its name when it is complete.
    noisy : str or Path, optional
        Noisy copy of the split. Its prompts replace the clean ones, and the evaluator scores the
        predictions with its labels. So methods are compared where no clean labels are known.
    activity_threshold : float
        Objects with a lower activity get no pixel. In [0, 1].
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    encoder : str, optional
        Name of the encoder of the run, required for a ``package.module:factory``.
    stage : callable
        Makes a progress display for a named stage.

    Raises
    ------
    InputError
        If the run, the dataset or the threshold cannot be used, if the folder exists, or if the net
        that the run started from has learned from a video of the split.

    Examples
    --------
    >>> import reference_trainer
    >>> report = reference_trainer.predict(
    ...     "run", "actiseg_sample", "val_human", "preds"
    ... )  # doctest: +SKIP
    """
    load_cv2()  # raise an import error before the work
    run, dataset, out = Path(run), Path(dataset), Path(out)
    trained = load_model(run, device, encoder)
    data = open_training_split(
        dataset,
        split,
        noisy=noisy,
        prompt_style=trained.config.prompt_style,
        needs_masks=False,
    )
    refuse_overlap(
        trained.start_videos,
        data,
        run,
        what="started from a net that has learned from",
        hint="predict a split of other videos, or start from a net that was trained on others",
    )
    note = PredictionsNote(
        dataset=os.path.relpath(dataset if noisy is None else noisy, out),
        split=split,
        dataset_fingerprint=data.labels.fingerprint,
        toolkit=f"actiseg {__version__}",
        model=trained.describe(run),
        recipe_digest=trained.recipe_digest,
    )
    _refuse_threshold(activity_threshold)
    check_free(out)
    refuse_in_dataset(out)
    tally: Counter[str] = Counter()
    highest = 0.0
    with new_folder(out) as partial, stage("predicting") as progress:
        writer = ScoresWriter(partial)
        for done, item in enumerate(data.sequences, 1):
            scores = _score_sequence(trained, run, data, item)
            writer.add(scores)
            tally += _write_masks(partial, scores, activity_threshold)
            highest = max((highest, *scores.activity))
            if progress:
                progress(done, len(data.sequences))
        about = {
            "run": run.name,
            "threshold": activity_threshold,
            "rendered_frames": data.rendered,
        }
        writer.close(about | {"masks": tally["frames"], "blank_masks": tally["blank_masks"]})
        write_json(partial / PREDICTIONS_FILE, note.to_dict(), indent=1)
    return PredictionReport(
        out=out,
        sequences=len(data.sequences),
        highest_activity=highest,
        threshold=activity_threshold,
        rendered=data.rendered,
        **_name_counts(tally),
    )


def rethreshold(
    predictions: str | Path,
    out: str | Path,
    activity_threshold: float,
    *,
    stage: StageProgress = ignore_progress,
) -> PredictionReport:
    """Make the masks of predictions for another activity threshold, from their raw scores.

    Parameters
    ----------
    predictions : str or Path
        Folder that `predict` made.
    out : str or Path
        New folder.
    activity_threshold : float
        In [0, 1].
    stage : callable
        Makes a progress display for a named stage.

    Raises
    ------
    InputError
        If the scores are missing or damaged, or if the folder exists.
    """
    load_cv2()
    _refuse_threshold(activity_threshold)
    predictions, out = Path(predictions), Path(out)
    note = read_predictions_note(predictions / PREDICTIONS_FILE)
    dataset = os.path.relpath((predictions / note.dataset).resolve(), out.resolve())
    check_free(out)
    refuse_in_dataset(out)
    tally: Counter[str] = Counter()
    sequences, highest = 0, 0.0
    with new_folder(out) as partial, stage("writing masks") as progress:
        rendered, all_scores = read_rendered_flag(predictions), list(read_scores(predictions))
        for sequences, scores in enumerate(all_scores, 1):
            tally += _write_masks(partial, scores, activity_threshold)
            highest = max((highest, *scores.activity))
            if progress:
                progress(sequences, len(all_scores))
        write_json(partial / PREDICTIONS_FILE, note.to_dict() | {"dataset": dataset}, indent=1)
    return PredictionReport(
        out=out,
        sequences=sequences,
        highest_activity=highest,
        threshold=activity_threshold,
        rendered=rendered,
        **_name_counts(tally),
    )


def _score_sequence(
    trained: TrainedModel, run: Path, data: TrainingSplit, item: PromptedSequence
) -> SequenceScores:
    """Compute the raw scores of a sequence; parts of its frames count by their length."""
    config, device = trained.config, trained.device
    sequence = item.sequence
    frames = torch.from_numpy(normalise_frames(decode_frames(data, sequence, config.size)))
    tokens = torch.from_numpy(np.stack([tokenise(prompt.text) for prompt in item.prompts]))
    masks: list[Tensor] = []
    activity = torch.zeros(len(item.prompts))
    try:
        with torch.inference_mode(), choose_precision(device):
            for part in frames.split(_MAX_FRAMES):
                output = trained.model(part[None].to(device), tokens[None].to(device))
                masks.append(output.masks[0].float().cpu())
                activity += output.activity[0].float().cpu() * len(part) / len(frames)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            hint = "give `device` cpu" if device.type == "cuda" else "close other programs"
            hint += ", or train with smaller frames (settings height and width)"
            raise refuse_memory(device, sequence.folder, hint) from None
        raise
    logits = torch.cat(masks, dim=1)
    if activity.isnan().any() or logits.isnan().any():
        what = f"the logits of {sequence.folder} are not numbers"
        raise refuse(what, run / MODEL_FILE, "train again, with a lower setting learning_rate")
    return SequenceScores(
        folder=sequence.folder,
        frames=sequence.frames,
        size=_find_mask_size(data, item),
        objects=tuple(prompt.object_id for prompt in item.prompts),
        activity=tuple(torch.sigmoid(activity).tolist()),
        logits=logits.clamp(-60_000, 60_000).numpy().astype(np.float16),
    )


def _find_mask_size(data: TrainingSplit, item: PromptedSequence) -> tuple[int, int]:
    """Return (H, W) of a sequence's masks, or of its frames if it has no masks."""
    path = data.clean.find_mask(item.sequence, item.sequence.frames[0])
    if path.is_file():
        return read_mask_size(path)
    return read_size(data.clean.find_frame(item.sequence, item.sequence.frames[0]))


def _write_masks(folder: Path, scores: SequenceScores, threshold: float) -> Counter[str]:
    """Write the masks of a sequence, and count frames, prompts, active prompts and blank masks."""
    target = folder / escape_name(scores.folder)
    tally = Counter(
        frames=len(scores.frames),
        prompts=len(scores.objects),
        active_prompts=sum(chance >= threshold for chance in scores.activity),
    )
    for frame, mask in zip(scores.frames, scores.make_masks(threshold), strict=True):
        write_index_mask(target / escape_name(f"{frame}.png"), mask)
        tally["blank_masks"] += not mask.any()
    return tally


def _name_counts(tally: Counter[str]) -> dict[str, int]:
    return {name: tally[name] for name in ("frames", "prompts", "active_prompts", "blank_masks")}


def _refuse_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        what = f"{threshold} is outside [0, 1]"
        raise refuse(what, "`activity_threshold`", "give a probability such as 0.75")
