"""The document of a rebuild kit: what it holds, and what a damaged one is told."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import encode_json
from actiseg_data.make.prepare.raw_inputs import RawInput
from actiseg_noise import corrupt, make_recipe, open_noisy_split
from actiseg_noise.kits.kit_checking import find_kit_differences
from actiseg_noise.kits.kit_making import make_kit
from actiseg_noise.kits.kit_reading import choose_kit, parse_kit, read_kit
from actiseg_noise.kits.kit_record import (
    CleanSource,
    KitThresholds,
    RebuildKit,
    SequenceDigests,
)
from actiseg_noise.media.self_check import open_documents
from tests.helpers.released import make_split_kit


@pytest.fixture(scope="module")
def mixed(weighted_sample, tmp_path_factory):
    """A noisy split, and its kit as a document."""
    out = tmp_path_factory.mktemp("kit") / "mixed"
    corrupt(weighted_sample, "mixed", rate=0.4, split="val_human", with_clean=["train"], out=out)
    kit = make_split_kit("mixed-40", out)
    return out, kit


@pytest.fixture
def document(mixed):
    return json.loads(encode_json(mixed[1].to_dict()))


def unpack(text: str, size: int) -> list[bytes]:
    data = base64.b64decode(text)
    return [data[start : start + size] for start in range(0, len(data), size)]


def hash_json(value) -> bytes:
    """The digest of a JSON value, written down a second time."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def change_clean(kit, **changes):
    """Return a kit whose first sequence of the clean list has other members."""
    (identity, first), *rest = kit.clean["train"].items()
    return replace(kit, clean={"train": {identity: replace(first, **changes), **dict(rest)}})


def test_a_clean_list_that_differs_is_named_once(mixed):
    out, kit = mixed
    for changed, line in (
        (kit, None),
        (replace(kit, clean={}), "clean: is not that of the archive"),
        (
            change_clean(kit, text=bytes(8)),
            "clean: train: sequences: 1 have other words and labels than in the archive",
        ),
        (change_clean(kit, clean=bytes(8)), "clean: train: is not the list of the archive"),
    ):
        expected = [] if line is None else [line]
        assert list(find_kit_differences(changed, out, open_documents(out))) == expected


def test_columns_are_the_digests_of_the_split(mixed, document, weighted_sample):
    out, _ = mixed
    digests = json.loads((out / "digests.json").read_text())
    records = json.loads((out / "ImageSets/val_human.json").read_text())
    files = sorted((out / "ImageSets").glob("val_human_*.json"))
    companions = {path.name: json.loads(path.read_text())["videos"] for path in files}
    expected = {}
    for record in records:
        frames = [name.removesuffix(".jpg") for name in record["sparse_frames"]]
        rest = "{video}_{verb}_{noun}".format(**record)
        folder = f"{record['seq_id']:08d}_{rest}"
        names = [f"val/{folder}/{frame}.png" for frame in frames]
        masks = b"".join(bytes.fromhex(digests[f"Annotations_Sparse/{n}"])[:8] for n in names)
        weights = hash_json([digests[f"Weights_Sparse/{n}"] for n in names])[:8]
        entry = {key: value for key, value in record.items() if key != "seq_id"}
        text = {"list": entry} | {name: videos[folder] for name, videos in companions.items()}
        identity = hash_json([rest, frames[0], frames[-1], 0])[:8]
        expected[identity] = (len(frames), masks, weights, hash_json(text)[:8])
    packed = document["sequences"]
    frames = struct.unpack(f"<{packed['count']}I", base64.b64decode(packed["frames"]))
    masks, start = [], 0
    for number in frames:
        masks.append(b"".join(unpack(packed["masks"], 8)[start : start + number]))
        start += number
    columns = [unpack(packed[name], 8) for name in ("identity", "weights", "text")]
    actual = {
        identity: entry
        for identity, *entry in zip(columns[0], frames, masks, *columns[1:], strict=True)
    }
    assert {key: tuple(entry) for key, entry in actual.items()} == expected
    assert list(actual) == sorted(actual)
    assert document["clean"].keys() == {"train"}
    train = json.loads((weighted_sample / "ImageSets/train.json").read_text())
    assert document["clean"]["train"]["count"] == len(train)
    assert document["lists"]["val_human.json"] == digests["ImageSets/val_human.json"]


