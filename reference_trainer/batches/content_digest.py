"""A digest of the training data, which tells whether a resumed run still has the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from actiseg_data.core.digests import digest_json
from actiseg_data.core.file_reading import read_bytes
from reference_trainer.batches.training_split import TrainingSplit


def digest_content(split: TrainingSplit) -> str:
    """Compute a digest of all training data, independent of where the files are.

    It covers prompts with their flags, masks by their bytes, and frames by their file sizes, since
    frames are a thousand times larger. If only untouched labels are learned, it covers the clean
    masks as well.

    Of noise on the fly, the masks are covered by their clean files and the recipe, because making
    all masks takes long. If the noise changes no mask, the digest is that of a noisy copy.
    """
    live = split.live
    files = split.labels if live is None else split.clean
    document = [
        [
            *item.sequence.identity,
            [
                [prompt.object_id, prompt.text, prompt.positive, prompt.handbox, prompt.narration]
                for prompt in item.prompts
            ],
            [_digest_file(path) for path in files.find_masks(files[item.sequence.folder])],
            [
                [frame, path.stat().st_size]
                for frame, path in zip(
                    item.sequence.frames, split.clean.frames(item.sequence), strict=True
                )
            ],
            *(
                [_digest_file(path) for path in split.clean.find_masks(item.sequence)]
                if split.untouched
                else ()
            ),
        ]
        for item in split.sequences
    ]
    if live is not None and live.recipe.changes_masks:
        return digest_json({"noise": live.recipe.digest, "clean": document})
    return digest_json(document)


def _digest_file(path: Path) -> str:
    return hashlib.blake2b(read_bytes(path, "mask"), digest_size=16).hexdigest()
