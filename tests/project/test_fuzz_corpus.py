"""The inputs that fuzzing found worth keeping, through the same targets, without the fuzzer."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.campaign import LIMIT
from tests.fuzz.mutations import mutate_json, mutate_png, words_of
from tests.fuzz.seeds import seeds
from tests.fuzz.tar_mutations import mutate_tar
from tests.fuzz.targets import TARGETS
from tests.helpers.paths import ROOT

CORPUS = ROOT / "tests" / "fuzz" / "corpus"


def plainly(data, limit):
    """Stands in for the fuzzer's own changes of bytes."""
    return data[: limit // 2] + b"\0"


@pytest.mark.parametrize("target", TARGETS)
def test_kept_inputs_are_handled(target):
    inputs = sorted((CORPUS / target).iterdir())
    assert inputs
    for path in inputs:
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_and_what_is_made_of_them_are_handled(target):
    random = Random(1)
    for data in seeds(target):
        TARGETS[target](data)
        for _ in range(6):
            if target == "index_mask":
                changed = mutate_png(data, LIMIT, random, plainly)
            elif target == "archives":
                changed = mutate_tar(data, LIMIT, random, plainly)
            else:
                words = sorted(words_of(seeds(target)[0]))
                changed = mutate_json(data, LIMIT, random, words, plainly)
            assert len(changed) <= LIMIT
            TARGETS[target](changed)


def test_the_kept_inputs_stay_small():
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert len(sizes) <= 180
    assert sum(sizes) <= 350_000
