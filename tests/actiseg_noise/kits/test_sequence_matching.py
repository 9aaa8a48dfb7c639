"""Sequences of a noisy split are found under other numbers and names, and never by guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_noise.kits.sequence_matching import match_sequences
from tests.helpers.roots import clip

CLIPS = [
    clip(5, noun="cup", frames=("a", "b")),
    clip(6, noun="cup", frames=("c", "d")),
    clip(7, noun="cup", frames=("c", "d"), start=701),
    clip(8, noun="pan:big", frames=("c", "d")),
    clip(9, noun="tap", video="P02", frames=("e",)),
]
CUPS = [f"{number:08d}_P01_01_take_cup" for number in range(10)]


def match(**present):
    return match_sequences(CLIPS, {k: frozenset(v) for k, v in present.items()}, Path("noisy"))


@pytest.mark.parametrize(
    ("present", "names", "strangers", "renumbered"),
    [
        # Numbers agree: names decide where frames are unknown or missing.
        ({CUPS[5]: "ab", CUPS[6]: ""}, {5: CUPS[5], 6: CUPS[6]}, (), 0),
        # Shifted by one: frames outweigh the number; the twins 6 and 7 keep their order.
        (
            {CUPS[6]: "ab", CUPS[7]: "cd", CUPS[8]: "cd"},
            {5: CUPS[6], 6: CUPS[7], 7: CUPS[8]},
            (),
            3,
        ),
        # One of two twins under another number could be either.
        ({CUPS[1]: "cd"}, {}, (CUPS[1],), 0),
        # Without frames, only a name that occurs once is found under another number.
        ({CUPS[1]: "", CUPS[2]: ""}, {}, (CUPS[1], CUPS[2]), 0),
        ({"00000001_P01_01_take_pan%3Abig": ""}, {8: "00000001_P01_01_take_pan%3Abig"}, (), 1),
        ({"P01_01_take_pan:big": "cd"}, {8: "P01_01_take_pan:big"}, (), 1),
        # The name of a video, if one sequence is of it.
        ({"P02": "e", "P01_01": "ab"}, {9: "P02"}, ("P01_01",), 0),
    ],
)
def test_matches(present, names, strangers, renumbered):
    matches = match(**present)
    by_number = {int(folder[:8]): name for folder, name in matches.names.items()}
    assert (by_number, matches.strangers, matches.renumbered) == (names, strangers, renumbered)


def test_ambiguous_spellings_are_refused():
    with pytest.raises(InputError, match="not clear"):
        match(
            **{
                "00000008_P01_01_take_pan%3Abig": "cd",
                "00000008_P01_01_take_pan_big": "cd",
                "00000008_P01_01_take_pan\uf03abig": "cd",
            }
        )
