"""Fuzz commands that read published files: ``python -m tests.fuzz.commands COMMAND COUNT [SEED]``.

A copy of a small release, kit, archive or noisy dataset is changed in one or two files. The command
must end with success, a found difference or plain problems, and each line that it prints must be
plain.
"""

from __future__ import annotations

import base64
import json
import resource
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from actiseg_data.core.errors import InputError
from actiseg_data.core.names import is_plain_text
from actiseg_data.records.difference_record import parse_differences
from actiseg_data.records.licences import LICENSE_FILE
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.releases.checks import release_check
from actiseg_noise.releases.publishing import publish
from tests.fuzz.campaign import LIMIT, describe, guard
from tests.fuzz.mutations import EDGES, mutate_json, mutate_png, words_of
from tests.fuzz.published_files import make_published_files, make_scratch
from tests.fuzz.tar_mutations import make_plain, mutate_tar
from tests.helpers.command import run
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.roots import make_root

Prepare = Callable[[Path], tuple[list[Path], list[str]]]
"""Makes a copy in a folder; returns the files that can be changed, and the command."""


@cache
def make_release() -> Path:
    """Make a release with two configurations of two sequences."""
    folder = make_scratch() / "small"
    clean = make_root(folder / "clean", [kitchen_clip(1), kitchen_clip(2, noun="cup:big")])
    (clean / LICENSE_FILE).write_text("SPDX-License-Identifier: CC-BY-4.0\n")
    outs = [corrupt(clean, kind, rate=0.8, out=folder / kind).out for kind in ("boundary", "text")]
    return publish(outs, folder / "release", title="Cups", author="Ada Lace").path


def change_file(path: Path, random: Random) -> None:
    """Change a file, and keep its form."""
    data, plain = path.read_bytes(), make_plain(random)
    if path.suffix == ".tar":
        new = mutate_tar(data, max(LIMIT, len(data)), random, plain)
    elif path.suffix == ".png":
        new = mutate_png(data, LIMIT, random, plain)
    elif path.suffix == ".parquet" and random.random() < 0.6:
        change_table(path, random)
        return
    elif path.suffix == ".md" and random.random() < 0.8:
        new = change_header(data, random)
    elif path.suffix == ".json" and random.random() < 0.6:
        new = change_leaf(data, random)
    elif path.suffix in (".json", ".jsonl"):
        words = sorted(words_of(data)) or ["a"]
        new = mutate_json(data, max(LIMIT, 2 * len(data)), random, words, plain)
    else:
        new = plain(data, LIMIT)
    path.write_bytes(new)


def change_leaf(data: bytes, random: Random) -> bytes:
    """Change one value of a JSON document to another of its type; base64 stays base64."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):  # an earlier change of the same file
        return data[:-1]
    places = list(_iterate_leaves(document))
    for _ in range(random.choice((1, 1, 3)) if places else 0):
        node, key = random.choice(places)
        node[key] = _change_value(node[key], random)
    _renew_digests(document)
    return json.dumps(document).encode()


def _iterate_leaves(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        if isinstance(node[key], (dict, list)):
            yield from _iterate_leaves(node[key])
        else:
            yield node, key


def _change_value(value: Any, random: Random) -> Any:
    if isinstance(value, bool) or value is None:
        return random.choice((True, False, None, {}))
    if isinstance(value, (int, float)):
        return random.choice((0, 1, -1, 2, 255, 256, 0.5, 1e300, value + 1, 1 << 40, 10**300))
    try:
        packed = bytearray(base64.b64decode(value, validate=True))
    except ValueError:
        texts = [edge for edge in EDGES if isinstance(edge, str)]
        return random.choice((*texts, value[:-1], f"{value}a", value[:1], "none", "derived"))
    for _ in range(random.choice((1, 2, 9)) if packed else 0):
        packed[random.randrange(len(packed))] = random.choice((0, 1, 127, 128, 255))
    return base64.b64encode(packed).decode()


def _renew_digests(document: Any) -> None:
    """Let the recipe of a kit name the differences that the kit has."""
    if isinstance(document, dict) and document.get("differences"):
        try:
            found = parse_differences(document["differences"], "")
            for noise in document["recipe"]["noises"]:
                noise["parameters"]["differences"] = found.digest(noise["medium"])
        except (InputError, KeyError, TypeError):
            return


def change_header(data: bytes, random: Random) -> bytes:
    """Change one value in the YAML header of a card."""
    lines = data.decode().split("\n")
    ends = [number for number, line in enumerate(lines) if line == "---"]
    if len(ends) < 2 or ends[1] < 2:  # an earlier change of the same file
        return data[:-1]
    number = random.randrange(1, ends[1])
    key, colon, _ = lines[number].partition(": ")
    edge = random.choice((*EDGES, "../**/*", "/etc/*", "*" * 50, ["a"], {"b": [1]}))
    edge = edge if len(str(edge)) < 400 else 0
    if colon and random.random() < 0.8:
        lines[number] = f"{key}: {json.dumps(edge)}"
    else:
        lines[number : number + 1] = random.choice(([], [lines[number]] * 2, [json.dumps(edge)]))
    return "\n".join(lines).encode()


def change_table(path: Path, random: Random) -> None:
    """Change one column of a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path)
    name = random.choice(("sequence", "frame", "object_id", "mask", *table.column_names))
    at, rows = table.column_names.index(name), table.num_rows
    png = (table.column("mask")[0].as_py() or {}).get("bytes") or b""
    values = random.choice(
        (
            *([None] * rows, ["a"] * rows, [1] * rows, [b"x"] * rows, [[1]] * rows),
            [{"bytes": None, "path": "a"}] * rows,
            [{"bytes": mutate_png(png, LIMIT, random, make_plain(random)), "path": "a"}] * rows,
            *([{"bytes": "a"}] * rows, [{"path": "a"}] * rows, ["a\x1b\n\u202e"] * rows),
        )
    )
    if random.random() < 0.2:
        parquet.write_table(table.drop_columns([name]), path)
    else:
        parquet.write_table(table.set_column(at, name, pyarrow.array(values)), path)


