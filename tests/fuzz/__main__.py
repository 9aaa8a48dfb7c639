"""Run a campaign: ``python -m tests.fuzz TARGET FOLDER [libFuzzer options]``."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(
    include=["actiseg_data", "actiseg_eval", "actiseg_noise", "PIL.PngImagePlugin"]
):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.mutations import mutate_json, mutate_png, words_of
from tests.fuzz.seeds import seeds
from tests.fuzz.tar_mutations import mutate_tar

CORPUS = Path(__file__).parent / "corpus"


def main(target: str, folder: str, *options: str) -> None:
    """Fuzz one target until it fails or the options end it; save new inputs in `folder`."""
    begin = seeds(target)
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(begin):
        (corpus / f"seed-{number:02d}").write_bytes(data)
    words = sorted(set().union(*map(words_of, begin)))

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.3:  # nearly all saved inputs are refused; stay near valid ones
            data = random.choice(begin)
        if target == "index_mask":
            return mutate_png(data, limit, random, atheris.Mutate)
        if target == "archives":
            return mutate_tar(data, limit, random, atheris.Mutate)
        return mutate_json(data, limit, random, words, atheris.Mutate)

    longest = 1 << 17 if target == "archives" else 1 << 14
    bounds = ("-timeout=10", "-rss_limit_mb=2048", f"-max_len={longest}")
    arguments = [sys.argv[0], folder, str(CORPUS / target), *bounds, *options]
    atheris.Setup(arguments, TARGETS[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
