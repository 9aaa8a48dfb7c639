"""A noisy split without files: its documents are in memory, and its masks are made when read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import parse_json
from actiseg_data.core.errors import refuse
from actiseg_data.layouts.action_lists import parse_action_list
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS, ActionSplit
from actiseg_data.records.ledger_record import MaskRow
from actiseg_noise.media.mask_medium import MaskMediumPlan


@dataclass(frozen=True, repr=False, kw_only=True)
class LiveSplit(ActionSplit):
    """A noisy split whose masks and documents are in no files.

    It is read like the copy that `corrupt` writes. Each mask is made when it is read, from its
    clean mask, and is not kept. Processes and threads may share a split: reading changes nothing.

    Attributes
    ----------
    clean : ActionSplit
        The split that noise is made from. The photographs are its own.
    documents : mapping of str to bytes
        The lists and companion files that the noise rewrites, by relative path, encoded.
    mask_plan : MaskMediumPlan or None
        The noise of masks; None if they stay clean.
    """

    clean: ActionSplit
    documents: Mapping[str, bytes]
    mask_plan: MaskMediumPlan | None

    def find_folder(self, kind: str, sequence: VideoSequence) -> Path:
        """Return the folder of a sequence's photographs; there are no files of a noisy split."""
        if kind in (MASKS, WEIGHTS):
            raise refuse(
                f"noise on the fly writes no {kind}",
                self.root,
                "read the arrays of masks, or write a copy: actiseg-noise corrupt",
            )
        return self.clean.find_folder(kind, sequence)

    def read_action_list(self) -> list[dict[str, Any]]:
        """Read the noisy action list."""
        name = f"{IMAGE_SETS}/{self.name}.json"
        if name in self.documents:
            return list(parse_json(self.documents[name], name))
        return self.clean.read_action_list()

    def read_document(self, file: str) -> dict[str, Any]:
        """Read a noisy expressions or objects file."""
        name = f"{IMAGE_SETS}/{file}"
        if name in self.documents:
            return dict(parse_json(self.documents[name], name))
        document, _ = self.clean.read_image_set(file, self.clean.sequences)
        return dict(document)

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Make the noisy masks of a sequence, or of some of its frames, one at a time.

        Errors are those of the clean masks, see `Split.iterate_masks`.
        """
        own = self.clean[sequence.folder]
        masks = self.clean.iterate_masks(own.restrict(sequence.frames))
        for frame, mask in zip(sequence.frames, masks, strict=True):
            if self.mask_plan is not None:
                mask = self.mask_plan.corrupt_action_frame(own, frame, mask).mask
            yield mask

    def iterate_mask_rows(self, sequence: VideoSequence) -> Iterator[MaskRow]:
        """Make the ledger rows of the noise in the masks of a sequence."""
        if self.mask_plan is None:
            return
        own = self.clean[sequence.folder]
        for frame, mask in zip(own.frames, self.clean.iterate_masks(own), strict=True):
            yield from self.mask_plan.corrupt_action_frame(own, frame, mask).rows


def make_live_split(
    clean: ActionSplit, documents: Mapping[str, bytes], mask_plan: MaskMediumPlan | None
) -> LiveSplit:
    """Make the noisy split of a clean one, see `LiveSplit`."""
    name = f"{IMAGE_SETS}/{clean.name}.json"
    sequences, fingerprint = clean.sequences, clean.fingerprint
    if name in documents:
        records = parse_json(documents[name], name)
        sequences = parse_action_list(records, clean.list_path)
        fingerprint = digest_json(records)
    return LiveSplit(
        clean.root,
        clean.name,
        sequences,
        fingerprint,
        clean.subsets,
        spellings=clean.spellings,
        clean=clean,
        documents=documents,
        mask_plan=mask_plan,
    )