def test_kit_has_no_name_of_a_sequence_or_path(mixed, document, tmp_path):
    out, _ = mixed
    text = json.dumps(document)
    for folder in (out / "Annotations_Sparse/val").iterdir():
        assert folder.name not in text
        assert folder.name[9:] not in text
    assert str(out.parent) not in text
    assert not re.search(r"\d{4}-\d\d-\d\d", text)


def test_clean_digests_are_those_of_the_files_of_the_source(mixed, weighted_sample):
    from actiseg_data.annotations.masks import digest_pixels, read_index_mask

    out, kit = mixed
    folders = (weighted_sample / "Annotations_Sparse/val").iterdir()
    given_digests = {
        folder.name: {
            kind: [
                digest_pixels(read_index_mask(path))
                for path in sorted((weighted_sample / kind / "val" / folder.name).iterdir())
            ]
            for kind in ("Annotations_Sparse", "Weights_Sparse")
        }
        for folder in folders
    }
    split, documents = open_noisy_split(out), open_documents(out)
    again = make_kit("mixed-40", split, documents, given_digests)
    assert encode_json(again.to_dict()) == encode_json(kit.to_dict())


@st.composite
def kits(draw):
    names = st.text("abcdefg_-0123456789", min_size=1, max_size=9).map("n".__add__)
    has_masks, has_weights = draw(st.booleans()), draw(st.booleans())

    def draw_bytes(size: int) -> bytes:
        return draw(st.binary(min_size=size, max_size=size))

    def draw_sequences(least: int) -> dict[bytes, SequenceDigests]:
        identities = draw(st.sets(st.binary(min_size=8, max_size=8), min_size=least, max_size=4))
        return {
            identity: SequenceDigests(
                frames := draw(st.integers(1, 5)),
                draw_bytes(8 * frames * has_masks),
                draw_bytes(8 * has_weights),
                draw_bytes(8),
                draw_bytes(8),
            )
            for identity in sorted(identities)
        }

    digest = st.text("0123456789abcdef", min_size=32, max_size=32)
    raw = st.builds(
        RawInput,
        st.sampled_from(["annotations", "narrations"]),
        names,
        st.text("0123456789abcdef", min_size=64, max_size=64),
        st.sampled_from(["train", "val"]),
    )
    return RebuildKit(
        name=draw(names),
        recipe=make_recipe(draw(st.sampled_from(["boundary", "text", "mixed"])), 0.4),
        source=CleanSource(draw(names), draw(digest), tuple(draw(st.lists(raw, max_size=3)))),
        masks="derived",
        weights="derived",
        thresholds=KitThresholds(
            draw(
                st.fixed_dictionaries(
                    {},
                    optional={"threshold": st.floats(0, 1), "text_thresholds": st.just([0.1, 0.2])},
                )
            ),
            draw(st.booleans()),
        ),
        lists=draw(st.dictionaries(names, digest, max_size=3)),
        sequences=draw_sequences(1),
        clean={name: draw_sequences(0) for name in draw(st.sets(names, max_size=2))},
        lexicon=draw(st.sampled_from([None, {"title": "ours"}])),
        differences=draw(st.sampled_from([None, {"schema": "x"}])),
        toolkit="actiseg 1.0",
        versions=draw(st.dictionaries(names, names, max_size=2)),
    )


@given(kits())
def test_reading_gives_back_what_was_written(kit):
    parsed = parse_kit(json.loads(encode_json(kit.to_dict(), indent=1)), "kit.json")
    assert parsed == kit
    assert encode_json(parsed.to_dict()) == encode_json(kit.to_dict())


def shorten(text: str) -> str:
    return base64.b64encode(base64.b64decode(text)[:-1]).decode()


