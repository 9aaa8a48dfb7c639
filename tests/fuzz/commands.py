"""Fuzz commands that read published files: ``python -m tests.fuzz.commands COMMAND COUNT [SEED]``.

A copy of a small release, kit, archive or noisy dataset is changed in one or two files. The command
must end with success, a found difference or plain problems, and each line that it prints must be
plain.
"""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from random import Random
from unittest import mock

from actiseg_data.core.names import is_plain_text
from actiseg_data.make.sample import make_sample
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.releases import release_check
from actiseg_noise.releases.publishing import publish
from tests.fuzz.campaign import LIMIT, describe, guard
from tests.fuzz.mutations import mutate_json, mutate_png, words_of
from tests.fuzz.published_files import make_published_files, make_scratch
from tests.fuzz.tar_mutations import make_plain, mutate_tar
from tests.helpers.command import run

Prepare = Callable[[Path], tuple[list[Path], list[str]]]
"""Makes a copy in a folder; returns the files that can be changed, and the command."""


@cache
def make_release() -> Path:
    """Make a release with two configurations of two sequences."""
    folder = make_scratch() / "small"
    make_sample(folder / "sample")
    lists = sorted(path.name for path in (folder / "sample/Annotations_Sparse/val").iterdir())
    outs = [
        corrupt(
            folder / "sample", kind, rate=0.8, split="val", only=lists[:2], out=folder / kind
        ).out
        for kind in ("boundary", "text")
    ]
    return publish(outs, folder / "release", title="Cups", author="Ada Lace").path


def change_file(path: Path, random: Random) -> None:
    """Change a file, and keep its form."""
    data, plain = path.read_bytes(), make_plain(random)
    if path.suffix == ".tar":
        new = mutate_tar(data, max(LIMIT, len(data)), random, plain)
    elif path.suffix == ".png":
        new = mutate_png(data, LIMIT, random, plain)
    elif path.suffix in (".json", ".jsonl"):
        words = sorted(words_of(data)) or ["a"]
        new = mutate_json(data, max(LIMIT, 2 * len(data)), random, words, plain)
    else:
        new = plain(data, LIMIT)
    path.write_bytes(new)


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


def run_changed(command: str, seed: int) -> None:
    """Run a command on changed files, and check how it ends."""
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
    finally:
        shutil.rmtree(folder)


def _choose_croissant(changed: list[Path]) -> Callable[[Path], list[str]]:
    """Read records through Croissant, which is slow, only if its file or the data changed."""
    if any(path.name == "croissant.json" or path.suffix == ".parquet" for path in changed):
        return release_check.check_croissant
    return lambda release: []


def main(command: str, count: str, seed: str = "0") -> None:
    """Run a command for some seeds; print each failure once."""
    seen = set()
    for number in range(int(seed), int(seed) + int(count)):
        error = guard(lambda number=number: run_changed(command, number))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if peak > 1024 and "memory" not in seen:
            seen.add("memory")
            print(f"{number}: {peak} MB", flush=True)
        if error is not None and (key := describe(error).partition("[")[2]) not in seen:
            seen.add(key)
            print(f"{number}: {describe(error)}", flush=True)
    print(f"{command}: {count} runs from {seed}, {len(seen)} failures, {peak} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
