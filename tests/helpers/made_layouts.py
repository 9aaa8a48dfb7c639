"""Small made datasets in every layout: two sequences of three frames with two objects each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco

from actiseg_data.annotations.masks import write_index_mask

SEQUENCES = ("bear", "swan")
FRAMES = ("00000", "00001", "00002")
HEIGHT, WIDTH = 60, 80


@dataclass(frozen=True)
class MadeLayout:
    """A made dataset.

    Attributes
    ----------
    key : str
        Its layout.
    path : Path
        What commands take.
    masks : dict
        The boolean mask of each object, by sequence, frame and number from 1.
    """

    key: str
    path: Path
    masks: dict


def draw_masks(sequences, *, overlap=False):
    """Draw two objects that move, by sequence, frame and number; with `overlap`, they overlap."""
    masks = {}
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for number, sequence in enumerate(sequences):
        for step, frame in enumerate(FRAMES):
            disc = (y - 22) ** 2 + (x - 20 - 4 * step) ** 2 < 150 + 40 * (number % 3)
            box = (y > 26) & (y < 52) & (x > 34 + 3 * step) & (x < 66 + 3 * step)
            if overlap:
                box |= (y > 20) & (y < 40) & (x > 20 + 4 * step) & (x < 60)
            else:
                box &= ~disc
            masks[sequence, frame, 1], masks[sequence, frame, 2] = disc, box
    return masks


def paint_index(masks, sequence, frame):
    index = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in (1, 2):
        index[masks[sequence, frame, number]] = number
    return index


def write_photographs(folder, sequences):
    for sequence in sequences:
        (folder / sequence).mkdir(parents=True)
        for frame in FRAMES:
            pixels = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
            Image.fromarray(pixels).save(folder / sequence / f"{frame}.jpg")


def write_index_masks(folder, masks, sequences):
    for sequence in sequences:
        for frame in FRAMES:
            mask = paint_index(masks, sequence, frame)
            write_index_mask(folder / sequence / f"{frame}.png", mask)


def make_davis(root, sequences=SEQUENCES):
    masks = draw_masks(sequences)
    write_index_masks(root / "Annotations" / "480p", masks, sequences)
    write_photographs(root / "JPEGImages" / "480p", sequences)
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"{name}\n" for name in sequences))
    (lists / "val.txt").write_text("swan\n")
    return MadeLayout("davis", root, masks)


def make_youtube_vos(root, sequences=SEQUENCES):
    masks = draw_masks(sequences)
    write_index_masks(root / "train" / "Annotations", masks, sequences)
    write_photographs(root / "train" / "JPEGImages", sequences)
    objects = {
        "1": {"category": "ape", "frames": list(FRAMES)},
        "2": {"category": "car", "frames": list(FRAMES)},
    }
    meta = {"videos": {sequence: {"objects": objects} for sequence in sequences}}
    (root / "train" / "meta.json").write_text(json.dumps(meta))
    return MadeLayout("youtube-vos", root, masks)


def make_folder(root, sequences=SEQUENCES):
    masks = draw_masks(sequences)
    write_index_masks(root, masks, sequences)
    return MadeLayout("masks", root, masks)


def make_sav_folders(root, sequences=SEQUENCES):
    masks = draw_masks(sequences, overlap=True)
    for (sequence, frame, number), mask in masks.items():
        path = root / "Annotations_6fps" / sequence / f"{number - 1:03d}" / f"{frame}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    write_photographs(root / "JPEGImages_24fps", sequences)
    (root / "sav_val.txt").write_text("".join(f"{name}\n" for name in sequences))
    return MadeLayout("sa-v", root, masks)


def encode(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def make_sav_documents(root, sequences=SEQUENCES):
    masks = draw_masks(sequences, overlap=True)
    root.mkdir(parents=True)
    for sequence in sequences:
        rows = [[encode(masks[sequence, frame, n]) for n in (1, 2)] for frame in FRAMES]
        document = {
            "video_id": sequence,
            "video_frame_count": len(FRAMES),
            "video_height": HEIGHT,
            "video_width": WIDTH,
            "masklet": rows,
            "masklet_id": [0, 1],
            "masklet_size_abs": [0.0, 0.0],
            "masklet_num": 2,
        }
        (root / f"{sequence}_manual.json").write_text(json.dumps(document))
    return MadeLayout("sa-v", root, masks)


def make_mevis(root, sequences=SEQUENCES):
    masks = draw_masks(sequences, overlap=True)
    folder = root / "train"
    folder.mkdir(parents=True)
    rows, videos = {}, {}
    for position, sequence in enumerate(sequences):
        expressions = {}
        for number in (1, 2):
            anno = 2 * position + number
            rows[str(anno)] = [encode(masks[sequence, frame, number]) for frame in FRAMES]
            text = f"the {'white dog' if number == 1 else 'red car'} on the left"
            expressions[str(number - 1)] = {"exp": text, "obj_id": [number], "anno_id": [anno]}
        videos[sequence] = {"expressions": expressions, "frames": list(FRAMES), "vid_id": position}
    (folder / "mask_dict.json").write_text(json.dumps(rows))
    (folder / "meta_expressions.json").write_text(json.dumps({"videos": videos}))
    return MadeLayout("mevis", root, masks)


def trace_box(mask):
    """Return the polygon around the box of a mask, and the mask of that box."""
    ys, xs = np.nonzero(mask)
    left, right, top, bottom = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    box = np.zeros_like(mask)
    box[top:bottom, left:right] = True
    corners = (left, top, right, top, right, bottom, left, bottom)
    return [[float(v) for v in corners]], box


def make_coco(root, sequences=SEQUENCES):
    """Make instances: polygons, compressed RLE, runs, and a crowd."""
    masks = draw_masks(sequences, overlap=True)
    images, annotations, shown = [], [], {}
    for position, sequence in enumerate(sequences):
        for step, frame in enumerate(FRAMES):
            image_id = 10 * position + step + 1
            name = f"{sequence}_{frame}"
            images.append(
                {"id": image_id, "file_name": f"{name}.jpg", "height": HEIGHT, "width": WIDTH}
            )
            for number in (1, 2):
                mask = masks[sequence, frame, number]
                segment = encode(mask)
                if number == 2:
                    segment, mask = trace_box(mask)
                shown[str(image_id), name, number] = mask
                rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": number,
                        "segmentation": segment,
                        "area": float(coco.area(rle)),
                        "bbox": [float(v) for v in coco.toBbox(rle)],
                        "iscrowd": 0,
                    }
                )
    crowd = np.zeros(HEIGHT * WIDTH, int)
    crowd[:90] = 1
    annotations.append(
        {
            "id": 99,
            "image_id": 1,
            "category_id": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": [0, 90, HEIGHT * WIDTH - 90]},
            "area": 90.0,
            "bbox": [0.0, 0.0, 2.0, 60.0],
            "iscrowd": 1,
        }
    )
    categories = [
        {"id": 1, "name": "ape", "supercategory": "animal"},
        {"id": 2, "name": "car", "supercategory": "vehicle"},
    ]
    document = {
        "info": {"year": 2026},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    root.mkdir(parents=True)
    path = root / "instances.json"
    path.write_text(json.dumps(document))
    return MadeLayout("coco", path, shown)


def make_visor(root, sequences=SEQUENCES):
    """Make VISOR's sparse annotations: a box and a polygon for each frame, in full pixels."""
    masks = {}
    root.mkdir(parents=True)
    for number, sequence in enumerate(sequences):
        frames = []
        for step, frame in enumerate(FRAMES):
            name = f"{sequence}_{frame}"
            left, top = 200 + 60 * step, 150 + 20 * (number % 3)
            outlines = {
                1: [[left, top], [left + 400, top], [left + 400, top + 300], [left, top + 300]],
                2: [[left + 300, top + 100], [left + 900, top + 250], [left + 500, top + 700]],
            }
            entities = [
                {
                    "id": f"{number:08x}{step:08x}{thing:016x}",
                    "name": ("board", "cup")[thing - 1],
                    "class_id": thing,
                    "exhaustive": "y",
                    "segments": [[[float(x), float(y)] for x, y in outline]],
                }
                for thing, outline in outlines.items()
            ]
            image = {
                "image_path": f"{sequence}/{name}.jpg",
                "name": f"{name}.jpg",
                "subsequence": f"{sequence}_seq_00001",
                "video": sequence,
            }
            frames.append({"image": image, "annotations": entities})
            for thing, outline in outlines.items():
                pixels = np.zeros((1080, 1920), np.uint8)
                cv2.fillPoly(pixels, [np.array(outline)], 1)
                masks[sequence, name, thing] = pixels > 0
        document = {"info": {}, "video_annotations": frames}
        (root / f"{sequence}.json").write_text(json.dumps(document))
    return MadeLayout("visor", root, masks)


MAKERS = {
    "davis": make_davis,
    "youtube-vos": make_youtube_vos,
    "masks": make_folder,
    "sa-v folders": make_sav_folders,
    "sa-v documents": make_sav_documents,
    "mevis": make_mevis,
    "coco": make_coco,
    "visor": make_visor,
}
"""A function that makes a dataset at a path, by a name of its form."""
