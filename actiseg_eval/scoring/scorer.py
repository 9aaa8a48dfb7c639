"""Score predictions frame by frame, in a training loop."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actiseg_data.annotations.masks import IndexMask, as_index_mask, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.measures.prediction import as_prediction
from actiseg_eval.predictions.ground_truth import GroundTruth, open_truth
from actiseg_eval.predictions.prediction_checks import refuse_blended, refuse_size
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.reporting.report_building import ScoredPredictions, make_report
from actiseg_eval.reporting.score_report import Report
from actiseg_eval.resampling.bootstrap import LEVEL, RESAMPLES
from actiseg_eval.scoring.folder_scoring import is_flagged
from actiseg_eval.scoring.input_checks import check_results, refuse_unlabelled, refuse_unscored
from actiseg_eval.scoring.scoring_options import make_bootstrap, make_options
from actiseg_eval.scoring.sequence_scoring import find_known_ids
from actiseg_eval.scoring.truth_choice import check_truth


class Scorer:
    """Score predictions frame by frame, in any order.

    Parameters
    ----------
    gt : path or GroundTruth
        The root of the ground truth, or an opened split.
    split : str, optional
        The split of the root, by default ``val_human``.
    sequences : path or iterable of str, optional
        A text file with the sequences to score, one on each line; or a list of them.
    protocol : str or Protocol
        The rules of the score.
    metrics : iterable of str or str, optional
        Metric groups, by default those of the protocol.
    filter : bool
        Whether to leave out the sequences that people flagged. They are counted.

    Raises
    ------
    InputError
        If the protocol needs an action list and the ground truth has none.

    Examples
    --------
    With a dataset, ``Scorer("dataset_visor", "val_human")``. With a plain folder:

    >>> import tempfile
    >>> import numpy as np
    >>> from actiseg_data.annotations.masks import write_index_mask
    >>> truth, prediction = np.ones((6, 4), np.uint8), np.eye(6, 4, dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_index_mask(Path(folder, "take cup", "0001.png"), truth)
    ...     scorer = Scorer(folder, protocol="davis-unsupervised")
    ...     scorer.update("take cup", "0001", prediction)
    >>> round(scorer.report().metrics["j"], 4)
    0.1667
    """

    def __init__(
        self,
        gt: GroundTruth | Path | str,
        split: str | None = None,
        *,
        sequences: Iterable[str] | Path | str | None = None,
        protocol: Protocol | str = DEFAULT_PROTOCOL,
        metrics: Iterable[str] | str | None = None,
        filter: bool = True,
    ) -> None:
        self.truth: GroundTruth = (
            open_truth(gt, split, sequences)
            if isinstance(gt, (str, os.PathLike))
            else check_truth(gt)
        )
        self.options = make_options(protocol, metrics, filter=filter, missing="error")
        refuse_unlabelled(self.truth, self.options.protocol)
        self._sequences = {sequence.folder: sequence for sequence in self.truth.sequences}
        self._filtered: set[str] = set()
        self._meters: dict[str, SequenceMeter] = {}

    def update(
        self,
        sequence: VideoSequence | str,
        frame: str,
        prediction: Any,
        truth: IndexMask | None = None,
    ) -> None:
        """Add the prediction of one frame. The last prediction of a frame counts.

        Parameters
        ----------
        sequence : VideoSequence or str
            A sequence of the split, or its folder.
        frame : str
            The name of the frame, without an ending.
        prediction : (H, W) array or tensor of int, or mapping of int to (H, W) array of bool
            Object ids from 0 to 255, or the mask of each object by its id. An empty mapping is a
            blank prediction.
        truth : (H, W) array of int, optional
            The true mask. By default the one of the dataset.

        Raises
        ------
        InputError
            For an unknown sequence or frame, another size, or values that are not object ids.
            Ids that no object of the whole sequence has are refused by `report`, as by
            `actiseg_eval.score`: one frame alone may have them.
        """
        folder = sequence.folder if isinstance(sequence, VideoSequence) else sequence
        known = self._find_sequence(folder, frame)
        if self.options.filter and is_flagged(known):
            self._filtered.add(folder)
            return
        place = f"{folder}, {frame}"
        if truth is None:
            truth = read_index_mask(self.truth.find_mask(known, frame))
        else:
            truth = as_index_mask(truth, f"truth of {place}")
        plain = as_prediction(prediction, f"prediction of {place}", truth.shape)
        refuse_size(plain.shape, truth.shape, place)
        refuse_blended(plain, find_known_ids(known, truth), place)
        meter = self._meters.get(folder)
        if meter is None:
            meter = SequenceMeter(known, self.options.protocol, self.options.metric_groups)
            self._meters[folder] = meter
        meter.add(frame, truth, plain)

    def _find_sequence(self, folder: str, frame: str) -> VideoSequence:
        """Return a sequence of the split that has the frame."""
        known = self._sequences.get(folder)
        if known is None:
            what = f"there is no sequence {folder!r}{suggest(str(folder), self._sequences)}"
            raise refuse(what, self.truth.root, "use the names of the split")
        if frame not in known.frames:
            what = f"there is no frame {frame!r}; frames are called {known.frames[0]!r}"
            raise refuse(what, folder, "use the names of the split, without endings")
        return known

    def report(
        self, *, ci: float = LEVEL, resamples: int = RESAMPLES, cluster: str = "video"
    ) -> Report:
        """Return the report of all sequences that have a prediction.

        Parameters
        ----------
        ci, resamples, cluster
            How to make confidence intervals, see `actiseg_eval.score`.

        Raises
        ------
        InputError
            If there is no prediction yet, if a sequence lacks frames, or, as in
            `actiseg_eval.score`, if the predictions cannot belong to this ground truth.
        """
        bootstrap = make_bootstrap(ci, resamples, cluster)
        if not self._meters:
            raise self._refuse_empty()
        problems = ProblemCollector()
        results = []
        for meter in self._meters.values():
            with problems.collect():
                results.append(meter.build_result())
        protocol = self.options.protocol
        if results:
            refuse_unscored([result.sequence for result in results], self.truth, protocol)
        check_results(results, self.truth, protocol, "predictions", problems)
        problems.raise_if_any()
        rest = len(self._sequences) - len(self._filtered) - len(self._meters)
        handled = Counter(sequences_filtered=len(self._filtered), sequences_not_given=rest)
        groups = self.options.metric_groups
        scored = ScoredPredictions(self.truth, "as they came", results, protocol, groups, handled)
        return make_report(scored, bootstrap=bootstrap)

    def _refuse_empty(self) -> Exception:
        if self._filtered:
            what = "every sequence with a prediction is flagged"
            return refuse(what, "Scorer.report", "turn off `filter` to score them")
        what = "there is no prediction to report"
        return refuse(what, "Scorer.report", "first call update for each frame")
