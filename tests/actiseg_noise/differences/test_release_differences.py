"""`diff` of releases: configurations, archives, and rebuild kits; hostile archives."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import tarfile
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.names import is_plain_text
from actiseg_noise import compare_splits, corrupt
from actiseg_noise.differences.archive_documents import (
    read_archive_documents,
    read_folder_documents,
)
from actiseg_noise.differences.difference_report import describe_changes, describe_difference
from actiseg_noise.differences.release_comparison import ReleaseDifference
from actiseg_noise.differences.split_comparison import compare_snapshots
from actiseg_noise.differences.split_snapshot import parse_snapshot
from actiseg_noise.kits.kit_record import KITS
from tests.helpers.command import run
from tests.helpers.released import make_release, make_split_kit, pack
from tests.helpers.roots import clip, make_root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp("root") / "clean")


@pytest.fixture(scope="module")
def splits(root, tmp_path_factory):
    """Noisy splits: boundary noise by two seeds, text noise, and a part of the first."""
    folder = tmp_path_factory.mktemp("splits")
    part = [clip(n).folder for n in (1, 2)]
    made = {
        "first": ("boundary", {}),
        "second": ("boundary", {"seed": 1}),
        "text": ("text", {}),
        "part": ("boundary", {"only": part}),
    }
    return {
        name: corrupt(root, noise, rate=0.5, out=folder / name, **more).out
        for name, (noise, more) in made.items()
    }


def add_kits(release, **splits):
    for name, folder in splits.items():
        kit = make_split_kit(name, folder)
        write_json(release / KITS / f"{name}.json", kit.to_dict())
    return release


@pytest.fixture(scope="module")
def kits(splits, tmp_path_factory):
    """A release without data for each noisy split."""
    folder = tmp_path_factory.mktemp("kits")
    return {name: add_kits(folder / name, same=split) for name, split in splits.items()}


def test_an_archive_has_the_documents_of_its_folder(splits, tmp_path):
    for name, folder in splits.items():
        archive = pack(folder, tmp_path / f"{name}.tar")
        assert read_archive_documents(archive) == read_folder_documents(folder)
        assert compare_splits(folder, archive).same


def test_configurations_are_compared_by_name(splits, tmp_path):
    old = make_release(
        tmp_path / "old", same=splits["text"], other=splits["first"], gone=splits["text"]
    )
    new = make_release(
        tmp_path / "new", same=splits["text"], other=splits["second"], more=splits["text"]
    )
    difference = compare_splits(old, new)
    assert (difference.only_a, difference.only_b) == (("gone",), ("more",))
    assert {name: pair.same for name, pair in difference.configurations.items()} == {
        "other": False,
        "same": True,
    }
    lines = describe_changes(difference)
    assert lines[:2] == ("gone: removed", "more: added")
    assert lines[2].startswith("other: ")
    assert lines[2].endswith("; seed 0 -> 1")
    assert lines[3] == "same: unchanged"
    assert run("diff", old, new).returncode == 1
    done = run("diff", old, new, "--config", "same", "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["same"]
    assert list(document["configurations"]) == ["same"]


def test_a_single_split_is_compared_with_the_named_configuration(splits, tmp_path):
    release = make_release(tmp_path / "release", one=splits["first"], two=splits["text"])
    assert compare_splits(splits["text"], release, config="two").same
    assert compare_splits(release, splits["first"], config="one").same
    refused = run("diff", release, splits["first"])
    assert refused.returncode == 2
    assert "--config" in refused.stderr
    unknown = run("diff", release, splits["first"], "--config", "tow")
    assert unknown.returncode == 2
    assert "did you mean 'two'?" in unknown.stderr


def test_kits_tell_how_much_differs(splits, kits):
    same = compare_splits(kits["first"], kits["first"])
    assert same.same
    (pair,) = compare_splits(kits["first"], kits["second"]).configurations.values()
    digests = [
        json.loads((splits[name] / "digests.json").read_text()) for name in ("first", "second")
    ]
    masks = [name for name in digests[0] if name.startswith("Annotations_Sparse")]
    other = sum(digests[0][name] != digests[1][name] for name in masks)
    assert (pair.masks.different, pair.masks.same) == (other, len(masks) - other)
    assert (pair.text, pair.clean_masks, pair.clean_text, pair.lists) == (0, 0, 0, ())
    assert [change.name for change in pair.recipe] == ["seed"]
    done = run("diff", kits["first"], kits["second"])
    assert done.returncode == 1
    assert "unknown" in done.stdout


def test_kits_of_a_part_and_of_the_whole(kits):
    (pair,) = compare_splits(kits["part"], kits["first"]).configurations.values()
    assert (pair.sequences.same, pair.sequences.only_b, pair.masks.changed) == (2, 4, 0)
    assert pair.lists == ("train.json", *pair.lists[1:])


def test_kits_of_text_and_boundary_noise(kits):
    line = describe_changes(compare_splits(kits["text"], kits["first"]))[0]
    assert "sequences have other words or labels" in line
    assert "masks have other pixels" in line


def test_a_kit_is_not_compared_with_a_split(splits, kits):
    with pytest.raises(InputError, match="rebuild kit"):
        compare_splits(kits["first"], splits["first"])


def test_archives_are_preferred_to_kits(splits, tmp_path):
    releases = [
        add_kits(make_release(tmp_path / name, same=splits[name]), same=splits[name])
        for name in ("first", "second")
    ]
    (pair,) = compare_splits(*releases).configurations.values()
    assert pair.masks.changes
    shutil.rmtree(releases[1] / "archives")
    (pair,) = compare_splits(*releases).configurations.values()
    assert pair.masks.different > 0


def test_escaped_names_are_the_original_ones(tmp_path):
    name = "new:\N{PILE OF POO}|x"
    root = make_root(tmp_path / "clean", split=name)
    out = corrupt(root, "text", rate=0.5, split=name, out=tmp_path / "out").out
    files = [path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file()]
    names = {file: file.replace(":", "%3A").replace("|", "%7C") for file in files}
    written = {old: new for old, new in names.items() if new != old}
    assert written
    archive = pack(out, tmp_path / "a.tar", names=written)
    assert compare_splits(out, archive).same


def change_members(change):
    """Return a function that writes an archive again with a change of its members."""

    def rewrite(source, target):
        with tarfile.open(source) as old, tarfile.open(target, "w") as new:
            members = [(member, old.extractfile(member)) for member in old]
            for member, stream in change(members):
                new.addfile(member, stream)

    return rewrite


def add_member(name, kind=tarfile.REGTYPE, link="", data=b"{}"):
    def change(members):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        member.size = len(data) if kind == tarfile.REGTYPE else 0
        return [*members, (member, io.BytesIO(data))]

    return change_members(change)


def cut(share):
    def rewrite(source, target):
        data = source.read_bytes()
        target.write_bytes(data[: int(len(data) * share)])

    return rewrite


def cut_end(source, target):
    """Drop the empty blocks at the end, and with them nothing that `tar` would miss."""
    with tarfile.open(source) as archive:
        *_, last = archive
    end = last.offset_data + (last.size + 511) // 512 * 512
    target.write_bytes(source.read_bytes()[:end])


HOSTILE = {
    "link": add_member("a/ImageSets/x.json", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": add_member("a/ImageSets/x.json", tarfile.LNKTYPE, "a/recipe.json"),
    "device": add_member("a/x", tarfile.CHRTYPE),
    "pipe": add_member("a/x", tarfile.FIFOTYPE),
    "climbs": add_member("a/../../recipe.json"),
    "absolute": add_member("/a/recipe.json"),
    "backslash": add_member("a\\..\\x"),
    "outside": add_member("recipe.json"),
    "two tops": add_member("b/recipe.json"),
    "twice": add_member("a/recipe.json"),
    "control character": add_member("a/\x1b[2J.json"),
    "reserved": add_member("a/con"),
    "names": add_member("a/NAMES.tsv", data=b"one column\n"),
    "cut in a header": cut(0.5003),
    "cut short": cut(0.6),
    "empty": cut(0),
    "end": cut_end,
    "no ledger": change_members(
        lambda members: [pair for pair in members if not pair[0].name.endswith("ledger.jsonl")]
    ),
    "gzip": lambda source, target: target.write_bytes(gzip.compress(source.read_bytes())),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(splits, tmp_path, name):
    good = pack(splits["first"], tmp_path / "a.tar")
    bad = tmp_path / "bad" / "a.tar"
    bad.parent.mkdir()
    HOSTILE[name](good, bad)
    done = run("diff", good, bad)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert str(bad) in done.stderr


def test_random_damage_to_an_archive_never_escapes(splits, tmp_path):
    """Each archive is refused, or read as documents with the same names."""
    good = pack(splits["part"], tmp_path / "a.tar").read_bytes()
    draw = random.Random(7)
    path = tmp_path / "damaged.tar"
    refused = 0
    for _ in range(150):
        data = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(0, len(data) - 512, 512) + draw.randrange(512)
            data[place] = draw.randrange(256)
        path.write_bytes(data)
        try:
            documents = read_archive_documents(path)
        except InputError:
            refused += 1
        else:
            assert {"recipe.json", "ledger.jsonl"} <= documents.keys()
    assert refused


def test_other_paths_are_refused(splits, root, tmp_path):
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "empty" / KITS).mkdir(parents=True)
    for path in (tmp_path / "x.txt", tmp_path / "gone", root, tmp_path / "empty"):
        done = run("diff", splits["first"], path)
        assert done.returncode == 2
        assert str(path) in done.stderr
    done = run("diff", splits["first"], splits["text"], "--config", "x")
    assert done.returncode == 2
    inside = splits["first"] / "report.json"
    assert run("diff", splits["first"], splits["text"], "--json", inside).returncode == 2
    assert not inside.exists()


ODD = (None, True, -1, 10**30, 0.5, "", "\x1b[2J", "../x", "\ud800", [], {}, [[]], {"rate": "x"})


def damage(document, draw):
    """Replace, remove or add something at a random place of a JSON document."""
    place = document
    while True:
        steps = list(place) if isinstance(place, dict) else range(len(place))
        if not steps:
            return
        step = draw.choice(steps)
        if isinstance(place[step], (dict, list)) and place[step] and draw.random() < 0.8:
            place = place[step]
            continue
        if draw.random() < 0.2:
            del place[step]
        elif isinstance(place, dict) and draw.random() < 0.2:
            place[draw.choice(["", "\x1b", "../x", "a/b/c/d"])] = draw.choice(ODD)
        else:
            place[step] = draw.choice(ODD)
        return


def test_damaged_documents_never_escape(splits):
    """A damaged document is refused, or compared and printed."""
    draw = random.Random(3)
    good = [read_folder_documents(splits[name]) for name in ("part", "text")]
    snapshots = [parse_snapshot(documents, "good") for documents in good]
    refused = 0
    for _ in range(300):
        number = draw.randrange(2)
        documents = dict(good[number])
        name = draw.choice(sorted(documents))
        lines = documents[name].splitlines() if name.endswith("l") else [documents[name]]
        position = draw.randrange(len(lines))
        document = json.loads(lines[position])
        damage(document, draw)
        lines[position] = json.dumps(document).encode()
        documents[name] = b"\n".join(lines)
        try:
            snapshot = parse_snapshot(documents, "bad")
        except InputError:
            refused += 1
            continue
        pair = compare_snapshots(snapshots[number], snapshot)
        difference = ReleaseDifference(Path("a"), Path("b"), (), (), {"x": pair})
        lines = [*describe_changes(difference)]
        for part in describe_difference(difference):
            lines += (
                [part] if isinstance(part, str) else [cell for row in part.rows for cell in row]
            )
        assert all(map(is_plain_text, lines))
        json.dumps(difference.to_dict())
    assert 20 < refused < 290
