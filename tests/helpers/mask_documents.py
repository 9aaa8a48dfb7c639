"""Made documents of masks, and ways to damage them."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import strategies as st
from pycocotools import mask as coco

JUNK = (None, True, -1, 0, 3, 10**400, 1e300, 2.5, "", "0", "a\x1b", "/..", [], [[]], {}, [None])
"""Values that a key of a document may wrongly have."""


def draw_blob(seed, size):
    """A round object somewhere on an image."""
    height, width = size
    cut = np.random.default_rng(seed)
    y, x = np.ogrid[:height, :width]
    centre_y, centre_x = cut.uniform(0, height), cut.uniform(0, width)
    radius = cut.uniform(2, min(size) / 2)
    return (y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2


def compress(mask):
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}


def list_plain_runs(mask):
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    return {"counts": [0, *runs] if flat[0] else runs, "size": list(mask.shape)}


def make_polygon(seed, size):
    cut = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = cut.uniform(0.2, 0.5, 12) * min(size)
    x = np.round(cut.uniform(0, size[1]) + reach * np.cos(turn), 2)
    y = np.round(cut.uniform(0, size[0]) + reach * np.sin(turn), 2)
    return np.stack([x, y], axis=1).ravel().tolist()


def make_coco(images=3, size=(37, 53)):
    """Images with polygons, both kinds of RLE, and a crowd."""
    document = {
        "info": {"year": 2017, "description": "made"},
        "licenses": [{"id": 1, "name": "none", "url": ""}],
        "images": [],
        "annotations": [],
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person"},
            {"id": 18, "name": "dog", "supercategory": "animal"},
        ],
    }
    for image in range(images):
        number = 900 - 7 * image
        document["images"].append(
            {
                "license": 1,
                "file_name": f"val2017/{number:012d}.jpg",
                "height": size[0],
                "width": size[1],
                "id": number,
            }
        )
        segments = [
            [make_polygon(10 * image, size)],
            [make_polygon(10 * image + 1, size), make_polygon(10 * image + 2, size)],
            compress(draw_blob(image, size)),
            list_plain_runs(draw_blob(image + 50, size)),
            list_plain_runs(draw_blob(image + 90, size)),
        ]
        for place, segment in enumerate(segments):
            document["annotations"].append(
                {
                    "segmentation": segment,
                    "area": 1.5,
                    "iscrowd": int(place == 4),
                    "image_id": number,
                    "bbox": [0.0, 0.0, 1.0, 1.0],
                    "category_id": 18 if place % 2 else 1,
                    "id": 5000 - 10 * image - place,
                    "note": f"kept {place}",
                }
            )
    return document


def make_sav(frames=5, masklets=(3, 0, 11), size=(33, 29)):
    """A video of SA-V; the last masklet is invisible in the first and the fourth frame."""
    rows = []
    for frame in range(frames):
        row = [compress(draw_blob(100 * place + frame, size)) for place in range(len(masklets))]
        if frame in (0, 3):
            row[-1] = compress(np.zeros(size, bool))
        rows.append(row)
    count = len(masklets)
    return {
        "video_id": "sav_000007",
        "video_duration": 0.8,
        "video_frame_count": 4.0 * frames - 2,
        "video_height": float(size[0]),
        "video_width": float(size[1]),
        "video_resolution": float(size[0] * size[1]),
        "masklet": rows,
        "masklet_id": list(masklets),
        "masklet_size_rel": [0.5] * count,
        "masklet_size_abs": [9.0] * count,
        "masklet_size_bucket": ["none"] * count,
        "masklet_visibility_changes": [99] * count,
        "masklet_first_appeared_frame": [99.0] * count,
        "masklet_frame_count": [frames] * count,
        "masklet_type": ["manual"] * count,
        "masklet_num": count,
    }


def make_mevis(size=(21, 34)):
    """Masks and expressions of MeViS: two videos, an object without an expression."""
    masks = {
        str(source): [compress(draw_blob(7 * source + frame, size)) for frame in range(3)]
        for source in (2, 10, 4, 5)
    }
    masks["4"][1] = None
    expressions = {
        "videos": {
            "aa": {
                "expressions": {
                    "0": {"exp": "dogs that run", "obj_id": [0, 1], "anno_id": [10, 2]},
                    "1": {"exp": "the left dog", "obj_id": [0], "anno_id": [2]},
                },
                "vid_id": 0,
                "frames": ["00000", "00005", "00010"],
            },
            "bb": {
                "expressions": {"0": {"exp": "a cat", "obj_id": [0], "anno_id": [4]}},
                "vid_id": 1,
                "frames": ["00000", "00001", "00002"],
            },
        }
    }
    return masks, expressions


def list_places(document, place=()):
    """The paths to all values of a document, itself included."""
    yield place
    members = document.items() if isinstance(document, dict) else ()
    members = enumerate(document) if isinstance(document, list) else members
    for key, value in members:
        yield from list_places(value, (*place, key))


@st.composite
def damaged(draw, document):
    """A copy of a document in which some values are junk, or are missing."""
    spoiled = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = list(list_places(spoiled))
        # Half of the faults are near the top, where there are few values.
        near = [place for place in places if len(place) < 4]
        *way, last = draw(st.sampled_from(near if draw(st.booleans()) else places)) or (None,)
        if last is None:
            return copy.deepcopy(draw(st.sampled_from(JUNK)))
        holder = spoiled
        for key in way:
            holder = holder[key]
        if draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return spoiled
