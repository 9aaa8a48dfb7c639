"""Compare a rebuilt split with the kit of the published one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.split import Split
from actiseg_noise.kits.kit_record import CLEAN_BYTES, MASK_BYTES, RebuildKit, SequenceDigests
from actiseg_noise.kits.raw_preparation import RawFinding
from actiseg_noise.kits.rebuild_result import FirstDifference
from actiseg_noise.kits.sequence_digesting import (
    digest_clean,
    digest_entries,
    find_file_digests,
    identify_sequence,
    pack_digests,
)
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.noisy_documents import SplitDocuments


@dataclass(frozen=True)
class ComparedPart:
    """One list of a rebuilt split, its source, and the published digests.

    Attributes
    ----------
    rebuilt : CleanPart
        The list in the rebuilt split.
    source : Split
        The list of the clean dataset, which identifies the sequences.
    published : mapping of bytes to SequenceDigests
        The digests of the kit.
    is_noisy : bool
        Whether the list got noise.
    """

    rebuilt: CleanPart
    source: Split
    published: Mapping[bytes, SequenceDigests]
    is_noisy: bool

    @property
    def sequences(self) -> tuple[VideoSequence, ...]:
        """The sequences of the source that are both rebuilt and published."""
        folders = {sequence.folder for sequence in self.rebuilt.sequences}
        return tuple(
            sequence
            for sequence in self.source.sequences
            if sequence.folder in folders and identify_sequence(sequence) in self.published
        )

    @property
    def is_whole(self) -> bool:
        """Whether it has all published sequences and no other."""
        count = len(self.sequences)
        return count == len(self.published) == len(self.rebuilt.sequences)


@dataclass(frozen=True)
class RebuiltComparison:
    """The comparison of a rebuilt split with a kit.

    Attributes
    ----------
    kit : RebuildKit
        The kit of the published split.
    documents : SplitDocuments
        The documents of the rebuilt split.
    parts : sequence of ComparedPart
        Its lists, the noisy one first.
    raw : RawFinding
        How the raw files compare, if the source was prepared from them.
    is_prepared : bool
        Whether the source was prepared from raw files.
    """

    kit: RebuildKit
    documents: SplitDocuments
    parts: Sequence[ComparedPart]
    raw: RawFinding
    is_prepared: bool

    def compare(self) -> tuple[int, FirstDifference | None, int]:
        """Compare every sequence, and whole lists where they are whole.

        Returns
        -------
        differing : int
            How many sequences differ.
        difference : FirstDifference or None
            The first difference.
        lists : int
            How many whole lists and companion files were compared.
        """
        differing = 0
        first: FirstDifference | None = None
        for part in self.parts:
            for sequence, file, what, text in self._iterate_differences(part):
                differing += 1
                first = first or self._explain(part, sequence, file, what, text)
        if first is not None:
            return differing, first, 0
        compared = list(self._list_comparable())
        for name in compared:
            path = name if self.kit.source.form is not None else f"{IMAGE_SETS}/{name}"
            if self.documents.digests.get(path) != self.kit.lists[name]:
                what = "differs outside the entries of its sequences"
                return 0, FirstDifference(path, what, "source"), len(compared)
        return 0, None, len(compared)

    def _iterate_differences(
        self, part: ComparedPart
    ) -> Iterator[tuple[VideoSequence, str, str, bytes]]:
        """Yield each sequence that differs: the first file of it, what differs, its clean text."""
        texts, clean_texts = digest_entries(part.rebuilt.split), digest_entries(part.source)
        own = {sequence.folder: sequence for sequence in part.rebuilt.sequences}
        for sequence in part.sequences:
            made = own[sequence.folder]  # with its ghosts
            files = find_file_digests(part.rebuilt, made, self.documents.digests)
            rebuilt = pack_digests(made, files, texts[sequence.folder])
            published = part.published[identify_sequence(sequence)]
            found_difference = _find_difference(part.rebuilt, made, rebuilt, published)
            if found_difference is not None:
                yield sequence, *found_difference, clean_texts[sequence.folder]

    def _explain(
        self, part: ComparedPart, sequence: VideoSequence, file: str, what: str, text: bytes
    ) -> FirstDifference:
        """Find out whose version a difference is, by the digests of the clean sequence."""
        clean = CleanPart(part.source, (sequence,), part.rebuilt.kinds)
        digest = digest_clean(clean.digest_files(sequence), text)
        published = part.published[identify_sequence(sequence)]
        versions = list_changed_versions(self.kit, self.documents)
        same_files = digest[:CLEAN_BYTES] == published.clean[:CLEAN_BYTES]
        if same_files and digest[CLEAN_BYTES:] == published.clean[CLEAN_BYTES:]:
            return FirstDifference(file, what, "tool", versions=versions)
        suspect = self.raw.find_suspect(sequence.video)
        if suspect is None and self.is_prepared:
            return FirstDifference(file, what, "preparation", versions=versions)
        raw_file = None if suspect is None else suspect.name
        return FirstDifference(file, what, "source", raw_file)

    def _list_comparable(self) -> Iterator[str]:
        """List the documents of the lists that are the published ones, with the same numbers."""
        for part in self.parts:
            name = part.source.name
            published = self.kit.lists.get(f"{name}.json")
            fingerprint = self.kit.source.fingerprint if part.is_noisy else published
            if part.is_whole and part.source.fingerprint == fingerprint:
                files = part.rebuilt.split.list_documents()
                if self.kit.source.form is None:
                    files = tuple(file.partition("/")[2] for file in files)
                yield from (file for file in files if file in self.kit.lists)


def list_changed_versions(
    kit: RebuildKit, documents: SplitDocuments
) -> tuple[tuple[str, str, str], ...]:
    """List toolkit and libraries with another version: name, published version, version here."""
    current = {name: str(text) for name, text in documents.read_section("versions").items()}
    current["toolkit"] = str(documents.summary.get("toolkit", ""))
    published = dict(kit.versions) | {"toolkit": kit.toolkit}
    names = sorted(current.keys() | published.keys())
    return tuple(
        (name, published.get(name, "none"), current.get(name, "none"))
        for name in names
        if published.get(name) != current.get(name)
    )


def _find_difference(
    part: CleanPart, sequence: VideoSequence, rebuilt: SequenceDigests, published: SequenceDigests
) -> tuple[str, str] | None:
    """Find the first file of a sequence that differs, and what differs there."""
    lists = part.split.documents_title
    if rebuilt.frames != published.frames:
        counts = f"{count_nouns(rebuilt.frames, 'frame')}, not {published.frames}"
        return lists, f"{sequence.folder} has {counts} as in the published split"
    names = dict(zip(part.kinds, part.list_names_by_kind(sequence), strict=True))
    if published.masks and rebuilt.masks != published.masks:
        starts = range(0, len(published.masks), MASK_BYTES)
        for start, name in zip(starts, names[MASKS], strict=True):
            if (
                rebuilt.masks[start : start + MASK_BYTES]
                != published.masks[start : start + MASK_BYTES]
            ):
                return name, "the mask differs"
    if published.weights and rebuilt.weights != published.weights:
        return names[WEIGHTS][0].rpartition("/")[0], "the weights differ"
    if rebuilt.text != published.text:
        return lists, f"the prompts, objects or list entry of {sequence.folder} differ"
    return None
