"""Make the rebuild kit of a noisy split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.split import is_mask_name
from actiseg_data.make.prepare.raw_inputs import RawInput, read_prepared_inputs
from actiseg_noise.kits.kit_record import (
    CleanSource,
    KitThresholds,
    RebuildKit,
    SequenceDigests,
)
from actiseg_noise.kits.sequence_digesting import (
    digest_clean,
    digest_entries,
    find_file_digests,
    identify_sequences,
    pack_digests,
)
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.noisy_documents import (
    GIVEN_THRESHOLDS,
    THRESHOLDS,
    SplitDocuments,
)
from actiseg_noise.split.noisy_split import NoisySplit, read_carried_differences


def make_kit(
    name: str,
    split: NoisySplit,
    documents: SplitDocuments,
    clean_digests: Mapping[str, Mapping[str, Sequence[str]]],
) -> RebuildKit:
    """Make the rebuild kit of a noisy split.

    The files of the noisy split are not read: ``digests.json`` has their digests. Verify the split
    first.

    Parameters
    ----------
    name : str
        Name of the configuration.
    split : NoisySplit
        The noisy split with its source.
    documents : SplitDocuments
        The documents of the noisy split.
    clean_digests : mapping
        `actiseg_noise.split.clean_parts.CleanPart.digest_files` of each sequence, by folder.

    Raises
    ------
    InputError
        If the source is missing, or if ``digests.json`` does not list a file.
    """
    source = split.source
    noisy, *clean = documents.open_parts(split.noisy.root)
    folders = {sequence.folder for sequence in noisy.sequences}
    sequences = tuple(seq for seq in source.sequences if seq.folder in folders)
    part = CleanPart(source, sequences, noisy.kinds)
    differences = read_carried_differences(split.noisy.root)
    form = source.form if isinstance(source, DatasetSplit) else None
    return RebuildKit(
        name=name,
        recipe=documents.recipe,
        source=CleanSource(source.name, source.fingerprint, _list_inputs(split, documents), form),
        lists=list_lists(documents, is_action=form is None),
        sequences=_digest_noisy(noisy, part, documents, clean_digests),
        clean={listed.split.name: digest_copies(listed, documents) for listed in clean},
        lexicon=None if split.lexicon is None else split.lexicon.document,
        differences=None if differences is None else differences.to_dict(),
        **describe_run(documents),
    )


def describe_run(documents: SplitDocuments) -> dict[str, Any]:
    """Return the members of a kit about the run that made the noisy split."""
    summary = documents.summary
    return {
        "masks": str(summary.get("masks", "")),
        "weights": str(summary.get("weights", "")),
        "thresholds": KitThresholds(
            {name: summary[name] for name in THRESHOLDS if name in summary},
            summary.get(GIVEN_THRESHOLDS) is True,
        ),
        "toolkit": str(summary.get("toolkit", "")),
        "versions": {name: str(text) for name, text in documents.read_section("versions").items()},
    }


def list_lists(documents: SplitDocuments, *, is_action: bool) -> dict[str, str]:
    """List the digests of the lists and companion files, as `RebuildKit.lists` names them."""
    return {
        path.removeprefix(f"{IMAGE_SETS}/") if is_action else path: digest
        for path, digest in documents.digests.items()
        if not is_mask_name(path)
    }


def _digest_noisy(
    noisy: CleanPart,
    clean: CleanPart,
    documents: SplitDocuments,
    clean_digests: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[bytes, SequenceDigests]:
    """Digest the sequences that got noise. The source identifies them."""
    identities = identify_sequences(clean.split, clean.sequences)
    texts, clean_texts = digest_entries(noisy.split), digest_entries(clean.split)

    own = {sequence.folder: sequence for sequence in noisy.sequences}  # with their ghosts

    def digest(sequence: VideoSequence) -> SequenceDigests:
        folder = sequence.folder
        return pack_digests(
            own[folder],
            find_file_digests(noisy, own[folder], documents.digests),
            texts[folder],
            digest_clean(clean_digests[folder], clean_texts[folder]),
        )

    return {identities[sequence.folder]: digest(sequence) for sequence in clean.sequences}


def digest_copies(part: CleanPart, documents: SplitDocuments) -> dict[bytes, SequenceDigests]:
    """Digest the sequences of a clean list that was added to the split."""
    identities = identify_sequences(part.split, part.sequences)
    texts = digest_entries(part.split)
    digests = {}
    for sequence in part.sequences:
        files = find_file_digests(part, sequence, documents.digests)
        text = texts[sequence.folder]
        digests[identities[sequence.folder]] = pack_digests(
            sequence, files, text, digest_clean(files, text)
        )
    return digests


def _list_inputs(split: NoisySplit, documents: SplitDocuments) -> tuple[RawInput, ...]:
    """List the raw files that the source was prepared from, for the split and its clean lists."""
    inputs: dict[RawInput, None] = {}
    for name in (split.source.name, *documents.clean):
        inputs |= dict.fromkeys(read_prepared_inputs(split.source.root, name))
    return tuple(inputs)
