"""A campaign without the fuzzer: ``python -m tests.fuzz.campaign TARGET COUNT [SEED] [FOLDER]``.

It changes the seeds at random, and needs no library. Every failure is printed once, and its input
is saved in the folder.
"""

from __future__ import annotations

import hashlib
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutations import mutate_json, mutate_png, words_of
from tests.fuzz.seeds import seeds
from tests.fuzz.tar_mutations import make_plain, mutate_tar
from tests.fuzz.targets import TARGETS

LIMIT = 1 << 17
SECONDS = 20
"""The longest time for one input."""


def mutate(target: str, data: bytes, random: Random, words: list[str]) -> bytes:
    """Change an input of a target."""
    plain = make_plain(random)
    if target == "index_mask":
        return mutate_png(data, LIMIT, random, plain)
    if target == "archives":
        return mutate_tar(data, LIMIT, random, plain)
    return mutate_json(data, LIMIT, random, words, plain)


def guard(call: Callable[[], Any]) -> Exception | None:
    """Return what a call raises, if only after `SECONDS`."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        call()
    except Exception as error:
        return error
    finally:
        signal.alarm(0)
    return None


def describe(error: Exception) -> str:
    """Return the last places and the message of an error."""
    steps = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    return f"{type(error).__name__}: {error!s:.300} [{places}]"


def main(target: str, count: str, seed: str = "0", folder: str = "") -> None:
    """Run a target with changed seeds."""
    import resource

    begin, random, seen = seeds(target), Random(int(seed)), set()
    words = sorted(set().union(*map(words_of, begin)))
    for number in range(int(count)):
        data = random.choice(begin)
        for _ in range(random.choice((1, 1, 2, 3))):
            data = mutate(target, data, random, words)
        error = guard(lambda data=data: TARGETS[target](data))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if peak > 1024 and "memory" not in seen:
            seen.add("memory")
            print(f"{number}: {peak} MB", hashlib.sha256(data).hexdigest()[:8])
        if error is None:
            continue
        key = describe(error).partition("[")[2]
        if key not in seen:
            seen.add(key)
            name = f"{target}-{hashlib.sha256(data).hexdigest()[:8]}"
            print(f"{number}: {name}: {describe(error)}", flush=True)
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(data)
    print(f"{target}: {count} inputs, {len(seen)} failures")


if __name__ == "__main__":
    main(*sys.argv[1:])
