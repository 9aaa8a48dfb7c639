"""Refuse input that would make every score meaningless.

Either no frame or object is scored, or the predictions cannot belong to the ground truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from actiseg_data.annotations.masks import VOID, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.predictions.ground_truth import GroundTruth, read_true_mask
from actiseg_eval.protocols import Protocol, load_protocols

_VOID_RULES = {
    "background": "treats 255 as background",
    "cleared": "leaves 255 out",
    "an id": "has no object 255",
}


def refuse_unlabelled(truth: GroundTruth, protocol: Protocol) -> None:
    """Raise `InputError` if the protocol needs an action list and the truth has none."""
    if protocol.needs_labels and not truth.has_labels:
        raise refuse(
            f"has no action list with active objects, which {protocol.name!r} needs",
            truth.root,
            "give an ActionVOS root, or another `protocol`, such as vos-benchmark",
        )


def refuse_unscored(
    sequences: Iterable[VideoSequence], truth: GroundTruth, protocol: Protocol
) -> None:
    """Raise `InputError` if the protocol scores no frame of any sequence."""
    sequences = list(sequences)
    if any(protocol.select_frames(sequence.frames) for sequence in sequences):
        return
    longest = max((len(sequence.frames) for sequence in sequences), default=0)
    suitable = ", ".join(
        known.name
        for known in load_protocols().values()
        if known.frames == "all" and not (known.needs_labels and not truth.has_labels)
    )
    raise refuse(
        f"no frame is scored: {protocol.name!r} leaves out the first and the last, and no sequence "
        f"has more than {longest} true mask{'s' * (longest != 1)}",
        truth.root,
        "give the true masks of all frames, or set `protocol` to one that scores every frame: "
        f"{suitable}",
    )


def check_results(
    results: Sequence[SequenceResult],
    truth: GroundTruth,
    protocol: Protocol,
    predictions: object,
    problems: ProblemCollector,
) -> None:
    """Add a problem for everything that makes the results meaningless.

    True masks with only 0 and 255 are binary, and most protocols see no object in them. The
    predictions of a sequence, or of the whole split, are refused if they have ids but none of its
    objects' ids. Sequences with the same problem share one message.

    Parameters
    ----------
    results : sequence of SequenceResult
        The results of all sequences.
    truth : GroundTruth
        The ground truth.
    protocol : Protocol
        The protocol that the sequences were measured under.
    predictions : object
        The name of the predictions in messages.
    problems : ProblemCollector
        Gets the problems.
    """
    binary = [result for result in results if _is_binary(result, protocol)]
    if binary:
        _add_binary_truth(binary, truth, protocol, problems)
    indexed = [result for result in results if not _is_binary(result, protocol)]
    if not protocol.has_free_ids:
        _check_ids(indexed, truth, protocol, predictions, problems)
    has_units = any(result.ids and result.frames for result in indexed)
    if indexed and not problems.collected and not has_units:
        hint = "give true masks whose pixels are object ids"
        if protocol.needs_labels:
            hint = "give an action list that names objects"
        problems.add(
            f"{protocol.name!r} finds no object in its {count_nouns(len(indexed), 'sequence')}",
            truth.root,
            hint,
        )


def _is_binary(result: SequenceResult, protocol: Protocol) -> bool:
    """Whether the true masks have only 0 and 255, and 255 is not an object."""
    return result.true_ids == {VOID} and (protocol.void != "an id" or VOID not in result.ids)


def _add_binary_truth(
    results: list[SequenceResult],
    truth: GroundTruth,
    protocol: Protocol,
    problems: ProblemCollector,
) -> None:
    hint = "set `protocol` to davis-2016, for which every pixel that is not 0 is the object"
    if protocol.needs_labels:
        hint = "restore the masks, whose pixels are object ids"
    problems.add(
        f"its masks have only 0 and 255, and {protocol.name!r} {_VOID_RULES[protocol.void]}",
        f"{truth.root}: {_format_folders(results)}",
        hint,
    )


def _check_ids(
    results: list[SequenceResult],
    truth: GroundTruth,
    protocol: Protocol,
    predictions: object,
    problems: ProblemCollector,
) -> None:
    """Add a problem for sequences in which no predicted pixel has the id of an object."""
    known = {result.sequence.folder: _get_known_ids(result, protocol) for result in results}
    predicting = [result for result in results if result.predicted_ids]

    def is_foreign(result: SequenceResult) -> bool:
        return not result.predicted_ids & known[result.sequence.folder]

    foreign = [result for result in predicting if result.ids and is_foreign(result)]
    if not foreign and all(map(is_foreign, predicting)):
        foreign = predicting
    alike: dict[tuple[frozenset[int], frozenset[int]], list[SequenceResult]] = {}
    for result in foreign:
        true = known[result.sequence.folder] | _read_remaining_ids(result, truth, protocol)
        if not result.predicted_ids & true:
            alike.setdefault((result.predicted_ids, true), []).append(result)
    for (predicted, true), sequences in alike.items():
        problems.add(
            f"no predicted pixel has an object's id (predicted: {_format_ids(predicted)}; objects: "
            f"{_format_ids(true) or 'none'})",
            f"{predictions}: {_format_folders(sequences)}",
            _suggest_ids(predicted, true, protocol),
        )


def _get_known_ids(result: SequenceResult, protocol: Protocol) -> frozenset[int]:
    """Return the ids that a prediction may have: of all objects, visible or not, scored or not."""
    if protocol.objects == "listed":
        return frozenset(result.ids)
    ids = frozenset(result.ids) | result.true_ids
    return ids - {VOID} or ids  # the void id is an object only if there is no other id


def _read_remaining_ids(
    result: SequenceResult, truth: GroundTruth, protocol: Protocol
) -> frozenset[int]:
    """Return the ids in true masks that the protocol does not need, if masks define the objects."""
    ids: set[int] = set()
    if protocol.objects == "any frame":
        for frame in set(result.sequence.frames) - set(result.frames):
            with suppress(InputError):
                ids.update(find_ids(read_true_mask(truth, result.sequence, frame)))
    return frozenset(ids - {VOID})


def _suggest_ids(predicted: frozenset[int], true: frozenset[int], protocol: Protocol) -> str:
    """Return the hint for predictions whose ids are not those of objects."""
    if len(predicted) > 1:
        return "write the id of its object as the value of each pixel"
    hint = f"map {_format_ids(predicted)} to the object's id"
    if protocol.scores_every_object and len(true) == 1:
        hint += ", or set `protocol` to davis-2016 to score binary masks"
    return hint


def _format_ids(ids: frozenset[int]) -> str:
    """Format the first ids, and how many more there are."""
    return format_names([*map(str, sorted(ids))], 8)


def _format_folders(results: list[SequenceResult]) -> str:
    return format_names([result.sequence.folder for result in results])
