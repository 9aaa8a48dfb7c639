"""Checks of archives: hostile members, cut ends, and differences from digests and rebuild kits."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.checks.archive_checking import check_archive
from actiseg_noise.releases.data_files.archive import write_archive


@pytest.fixture(scope="module")
def noisy(sample, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("noisy") / "boundary"
    corrupt(sample, make_recipe("boundary", 0.4, split="val"), out=out)
    return out


@pytest.fixture(scope="module")
def packed(noisy, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "boundary-40.tar"
    write_archive(noisy, path)
    return path


def read_members(path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(path) as archive:
        found = [(m, archive.extractfile(m).read() if m.isreg() else b"") for m in archive]
    for member, _ in found:
        member.pax_headers = {}
    return found


def pack(path: Path, members) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def check(path: Path, folder: Path | None = None):
    """Check an archive, which is unpacked beside itself by default, and look for no traces."""
    return check_archive(path, lambda text: iter(()), folder or path.with_suffix(".unpacked"))


def test_an_archive_agrees_with_its_digests(packed, tmp_path):
    result = check(packed, tmp_path / "unpacked")
    assert result.mismatches == ()
    members = {m.name.partition("/")[2]: data for m, data in read_members(packed) if m.isreg()}
    assert result.files == len(members)
    unpacked = (path for path in (tmp_path / "unpacked").rglob("*") if path.is_file())
    texts = {name: data for name, data in members.items() if not name.endswith(".png")}
    assert texts == {
        path.relative_to(tmp_path / "unpacked").as_posix(): path.read_bytes() for path in unpacked
    }


def test_a_file_in_the_place_of_a_folder_is_refused(packed, tmp_path):
    members = [(tarfile.TarInfo(f"a/{name}"), b"x") for name in ("b", "b/c")]
    with pytest.raises(InputError, match="cannot be unpacked"):
        check(pack(tmp_path / "a.tar", members))


def test_changed_missing_and_foreign_files_are_named(packed, tmp_path):
    members = read_members(packed)
    masks = [pair for pair in members if pair[0].name.endswith(".png")]
    write_index_mask(tmp_path / "m.png", np.zeros((240, 428), np.uint8))
    changed, lost, broken = masks[0][0].name, masks[1][0].name, masks[2][0].name
    out = []
    for member, data in members:
        if member.name == changed:
            data = (tmp_path / "m.png").read_bytes()
        elif member.name == broken:
            data = data[:-20]
        if member.name != lost and not member.name.endswith("NAMES.tsv"):
            out.append((member, data))
    foreign = tarfile.TarInfo("boundary-40/zzz.txt")
    lines = check(pack(tmp_path / "boundary-40.tar", [*out, (foreign, b"x")])).mismatches
    named = {line.partition(": ")[0].rpartition("/")[2] for line in lines}
    expected = {Path(name).name for name in (changed, lost, broken)}
    assert named == expected | {"NAMES.tsv", "zzz.txt"}


def test_a_summary_with_the_path_of_the_maintainer_is_named(packed, tmp_path):
    members = []
    for member, data in read_members(packed):
        if member.name.endswith("summary.json"):
            data = json.dumps(
                json.loads(data) | {"source": "/home/me/visor", "seconds": 1}
            ).encode()
        members.append((member, data))
    lines = check(pack(tmp_path / "boundary-40.tar", members)).mismatches
    assert [line.partition(":")[0] for line in lines] == ["summary.json"] * 2


def make_link(kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo("boundary-40/x")
    member.type, member.linkname = kind, "/etc/passwd"
    return member


HOSTILE = {
    "symbolic link": make_link(tarfile.SYMTYPE),
    "hard link": make_link(tarfile.LNKTYPE),
    "device": make_link(tarfile.CHRTYPE),
    "pipe": make_link(tarfile.FIFOTYPE),
    "absolute": tarfile.TarInfo("/etc/x"),
    "climbing": tarfile.TarInfo("boundary-40/../x"),
    "climbing at the top": tarfile.TarInfo("../x"),
    "another top": tarfile.TarInfo("other/x"),
    "at the top": tarfile.TarInfo("boundary-40"),
    "reserved": tarfile.TarInfo("boundary-40/CON"),
    "separator": tarfile.TarInfo("boundary-40/a\\b"),
    "control": tarfile.TarInfo("boundary-40/a\x1bb"),
    "empty part": tarfile.TarInfo("boundary-40//x"),
    "deep": tarfile.TarInfo("boundary-40/a/b/c/d/e/f"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_members_that_are_not_safe_are_refused(name, packed, tmp_path):
    members = read_members(packed)
    path = pack(tmp_path / "boundary-40.tar", [*members[:3], (HOSTILE[name], b"")])
    with pytest.raises(InputError):
        check(path)


def test_an_absolute_member_is_named_as_one(tmp_path):
    path = pack(tmp_path / "a.tar", [(tarfile.TarInfo("/tmp/evil"), b"x")])
    with pytest.raises(InputError, match="'/tmp/evil' is an absolute path"):
        check(path)


@pytest.mark.parametrize("field", ["uid", "mtime", "uname", "mode"])
def test_owners_and_times_are_refused(field, packed, tmp_path):
    members = read_members(packed)
    setattr(members[0][0], field, "me" if field == "uname" else 5)
    with pytest.raises(InputError, match="has an owner, a time or unusual rights"):
        check(pack(tmp_path / "boundary-40.tar", members))


def test_duplicates_and_other_orders_are_refused(packed, tmp_path):
    members = read_members(packed)
    for wrong in ([*members, members[-1]], [members[0], *members[:0:-1]]):
        with pytest.raises(InputError, match=r"is there twice|is not in its place"):
            check(pack(tmp_path / "boundary-40.tar", wrong))


@given(share=st.floats(0, 0.9999))
def test_an_archive_cut_anywhere_is_refused(share, packed, tmp_path_factory):
    data = packed.read_bytes()
    path = tmp_path_factory.mktemp("cut") / "boundary-40.tar"
    path.write_bytes(data[: int(share * (len(data.rstrip(b"\0")) + 512))])
    with pytest.raises(InputError):
        check(path)


@pytest.mark.parametrize("data", [b"", b"x" * 4096, b"\x1f\x8b" + b"\0" * 2048])
def test_other_files_are_refused(data, tmp_path):
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(InputError):
        check(tmp_path / "x.tar")


def test_data_after_the_end_and_missing_files_are_refused(packed, tmp_path):
    (tmp_path / "x.tar").write_bytes(packed.read_bytes() + b"secret".ljust(512))
    far = bytes(8 * tarfile.RECORDSIZE) + b"secret".ljust(512)
    (tmp_path / "far.tar").write_bytes(packed.read_bytes() + far)
    for path in (tmp_path / "x.tar", tmp_path / "far.tar", tmp_path / "nowhere.tar", tmp_path):
        with pytest.raises(InputError):
            check(path)


def test_compressed_archives_are_refused(packed, tmp_path):
    (tmp_path / "x.tar").write_bytes(gzip.compress(packed.read_bytes()))
    with pytest.raises(InputError, match="not a plain tar"):
        check(tmp_path / "x.tar")


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.map": "0,x"},
        {"GNU.sparse.size": "1e3"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "x"},
    ],
)
def test_headers_that_tarfile_cannot_parse_are_refused(packed, tmp_path, records):
    members = read_members(packed)
    members[1][0].pax_headers = records
    with pytest.raises(InputError, match=r"damaged, cut short or not a plain tar|no plain file"):
        check(pack(tmp_path / "a.tar", members))


@pytest.mark.parametrize("size", [1 << 33, 1 << 62, (1 << 88) - 1])
def test_member_that_is_larger_than_the_archive_is_not_read(packed, tmp_path, size):
    data = bytearray(packed.read_bytes())
    at = next(at for at in range(0, len(data), 512) if data[at + 156 : at + 157] == b"0")
    data[at + 124 : at + 136] = b"\x80" + size.to_bytes(11, "big")
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    with pytest.raises(InputError, match="cut short"):
        check(path)