def _list_files(folders: Iterable[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def _check(folder: Path) -> tuple[list[Path], list[str]]:
    release = shutil.copytree(make_release(), folder / "release")
    kinds: dict[tuple[Path, str], list[Path]] = {}
    for path in _list_files([release]):
        if path.suffix != ".txt" and path.suffix != ".png":
            kinds.setdefault((path.parent, path.suffix), []).append(path)
    return [path for paths in kinds.values() for path in paths], [
        "publish",
        "--check",
        str(release),
    ]


def _rebuild(folder: Path) -> tuple[list[Path], list[str]]:
    made = make_published_files()
    kits = [Path(shutil.copy(kit, folder)) for kit in made.kits]
    kit = Random(folder.name).choice(kits)
    command = ["rebuild", str(kit), "--source", str(made.clean), "--out", str(folder / "out")]
    return [kit], command


def _diff(folder: Path) -> tuple[list[Path], list[str]]:
    made = make_published_files()
    files = [*made.kits, *made.archives]
    file = Random(folder.name).choice(files)
    copy = Path(shutil.copy(file, folder))
    other = (
        file
        if file.suffix == ".tar" or Random(folder.name + "x").random() < 0.5
        else made.archives[0]
    )
    return [copy], ["diff", str(copy), str(other), "--all", "--json", str(folder / "report.json")]


def _import(folder: Path) -> tuple[list[Path], list[str]]:
    made = make_published_files()
    command = [
        "import",
        str(folder / "noisy"),
        "--clean",
        str(made.clean),
        "--out",
        str(folder / "out"),
    ]
    kind = Random(folder.name).randrange(3)
    if kind == 0:
        shutil.copytree(made.masks, folder / "noisy")
    else:
        source = made.noisy / "ImageSets"
        shutil.copytree(source, folder / "noisy" / ("ImageSets" if kind == 1 else ""))
    if kind == 1:
        shutil.copytree(made.noisy / "Annotations_Sparse", folder / "noisy/Annotations_Sparse")
    return _list_files([folder / "noisy"]), command


COMMANDS: dict[str, Prepare] = {
    "check": _check,
    "rebuild": _rebuild,
    "diff": _diff,
    "import": _import,
}


def run_changed(command: str, seed: int) -> int:
    """Run a command on changed files, and check how it ends; return its exit code."""
    folder = make_scratch() / f"{command}-{seed}"
    folder.mkdir()
    try:
        files, arguments = COMMANDS[command](folder)
        random = Random(seed)
        changed = [random.choice(files) for _ in range(random.choice((1, 1, 2)))]
        for path in changed:
            change_file(path, random)
        with mock.patch.object(release_check, "check_croissant", _choose_croissant(changed)):
            done = run(*arguments, "--quiet") if command != "diff" else run(*arguments)
        assert done.returncode in (0, 1, 2, None), done.returncode
        for line in (done.stdout + done.stderr).split("\n"):
            assert is_plain_text(line), ascii(line)
        if done.returncode == 2:
            assert "error:" in done.stderr
            assert not (folder / "out").exists()
        assert not list(folder.glob("*.partial"))
        return done.returncode or 0
    finally:
        shutil.rmtree(folder)


def _choose_croissant(changed: list[Path]) -> Callable[[Path], list[str]]:
    """Read records through Croissant, which is slow, only if its file or the data changed."""
    if any(path.name == "croissant.json" or path.suffix == ".parquet" for path in changed):
        return release_check.check_croissant
    return lambda release: []


def main(command: str, count: str, seed: str = "0") -> None:
    """Run a command for some seeds; print each failure once."""
    seen: set[str] = set()
    codes: Counter[int] = Counter()
    for number in range(int(seed), int(seed) + int(count)):
        error = guard(lambda number=number: codes.update([run_changed(command, number)]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if peak > 1024 and "memory" not in seen:
            seen.add("memory")
            print(f"{number}: {peak} MB", flush=True)
        if error is not None and (key := describe(error).partition("[")[2]) not in seen:
            seen.add(key)
            print(f"{number}: {describe(error)}", flush=True)
    ends = f"exit codes {dict(codes)}, {peak} MB"
    print(f"{command}: {count} runs from {seed}, {len(seen)} failures, {ends}")


if __name__ == "__main__":
    main(*sys.argv[1:])
