"""Folders made by the published rules of VOST and VSCOS, whose data are not here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

VOST_NAMES = ("12_cut_bell_pepper", "3_peel_onion", "40_tear_aluminium_foil")


def draw_instances(number: int, frame: int) -> np.ndarray:
    """Two instances, the second in the first frames only, and a void rim around the first."""
    mask = np.zeros((48, 64), np.uint8)
    mask[8:30, 4 + frame : 26 + frame] = 255
    mask[10:28, 6 + frame : 24 + frame] = 1
    if frame < 4 + number:
        mask[20:44, 36:60] = 2
    return mask


def save_palette(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(mask, "L").copy()
    image.putpalette([channel for index in range(256) for channel in (index, 0, 255 - index)])
    image.save(path)


def save_photograph(path: Path, shape=(48, 64)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(path)


def make_vost(root: Path) -> Path:
    """VOST with masks on every second of eight photographs."""
    for number, name in enumerate(VOST_NAMES):
        for frame in range(8):
            save_photograph(root / "JPEGImages" / name / f"frame{frame:05d}.jpg")
            if frame % 2 == 0:
                for folder in ("Annotations", "Annotations_raw"):
                    path = root / folder / name / f"frame{frame:05d}.png"
                    save_palette(path, draw_instances(number, frame))
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "val.txt").write_text("\n".join(VOST_NAMES) + "\n")
    return root


CLIPS = {
    "P01_107_3": ("P01", "P01_107", "cut", "onion", "cut onion", 100, 160, 7, 16),
    "P02_09_11": ("P02", "P02_09", "peel", "pepper:bell", "peel bell pepper", 20, 90, 9, 88),
    "P02_09_12": ("P02", "P02_09", "peel", "carrot", "peel carrot", 200, 260, 9, 41),
}
"""The last has no masks."""

_KEYS = ("participant_id", "video_id", "verb", "noun", "narration")
_FRAMES = ("start_frame", "stop_frame", "verb_class", "noun_class")


def make_vscos(root: Path) -> Path:
    """VSCOS's validation split with binary masks on every tenth photograph."""
    split = root / "EPIC_val_split"
    split.mkdir(parents=True)
    lines = []
    for clip, values in CLIPS.items():
        pairs = zip((*_KEYS, *_FRAMES), values, strict=True)
        lines += [f"{clip}:", *(f"  {key}: {value}" for key, value in pairs)]
        participant, video, *_ = values
        for frame in range(values[5], values[6], 10):
            name = f"{video}/{clip}/frame_{frame:010d}"
            save_photograph(split / participant / "rgb_frames" / f"{name}.jpg")
            if clip != "P02_09_12" and frame % 20 == 0:
                path = split / participant / "anno_masks" / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                inside = (draw_instances(0, frame % 7) == 1) * np.uint8(255)
                Image.fromarray(inside, "L").save(path)
    (split / "EPIC100_state_positive_val.yaml").write_text("\n".join(lines) + "\n")
    return root
