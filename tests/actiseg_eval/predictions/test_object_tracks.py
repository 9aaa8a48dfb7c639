from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from actiseg_data import open_split
from actiseg_eval import score
from actiseg_eval.predictions.object_tracks import make_track_truth
from tests.helpers.made_layouts import encode, make_sav_documents

SIZE = (6, 40)


def write_instances(path, boxes):
    """Write COCO instances of one image: boxes of a row of pixels, by annotation id."""
    annotations = []
    for number, (left, width) in boxes.items():
        mask = np.zeros(SIZE, bool)
        mask[2, left : left + width] = True
        annotations.append(
            {
                "id": number,
                "image_id": 7,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": encode(mask),
            }
        )
    image = {"id": 7, "file_name": "7.jpg", "height": SIZE[0], "width": SIZE[1]}
    document = {"images": [image], "categories": [{"id": 1, "name": "ape"}]}
    path.parent.mkdir()
    path.write_text(json.dumps({**document, "annotations": annotations}))
    return path


def test_annotations_are_matched_by_id_whatever_others_there_are(tmp_path):
    """An image with more than 254 annotations is several sequences, in the truth alone here."""
    boxes = {number: (number % 30, 4) for number in range(260)}
    found = {number: (left + 2, 4) for number, (left, _) in boxes.items() if number % 2}
    truth = write_instances(tmp_path / "truth" / "instances.json", boxes)
    predictions = write_instances(tmp_path / "found" / "instances.json", found)
    report = score(
        predictions, gt=truth, protocol="davis-unsupervised", missing="empty", resamples=0
    )
    iou = coco.iou([[2.0, 0, 4, 1]], [[0.0, 0, 4, 1]], [0]).item()
    assert report.metrics["j"] == pytest.approx(iou / 2)


def test_tracks_of_a_video_are_resampled_together(tmp_path):
    made = make_sav_documents(tmp_path / "clean", ("bear", "swan", "cow"))
    truth = make_track_truth(open_split(made.path))
    videos = {sequence.folder: sequence.video for sequence in truth.sequences}
    assert videos["bear@0"] == videos["bear@1"] == "bear"
    assert len(set(videos.values())) == 3
