"""Refuse input that makes every score meaningless: no frame or object is scored, or the predictions
cannot belong to this truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from actiseg_data.annotations.masks import find_ids, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.validation import format_names
from actiseg_data.layouts.mask_folders import FolderSplit
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.protocols import VOID, Protocol, load_protocols


def refuse_unscored(
    sequences: Iterable[VideoSequence], truth: GroundTruth, protocol: Protocol
) -> None:
    """Raise `InputError` if the protocol scores no frame of any sequence."""
    sequences = list(sequences)
    if any(protocol.select_frames(sequence.frames) for sequence in sequences):
        return
    longest = max((len(sequence.frames) for sequence in sequences), default=0)
    others = ", ".join(
        known.name
        for known in load_protocols().values()
        if known.frames == "all" and not (known.needs_labels and isinstance(truth, FolderSplit))
    )
    raise refuse(
        f"no frame is scored: {protocol.name!r} leaves out the first and the last, and no sequence "
        f"has more than {longest} true mask{'s' * (longest != 1)}",
        truth.root,
        f"give the true masks of all frames, or a --protocol that scores every frame: {others}",
    )


def check_results(
    results: Sequence[SequenceResult],
    truth: GroundTruth,
    protocol: Protocol,
    predictions: object,
    problems: ProblemCollector,
) -> None:
    """Add a problem for everything that makes the results meaningless.

    predictions: what to call them. True masks of 0 and 255 alone are binary, and most protocols see
    no object in them. Predictions of a sequence are refused if they hold ids, but none of its
    objects'; those of the whole split as well. Sequences with the same fault share a problem.
    """
    binary = [result for result in results if _is_binary(result, protocol)]
    if binary:
        problems.add(*_binary_truth(binary, truth, protocol))
    others = [result for result in results if not _is_binary(result, protocol)]
    if not protocol.has_free_ids:
        _check_ids(others, truth, protocol, predictions, problems)
    if (
        others
        and not problems.collected
        and not any(result.ids and result.frames for result in others)
    ):
        hint = "give true masks whose pixels are object ids"
        if protocol.needs_labels:
            hint = "give an action list that names objects"
        problems.add(
            f"{protocol.name!r} finds no object in any of its {len(others)} sequences",
            truth.root,
            hint,
        )


def _is_binary(result: SequenceResult, protocol: Protocol) -> bool:
    """Whether true masks hold 0 and 255 alone, and 255 is not an object."""
    return result.true_ids == {VOID} and (protocol.void != "an id" or VOID not in result.ids)


def _binary_truth(
    results: list[SequenceResult], truth: GroundTruth, protocol: Protocol
) -> tuple[str, str, str]:
    hint = "score it by --protocol davis-2016, for which every pixel that is not 0 is the object"
    if protocol.needs_labels:
        hint = "restore the masks, whose pixels are object ids"
    return (
        f"its masks hold 0 and 255 alone, and {protocol.name!r} {_VOID_TAKEN[protocol.void]}",
        f"{truth.root}: {_named(results)}",
        hint,
    )


_VOID_TAKEN = {
    "background": "takes 255 for background",
    "cleared": "leaves 255 out",
    "an id": "knows no object 255",
}


def _check_ids(
    results: list[SequenceResult],
    truth: GroundTruth,
    protocol: Protocol,
    predictions: object,
    problems: ProblemCollector,
) -> None:
    known = {result.sequence.folder: _known_ids(result, protocol) for result in results}
    predicting = [result for result in results if result.predicted_ids]

    def is_foreign(result: SequenceResult) -> bool:
        return not result.predicted_ids & known[result.sequence.folder]

    foreign = [result for result in predicting if result.ids and is_foreign(result)]
    if not foreign and all(map(is_foreign, predicting)):
        foreign = predicting
    alike: dict[tuple[frozenset[int], frozenset[int]], list[SequenceResult]] = {}
    for result in foreign:
        of_truth = known[result.sequence.folder] | _unread_ids(result, truth, protocol)
        if not result.predicted_ids & of_truth:
            alike.setdefault((result.predicted_ids, of_truth), []).append(result)
    for (found, wanted), sequences in alike.items():
        problems.add(
            f"no predicted pixel has an object's id (predicted: {_listed(found)}; objects: "
            f"{_listed(wanted) or 'none'})",
            f"{predictions}: {_named(sequences)}",
            _hint(found, wanted, protocol),
        )


def _known_ids(result: SequenceResult, protocol: Protocol) -> frozenset[int]:
    """The ids that a prediction may have: of all objects, in sight or not, scored or not."""
    if protocol.objects == "listed":
        return frozenset(result.ids)
    return _without_void(frozenset(result.ids) | result.true_ids)


def _without_void(ids: frozenset[int]) -> frozenset[int]:
    """An object has the void id only if there is no other id."""
    return ids - {VOID} or ids


def _unread_ids(result: SequenceResult, truth: GroundTruth, protocol: Protocol) -> frozenset[int]:
    """The ids of true masks that the protocol does not need, if masks define the objects."""
    found: set[int] = set()
    if protocol.objects == "any frame":
        for frame in set(result.sequence.frames) - set(result.frames):
            with suppress(InputError):
                found.update(find_ids(read_index_mask(truth.mask_path(result.sequence, frame))))
    return frozenset(found - {VOID})


def _hint(found: frozenset[int], wanted: frozenset[int], protocol: Protocol) -> str:
    if len(found) > 1:
        return "write the id of its object as the value of each pixel"
    hint = f"map {_listed(found)} to the object's id"
    if protocol.scores_every_object and len(wanted) == 1:
        hint += ", or score binary masks by --protocol davis-2016"
    return hint


def _listed(ids: frozenset[int]) -> str:
    """The first ids, and how many more there are."""
    return format_names([*map(str, sorted(ids))], 8)


def _named(results: list[SequenceResult]) -> str:
    return format_names([result.sequence.folder for result in results])
