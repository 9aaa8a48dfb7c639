"""Digests of single sequences, which do not depend on the other sequences of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import refuse
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.split import Split
from actiseg_data.records.split_documents import DIGESTS_FILE
from actiseg_noise.kits.kit_record import (
    CLEAN_BYTES,
    IDENTITY_BYTES,
    MASK_BYTES,
    TEXT_BYTES,
    WEIGHTS_BYTES,
    SequenceDigests,
)
from actiseg_noise.split.clean_parts import CleanPart


def identify_sequence(sequence: VideoSequence) -> bytes:
    """Return a digest of what identifies a sequence in every dataset, whatever its number.

    See `actiseg_data.annotations.sequences.VideoSequence.identity`.
    """
    return cut_digest(digest_json(list(sequence.identity)), IDENTITY_BYTES)


def identify_sequences(split: Split, sequences: Iterable[VideoSequence]) -> dict[str, bytes]:
    """Return `identify_sequence` of sequences, by folder; an `InputError` if two are equal."""
    identities = {sequence.folder: identify_sequence(sequence) for sequence in sequences}
    if len(set(identities.values())) < len(identities):
        raise refuse(
            "has two sequences that cannot be told apart",
            split.list_path,
            "number the sequences differently",
        )
    return identities


def cut_digest(digest: str, size: int) -> bytes:
    """Return the first bytes of a digest that is given as hexadecimal digits.

    >>> list(cut_digest("00ff10", 2))
    [0, 255]
    """
    return bytes.fromhex(digest[: 2 * size])


def digest_entries(split: Split) -> dict[str, bytes]:
    """Digest the entries of each sequence in the list and all companion files, by folder.

    The number of a sequence is left out, because it depends on the other sequences of a dataset.
    """
    return {
        folder: cut_digest(digest_json(content), TEXT_BYTES)
        for folder, content in split.read_entries().items()
    }


def digest_clean(files: Mapping[str, Sequence[str]], entries: bytes) -> bytes:
    """Join the digests of clean files and of clean entries, see `SequenceDigests.clean`.

    Parameters
    ----------
    files : mapping
        Digests of the files by kind, see `actiseg_noise.split.clean_parts.CleanPart.digest_files`.
    entries : bytes
        From `digest_entries`.
    """
    listed = {kind: list(digests) for kind, digests in files.items()}
    return cut_digest(digest_json(listed), CLEAN_BYTES) + entries[:CLEAN_BYTES]


def find_file_digests(
    part: CleanPart, sequence: VideoSequence, digests: Mapping[str, str]
) -> dict[str, list[str]]:
    """Find the digests of a sequence's files in ``digests.json``, by kind and in frame order.

    An `InputError` is raised for a file that is not listed.
    """
    by_kind = {}
    for kind, names in zip(part.kinds, part.list_names_by_kind(sequence), strict=True):
        lacking = [name for name in names if name not in digests]
        if lacking:
            what = f"does not list {lacking[0]}"
            raise refuse(what, part.split.root / DIGESTS_FILE, "make the split again")
        by_kind[kind] = [digests[name] for name in names]
    return by_kind


def pack_digests(
    sequence: VideoSequence, files: Mapping[str, Sequence[str]], text: bytes, clean: bytes = b""
) -> SequenceDigests:
    """Make the digests of a sequence from those of its files and of its entries."""
    masks = (cut_digest(digest, MASK_BYTES) for digest in files.get(MASKS, ()))
    weights = files.get(WEIGHTS)
    return SequenceDigests(
        frames=len(sequence.views),
        masks=b"".join(masks),
        weights=b"" if not weights else cut_digest(digest_json(list(weights)), WEIGHTS_BYTES),
        text=text,
        clean=clean,
    )
