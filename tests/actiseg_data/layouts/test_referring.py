"""Documents of expressions: read with all ids, written with the clean texts beside the new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import encode_json
from actiseg_data.layouts.referring import parse_referring, read_referring
from tests.helpers.documents import edited

YOUTUBE = {
    "videos": {
        "003234408d": {
            "expressions": {
                "0": {"exp": "a penguin is on the left", "obj_id": "1"},
                "1": {"exp": "caf\u00e9 chair", "obj_id": "2"},
            },
            "frames": ["00000", "00005"],
        },
        "valid": {"expressions": {"0": {"exp": "a cat"}}, "frames": ["00000"]},
        "empty": {"expressions": {}, "frames": []},
    },
    "version": 1,
}
MEVIS = {
    "videos": {
        "d3d9eaf68fc0": {
            "vid_id": 7,
            "height": 480,
            "expressions": {
                "0": {"obj_id": [1, 2], "anno_id": [31, 32], "exp": "Two birds", "more": [1.5]},
            },
            "frames": ["00000"],
        }
    }
}


def test_ids_are_one_or_several_or_none():
    sequences = parse_referring(YOUTUBE, Path("x.json")).sequences
    assert [sequence.folder for sequence in sequences] == ["003234408d", "valid", "empty"]
    assert [item.object_ids for item in sequences[0].expressions] == [("1",), ("2",)]
    assert sequences[0].frames == ("00000", "00005")
    assert sequences[1].expressions[0].object_ids == ()
    assert sequences[2].expressions == ()
    (birds,) = parse_referring(MEVIS, Path("x.json")).sequences[0].expressions
    assert (birds.object_ids, birds.annotation_ids) == (("1", "2"), ("31", "32"))


@pytest.mark.parametrize("name", ["meta_expressions.json", "meta_expressions.json.gz"])
def test_a_file_is_rewritten_with_clean_texts_beside(tmp_path, name):
    import gzip

    data = json.dumps(YOUTUBE).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    document = read_referring(tmp_path / name)
    noisy = document.rewrite({("003234408d", "1"): "caf\u00e9 stool"})
    expected = json.loads(json.dumps(YOUTUBE))
    for video in expected["videos"].values():
        for entry in video["expressions"].values():
            entry["exp_org"] = entry["exp"]
    expected["videos"]["003234408d"]["expressions"]["1"]["exp"] = "caf\u00e9 stool"
    assert encode_json(noisy) == encode_json(expected)  # with all keys in their order
    assert document.document == YOUTUBE  # which stays as it was
    again = parse_referring(json.loads(encode_json(noisy)), Path("noisy.json"))
    assert [item.text_org for item in again.sequences[0].expressions] == [
        item.text for item in document.sequences[0].expressions
    ]
    with pytest.raises(InputError, match="has noisy expressions") as refused:
        again.rewrite({})
    assert len(refused.value.problems) == 2  # the third has none


def test_other_members_are_kept():
    noisy = parse_referring(MEVIS, Path("x.json")).rewrite({("d3d9eaf68fc0", "0"): "Two cats"})
    assert noisy == edited(
        edited(MEVIS, "videos", "d3d9eaf68fc0", "expressions", "0", "exp", to="Two cats"),
        *("videos", "d3d9eaf68fc0", "expressions", "0", "exp_org"),
        to="Two birds",
    )


EXPRESSION = ("videos", "003234408d", "expressions", "0")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("videos",), [], "must be an object"),
        (("videos",), ..., "the key 'videos' is missing"),
        (("videos", "../x"), {"expressions": {}}, "contains a path separator"),
        (("videos", "valid", "expressions"), ..., "the key 'expressions' is missing"),
        (("videos", "valid", "frames"), ["a/b"], "contains a path separator"),
        (("videos", "valid", "frames"), "0", "must be a list"),
        ((*EXPRESSION, "exp"), 5, "must be text, not 5"),
        ((*EXPRESSION, "exp"), ..., "the key 'exp' is missing"),
        ((*EXPRESSION, "obj_id"), None, "must be an id, not None"),
        ((*EXPRESSION, "obj_id"), [1, True], "must be an id, not True"),
        ((*EXPRESSION, "anno_id"), 1.5, "must be an id, not 1.5"),
        ((*EXPRESSION, "obj_id"), "1\n2", "must be text without control characters"),
        (EXPRESSION, "a cat", "must be an object"),
    ],
)
def test_faulty_documents_are_refused(path, value, message):
    with pytest.raises(InputError, match=message):
        parse_referring(edited(YOUTUBE, *path, to=value), Path("x.json"))


def test_all_faults_are_named_at_once():
    document = edited(YOUTUBE, *EXPRESSION, "exp", to=None)
    document = edited(document, *EXPRESSION[:-1], "1", "obj_id", to={})
    document = edited(document, "videos", "valid", "frames", to=[""])
    with pytest.raises(InputError) as refused:
        parse_referring(document, Path("x.json"))
    assert [problem.where for problem in refused.value.problems] == [
        "x.json: videos: 003234408d: expressions: 0: exp",
        "x.json: videos: 003234408d: expressions: 1: obj_id",
        "x.json: videos: valid: frames[0]",
    ]