FAULTS = {
    "newer schema": (("schema",), "actiseg/kit/2", "schema 'actiseg/kit/2', but this release"),
    "another kind of file": (("schema",), "actiseg/recipe/1", "another kind of file"),
    "no name": (("name",), 7, "must be text"),
    "name climbs out": (("name",), "../up", "path separator"),
    "list climbs out": (("lists",), {"../val.json": "0" * 32}, "outside the folder"),
    "list is dots": (("lists",), {"..": "0" * 32}, "outside the folder"),
    "clean list climbs out": (("clean",), {"a/b": {}}, "path separator"),
    "split climbs out": (("source", "split"), "a\\b", "path separator"),
    "list digest": (("lists",), {"val.json": "x"}, "32 hexadecimal digits"),
    "fingerprint": (("source", "fingerprint"), "x" * 32, "32 hexadecimal digits"),
    "not base64": (("sequences", "text"), "%%%", "not base64"),
    "not ASCII": (("sequences", "text"), "é", "not base64"),
    "count": (("sequences", "count"), 10**9, "and the columns have"),
    "negative count": (("sequences", "count"), -1, "and the columns have"),
    "thresholds": (("thresholds",), {"text_thresholds": [1]}, "two numbers"),
    "unknown threshold": (("thresholds",), {"treshold": 0.1}, "did you mean 'threshold'"),
    "unknown key": (("sequence",), {}, "did you mean 'sequences'"),
    "recipe": (("recipe",), {}, "'schema' is missing"),
    "inputs": (("source", "inputs"), [{"split": "test"}], "one of train, val"),
    "lexicon": (("lexicon",), [], "an object"),
    "versions": (("versions",), {"numpy": 1}, "must be text"),
    "control characters": (("toolkit",), "a\x1b[2J", "control characters"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_member_is_named(document, fault):
    keys, value, message = FAULTS[fault]
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(InputError, match=re.escape(message)) as refused:
        parse_kit(document, "kit.json")
    assert all(problem.where.startswith("kit.json") for problem in refused.value.problems)


@pytest.mark.parametrize("column", ["identity", "frames", "masks", "weights", "text", "clean"])
def test_column_of_another_length_is_named(document, column):
    document["sequences"][column] = shorten(document["sequences"][column])
    with pytest.raises(InputError, match=f"sequences: {column}: has .* bytes, not"):
        parse_kit(document, "kit.json")


@pytest.mark.parametrize("member", ["name", "recipe", "source", "lists", "sequences", "versions"])
def test_missing_member_is_named(document, member):
    del document[member]
    with pytest.raises(InputError, match=f"the key '{member}' is missing"):
        parse_kit(document, "kit.json")


def test_unsorted_or_repeated_sequences_are_refused(document):
    packed = document["sequences"]
    identities = unpack(packed["identity"], 8)
    packed["identity"] = base64.b64encode(b"".join([identities[0], *identities[:-1]])).decode()
    with pytest.raises(InputError, match="not sorted, or repeated"):
        parse_kit(document, "kit.json")


def test_all_faults_are_told_at_once(document):
    document["name"], document["toolkit"], document["lists"] = 1, 2, 3
    with pytest.raises(InputError) as refused:
        parse_kit(document, "kit.json")
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_file_that_is_cut_short_is_refused(mixed, tmp_path, share):
    data = encode_json(mixed[1].to_dict(), indent=1)
    path = tmp_path / "kit.json"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="not valid JSON"):
        read_kit(path)


def test_configuration_is_chosen_by_name(mixed, tmp_path):
    _, kit = mixed
    (tmp_path / "rebuild").mkdir()
    with pytest.raises(InputError, match="has no rebuild kit"):
        choose_kit(tmp_path)
    document = kit.to_dict()
    path = tmp_path / "rebuild/mixed-40.json"
    path.write_bytes(encode_json(document))
    assert choose_kit(tmp_path) == choose_kit(path) == choose_kit(tmp_path, "mixed-40") == kit
    other = tmp_path / "rebuild/mixed-60.json"
    other.write_bytes(encode_json(document | {"name": "mixed-60"}))
    with pytest.raises(InputError, match="has 2 configurations: mixed-40, mixed-60"):
        choose_kit(tmp_path)
    with pytest.raises(InputError, match="did you mean 'mixed-60'"):
        choose_kit(tmp_path, "mixd-60")
    with pytest.raises(InputError, match="is the kit of 'mixed-40', not of 'mixed-60'"):
        choose_kit(path, "mixed-60")
    other.write_bytes(encode_json(document))
    with pytest.raises(InputError, match="is the kit of 'mixed-40'"):
        choose_kit(tmp_path, "mixed-60")
    with pytest.raises(InputError, match="the rebuild kit is missing"):
        choose_kit(Path(tmp_path / "absent"))
