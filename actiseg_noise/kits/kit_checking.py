"""Compare a rebuild kit with the noisy split that it was made from, without the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actiseg_noise.kits.kit_making import describe_run, digest_copies, list_lists
from actiseg_noise.kits.kit_record import RebuildKit, SequenceDigests
from actiseg_noise.kits.sequence_digesting import (
    digest_entries,
    find_file_digests,
    identify_sequence,
    pack_digests,
)
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.noise_inputs import read_noise_inputs
from actiseg_noise.split.noisy_documents import SplitDocuments

_DIGESTS = {"frames": "frames", "masks": "masks", "weights": "weights", "text": "words and labels"}
"""The attributes of `SequenceDigests` that do not depend on the source, and what they are of."""


def find_kit_differences(kit: RebuildKit, folder: Path, documents: SplitDocuments) -> Iterator[str]:
    """Compare a kit with the documents of its noisy split; yield a line for each difference.

    The digests of the source and the names of its raw files are not compared: the split does not
    have them.

    Parameters
    ----------
    kit : RebuildKit
        The kit.
    folder : Path
        The noisy split. Its documents and lists are read, and no mask.
    documents : SplitDocuments
        Its documents.

    Raises
    ------
    InputError
        If the lists of the split are damaged.
    """
    noisy, *clean = documents.open_parts(folder)
    inputs = read_noise_inputs(folder)
    lexicon, differences = inputs.lexicon, inputs.differences
    stated: dict[str, tuple[Any, Any]] = {
        "recipe": (kit.recipe.to_dict(), documents.recipe.to_dict()),
        "source: split": (kit.source.split, documents.recipe.split),
        "source: fingerprint": (
            kit.source.fingerprint,
            documents.summary.get("dataset_fingerprint"),
        ),
        "lists": (dict(kit.lists), list_lists(documents, is_action=kit.source.form is None)),
        "lexicon": (kit.lexicon, None if lexicon is None else lexicon.document),
        "differences": (kit.differences, None if differences is None else differences.to_dict()),
        "clean": (set(kit.clean), {part.split.name for part in clean}),
    }
    for name, value in describe_run(documents).items():
        stated[name] = (_as_plain(getattr(kit, name)), value)
    for name, (actual, expected) in stated.items():
        if actual != expected:
            yield f"{name}: is not that of the archive"
    yield from _compare_sequences(kit.sequences, _digest_noisy(noisy, documents), "")
    for part in clean:
        if part.split.name not in kit.clean:  # the line about the names of the clean lists says so
            continue
        actual, copies = kit.clean[part.split.name], digest_copies(part, documents)
        place = f"clean: {part.split.name}: "
        lines = list(_compare_sequences(actual, copies, place))
        if actual != copies and not lines:
            lines = [f"{place}is not the list of the archive"]
        yield from lines


def _as_plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _digest_noisy(part: CleanPart, documents: SplitDocuments) -> dict[bytes, SequenceDigests]:
    texts = digest_entries(part.split)
    return {
        identify_sequence(sequence): pack_digests(
            sequence,
            find_file_digests(part, sequence, documents.digests),
            texts[sequence.folder],
        )
        for sequence in part.sequences
    }


def _compare_sequences(
    actual: Mapping[bytes, SequenceDigests], expected: Mapping[bytes, SequenceDigests], place: str
) -> Iterator[str]:
    """Count the sequences that a kit lacks, adds or describes differently. It has no names."""
    for count, what in (
        (len(expected.keys() - actual.keys()), "of the archive are missing"),
        (len(actual.keys() - expected.keys()), "are not in the archive"),
    ):
        if count:
            yield f"{place}sequences: {count} {what}"
    shared = expected.keys() & actual.keys()
    for name, noun in _DIGESTS.items():
        wrong = sum(getattr(actual[key], name) != getattr(expected[key], name) for key in shared)
        if wrong:
            yield f"{place}sequences: {wrong} have other {noun} than in the archive"
